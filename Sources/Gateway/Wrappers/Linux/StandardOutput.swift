private import Glibc

/// Standard output of the command-line tools, by its descriptor: written at once, also into a pipe.
enum StandardOutput {
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes all bytes; false when nobody reads any more, or it cannot be written for another reason (write(2)).
    static func write(_ view: ByteView) -> Bool { writeAll(view, to: STDOUT_FILENO) }
}
