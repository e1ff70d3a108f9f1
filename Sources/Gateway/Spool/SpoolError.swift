/// Why the spool cannot be opened.
enum SpoolError: Error, Equatable, CustomStringConvertible {
    /// A system call for a file or directory of the spool failed.
    case failed(path: String, error: SystemError)
    /// The directory above is not there.
    case missingParent(path: String)
    case notADirectory(path: String)
    /// Another process has it open.
    case inUse(path: String)
    /// Not for want of a file: no thread or descriptor.
    case system(SystemError)

    var description: String {
        switch self {
        case .failed(let path, let error):
            return "reporting.spool.path: cannot \(error.call) \(path): \(error.reason)\(Self.advice(error))"
        case .missingParent(let path):
            return "reporting.spool.path: \(path) is made where it is missing, but the directory above it must be there"
        case .notADirectory(let path):
            return "reporting.spool.path: \(path) is not a directory; name one for the spool alone"
        case .inUse(let path):
            return "reporting.spool.path: another process uses \(path); each Sidecar needs a spool of its own"
        case .system(let error): return "cannot start the spool: \(error)"
        }
    }

    private static func advice(_ error: SystemError) -> String {
        if error.isFullDisk { return "; make room there, or name a directory on another disk" }
        if error.isRefusal { return "; name a directory in which the Sidecar may write" }
        return ""
    }
}
