import TestSupport
import Testing

@testable import Gateway

/// What goes out to a Model Service is HTTP and one request, whatever let it in.
@Suite struct OutgoingRequestTests {
    /// The header lines of a request as a strict reader takes them (RFC 9112, section 5), the request line left out; nil: it
    /// is no HTTP.
    private static func lines(of head: [UInt8]) -> [String]? {
        let text = String(decoding: head, as: UTF8.self)
        guard text.hasSuffix("\r\n\r\n") else { return nil }
        var lines: [String] = []
        for line in head.dropLast(4).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropFirst()
        {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { return nil }
            let name = line[..<colon]
            let value = line[(colon + 1)...]
            guard name.allSatisfy({ "!#$%&'*+-.^_`|~".utf8.contains($0) || Self.isLetterOrDigit($0) }),
                value.allSatisfy({ $0 == 9 || ($0 >= 0x20 && $0 != 0x7f) })
            else { return nil }
            lines.append(
                String(decoding: name, as: UTF8.self) + ":" + String(decoding: value, as: UTF8.self).trimmedOfSpaces
            )
        }
        return lines
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte & ~0x20)
    }

    private static func append(_ name: [UInt8], _ value: [UInt8], to exchange: Exchange) {
        name.withByteView { name in value.withByteView { _ = exchange.request.headers.append(name, $0) } }
    }

    @Test(arguments: TransportKind.allCases) func `hostile lines stay here`(_ kind: TransportKind) throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(kind, url: service.url("/predict"))
        defer { rig.shutDown() }
        let hidden = "POST /admin/delete HTTP/1.1\r\nHost: h\r\nX-Swallow: "
        for (index, line) in Hostile.lines.enumerated() {
            let exchange = rig.exchange(body: hidden)
            exchange.request.headers.append("X-Before", ByteView("b"))
            Self.append(line.name, line.value, to: exchange)
            exchange.request.headers.append("X-After", ByteView("a"))
            #expect(try rig.ask(exchange).status == 200)
            let calls = service.calls
            #expect(calls.count == index + 1)
            let call = try #require(calls.last)
            let lines = try #require(
                Self.lines(of: call.head),
                "\(line): \(String(decoding: call.head, as: UTF8.self))"
            )
            #expect(lines.contains("X-Before:b") && lines.contains("X-After:a"))
            #expect(lines.filter { $0.hasPrefix("Content-Length:") } == ["Content-Length:\(hidden.utf8.count)"])
            #expect(lines.filter { $0.hasPrefix("Host:") }.count == 1)
            #expect(lines.contains { $0.hasPrefix("Host:127.0.0.1:") })
            #expect(call.text == hidden)
        }
        #expect(service.connectionCount == 1)
    }

    @Test(arguments: ["a\r\nContent-Length: 0", "a\nb: c", "a\0", "a\r"], TransportKind.allCases)
    func `no id is two lines`(_ id: String, _ kind: TransportKind) throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(kind, url: service.url("/predict"))
        defer { rig.shutDown() }
        let exchange = rig.exchange()
        exchange.request.id.removeAll()
        exchange.request.id.append(string: id)
        #expect(try rig.ask(exchange).status == 200)
        let lines = try #require(Self.lines(of: service.calls.first?.head ?? []))
        #expect(!lines.contains { $0.hasPrefix("X-Request-Id:") })
        #expect(lines.filter { $0.hasPrefix("Content-Length:") } == ["Content-Length:2"])
    }

    /// The client's query goes behind the configured URL, as it came.
    @Test(
        arguments: [
            ("/p", "", "/p"), ("/p", "a=1", "/p?a=1"), ("/p?k=v", "a=1", "/p?k=v&a=1"), ("/p?", "a=1", "/p?&a=1"),
            ("/", "a=1&a=2", "/?a=1&a=2"), ("", "x", "/?x"),
            ("/a/../b/./c%2Fd%2f", "e=%2F%2f/../?", "/a/../b/./c%2Fd%2f?e=%2F%2f/../?"),
            ("/p", "a b\r\nX: y\0#\u{e9}", "/p?a%20b%0d%0aX:%20y%00%23%c3%a9"),
            ("/p", String(repeating: "q", count: 5_000), "/p?" + String(repeating: "q", count: 5_000)),
        ],
        TransportKind.allCases
    )
    func `the query goes on`(_ sample: (path: String, query: String, target: String), _ kind: TransportKind) throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(kind, url: service.url(sample.path))
        defer { rig.shutDown() }
        // Alone, behind another and before another: the call is the same each time.
        for query in ["", sample.query, "", sample.query] {
            let exchange = rig.exchange()
            exchange.request.query.append(string: query)
            #expect(try rig.ask(exchange).status == 200)
        }
        let plain = sample.path.isEmpty ? "/" : sample.path
        #expect(service.calls.map(\.target) == [plain, sample.target, plain, sample.target])
        #expect(service.calls.allSatisfy { $0.text == "{}" })
    }

    @Test(arguments: TransportKind.allCases) func `also of a version, and of metadata`(_ kind: TransportKind) throws {
        let service = try FakeModelService(other: { _ in .json("1") }, { _ in .json("1") })
        let rig = try TransportRig(kind, url: service.url("/v2/models/iris/infer"), modelProtocol: .v2)
        defer { rig.shutDown() }
        func ask(_ operation: Request.Operation, version: String, query: String) throws -> String? {
            let exchange = rig.exchange()
            exchange.request.operation = operation
            exchange.request.wantedVersion.append(string: version)
            exchange.request.query.append(string: query)
            #expect(try rig.ask(exchange).status == 200)
            return service.requests.last.map { "\($0.method) \($0.target)" }
        }
        #expect(try ask(.predict, version: "7", query: "a=1") == "POST /v2/models/iris/versions/7/infer?a=1")
        #expect(try ask(.modelMetadata, version: "", query: "a=1") == "GET /v2/models/iris?a=1")
        #expect(try ask(.serverMetadata, version: "", query: "") == "GET /v2")
        #expect(try ask(.predict, version: "", query: "") == "POST /v2/models/iris/infer")
    }

    /// Header lines that libcurl has words of its own for.
    @Test func `both transports send the same lines`() throws {
        let clean: [(String, String)] = [
            ("X-Empty", ""), ("Accept", ""), ("User-Agent", ""), ("Content-Type", "application/json; charset=utf-8"),
            ("Cookie", "a=b"), ("Authorization", "Bearer x"), ("Referer", "http://a/"), ("Range", "bytes=0-1"),
            ("X-Semi", "a;"), ("X-Semi2", ";"), ("X-Colon", ": a"), ("X-Many", "1"), ("X-Many", "2"),
            ("If-Modified-Since", "x"), ("Alt-Used", "a"), ("Sec-WebSocket-Key", "x"), ("X-Umlaut", "\u{e4}"),
            ("X-Percent", "%s%n%"), ("X;Name", "never"), ("x-lower", " spaces around "),
        ]
        var seen: [TransportKind: [String]] = [:]
        for kind in TransportKind.allCases {
            let service = try FakeModelService { _ in .json("1") }
            let rig = try TransportRig(kind, url: service.url("/predict"))
            defer { rig.shutDown() }
            let exchange = rig.exchange()
            exchange.request.hasAccept = true
            exchange.request.contentType.append(string: "application/json; charset=utf-8")
            for (name, value) in clean { Self.append(Array(name.utf8), Array(value.utf8), to: exchange) }
            #expect(try rig.ask(exchange).status == 200)
            let head = try #require(service.calls.first?.head)
            let port = String(service.url("").dropFirst("http://127.0.0.1:".count))
            seen[kind] = try #require(Self.lines(of: head)).map { $0.replacing(port, with: "PORT") }.sorted()
        }
        #expect(seen[.direct] == seen[.curl])
        #expect(seen[.direct]?.count == clean.count - 1 + 3)
    }
}

extension String {
    fileprivate var trimmedOfSpaces: String {
        var rest = self[...]
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
