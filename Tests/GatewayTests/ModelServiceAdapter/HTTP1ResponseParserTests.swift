import TestSupport
import Testing

@testable import Gateway

@Suite struct HTTP1ResponseParserTests {
    private static let ok = "HTTP/1.1 200 OK\r\n"
    private static let chunked = ok + "Transfer-Encoding: chunked\r\n\r\n"

    @Test(arguments: [
        ("HTTP/1.1 200 OK", 200), ("HTTP/1.1 200 ", 200), ("HTTP/1.1 200", 200), ("HTTP/1.1 503 Not now, dear", 503),
        ("HTTP/1.1 999 ?", 999), ("HTTP/1.1 200 \u{e9}", 200), ("HTTP/1.1 200 a\tb", 200),
    ])
    func readsStatusLines(_ line: String, _ status: Int) {
        #expect(SeenResponse.read("\(line)\r\nContent-Length: 1\r\n\r\nx") == .ok("x", status: status))
    }

    @Test(arguments: [
        "", "200 OK", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1 2x0 OK", "HTTP/1.1 -10 OK",
        "HTTP/1.1  200 OK", "HTTP/1.1 200OK", "HTTP/1.1 099 No", "HTTP/2 200 OK", "HTTP/2.0 200 OK", "HTTP/1.2 200 OK",
        "http/1.1 200 OK", "HTTP/1.1\t200 OK", " HTTP/1.1 200 OK", "ICY 200 OK", "HTTP/1.11 200 OK",
        "HTTP/1.1 200 OK\rX-A: 1", "HTTP/1.1 200 \u{0}", "HTTP/1.1 200 OK\r", "HTTP/1.1 200 a\u{7f}",
    ])
    func refusesOtherStatusLines(_ line: String) {
        #expect(SeenResponse.read("\(line)\r\nContent-Length: 0\r\n\r\n").isMalformed)
    }

    @Test(arguments: [
        ("Content-Length: 2\r\n\r\nab", SeenResponse.ok("ab")),
        ("content-LENGTH:2\r\n\r\nab", .ok("ab")),
        ("Content-Length: \t 002 \t\r\n\r\nab", .ok("ab")),
        ("Content-Length: 2\n\nab", .ok("ab")),
        ("Content-Length: 2\r\nContent-Length: 02\r\n\r\nab", .ok("ab")),
        ("Content-Length: 0\r\n\r\n", .ok()),
        ("Content-Length: 2\r\n\r\nabHTTP/1.1 ", .ok("ab", left: "HTTP/1.1 ")),
        ("X-Empty:\r\nX-Latin: \u{e9}\r\nX-Tab: a\tb\r\n!#$%&'*+-.^_`|~09Az: x\r\nContent-Length: 0\r\n\r\n", .ok()),
        ("Content-Length: 3\r\n\r\nab", .incomplete),
        ("Content-Length: 0\r\n", .incomplete),
        ("Content-Length: 11\r\n\r\n", .tooLarge),
        ("Content-Length: 999999999999999999\r\n\r\n", .tooLarge),
        ("Content-Length: 10\r\n\r\n0123456789", .ok("0123456789")),
    ])
    func readsSizedBodies(_ rest: String, _ expected: SeenResponse) {
        #expect(SeenResponse.read(Self.ok + rest, maxBodyBytes: 10) == expected)
    }

    @Test(arguments: [
        "Content-Length: 1\r\nContent-Length: 2", "Content-Length: 2, 2", "Content-Length: -1", "Content-Length: +1",
        "Content-Length:", "Content-Length: 0x1", "Content-Length: 1 1", "Content-Length: 1a",
        "Content-Length: 9223372036854775808", "Content-Length: 18446744073709551617",
        "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: identity", "Transfer-Encoding:",
        "X-A: 1\r\n folded", " X-A: 1", "X-A : 1", "X-A\t: 1", "X A: 1", ": 1", "no colon", "X-A: \u{0}", "X-A: a\rb",
        "X-A: a\u{7f}", "X-A: a\r", "X-\u{e9}: 1", "X-A\u{0}: 1", "X(a): 1",
    ])
    func refusesHeaderLines(_ lines: String) {
        #expect(SeenResponse.read("\(Self.ok)\(lines)\r\n\r\n").isMalformed)
    }

