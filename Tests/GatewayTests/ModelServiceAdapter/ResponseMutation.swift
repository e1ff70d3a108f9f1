import TestSupport

/// Changes to responses that mostly leave them responses.
enum ResponseMutation {
    private static let mutation = LineMutation(
        lines: [
            "HTTP/1.1 200 OK\r\n", "HTTP/1.0 200 OK\r\n", "HTTP/1.1 103 Hints\r\n", "HTTP/1.1 204\r\n",
            "HTTP/1.1 304\r\n",
            "HTTP/1.1 100\r\n\r\n", "Content-Length: 0\r\n", "Content-Length: 2\r\n", "Content-Length: 30\r\n",
            "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n", "X-A: b\r\n",
            "X-A: b\n",
            "\r\n", "\n", "0\r\n", "0\r\n\r\n", "1\r\na\r\n", "2;a=b\r\nab\r\n", "A \r\n0123456789\r\n", "ffffff\r\n",
        ],
        words: [
            "HTTP/1.", "200", "204", "304", "100", "101", "Content-Length", "Transfer-Encoding", "chunked",
            "Connection",
            "close", "keep-alive", "\r", "\n", ";", ":", ",", " ", "\t", "\0", "7fffffffffffff0", "999999999999999999",
        ]
    )

    /// - Parameter other: a response that parts may be taken from.
    static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        mutation.mutate(&bytes, &random, other: other)
    }
}
