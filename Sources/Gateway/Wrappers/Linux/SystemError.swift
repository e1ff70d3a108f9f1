private import Glibc

/// A system call that failed: which one, and the errno it left.
struct SystemError: Error, CustomStringConvertible {
    let operation: String
    let code: Int32

    init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// Reads errno, so it must be made right after the call.
    init(_ operation: String) { self.init(operation, code: errno) }

    var description: String { "\(operation): \(String(cString: strerror(code)))" }
}
