/// A file of Predictions that cannot be opened, rotated or written.
struct FileReporterError: Error, Equatable, CustomStringConvertible {
    let path: String
    let error: SystemError
    /// The directory in which the file should lie, if that is what is missing.
    let missingDirectory: String?
    /// The file and those before it hold as much as they may, and none of them may be given up.
    let isFull: Bool

    init(path: String, error: SystemError) {
        self.path = path
        self.error = error
        let directory = FileSystem.directory(of: path)
        missingDirectory = error.isMissingFile && !FileSystem.isDirectory(directory) ? directory : nil
        isFull = false
    }

    /// There is no more room by the file's own bound.
    init(full path: String) {
        self.path = path
        error = .fileTooLarge
        missingDirectory = nil
        isFull = true
    }

    var description: String {
        if isFull { return "\(path) and \(path).1 are full: move \(path).1 away" }
        if let missingDirectory {
            return "cannot \(error.call) \(path): the directory \(missingDirectory) does not exist"
        }
        return "cannot \(error.call) \(path): \(error.reason)"
    }
}
