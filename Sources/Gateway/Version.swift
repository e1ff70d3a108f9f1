/// The version of Ameron Sidecar.
public enum Version {
    public static let current = "0.1.0"

    /// For people: the version, the commit, and the versions of the C libraries that are loaded.
    public static var description: String {
        "ameron-sidecar \(current) (commit \(SourceCommit.name ?? "unknown"))\n\(LibraryVersions.text)"
    }
}
