import TestSupport

/// Changes to responses that mostly leave them responses: lines and words of HTTP come, go and are doubled.
///
/// A fuzzer that knows bytes alone hardly ever puts two lines together that only both at once make a difference.
enum ResponseMutation {
    private static let lines = [
        "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 103 Hints\r\n", "HTTP/1.1 204\r\n", "HTTP/1.1 304\r\n",
        "HTTP/1.1 100\r\n\r\n", "Content-Length: 0\r\n", "Content-Length: 2\r\n", "Content-Length: 30\r\n",
        "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "X-A: b\r\n",
        "X-A: b\n",
        "\r\n", "\n", "0\r\n", "0\r\n\r\n", "1\r\na\r\n", "2;a=b\r\nab\r\n", "A \r\n0123456789\r\n", "ffffff\r\n",
    ]
    .map { Array($0.utf8) }
    private static let words = [
        "HTTP/1.", "200", "204", "304", "100", "101", "Content-Length", "Transfer-Encoding", "chunked", "Connection",
        "close", "keep-alive", "\r", "\n", ";", ":", ",", " ", "\t", "\0", "7fffffffffffff0", "999999999999999999",
    ]
    .map { Array($0.utf8) }

    /// - Parameter other: a response that parts may be taken from.
    static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        let start = random.below(bytes.count + 1)
        let end = min(bytes.count, start + random.below(random.pick([2, 10, 100])))
        switch random.below(8) {
        case 0 where start < bytes.count: bytes[start] ^= 1 << UInt8(random.below(8))
        case 1 where start < bytes.count: bytes[start] = UInt8(random.below(256))
        case 2: bytes.removeSubrange(start..<end)
        case 3: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 4: bytes.replaceSubrange(start..., with: other[random.below(other.count + 1)...])
        case 5: bytes.replaceSubrange(start..<(random.chance(50) ? start : end), with: random.pick(words))
        case 6:
            // A line less.
            let line = lineStart(in: bytes, from: start)
            let next = lineStart(in: bytes, from: line)
            bytes.removeSubrange(line..<next)
        default:
            let line = random.pick(lines)
            bytes.insert(contentsOf: line, at: random.chance(20) ? 0 : lineStart(in: bytes, from: start))
        }
    }

    private static func lineStart(in bytes: [UInt8], from start: Int) -> Int {
        (bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count - 1) + 1
    }
}
