private import CLinux
private import Glibc

/// A system call that failed.
struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call, `open`, or what it was to do: `listen on 127.0.0.1:8080`.
    let call: String
    /// The value of errno.
    let code: Int32

    /// What the code means, in words.
    var reason: String { String(cString: CLinux_error_text(code)) }

    var description: String { "\(call): \(reason)" }

    var isMissingFile: Bool { code == ENOENT }
    /// The user, or the file system, may not be written.
    var isRefusal: Bool { code == EACCES || code == EPERM || code == EROFS }
    /// These bytes cannot be had, now or later: a bad sector, a broken file system, no file at all.
    var isUnreadable: Bool { [EIO, EBADMSG, EUCLEAN, ENODATA, EISDIR].contains(code) }
    /// The disk, or this user's part of it, is full.
    var isFullDisk: Bool { code == ENOSPC || code == EDQUOT }

    /// Somebody else listens on this address.
    var isTaken: Bool { code == EADDRINUSE }

    /// Another one holds the lock, or the descriptor takes nothing for now.
    var isForNow: Bool { code == EWOULDBLOCK }

    /// A file would grow beyond its bound.
    static let fileTooLarge = SystemError(call: "write", code: EFBIG)

    /// The error of the call that has just failed on this thread.
    static func last(_ call: String) -> SystemError { SystemError(call: call, code: errno) }
}
