import Testing

@testable import Gateway

/// What a head is read as, and why it is refused. Most tables give header lines, of a request that is good without them.
@Suite struct HTTP1RequestHeadTests {
    private struct Seen {
        var head = HTTP1RequestHead()
        var refusal: HTTP1Refusal?
        var isComplete = false
        /// The texts of the ranges.
        var text: [String] = []

        init(_ bytes: [UInt8], maxBytes: Int = 8 << 10) {
            bytes.withByteView { view in
                do throws(HTTP1Refusal) {
                    isComplete = try head.read(view, maxBytes: maxBytes)
                    text = [head.method, head.target, head.authority, head.path, head.query].map { view[$0].string }
                } catch {
                    refusal = error
                }
            }
        }

        init(_ text: String, maxBytes: Int = 8 << 10) { self.init(Array(text.utf8), maxBytes: maxBytes) }

        /// With these header lines behind a good Host.
        init(lines: String, version: String = "1.1") { self.init("POST /p HTTP/\(version)\r\nHost: a\r\n\(lines)\r\n") }

        var reason: String { refusal.map { "\($0.reason)" } ?? "none" }
    }

    @Test func readsALineAsItStands() throws {
        let text = "POST /v1/models/m:predict?a=b?c HTTP/1.1\r\nHost: a:1\r\nX-A:\t b c \t\r\nx-a:\r\n\r\nbody"
        let bytes = Array(text.utf8)
        let seen = Seen(bytes)
        #expect(seen.isComplete)
        #expect(seen.text == ["POST", "/v1/models/m:predict?a=b?c", "", "/v1/models/m:predict", "a=b?c"])
        #expect(seen.head.length == bytes.count - 4)
        let lines = bytes.withByteView { view in
            seen.head.lines.map { "\(view[$0.name].string)|\(view[$0.value].string)" }
        }
        #expect(lines == ["Host|a:1", "X-A|b c", "x-a|"])
        #expect(!seen.head.isHTTP10)
        #expect(seen.head.framing == .none)
    }

    @Test(arguments: [
        ("GET / HTTP/1.1", ["", "/", ""]), ("GET /? HTTP/1.1", ["", "/", ""]), ("GET /a?b HTTP/1.1", ["", "/a", "b"]),
        ("GET //a//b HTTP/1.1", ["", "//a//b", ""]), ("GET /é HTTP/1.1", ["", "/é", ""]),
        ("GET http://a HTTP/1.1", ["a", "", ""]), ("GET HTTP://a:80/b?c HTTP/1.1", ["a:80", "/b", "c"]),
        ("GET https://[::1]:8?q HTTP/1.1", ["[::1]:8", "", "q"]), ("GET http://a%2e/ HTTP/1.1", ["a%2e", "/", ""]),
        ("OPTIONS * HTTP/1.1", ["", "*", ""]), ("CONNECT a:443 HTTP/1.1", ["", "a:443", ""]),
    ])
    func splitsTargets(_ line: String, _ parts: [String]) {
        let seen = Seen(line + "\r\nHost: a\r\n\r\n")
        #expect(seen.isComplete)
        #expect(Array(seen.text.dropFirst(2)) == parts)
    }

