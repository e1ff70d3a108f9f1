import TestSupport
import Testing

@testable import Gateway

/// What is read of a request's header: what goes on, and what the Sidecar must know itself.
@Suite struct RequestHeaderTests {
    private let lane = FakeLane()
    private let provider: FakeProvider

    init() { provider = FakeProvider(lane: lane) }

    /// What came of a header; texts, for the views end with its bytes.
    private struct Seen {
        var lines: [String]
        var id: String
        var type: String
        var trace: String
        var isEncoded: Bool
        var hasAccept: Bool
        var jsonLength: Int?
        var host: String
        var origin: String
        var site: String
    }

    private func read(
        _ lines: String,
        target: String = "/predictions",
        with reader: RequestHeader = .init()
    ) throws -> Seen {
        var reader = reader
        return try read(lines, target: target, with: &reader)
    }

    private func read(_ lines: String, target: String, with reader: inout RequestHeader) throws -> Seen {
        let exchange = Exchange(index: 0, provider: provider)
        exchange.begin(for: provider)
        let text = "POST \(target) HTTP/1.1\r\nHost: a:1\r\n\(lines)\r\n"
        return try Array(text.utf8).withByteView { bytes in
            var head = HTTP1RequestHead()
            try #require(try head.read(bytes, maxBytes: 64 << 10))
            reader.read(head, bytes, into: exchange)
            let headers = exchange.request.headers
            return withExtendedLifetime(exchange) {
                Seen(
                    lines: (0..<headers.count).map { "\(headers[$0].name.string): \(headers[$0].value.string)" },
                    id: exchange.request.id.view.string,
                    type: exchange.request.contentType.view.string,
                    trace: exchange.request.traceparent.view.string,
                    isEncoded: exchange.request.isEncoded,
                    hasAccept: exchange.request.hasAccept,
                    jsonLength: exchange.request.jsonLength,
                    host: reader.sender.host.string,
                    origin: reader.sender.origin.string,
                    site: reader.sender.site.string
                )
            }
        }
    }

