private import Glibc

/// Reads a whole small file: for start-up, not for the request path.
enum FileReader {
    /// Why a file could not be read, in the system's words.
    struct Failure: Error, Equatable {
        let reason: String
    }

    /// All bytes of the file; a file of more than `limit` bytes is refused (open(2), read(2)).
    static func read(_ path: String, limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        return try read(descriptor, limit: limit)
    }

    /// All that comes by standard input; more than `limit` bytes are refused.
    static func readStandardInput(limit: Int) throws(Failure) -> [UInt8] { try read(STDIN_FILENO, limit: limit) }

    private static func read(_ descriptor: Int32, limit: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure()
            }
            bytes += chunk[..<count]
            if bytes.count > limit { throw Failure(reason: "it is larger than \(limit) bytes") }
        }
    }

    private static func failure() -> Failure { Failure(reason: String(cString: strerror(errno))) }
}
