private import Glibc

/// Standard error, by its descriptor: `stderr` of C is a global variable, which Swift 6 keeps away from.
public enum StandardError {
    /// Writes one line; what cannot be written is lost, as there is nobody left to tell.
    public static func print(_ line: String) {
        var bytes = Array((line + "\n").utf8)[...]
        while !bytes.isEmpty {
            let written = write(STDERR_FILENO, Array(bytes), bytes.count)
            if written < 0 {
                if errno == EINTR { continue }
                return
            }
            bytes = bytes.dropFirst(written)
        }
    }
}
