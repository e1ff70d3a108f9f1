import Testing

@testable import Gateway

/// What the headers of a record mean for its request.
@Suite struct KafkaRequestHeaderTests {
    private final class NoProvider: Provider {
        let kind = ProviderKind.kafka
        func deliver(_ exchange: Exchange) {}
    }

    /// What was read, copied.
    private struct Seen: Equatable {
        var model = ""
        var version = ""
        var face: Face?
        var replyTopic = ""
        var id = ""
        var failure: ExchangeFailure.Cause?
        var lines: [String] = []
    }

    private let provider = NoProvider()

    private func read(_ headers: [(String, [UInt8]?)], maxBytes: Int = 1_000) -> (Seen, Exchange) {
        let header = KafkaRequestHeader(maxBytes: maxBytes)
        let exchange = Exchange(index: 0, provider: provider)
        exchange.begin(for: provider)
        // The values must outlive the reading.
        let kept = headers.map { (ByteBuffer(text: $0.0), $0.1.map { ByteBuffer(bytes: $0) }) }
        return withExtendedLifetime(kept) {
            header.begin()
            for (name, value) in kept { header.visit(name.view, value?.view, exchange) }
            header.end(exchange)
            let seen = Seen(
                model: header.model.string,
                version: header.version.string,
                face: header.face,
                replyTopic: header.replyTopic.string,
                id: exchange.request.id.view.string,
                failure: header.failure?.cause,
                lines: (0..<exchange.request.headers.count).map {
                    "\(exchange.request.headers[$0].name.string): \(exchange.request.headers[$0].value.string)"
                }
            )
            return (seen, exchange)
        }
    }

    private func read(_ headers: [(String, String)]) -> Seen { read(headers.map { ($0.0, Array($0.1.utf8)) }).0 }

    private static let json = "Content-Type: application/json"

    @Test func `nothing is asked for without headers`() {
        #expect(read([]) == Seen(lines: [Self.json]))
    }

    @Test func `our words choose model, version, face and topic`() {
        let headers = [
            ("ameron-model", "m"), ("Ameron-Version", "2"), ("ameron-face", "v1"), ("ameron-reply-topic", "r"),
        ]
        #expect(read(headers) == Seen(model: "m", version: "2", face: .v1, replyTopic: "r", lines: [Self.json]))
        #expect(read([("ameron-face", "native")]).face == .native)
        #expect(read([("ameron-version", "2")]) == Seen(version: "2", lines: [Self.json]))
    }

    @Test func `MLServer's words count where ours are missing`() {
        let theirs = [("mlserver-model", "t"), ("mlserver-version", "7")]
        #expect(read(theirs) == Seen(model: "t", version: "7", face: .v2, lines: [Self.json]))
        #expect(read(theirs + [("ameron-face", "native")]).face == .native)
        let both = read(theirs + [("ameron-model", "m")])
        #expect(both == Seen(model: "m", lines: [Self.json]))
        #expect(read(theirs + [("ameron-model", "")]).model == "t")
    }

    @Test func `the last of several counts`() {
        #expect(read([("ameron-model", "a"), ("ameron-model", "b")]).model == "b")
        let types = read([("content-type", "a/b"), ("Content-Type", "c/d")])
        #expect(types.lines == ["Content-Type: c/d"])
        #expect(read([("x-request-id", "a"), ("X-Request-Id", "b"), ("x-request-id", "not one")]).id == "b")
        #expect(read([("ce_id", "a"), ("ce-id", "b"), ("ce_id", "c")]).id == "c")
        #expect(read([("traceparent", "a"), ("Traceparent", "b")]).lines == ["Traceparent: b", Self.json])
        #expect(read([("ameron-face", "v1"), ("ameron-face", "v2")]).face == .v2)
        #expect(read([("ameron-face", "no"), ("ameron-face", "v2")]) == Seen(face: .v2, lines: [Self.json]))
        #expect(read([("ameron-reply-topic", "a"), ("ameron-reply-topic", "b")]).replyTopic == "b")
        #expect(read([("mlserver-model", "a"), ("mlserver-model", "b")]).model == "b")
        let (_, exchange) = read([
            ("content-encoding", Array("gzip".utf8)), ("content-encoding", Array("identity".utf8)),
            ("inference-header-content-length", Array("1".utf8)),
            ("inference-header-content-length", Array("2".utf8)),
        ])
        #expect(!exchange.request.isEncoded)
        #expect(exchange.request.jsonLength == 2)
    }

    @Test(arguments: ["V1", "", "v3", "native "])
    func `another face is an error`(word: String) {
        #expect(read([("ameron-face", word)]).failure == .badRequest)
    }