    @Test(arguments: [
        ("get / HTTP/1.1", "the request line does not begin with a method and one space"),
        (" GET / HTTP/1.1", "the request line does not begin with a method and one space"),
        ("GET\t/ HTTP/1.1", "the request line does not begin with a method and one space"),
        ("G\0T / HTTP/1.1", "the request line does not begin with a method and one space"),
        ("GET", "the request line does not begin with a method and one space"),
        ("GET ", "the request line has no target that can be read"),
        ("GET /", "the request line has no target that can be read"),
        ("GET  / HTTP/1.1", "the request line has no target that can be read"),
        ("GET /a\tb HTTP/1.1", "the request line has no target that can be read"),
        ("GET /a\0 HTTP/1.1", "the request line has no target that can be read"),
        ("GET /a\rb HTTP/1.1", "the request line has no target that can be read"),
        ("GET /a#b HTTP/1.1", "the request line has no target that can be read"),
        ("GET /\u{7f} HTTP/1.1", "the request line has no target that can be read"),
        ("GET /a b HTTP/1.1", "the request line does not end with a version of HTTP"),
        ("GET /  HTTP/1.1", "the request line does not end with a version of HTTP"),
        ("GET / HTTP/1.1 ", "the request line does not end with a version of HTTP"),
        ("GET / HTTP/1", "the request line does not end with a version of HTTP"),
        ("GET / HTTP/1.10", "the request line does not end with a version of HTTP"),
        ("GET / http/1.1", "the request line does not end with a version of HTTP"),
        ("GET / HTTP/ 1.1", "the request line does not end with a version of HTTP"),
        ("GET / HTTP/0.9", "only HTTP/1.1 and HTTP/1.0 are spoken on this port"),
        ("GET / HTTP/2.0", "only HTTP/1.1 and HTTP/1.0 are spoken on this port"),
        ("GET a HTTP/1.1", "the target is neither a path nor an http URL"),
        ("GET * HTTP/1.1", "the target is neither a path nor an http URL"),
        ("GET ?a HTTP/1.1", "the target is neither a path nor an http URL"),
        ("GET http:/a HTTP/1.1", "the target is neither a path nor an http URL"),
        ("GET ftp://a/ HTTP/1.1", "the target is neither a path nor an http URL"),
        ("CONNECT / HTTP/1.1", "the target is neither a path nor an http URL"),
        ("CONNECT a HTTP/1.1", "the target is neither a path nor an http URL"),
        ("CONNECT a: HTTP/1.1", "the target is neither a path nor an http URL"),
        ("CONNECT :1 HTTP/1.1", "the target is neither a path nor an http URL"),
        ("CONNECT [::1] HTTP/1.1", "the target is neither a path nor an http URL"),
        ("CONNECT http://a:1 HTTP/1.1", "the target is neither a path nor an http URL"),
        ("GET http:///a HTTP/1.1", "the target names no host that can be one"),
        ("GET http://:80/ HTTP/1.1", "the target names no host that can be one"),
        ("GET http://u@a/ HTTP/1.1", "the target names no host that can be one"),
        ("GET http://a,b/ HTTP/1.1", "the target names no host that can be one"),
    ])
    func refusesRequestLines(_ line: String, _ reason: String) {
        #expect(Seen(line + "\r\nHost: a\r\n\r\n").reason == reason)
    }

    @Test(arguments: [
        ("X Y: z", "name"), ("X\tY: z", "name"), ("Content-Length : 3", "name"), ("X\t: z", "name"), (": z", "name"),
        (" X: z", "name"), ("\tX: z", "name"), ("X\0: z", "name"), ("X\r: z", "name"), ("é: z", "name"),
        ("X\u{7f}: z", "name"), ("(X): z", "name"), ("X-A: a\r\n b", "colon"), ("X-A: a\r\n\tb: c", "name"),
        ("X-A: a\r\n ", "colon"), ("X", "colon"), ("X-A a", "colon"), ("X: a\0", "control"), ("X: a\rb", "control"),
        ("X: \u{b}", "control"), ("X: a\u{7f}b", "control"), ("X: \u{1}", "control"), ("X:\r a", "control"),
        ("X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\u{1f}aaaaaaaaa", "control"),
    ])
    func refusesLines(_ line: String, _ word: String) {
        #expect(Seen(lines: line + "\r\n").reason.contains(word), "\(Seen(lines: line + "\r\n").reason)")
    }

    /// What is no list, and would be read by one as the first and by another as the last.
    @Test(arguments: ["Authorization", "authorization", "Expect", "EXPECT"]) func refusesSecondLines(_ name: String) {
        #expect(Seen(lines: "\(name): 100-continue\r\n").isComplete)
        let twice = Seen(lines: "\(name): 100-continue\r\n\(name.lowercased()): 100-continue\r\n")
        #expect(twice.reason.hasPrefix("there are two"))
    }

    /// A line feed alone ends a line for some readers and not for others.
    @Test(arguments: [
        "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: b\n\r\n",
    ])
    func refusesLineFeedsAlone(_ text: String) {
        #expect(Seen(text).refusal?.kind == .malformed)
    }

    @Test(arguments: ["a\tb", "é\u{ff}", "", "  ", ":", "a: b", "\"\\,;"])
    func takesValues(_ value: String) {
        #expect(Seen(lines: "X: \(value)\r\n").isComplete)
    }

    @Test(arguments: [
        ("", "no Host"), ("Host: a\r\nhost: a\r\n", "two Host"), ("Host: a\r\nHost: b\r\n", "two Host"),
        ("Host: a b\r\n", "no host"), ("Host: a/b\r\n", "no host"), ("Host: a,b\r\n", "no host"),
        ("Host: u@a\r\n", "no host"), ("Host: :80\r\n", "no host"), ("Host: a:b\r\n", "no host"),
        ("Host: a:1:2\r\n", "no host"), ("Host: [::1\r\n", "no host"), ("Host: []\r\n", "no host"),
        ("Host: [::1]a\r\n", "no host"), ("Host: a[::1]\r\n", "no host"), ("Host: a%2\r\n", "no host"),
        ("Host: a%zz\r\n", "no host"), ("Host: é\r\n", "no host"), ("Host: a\"b\r\n", "no host"),
    ])
    func refusesHosts(_ lines: String, _ word: String) {
        #expect(Seen("GET / HTTP/1.1\r\n\(lines)\r\n").reason.contains(word))
    }

