import TestSupport

/// Changes to requests that mostly leave them requests.
enum RequestMutation {
    private static let mutation = LineMutation(
        lines: [
            "GET /livez HTTP/1.1\r\n", "POST /predictions/m HTTP/1.1\r\n", "HEAD / HTTP/1.0\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "POST http://a:80/v1/models/m:predict?q=1 HTTP/1.1\r\n", "CONNECT a:443 HTTP/1.1\r\n",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab", "Host: a\r\n", "Host: [::1]:80\r\n",
            "Host:\r\n",
            "Content-Length: 0\r\n", "Content-Length: 2\r\n", "Content-Length: 30\r\n", "Content-Length : 3\r\n",
            "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer_Encoding: chunked\r\n",
            "Connection: close\r\n", "Connection: keep-alive\r\n", "Connection: X-A, Host\r\n",
            "Expect: 100-continue\r\n",
            "X-A: b\r\n", "X-A: b\n", " folded\r\n", ": c\r\n", "X-B: \u{e9}\r\n", "\r\n", "\n", "\r", "0\r\n",
            "0\r\n\r\n",
            "1\r\na\r\n", "2;a=b\r\nab\r\n", "A \r\n0123456789\r\n", "ffffff\r\n", "0000000000000000000001\r\nx\r\n",
        ],
        words: [
            "GET", "POST", "HEAD", "HTTP/1.", "HTTP/1.1", "HTTP/1.0", "Host", "Content-Length", "Transfer-Encoding",
            "chunked",
            "Connection", "close", "keep-alive", "Expect", "100-continue", "http://", "https://", "\r", "\n", "\r\n",
            ";",
            ":", ",", " ", "\t", "\0", "\u{b}", "_", "?", "#", "%", "+", "-", "0x", "\u{7f}", "7fffffffffffff0",
            "999999999999999999", "18446744073709551616",
        ]
    )

    /// - Parameter other: a request that parts may be taken from.
    static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        mutation.mutate(&bytes, &random, other: other)
    }
}
