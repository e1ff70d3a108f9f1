private import Glibc

/// Standard error, by its descriptor: `stderr` of C is a global variable, which Swift 6 keeps away from.
public enum StandardError {
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Writes one line; what cannot be written is lost, as there is nobody left to tell.
    public static func print(_ line: String) { _ = Array((line + "\n").utf8).withByteView(write) }

    /// Writes all bytes, at once where it can: what other threads write then does not come between (pipe(7), PIPE_BUF).
    /// Waits for as long as it takes, so no shard may call it; false: some are lost.
    @Sendable static func write(_ view: ByteView) -> Bool { writeAll(view, to: STDERR_FILENO) }
}
