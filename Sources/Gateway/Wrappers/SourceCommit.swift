private import CLinux

/// The commit that the executable was built from.
enum SourceCommit {
    /// In full, with `-dirty` where files had been changed since; nil where the build did not say (a plain `swift build`).
    static var name: String? { CLinux_commit().map { String(cString: $0) } }
}