    @Test(arguments: [
        ("0\r\n\r\n", SeenResponse.ok()),
        ("2\r\nab\r\n0\r\n\r\n", .ok("ab")),
        ("1\r\na\r\n00000002\r\nbc\r\n000\r\n\r\nmore", .ok("abc", left: "more")),
        ("A\r\n0123456789\r\n0\r\n\r\n", .ok("0123456789")),
        ("a\r\n0123456789\r\n0\r\n\r\n", .ok("0123456789")),
        ("2;a=b;c=\"d\"\r\nab\r\n0;last\r\n\r\n", .ok("ab")),
        ("2 \r\nab\r\n0\r\n\r\n", .ok("ab")),
        ("2 ; x\r\n\r\n\r\n0\r\n\r\n", .ok("\r\n")),
        ("2\r\nab\r\n0\r\nX-Checksum: 1\r\nContent-Length: 9\r\n\r\n", .ok("ab")),
        ("2\r\nab\r\n0\r\n", .incomplete),
        ("2\r\nab\r\n", .incomplete),
        ("2\r\nab\r", .incomplete),
        ("2\r\na", .incomplete),
        ("B\r\n", .tooLarge),
        ("6\r\n012345\r\n5\r\n", .tooLarge),
        ("7fffffffffffff0\r\n", .tooLarge),
    ])
    func readsChunks(_ rest: String, _ expected: SeenResponse) {
        #expect(SeenResponse.read(Self.chunked + rest, maxBodyBytes: 10) == expected)
    }

