/// Why the spool cannot be opened.
enum SpoolError: Error, Equatable, CustomStringConvertible {
    /// A system call for a file or directory of the spool failed.
    case failed(path: String, error: SystemError)
    /// The directory above is not there.
    case missingParent(path: String)
    case notADirectory(path: String)
    /// Another process has it open.
    case inUse(path: String)
    /// Its file system has less than the shards need at least.
    case volumeTooSmall(path: String, bytes: Int, shards: Int, needed: Int)
    /// Not for want of a file: no thread or descriptor.
    case system(SystemError)
    /// Events wait for Reporters that are not there any more, or lead elsewhere.
    case reportersChanged(path: String, [Change])
    /// Events wait in a file that a later version of the Sidecar has written.
    case writtenLater(path: String, LaterFrame)

    struct Change: Equatable, CustomStringConvertible {
        var name: String
        /// Bytes of events.
        var waiting: Int
        /// nil: an earlier version has not written it down.
        var before: ReporterDestination?
        /// nil: there is no Reporter of that name.
        var now: ReporterDestination?

        var description: String {
            let waits = "\(waiting) bytes of events wait for Reporter \(name)"
            guard let now else { return waits + (before.map { " (\($0))" } ?? "") + ", and there is none of that name" }
            guard let before else { return waits }
            return "\(waits), which led to \(before), and now to \(now)"
        }
    }

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
        case .volumeTooSmall(let path, let bytes, let shards, let needed):
            return "reporting.spool.path: the disk of \(path) has \(SizeText.describe(bytes)); \(shards) shards need "
                + "\(SizeText.describe(needed)) at least: a larger volume, or fewer of server.shards"
        case .system(let error): return "cannot start the spool: \(error)"
        case .reportersChanged(let path, let changes):
            let all = changes.map(\.description).joined(separator: "; ")
            return
                "reporting.spool.path: the Reporters have changed while events wait in \(path): \(all). Name them as "
                + "before (reporting.reporters.N.name), or see `ameron-sidecar spool list`, and then `spool export NAME`, "
                + "`spool forget NAME`, or `spool forget NAME --keep-place` to send what waits to where it leads now"
        case .writtenLater(let path, let frame):
            return
                "reporting.spool.path: events wait in \(path) that a later version of the Sidecar wrote (\(frame)), and "
                + "this one cannot read them: start that version until they are delivered, or name another directory"
        }
    }

    private static func advice(_ error: SystemError) -> String {
        if error.isFullDisk { return "; make room there, or name a directory on another disk" }
        if error.isRefusal { return "; name a directory in which the Sidecar may write" }
        return ""
    }
}