    @Test(arguments: [
        "", "a", "A-b_c.d~:65535", "1.2.3.4:", "[::1]", "[::ffff:1.2.3.4]:80", "[v1.a:b]", "a%c3%A9", "!$&'()*+;=",
    ])
    func takesHosts(_ host: String) {
        #expect(Seen("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").isComplete)
    }

    @Test func asksForNoHostBeforeHTTP11() {
        #expect(Seen("GET / HTTP/1.0\r\n\r\n").isComplete)
        #expect(Seen("GET http://a/ HTTP/1.1\r\n\r\n").reason.contains("no Host"))
    }

    @Test(arguments: [
        ("", HTTP1RequestHead.Framing.none), ("Content-Length: 0\r\n", .none), ("Content-Length: 000\r\n", .none),
        ("content-length:5\r\n", .sized(5)), ("Content-Length: 005\t\r\n", .sized(5)),
        ("Content-Length: 1125899906842624\r\n", .sized(1 << 50)), ("Transfer-Encoding: chunked\r\n", .chunked),
        ("transfer-encoding:\tCHUNKED \r\n", .chunked), ("Transfer_Encoding: chunked\r\n", .none),
        ("Content-Lengt: 5\r\n", .none),
    ])
    func findsTheFraming(_ lines: String, _ framing: HTTP1RequestHead.Framing) {
        let seen = Seen(lines: lines)
        #expect(seen.isComplete)
        #expect(seen.head.framing == framing)
    }

    /// However many digits: more than any body may have.
    @Test(arguments: [
        "1125899906842625", "999999999999999999", "9223372036854775808", "18446744073709551615", "18446744073709551616",
        "99999999999999999999999999999999999999999999",
    ])
    func hugeLengthsAreHuge(_ digits: String) {
        guard case .sized(let length) = Seen(lines: "Content-Length: \(digits)\r\n").head.framing else {
            Issue.record("no length")
            return
        }
        #expect(length > 1 << 50)
    }

    @Test(arguments: [
        ("Content-Length: 3\r\nContent-Length: 3\r\n", HTTP1Refusal.Kind.malformed),
        ("Content-Length: 3\r\ncontent-length: 4\r\n", .malformed), ("Content-Length: 3,3\r\n", .malformed),
        ("Content-Length: 3, 3\r\n", .malformed), ("Content-Length: +3\r\n", .malformed),
        ("Content-Length: -3\r\n", .malformed), ("Content-Length:\r\n", .malformed),
        ("Content-Length: 0x3\r\n", .malformed), ("Content-Length: 3 3\r\n", .malformed),
        ("Content-Length: 3.0\r\n", .malformed), ("Content-Length: 3;a\r\n", .malformed),
        ("Content-Length: \u{663}\r\n", .malformed), ("Content-Length: a\r\n", .malformed),
        ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", .malformed),
        ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", .malformed),
        ("Transfer-Encoding: gzip\r\nContent-Length: 0\r\n", .malformed),
        ("Transfer-Encoding: gzip, chunked\r\n", .unknownCoding),
        ("Transfer-Encoding: chunked, gzip\r\n", .unknownCoding),
        ("Transfer-Encoding: identity\r\n", .unknownCoding), ("Transfer-Encoding: xchunked\r\n", .unknownCoding),
        ("Transfer-Encoding: chunked, chunked\r\n", .unknownCoding),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", .unknownCoding),
        ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", .unknownCoding),
        ("Transfer-Encoding: chunked;q=1\r\n", .unknownCoding), ("Transfer-Encoding: \"chunked\"\r\n", .unknownCoding),
        ("Transfer-Encoding: chunked,\r\n", .unknownCoding), ("Transfer-Encoding: ,chunked\r\n", .unknownCoding),
        ("Transfer-Encoding:\r\n", .unknownCoding), ("Transfer-Encoding: \u{a0}chunked\r\n", .unknownCoding),
    ])
    func refusesFramings(_ lines: String, _ kind: HTTP1Refusal.Kind) {
        #expect(Seen(lines: lines).refusal?.kind == kind)
    }

    @Test func http10HasNoChunks() {
        #expect(Seen(lines: "Transfer-Encoding: chunked\r\n", version: "1.0").refusal?.kind == .malformed)
    }

