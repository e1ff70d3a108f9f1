/// A file of Predictions that cannot be opened, rotated or written.
struct FileReporterError: Error, Equatable, CustomStringConvertible {
    let path: String
    let error: SystemError
    /// The directory in which the file should lie, if that is what is missing.
    let missingDirectory: String?

    init(path: String, error: SystemError) {
        self.path = path
        self.error = error
        let directory = Self.directory(of: path)
        missingDirectory = error.isMissingFile && !FileSystem.isDirectory(directory) ? directory : nil
    }

    var description: String {
        if let missingDirectory {
            return "cannot \(error.call) \(path): the directory \(missingDirectory) does not exist"
        }
        return "cannot \(error.call) \(path): \(error.reason)"
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
