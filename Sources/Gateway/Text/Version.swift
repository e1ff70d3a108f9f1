/// The version of Ameron Sidecar.
public enum Version {
    public static let current = "0.1.0"

    /// Program, version and commit.
    static var name: String { "ameron-sidecar \(current) (commit \(SourceCommit.name ?? "unknown"))" }

    /// For people: the version, the commit, and the versions of the C libraries that are loaded.
    public static var description: String {
        "\(name)\n\(LibraryVersions.text)"
    }
}
