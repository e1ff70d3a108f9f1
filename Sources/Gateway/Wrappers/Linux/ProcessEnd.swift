private import Glibc

/// How the process ends.
enum ProcessEnd {
    /// Ends it now, with nothing of what exit(3) does before: no handlers of libraries run, whose threads may be in the
    /// midst of what these take down (OpenSSL, SASL). Nothing of ours is buffered in the C library.
    static func atOnce(_ code: Int32) -> Never { _exit(code) }
}