    @Test func `the request id comes from the better header`() {
        #expect(read([("ce_id", "c"), ("x-request-id", "x")]).id == "x")
        #expect(read([("X-Request-Id", "x"), ("ce_id", "c")]).id == "x")
        #expect(read([("Ce-Id", "c")]).id == "c")
        #expect(read([("ce_id", "c")]).id == "c")
        #expect(read([("X-Request-Id", "two words"), ("ce_id", "c")]).id == "c")
        #expect(read([("X-Request-Id", "a\r\nb")]).id == "")
    }

    @Test func `lines that HTTP can carry are forwarded, and no others`() {
        let (seen, exchange) = read([
            ("correlation-id", Array("1".utf8)), ("traceparent", Array("00-1-2-03".utf8)), ("x", Array(" a b ".utf8)),
            ("empty", []), ("null", nil), ("", Array("v".utf8)), ("a b", Array("v".utf8)), ("a:b", Array("v".utf8)),
            ("é", Array("v".utf8)), ("bytes", [0xFF]), ("nul", [0]), ("cr", Array("a\rb".utf8)),
            ("lf", Array("a\nX-Evil: 1".utf8)), ("tab", Array("a\tb".utf8)), ("del", [0x7F]),
            ("Host", Array("h".utf8)), ("content-length", Array("9".utf8)), ("Connection", Array("close".utf8)),
            ("Transfer-Encoding", Array("chunked".utf8)), ("X-Request-Id", Array("id".utf8)),
            ("ce_type", Array("t".utf8)), ("mlserver-x", Array("v".utf8)), ("AMERON-x", Array("v".utf8)),
        ])
        #expect(seen.lines == ["correlation-id: 1", "x: a b", "empty: ", "traceparent: 00-1-2-03", Self.json])
        #expect(seen.failure == nil)
        #expect(exchange.request.traceparent.view == "00-1-2-03")
        #expect(exchange.request.contentType.view == "application/json")
    }

    @Test func `what says how the body is to be read is noted`() {
        let (seen, exchange) = read([
            ("content-encoding", Array("gzip".utf8)), ("inference-header-content-length", Array("12".utf8)),
            ("accept", Array("x/y".utf8)), ("content-type", Array("application/octet-stream".utf8)),
        ])
        #expect(exchange.request.isEncoded)
        #expect(exchange.request.jsonLength == 12)
        #expect(exchange.request.hasAccept)
        #expect(seen.lines.count == 4)
    }

    @Test(arguments: [("parts", true), ("Parts", false), ("whole", false), ("", false)])
    func `parts are asked for by one word`(word: String, isKnown: Bool) {
        let header = KafkaRequestHeader(maxBytes: 100)
        let exchange = Exchange(index: 0, provider: provider)
        exchange.begin(for: provider)
        let kept = ByteBuffer(text: word)
        withExtendedLifetime(kept) {
            header.begin()
            header.visit(ByteView("Ameron-Stream"), kept.view, exchange)
            header.end(exchange)
        }
        #expect(header.wantsParts == isKnown)
        #expect(header.failure?.cause == (isKnown ? nil : .badRequest))
        // The next record's.
        header.begin()
        header.end(exchange)
        #expect(!header.wantsParts && header.failure == nil)
    }

    @Test func `too much to forward is an error`() {
        let long = [UInt8](repeating: 0x61, count: 20)
        #expect(read([("a", long)], maxBytes: 25).0.failure == nil)
        #expect(read([("ab", long)], maxBytes: 25).0.failure == .headersTooLarge)
        #expect(read((0..<100).map { ("h\($0)", "v") }).failure == nil)
        #expect(read((0..<101).map { ("h\($0)", "v") }).failure == .headersTooLarge)
        #expect(read((0..<900).map { ("ce_\($0)", "v") }).failure == nil)
        // What is not forwarded may be as long as it likes.
        #expect(read([("ce_data", [UInt8](repeating: 0x61, count: 5_000))], maxBytes: 25).0.failure == nil)
    }

    @Test(
        arguments: [
            ("content-type", true), ("Content-Length", true), ("content-encoding", true), ("ameron-reply-topic", true),
            ("ameron-status", true), ("X-Request-Id", true), ("server-timing", true),
            ("inference-header-content-length", true),
            ("ameron-part", true), ("Ameron-Final", true), ("ameron-answer", true), ("ameron-continues", true),
            ("ameron-stream", false), ("correlation-id", false), ("ameron-model", false), ("ce_id", false),
            ("traceparent", false), ("", false),
        ]
    )
    func `an answer has the request's headers but those about the request alone`(name: String, isLeftOut: Bool) {
        Array(name.utf8).withByteView { #expect(KafkaReplyHeader.isAboutOneMessage($0) == isLeftOut) }
    }
}

extension ByteBuffer {
    fileprivate convenience init(bytes: [UInt8]) {
        self.init(capacity: max(bytes.count, 1))
        append(contentsOf: bytes)
    }
}
