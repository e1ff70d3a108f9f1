private import Glibc

/// Standard output of the command-line tools, by its descriptor: written at once, also into a pipe.
public enum StandardOutput {
    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Writes a line at once.
    public static func print(_ line: String) { _ = Array((line + "\n").utf8).withByteView(write) }

    /// Writes all bytes; false when nobody reads any more, or it cannot be written for another reason (write(2)).
    static func write(_ view: ByteView) -> Bool { writeAll(view, to: STDOUT_FILENO) }
}