    @Test(arguments: [
        "\r\n", ";a\r\n", "zz\r\n", "-1\r\n", "+1\r\n", "0x1\r\n", "1 1\r\n", "7fffffffffffffff\r\n",
        "ffffffffffffffff\r\n", "10000000000000001\r\n", "2\r\nabc", "2\r\nabc\r\n", "2\r\nab0\r\n\r\n", "2\r\nab\rx",
        "2\n", "2;a\n", "2\r\nab\n", "0\n", "0\r\n\n", "0\r\nX: 1\n", " 2\r\n", "\t2\r\n", "2\r\r\n", "2;a\rb\r\n",
        "2;\u{0}\r\n", "2\r;a\r\n",
    ])
    func refusesChunks(_ rest: String) { #expect(SeenResponse.read(Self.chunked + rest).isMalformed) }

    @Test(arguments: [
        "HTTP/1.1 200 OK", "X-A : 1", ": 1", " folded", "X-A: a\rb", "X-A: \u{0}", "X-\u{e9}: 1",
    ])
    func refusesTrailerLines(_ line: String) {
        #expect(SeenResponse.read("\(Self.chunked)0\r\n\(line)\r\n\r\n").isMalformed)
    }

    @Test func readsUntilTheClose() {
        let text = Self.ok + "X: 1\r\n\r\n0123456789"
        #expect(SeenResponse.read(text) == .incomplete)
        #expect(SeenResponse.read(text, closed: true) == .ok("0123456789", keepsAlive: false))
        #expect(SeenResponse.read(text, closed: true, maxBodyBytes: 10) == .ok("0123456789", keepsAlive: false))
        #expect(SeenResponse.read(text, closed: true, maxBodyBytes: 9) == .tooLarge)
        #expect(SeenResponse.read(Self.ok + "\r\n", closed: true) == .ok(keepsAlive: false))
    }

    @Test(arguments: [
        "", "HT", "HTTP/1.1 200 OK\r\nX: 1\r\n", ok + "Content-Length: 3\r\n\r\nab", chunked, chunked + "2\r\nab\r\n",
        chunked + "0\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
    ])
    func isCutOffByAnEarlyClose(_ text: String) { #expect(SeenResponse.read(text, closed: true) == .incomplete) }

    @Test(arguments: [
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", SeenResponse.ok("a")),
        (
            "HTTP/1.1 103 Hints\r\nContent-Length: 0\r\nConnection: keep-alive\r\nX: 1\r\n\r\n"
                + "HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\na",
            .ok("a", status: 404)
        ),
        (
            "HTTP/1.0 103 Hints\r\nConnection: keep-alive\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            .ok(keepsAlive: false)
        ),
        ("HTTP/1.1 204 None\r\n\r\n", .ok(status: 204)),
        ("HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n", .ok(status: 204)),
        ("HTTP/1.1 204 None\r\nContent-Length: 2\r\n\r\nab", .ok(status: 204, keepsAlive: false, left: "ab")),
        ("HTTP/1.1 204 None\r\nTransfer-Encoding: chunked\r\n\r\n", .ok(status: 204, keepsAlive: false)),
        ("HTTP/1.1 304 Same\r\nContent-Length: 9\r\n\r\nnext", .ok(status: 304, left: "next")),
        ("HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n", .ok(status: 304, keepsAlive: false)),
    ])
    func readsAnswersWithoutBody(_ text: String, _ expected: SeenResponse) {
        #expect(SeenResponse.read(text) == expected)
    }

    @Test func refusesToSwitchProtocols() {
        #expect(SeenResponse.read("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n").isMalformed)
    }

    @Test func forgetsTheLinesOfInterimAnswers() throws {
        var parser = HTTP1ResponseParser(maxBodyBytes: 9)
        let headers = ByteBuffer()
        let final = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-B: 2\r\n"
        var consumed = 0
        try Array("HTTP/1.1 103 Hints\r\nX-A: 1\r\n\r\n\(final)\r\n".utf8).withByteView { view in
            _ = try parser.consume(view, headers: headers, body: ByteBuffer(), consumed: &consumed)
        }
        #expect(headers.view.string == final)
    }

    @Test(arguments: [
        ("1", "", true), ("1", "Connection: close", false), ("1", "Connection: CLOSE", false),
        ("1", "Connection: keep-alive", true), ("1", "Connection: x, close ,y", false),
        ("1", "Connection: closed", true),
        ("1", "Connection: keep-alive\r\nConnection: close", false), ("1", "Connection: ,,\t,", true),
        ("0", "", false), ("0", "Connection: keep-alive", true), ("0", "Connection: a,Keep-Alive", true),
        ("0", "Connection: keep-alive, close", false), ("0", "Keep-Alive: timeout=5", false),
    ])
    func knowsWhenTheConnectionIsKept(_ minor: String, _ line: String, _ keepsAlive: Bool) {
        let lines = line.isEmpty ? "" : line + "\r\n"
        let text = "HTTP/1.\(minor) 200 OK\r\n\(lines)Content-Length: 1\r\n\r\na"
        #expect(SeenResponse.read(text) == .ok("a", keepsAlive: keepsAlive))
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 103 Hints\r\nContent-Length: 7\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
        "HTTP/1.1 103 Hints\r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked",
    ])
    func keepsNoConnectionOfDoubtfulFraming(_ head: String) {
        #expect(SeenResponse.read("\(head)\r\n\r\n1\r\na\r\n0\r\n\r\n") == .ok("a", keepsAlive: false))
    }

    @Test func boundsLinesHeadersAndTrailers() {
        let long = String(repeating: "x", count: 70_000)
        let many = String(repeating: "X-Line: \(String(repeating: "x", count: 90))\r\n", count: 3_000)
        let pieces = [16 << 10]
        for text in [long, "\(Self.ok)X: \(long)", Self.chunked + "1;" + long, Self.chunked + "0\r\nX: " + long] {
            #expect(SeenResponse.read(Array(text.utf8), pieces: pieces).isMalformed)
        }
        for text in [Self.ok + many, Self.chunked + "0\r\n" + many] {
            #expect(SeenResponse.read(Array(text.utf8), pieces: pieces).isMalformed)
        }
        let fits = "\(Self.ok)X: \(long.dropLast(10_000))\r\nContent-Length: 0\r\n\r\n"
        #expect(SeenResponse.read(Array(fits.utf8), pieces: pieces) == .ok())
    }

    @Test(arguments: [0, 1]) func boundsHeadersAndTrailersToTheByte(_ excess: Int) {
        func lines(_ count: Int) -> String {
            let line = "X: \(String(repeating: "x", count: 1_019))\r\n"
            let last = count % line.utf8.count + line.utf8.count
            return String(repeating: line, count: count / line.utf8.count - 1)
                + "X: \(String(repeating: "x", count: last - 7))\r\n\r\n"
        }
        let head = "\(Self.ok)Content-Length: 0\r\n"
        let header = head + lines((256 << 10) - head.utf8.count + excess)
        let trailer = "\(Self.chunked)0\r\n" + lines((256 << 10) + excess)
        for text in [header, trailer] { #expect(SeenResponse.read(text).isMalformed == (excess > 0)) }
    }

    @Test(arguments: [9, 10, 11]) func boundsLinesHoweverTheyCome(_ pad: Int) {
        let line = "HTTP/1.1 200 " + String(repeating: "x", count: (64 << 10) - 23 + pad)
        let bytes = Array("\(line)\r\nContent-Length: 0\r\n\r\n".utf8)
        let isTooLong = line.utf8.count + 1 > 64 << 10
        #expect(isTooLong == (pad > 9))
        for pieces in [[Int.max], [line.utf8.count, 1], [16 << 10]] {
            #expect(SeenResponse.read(bytes, pieces: pieces).isMalformed == isTooLong)
        }
    }

    @Test func letsABodyBeReceivedDirectly() throws {
        var parser = HTTP1ResponseParser(maxBodyBytes: 100)
        let body = ByteBuffer()
        var consumed = 0
        try Array((Self.ok + "Content-Length: 10\r\n\r\nabc").utf8).withByteView { view in
            #expect(!parser.hasBegun)
            let progress = try parser.consume(view, headers: ByteBuffer(), body: body, consumed: &consumed)
            #expect(progress == .incomplete)
            #expect(consumed == view.count)
        }
        #expect(parser.hasBegun)
        #expect(parser.expectedBodyBytes == 7)
        parser.countBody(4)
        #expect(parser.expectedBodyBytes == 3)
        let isCutOff = !parser.end()
        #expect(isCutOff)
        parser.countBody(3)
        #expect(parser.expectedBodyBytes == 0)
        let isComplete = parser.end()
        #expect(isComplete)
        #expect(parser.keepsAlive)
    }
}
