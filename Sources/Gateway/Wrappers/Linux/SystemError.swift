private import CLinux
private import Glibc

/// A system call that failed.
struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The call: `open`, `rename`, ...
    let call: StaticString
    /// The value of errno.
    let code: Int32

    /// What the code means, in words.
    var reason: String { String(cString: CLinux_error_text(code)) }

    var description: String { "\(call): \(reason)" }

    static func == (left: SystemError, right: SystemError) -> Bool {
        left.code == right.code && ByteView(left.call) == ByteView(right.call)
    }

    var isMissingFile: Bool { code == ENOENT }

    /// The error of the call that has just failed on this thread.
    static func last(_ call: StaticString) -> SystemError { SystemError(call: call, code: errno) }
}