    @Test(arguments: [
        ("1.1", "", true), ("1.1", "Connection: close\r\n", false), ("1.1", "Connection: x, CLOSE ,y\r\n", false),
        ("1.1", "Connection: keep-alive\r\nConnection: close\r\n", false), ("1.1", "Connection: closed\r\n", true),
        ("1.1", "Connection:\r\n", true), ("1.1", "Connection: ,,\r\n", true), ("1.9", "", true), ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive\r\n", true), ("1.0", "Connection: keep-alive, close\r\n", false),
        ("1.0", "Keep-Alive: timeout=5\r\n", false),
    ])
    func knowsWhatFollows(_ version: String, _ lines: String, _ keepsAlive: Bool) {
        let seen = Seen(lines: lines, version: version)
        #expect(seen.isComplete)
        #expect(seen.head.keepsAlive == keepsAlive)
    }

    @Test(arguments: [
        ("Expect: 100-continue\r\n", true), ("expect: 100-CONTINUE\r\n", true), ("Expect: 100\r\n", false),
        ("", false),
    ])
    func hearsExpectations(_ lines: String, _ expects: Bool) {
        #expect(Seen(lines: lines).head.expectsContinue == expects)
    }

    // MARK: Limits

    @Test func theHeadHasItsLength() {
        let head = "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 100))\r\n\r\n"
        let length = head.utf8.count
        #expect(Seen(head, maxBytes: length).isComplete)
        #expect(Seen(head, maxBytes: length - 1).refusal?.kind == .headTooLong)
        // Also without its end.
        #expect(Seen(String(head.dropLast(1)), maxBytes: length - 1).refusal == nil)
        #expect(Seen(String(repeating: "a", count: 40), maxBytes: 39).refusal?.kind == .malformed)
        #expect(Seen(String(repeating: "A", count: 39), maxBytes: 39).refusal == nil)
        #expect(Seen(String(repeating: "A", count: 40), maxBytes: 39).refusal?.kind == .targetTooLong)
        #expect(
            Seen("GET /\(String(repeating: "a", count: 40)) HTTP/1.1\r\n", maxBytes: 39).refusal?.kind == .targetTooLong
        )
        #expect(
            Seen("GET / HTTP/1.1\r\nX:\(String(repeating: "a", count: 40))", maxBytes: 39).refusal?.kind == .headTooLong
        )
    }

    @Test func theHeadHasSoManyLines() {
        let lines = (0..<98).map { "X-\($0): a\r\n" }.joined()
        #expect(Seen(lines: lines + "X: a\r\n").head.lines.count == 100)
        let seen = Seen(lines: lines + "X: a\r\nY: b\r\n")
        #expect(seen.refusal?.kind == .headTooLong)
        #expect(seen.reason == "the header has more than 100 lines")
    }

    @Test func emptyLinesMayComeBefore() {
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        for count in [1, 8] {
            let seen = Seen(String(repeating: "\r\n", count: count) + request)
            #expect(seen.text.first == "GET")
            #expect(seen.head.length == request.utf8.count + 2 * count)
        }
        #expect(Seen(String(repeating: "\r\n", count: 9)).refusal?.kind == .malformed)
        #expect(Seen("\r\r\n" + request).refusal?.kind == .malformed)
        #expect(Seen("\r\n \r\n" + request).refusal?.kind == .malformed)
    }

    // MARK: Other protocols

    /// Told at their first bytes: their clients wait for an answer.
    @Test func knowsOtherProtocols() {
        let hello: [UInt8] = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]
        for count in 1...hello.count { #expect(Seen(Array(hello.prefix(count))).refusal?.kind == .tls) }
        #expect(Seen("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").refusal?.kind == .http2)
        #expect(Seen("\u{0}\u{0}").refusal?.kind == .malformed)
        #expect(Seen("{").refusal?.kind == .malformed)
        #expect(Seen("PRI * HTTP/1.1\r\nHost: a\r\n\r\n").refusal?.kind == .malformed)
    }

    /// The next request's head knows nothing of the one before.
    @Test func forgetsTheOneBefore() throws {
        var head = HTTP1RequestHead()
        let first = """
            \r\nPOST http://a/b?c HTTP/1.0\r\nHost: a\r\nConnection: close, keep-alive\r\nExpect: 100-continue\r\n\
            Content-Length: 3\r\n\r\n
            """
        #expect(try Array(first.utf8).withByteView { try head.read($0, maxBytes: 8 << 10) })
        head.reset()
        let second = "GET / HTTP/1.1\r\nHost: b\r\n\r\n"
        #expect(try Array(second.utf8).withByteView { try head.read($0, maxBytes: 8 << 10) })
        let fresh = Seen(second).head
        #expect(head.length == fresh.length)
        #expect(
            [head.method, head.target, head.authority, head.path, head.query]
                == [fresh.method, fresh.target, fresh.authority, fresh.path, fresh.query]
        )
        #expect(head.lines.map(\.name) == fresh.lines.map(\.name))
        #expect(head.framing == .none)
        #expect(head.keepsAlive && !head.isHTTP10 && !head.expectsContinue)
    }
}