    @Test func `end-to-end lines go on as they came, and in order`() throws {
        let seen = try read(
            "X-B: 1\r\nx-a: 2\r\nX-B: \t3 \r\nContent-Type: text/csv\r\nAuthorization: Bearer x\r\nCookie: a=b\r\nEmpty:\r\n"
        )
        #expect(
            seen.lines == [
                "X-B: 1", "x-a: 2", "X-B: 3", "Content-Type: text/csv", "Authorization: Bearer x", "Cookie: a=b",
                "Empty: ",
            ]
        )
    }

    @Test(arguments: [
        ("Connection: close\r\nX: 1\r\n", ["X: 1"]),
        ("X: 1\r\nConnection: x, y\r\nY: 2\r\nZ: 3\r\n", ["Z: 3"]),
        ("Y: 2\r\nX: 1\r\nConnection: x\r\nConnection: Y\r\n", []),
        ("Keep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nProxy-Authorization: x\r\nA: 1\r\n", ["A: 1"]),
        ("X-Request-Id: a\r\nAccept-Encoding: gzip\r\nExpect: 100-continue\r\nA: 1\r\n", ["A: 1"]),
        ("Content_Length: 5\r\nContent-Length: 0\r\nA: 1\r\n", ["A: 1"]),
    ])
    func `lines of the connection end here`(_ lines: String, _ kept: [String]) throws {
        #expect(try read(lines).lines == kept)
    }

    /// One reader serves request after request.
    @Test func `nothing of a request is left for the next one`() throws {
        var reader = RequestHeader()
        let first = try read(
            "Connection: x\r\nX: 1\r\nOrigin: http://b\r\nSec-Fetch-Site: cross-site\r\n",
            target: "http://c/p",
            with: &reader
        )
        #expect(first.lines == ["Origin: http://b", "Sec-Fetch-Site: cross-site"])
        #expect([first.host, first.origin, first.site] == ["c", "http://b", "cross-site"])
        let second = try read("X: 1\r\n", target: "/p", with: &reader)
        #expect(second.lines == ["X: 1"])
        #expect([second.host, second.origin, second.site] == ["a:1", "", ""])
    }

    @Test(arguments: [("/p", "a:1"), ("http://other:2/p", "other:2"), ("http://other", "other")])
    func `an authority in the target counts before Host`(_ target: String, _ host: String) throws {
        let seen = try read("Origin: null\r\nSEC-FETCH-SITE: none\r\n", target: target)
        #expect([seen.host, seen.origin, seen.site] == [host, "null", "none"])
    }

    @Test(arguments: [
        ("X-Request-Id: r1\r\n", "r1"), ("Ce-Id: c1\r\n", "c1"), ("ce-id: c1\r\nx-request-id: r1\r\n", "r1"),
        ("X-Request-Id: r1\r\nCe-Id: c1\r\n", "r1"), ("X-Request-Id: r1\r\nX-Request-Id: r2\r\n", "r1"),
        ("X-Request-Id:\r\nCe-Id: c1\r\n", "c1"), ("X-Request-Id: a b\r\nCe-Id: c1\r\n", "c1"),
        ("X-Request-Id: é\r\n", ""), ("", ""),
        ("X-Request-Id: \(String(repeating: "r", count: 256))\r\n", String(repeating: "r", count: 256)),
        ("X-Request-Id: \(String(repeating: "r", count: 257))\r\nCe-Id: c1\r\n", "c1"),
    ])
    func `the best id is taken`(_ lines: String, _ id: String) throws {
        #expect(try read(lines).id == id)
    }

    @Test(arguments: [
        ("Content-Type: a/b\r\nContent-Type: c/d\r\n", "a/b", ""), ("content-type: a/b; x=y\r\n", "a/b; x=y", ""),
        ("Traceparent: 00-1\r\ntraceparent: 00-2\r\n", "", "00-1"), ("Content_Type: a/b\r\n", "", ""),
    ])
    func `the first type and trace context are noted`(_ lines: String, _ type: String, _ trace: String) throws {
        let seen = try read(lines)
        #expect(seen.type == type)
        #expect(seen.trace == trace)
    }

    @Test(arguments: [
        ("Content-Encoding: gzip\r\n", true), ("content-encoding: identity\r\n", false),
        ("Content-Encoding: IDENTITY\r\n", false), ("Content-Encoding: identity\r\nContent-Encoding: br\r\n", true),
        ("Content-Encoding: br\r\nContent-Encoding: identity\r\n", true), ("Content-Encodinq: gzip\r\n", false),
        ("", false),
    ])
    func `a body that is compressed is known`(_ lines: String, _ isEncoded: Bool) throws {
        #expect(try read(lines).isEncoded == isEncoded)
    }

    @Test(
        arguments: [
            ("Inference-Header-Content-Length: 12\r\n", 12), ("inference-header-content-length: 0\r\n", 0),
            ("Inference-Header-Content-Length: x\r\n", nil), ("Inference-Header-Content-Length: -1\r\n", nil),
            ("Inference-Header-Content-Length:\r\n", nil),
            ("Inference-Header-Content-Length: 99999999999999999999\r\n", nil),
            ("", nil),
        ] as [(String, Int?)]
    )
    func `the length of the JSON before binary tensors is read`(_ lines: String, _ length: Int?) throws {
        let seen = try read(lines)
        #expect(seen.jsonLength == length)
        // The model must read it too.
        #expect(seen.lines.count == (lines.isEmpty ? 0 : 1))
    }

    @Test(arguments: [
        ("Accept: */*\r\n", true), ("ACCEPT:\r\n", true), ("Accept-Language: de\r\n", false), ("", false),
    ])
    func `whether the client said what it accepts is known`(_ lines: String, _ hasAccept: Bool) throws {
        #expect(try read(lines).hasAccept == hasAccept)
    }
}

/// Answers that are sent as bytes.
@Suite struct RawResponseTests {
    private let rig = FlowRig()

    private func makeExchange() -> Exchange {
        let exchange = rig.flow.exchanges.take(for: rig.provider)
        exchange.reply.status = 413
        exchange.reply.headers.append("A", ByteView("1"))
        exchange.reply.headers.append("b", ByteView("two words"))
        exchange.reply.headers.append("A", .empty)
        return exchange
    }

    @Test(arguments: [(true, "the body"), (false, "the body"), (true, ""), (false, "")])
    func `a reply is a whole message`(hasBody: Bool, body: String) {
        let exchange = makeExchange()
        exchange.reply.ownBody.append(string: body)
        let buffer = ByteBuffer(text: "before ")
        RawResponse.write(exchange, title: "Content Too Large", hasBody: hasBody, to: buffer)
        // A HEAD request is told the length of the body that it does not get.
        #expect(
            buffer.view.string
                == "before HTTP/1.1 413 Content Too Large\r\nA: 1\r\nb: two words\r\nA: \r\n"
                + "Content-Length: \(body.utf8.count)\r\n\r\n" + (hasBody ? body : "")
        )
    }

    @Test func `its body may be the model's`() {
        let exchange = makeExchange()
        exchange.reply.ownBody.append("own")
        exchange.attempt.answer = rig.makeAnswer(bytes: [0, 0xff, 0x0d])
        exchange.reply.bodySource = .answer
        let buffer = ByteBuffer()
        RawResponse.write(exchange, title: "x", hasBody: true, to: buffer)
        #expect(Array(buffer.view.array.suffix(7)) == [0x0d, 0x0a, 0x0d, 0x0a, 0, 0xff, 0x0d])
    }
}
