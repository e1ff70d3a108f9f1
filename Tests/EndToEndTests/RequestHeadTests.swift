import TestSupport
import Testing

/// What is no HTTP, or can be read in two ways, reaches no model: it is answered, once and well-formed, and the connection closes.
@Suite("Request heads", .sidecarLog) struct RequestHeadTests {
    private static let path = "/v1/models/iris:predict"
    private static let first = "POST \(path) HTTP/1.1\r\nHost: a\r\n"
    private static let length = "Content-Length: 3\r\n\r\nabc"
    private static let chunked = first + "Transfer-Encoding: chunked\r\n\r\n"
    /// What would follow if somebody read the bytes otherwise.
    private static let hidden = "POST \(path) HTTP/1.1\r\nHost: h\r\nX-Hidden: 1\r\nContent-Length: 2\r\n\r\n{}"

    private static func line(_ text: String) -> String { first + text + "\r\n" + length }
    private static func coding(_ text: String) -> String {
        first + "Transfer-Encoding: \(text)\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    }

    /// Name, bytes, status.
    private static let malformed: [(String, String, Int)] =
        [
            "X Y: z", "X\tY: z", "X\u{1}Y: z", "X : z", "X\t: z", "Content-Length : 3", "Transfer-Encoding : chunked",
            "Transfer-Encoding : identity", ": x", ":", "X", " X: a", "\tX: a", "X-Us: a\r\n er", "X-Us: a\r\n\ter: b",
            "Authorizatio: Bearer x\r\n\tn", "X-Request-I: forged\r\n d", "Content-Lengt: 33\r\n h", "X: a\r\n ",
            "X: a\0", "X: a\0b", "X\0: a", "\0: a", "\0", "X: a\rb", "X: a\r", "\rX: a", "X: \u{b}", "X: a\u{7f}",
            "X: a\nY: b", "X: a\0\nY: b", "X: a\n\0", "X: a\n:", ":\nX: a", "Content-Length;x: 1", "Host;x: evil",
            "(X): a",
            "Host: b", "Host: a", "Content-Length: 3", "Content-Length: 4", "Authorization: a\r\nAuthorization: b",
        ].map { ("line \($0.debugDescription)", line($0), 400) }
        + [
            ("no Host", "POST \(path) HTTP/1.1\r\n" + length),
            ("an empty name first", "POST \(path) HTTP/1.1\r\n: x\r\nHost: a\r\n" + length),
            (
                "a first line that goes on from the request line",
                "POST \(path) HTTP/1.1\r\n X: a\r\nHost: a\r\n" + length
            ),
            ("a name of 8 bits", first + "X\u{e9}: a\r\n" + length),
            ("a line feed after the request line", "POST \(path) HTTP/1.1\nHost: a\r\n" + length),
            ("line feeds only", (first + length).replacing("\r\n", with: "\n")),
            ("a list of lengths", first + "Content-Length: 3, 3\r\n\r\nabc"),
            ("a length with a sign", first + "Content-Length: +3\r\n\r\nabc"),
            ("an empty length", first + "Content-Length:\r\n\r\nabc"),
            ("a length in hexadecimal", first + "Content-Length: 0x3\r\n\r\nabc"),
            ("a length that is negative", first + "Content-Length: -3\r\n\r\nabc"),
            (
                "a length beside chunks",
                first + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            ),
            (
                "chunks beside a length",
                first + "Transfer-Encoding: chunked\r\nContent-Length: 15\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            ),
            (
                "chunks in HTTP/1.0",
                "POST \(path) HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            ),
            ("a method in lower case", "post \(path) HTTP/1.1\r\nHost: a\r\n" + length),
            ("a space before the request line", " \(first)" + length),
            ("two spaces", "POST  \(path) HTTP/1.1\r\nHost: a\r\n" + length),
            ("a space in the target", "POST \(path) x HTTP/1.1\r\nHost: a\r\n" + length),
            ("a tab in the target", "POST \(path)\tx HTTP/1.1\r\nHost: a\r\n" + length),
            ("a NUL in the target", "POST \(path)\0 HTTP/1.1\r\nHost: a\r\n" + length),
            ("a control character in the query", "POST \(path)?\u{1} HTTP/1.1\r\nHost: a\r\n" + length),
            ("a fragment", "POST \(path)#a HTTP/1.1\r\nHost: a\r\n" + length),
            ("no version", "POST \(path)\r\nHost: a\r\n" + length),
            ("a version of three digits", "POST \(path) HTTP/1.10\r\nHost: a\r\n" + length),
            ("a target that is no path", "POST v1/models/iris:predict HTTP/1.1\r\nHost: a\r\n" + length),
            ("a Host that cannot be one", "POST \(path) HTTP/1.1\r\nHost: a b\r\n" + length),
            ("a size with 0x", chunked + "0x3\r\nabc\r\n0\r\n\r\n"),
            ("a size with a sign", chunked + "+3\r\nabc\r\n0\r\n\r\n"),
            ("a size after a space", chunked + " 3\r\nabc\r\n0\r\n\r\n"), ("an empty size", chunked + "\r\n\r\n"),
            ("a size before a line feed", chunked + "3\nabc\r\n0\r\n\r\n"),
            ("a chunk that is longer", chunked + "3\r\nabcd\r\n0\r\n\r\n"),
            ("a line feed in an extension", chunked + "3;a\nb\r\nabc\r\n0\r\n\r\n"),
            ("an empty name in a trailer", chunked + "3\r\nabc\r\n0\r\nA: b\r\n: c\r\n\r\n"),
            ("a NUL in a trailer", chunked + "3\r\nabc\r\n0\r\n\0\r\n\r\n"),
            ("a trailer that is a request", chunked + "0\r\nGET / HTTP/1.1\r\n\r\n"),
        ].map { ($0.0, $0.1, 400) }
        + [
            "gzip", "gzip, chunked", "identity", "xchunked", "chunked;q=1", "chunked, chunked",
            "chunked\r\nTransfer-Encoding: chunked", "",
        ]
        .map { ("coding \($0)", coding($0), 501) }
        + ["1000000000000000000", "18446744073709551615", "18446744073709551616", "99999999999999999999999999"]
        .map { ("length \($0)", first + "Content-Length: \($0)\r\n\r\nabc", 413) }
        + [
            ("size ffffffffffffffff", chunked + "ffffffffffffffff\r\nabc", 413),
            ("101 lines", first + (0..<100).map { "X-\($0): a\r\n" }.joined() + length, 431),
            ("a header of 9 KiB", line("X: " + String(repeating: "a", count: 9 << 10)), 431),
            (
                "a target of 9 KiB",
                "POST \(path)?\(String(repeating: "a", count: 9 << 10)) HTTP/1.1\r\nHost: a\r\n" + length, 414
            ),
            ("version 2.0", "POST \(path) HTTP/2.0\r\nHost: a\r\n" + length, 505),
        ]

    private func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

    private func withModel(
        _ transport: ModelTransport,
        _ body: (SidecarProcess, FakeModelService) throws -> Void
    ) throws {
        let service = try modelService(Sample.v1)
        let model = SidecarConfiguration.Model(
            "iris",
            protocol: "v1",
            url: service.url(Self.path),
            ["transport": transport.rawValue]
        )
        try withSidecar(SidecarConfiguration(model)) { sidecar in
            try body(sidecar, service)
            #expect(try sidecar.post(Self.path).status == 200, "after all")
        }
    }

    @Test(arguments: ModelTransport.allCases) func malformedOnesReachNoModel(_ transport: ModelTransport) throws {
        try withModel(transport) { sidecar, service in
            for (name, text, status) in Self.malformed {
                let connection = try sidecar.connect()
                try connection.send(bytes(text + Self.hidden))
                let response = try connection.response()
                #expect(response.status == status, "\(name)")
                #expect(response.headers["Connection"] == "close", "\(name)")
                // Where the path cannot be read, in the native face's manner.
                let text = try response.json()["error"]?.string ?? response.json()["detail"]?.string
                #expect(text?.isEmpty == false, "\(name)")
                #expect(try connection.isClosedByServer(), "\(name): more than one answer, or not closed")
            }
            #expect(service.calls.map(\.target) == [], "a model saw something")
            let refused = try sidecar.metrics().total("ameron_requests_total")
            #expect(refused == Double(Self.malformed.count))
        }
    }

    /// In pieces, and behind good requests, which are answered first.
    @Test func theirPlaceMakesNoDifference() throws {
        try withModel(.direct) { sidecar, service in
            for (name, text, status) in Self.malformed where text.utf8.count < 400 {
                let connection = try sidecar.connect()
                let good = Self.first + Self.length
                for byte in bytes(good + good + text) { try? connection.send([byte]) }
                for _ in 0..<2 { #expect(try connection.response().status == 200, "before \(name)") }
                #expect(try connection.response().status == status, "\(name)")
                #expect(try connection.isClosedByServer(), "\(name)")
            }
            #expect(service.calls.allSatisfy { $0.text == "abc" })
        }
    }

    @Test(arguments: ModelTransport.allCases) func goodOnesReachTheModel(_ transport: ModelTransport) throws {
        let good: [(name: String, text: String, body: String)] = [
            ("an empty line before", "\r\n" + Self.first + Self.length, "abc"),
            ("eight of them", String(repeating: "\r\n", count: 8) + Self.first + Self.length, "abc"),
            ("absolute form", "POST http://a\(Self.path) HTTP/1.1\r\nHost: a\r\n" + Self.length, "abc"),
            (
                "absolute form of a proxy's client",
                "POST HTTPS://other:8443\(Self.path) HTTP/1.1\r\nHost: a\r\n" + Self.length, "abc"
            ),
            ("HTTP/1.0 without Host", "POST \(Self.path) HTTP/1.0\r\n" + Self.length, "abc"),
            ("HTTP/1.2", "POST \(Self.path) HTTP/1.2\r\nHost: a\r\n" + Self.length, "abc"),
            ("an empty Host", "POST \(Self.path) HTTP/1.1\r\nHost:\r\n" + Self.length, "abc"),
            ("an address as Host", "POST \(Self.path) HTTP/1.1\r\nHost: [::1]:80\r\n" + Self.length, "abc"),
            ("a length with zeros", Self.first + "Content-Length: 0003\r\n\r\nabc", "abc"),
            (
                "chunks with extensions and a trailer",
                Self.chunked + "1;a=\"b\"\r\na\r\n02 \r\nbc\r\n0;z\r\nX: y\r\n\r\n", "abc"
            ),
            ("100 lines", Self.first + (0..<98).map { "X-\($0): a\r\n" }.joined() + Self.length, "abc"),
            ("no body", Self.first + "\r\n", ""),
        ]
        try withModel(transport) { sidecar, service in
            for (index, request) in good.enumerated() {
                let connection = try sidecar.connect()
                try connection.send(bytes(request.text))
                #expect(try connection.response().status == 200, "\(request.name)")
                #expect(service.calls.count == index + 1, "\(request.name)")
                #expect(service.calls.last?.text == request.body, "\(request.name)")
                #expect(service.calls.last?.headers.all("Host").count == 1, "\(request.name)")
                #expect(
                    service.calls.last?.headers.all("Content-Length") == ["\(request.body.utf8.count)"],
                    "\(request.name)"
                )
            }
        }
    }

    /// What is forwarded, is forwarded as it came: also bytes from 0x80 on, and what surrounds a value is not part of it.
    @Test(arguments: ModelTransport.allCases) func valuesStayAsTheyAre(_ transport: ModelTransport) throws {
        try withModel(transport) { sidecar, service in
            let connection = try sidecar.connect()
            let lines =
                "X-Text: \u{e9}\u{fc}\tz\r\nX-Empty:\r\nX-Space: \t a  b \t\r\nX-Colon: a: b\r\n!#$%&'*+-.^_`|~: t\r\n"
            try connection.send(bytes(Self.first + lines + Self.length))
            #expect(try connection.response().status == 200)
            let headers = try #require(service.calls.first).headers
            #expect(headers["X-Text"]?.hasSuffix("\tz") == true)
            #expect(headers["X-Empty"] == "")
            #expect(headers["X-Space"] == "a  b")
            #expect(headers["X-Colon"] == "a: b")
            #expect(headers["!#$%&'*+-.^_`|~"] == "t")
        }
    }

    /// Servers that make variables of headers take `-` and `_` for the same.
    @Test(arguments: ModelTransport.allCases) func underscoresMakeNoHeadersOfOurs(_ transport: ModelTransport) throws {
        try withModel(transport) { sidecar, service in
            let connection = try sidecar.connect()
            let lines = [
                "Content_Length: 30", "Transfer_Encoding: chunked", "X_Request_Id: forged", "X-Request_Id: forged",
                "Keep_Alive: a",
                "Proxy_Connection: a", "Accept_Encoding: a", "session_id: mine",
            ]
            try connection.send(Self.first + lines.map { $0 + "\r\n" }.joined() + Self.length)
            #expect(try connection.response().status == 200)
            let names = try #require(service.calls.first).headers.fields.map(\.name).filter { $0.contains("_") }
            #expect(names == ["session_id"])
        }
    }

    /// The next client on the model's connection gets its own answer.
    @Test(
        arguments: ModelTransport.allCases,
        ["X Y: z", "Transfer-Encoding : identity", "Content-Length;x: 1", "Host;x: evil"]
    )
    func nothingIsLeftInTheModelsConnection(_ transport: ModelTransport, _ line: String) throws {
        let service = try FakeModelService { request in
            .json(#"{"predictions":["\#(request.text.filter { $0.isLetter })"]}"#)
        }
        let model = SidecarConfiguration.Model(
            "iris",
            protocol: "v1",
            url: service.url(Self.path),
            ["transport": transport.rawValue]
        )
        try withSidecar(SidecarConfiguration(model)) { sidecar in
            for _ in 0..<3 {
                let attacker = try sidecar.connect()
                let body = "POST /admin/delete HTTP/1.1\r\nHost: h\r\nX-Swallow: "
                try attacker.send(Self.first + "\(line)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
                #expect(try attacker.response().status == 400)
                let victim = try sidecar.post(Self.path, json: #"["victim"]"#)
                #expect(victim.text == #"{"predictions":["victim"]}"#)
            }
            #expect(service.calls.allSatisfy { $0.target == Self.path })
            #expect(service.calls.count == 3)
        }
    }

    // MARK: Other protocols

    /// Their clients wait for an answer, and whoever set them up looks into the log.
    @Test func tellsThatOtherProtocolsAreNotSpoken() throws {
        try withModel(.direct) { sidecar, service in
            let hello: [UInt8] = [0x16, 0x03, 0x01, 0x00, 0xf8, 0x01, 0x00, 0x00, 0xf4, 0x03, 0x03, 0x55, 0x66]
            let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\u{6}\u{4}\0\0\0\0\0\0\u{5}\0\0@\0".utf8)
            for (bytes, status, word) in [(hello, 400, "TLS"), (preface, 505, "HTTP/2")] {
                for _ in 0..<3 {
                    let connection = try sidecar.connect()
                    try connection.send(bytes)
                    let response = try connection.response()
                    #expect(response.status == status)
                    #expect(response.text.contains(word))
                    #expect(try connection.isClosedByServer())
                }
            }
            let log = sidecar.process.standardError
            #expect(log.matches(of: /warning.*a client is refused: this is/).count == 1, "told once a minute")
            #expect(service.calls.isEmpty)
        }
    }

    /// The first bytes alone are enough.
    @Test(arguments: [[UInt8(0x16)], [0x80, 0x2e], [0x00], Array("{".utf8)]) func waitsForNoMoreOfWhatIsNoHTTP(
        _ bytes: [UInt8]
    ) throws {
        try withModel(.direct) { sidecar, _ in
            let connection = try sidecar.connect()
            try connection.send(bytes)
            #expect(try connection.response().status == 400)
            #expect(try connection.isClosedByServer())
        }
    }
}
