/// Reads the headers of a record: what is to be forwarded to the Model Service, and what the Sidecar itself must know.
///
/// Views are valid as long as the record. One per shard.
final class KafkaRequestHeader {
    /// The model and the version that the request names; empty: none.
    private(set) var model = ByteView.empty
    private(set) var version = ByteView.empty
    /// What answers are to look like; nil: the request does not say.
    private(set) var face: Face?
    /// The topic for the answer; empty: the configured one.
    private(set) var replyTopic = ByteView.empty
    /// Whether an answer that comes in parts is to be sent in parts.
    private(set) var wantsParts = false
    private(set) var failure: ExchangeFailure?

    /// How many lines are forwarded at most.
    private static let maxLines = 100

    private let maxBytes: Int
    /// Of the lines to forward, as in HTTP: names, values and line ends.
    private var bytes = 0
    private var lines = 0
    private var faceWord: ByteView?
    private let faceNames = ByteBuffer(text: Face.names)
    private var streamWord: ByteView?
    private var mlserverModel = ByteView.empty
    private var mlserverVersion = ByteView.empty
    private var requestId = ByteView.empty
    private var cloudEventId = ByteView.empty
    /// Of headers that are forwarded once, the last one of each name.
    private var last: [Line?] = Array(repeating: nil, count: Single.allCases.count)

    private struct Line {
        var name: ByteView
        var value: ByteView
    }

    private enum Single: Int, CaseIterable {
        case contentType, contentEncoding, traceparent, jsonLength
    }

    private static let singles = Single.allCases

    /// - Parameter maxBytes: of all lines that are forwarded.
    init(maxBytes: Int) { self.maxBytes = maxBytes }

    /// Before the first header of a record.
    func begin() {
        model = .empty
        version = .empty
        face = nil
        faceWord = nil
        replyTopic = .empty
        wantsParts = false
        streamWord = nil
        failure = nil
        bytes = 0
        lines = 0
        mlserverModel = .empty
        mlserverVersion = .empty
        requestId = .empty
        cloudEventId = .empty
        for index in last.indices { last[index] = nil }
    }

    /// Takes in one header. Of several of one name that the Sidecar itself reads, the last one counts, as is usual in Kafka.
    func visit(_ name: ByteView, _ value: ByteView?, _ exchange: Exchange) {
        guard let value else { return }
        if Self.hasPrefix(name, "ameron-") {
            noteOwn(name.dropFirst(7), value)
        } else if Self.hasPrefix(name, "mlserver-") {
            let word = name.dropFirst(9)
            if word.equalsIgnoringCase(ByteView("model")) { mlserverModel = value }
            if word.equalsIgnoringCase(ByteView("version")) { mlserverVersion = value }
        } else if Self.hasPrefix(name, "ce_") {
            if name.equalsIgnoringCase(ByteView("ce_id")) { noteId(value, &cloudEventId) }
        } else if name.isToken, value.isPrintableASCII {
            noteLine(name, value.trimmed, exchange)
        }
    }

    /// After the last header of a record, while all of them are still there.
    func end(_ exchange: Exchange) {
        if let faceWord { noteFace(faceWord) }
        if let streamWord { noteStream(streamWord) }
        if model.isEmpty, !mlserverModel.isEmpty {
            model = mlserverModel
            version = mlserverVersion
            // MLServer's requests are of the Open Inference Protocol.
            if face == nil { face = .v2 }
        }
        exchange.request.takeId(cloudEventId, from: .cloudEvent)
        exchange.request.takeId(requestId, from: .request)
        forwardSingles(exchange)
        if exchange.request.contentType.isEmpty {
            exchange.request.contentType.append("application/json")
            exchange.request.headers.append("Content-Type", exchange.request.contentType.view)
        }
        if failure == nil { failure = failureOfSize }
    }

    private var failureOfSize: ExchangeFailure? {
        if bytes > maxBytes {
            return ExchangeFailure(
                cause: .headersTooLarge,
                message: "the headers to forward are longer than server.maxHeaderBytes allows"
            )
        }
        if lines > Self.maxLines {
            return ExchangeFailure(cause: .headersTooLarge, message: "there are more than 100 headers to forward")
        }
        return nil
    }

    private func forwardSingles(_ exchange: Exchange) {
        for single in Self.singles {
            guard let line = last[single.rawValue] else { continue }
            switch single {
            case .contentType: exchange.request.contentType.append(line.value)
            case .contentEncoding: exchange.request.isEncoded = !line.value.equalsIgnoringCase(ByteView("identity"))
            case .traceparent: exchange.request.traceparent.append(line.value)
            case .jsonLength: exchange.request.jsonLength = line.value.decimal
            }
            forward(line.name, line.value, exchange)
        }
    }

    private func noteOwn(_ word: ByteView, _ value: ByteView) {
        switch word.count {
        case 4 where word.equalsIgnoringCase(ByteView("face")): faceWord = value
        case 5 where word.equalsIgnoringCase(ByteView("model")): model = value
        case 6 where word.equalsIgnoringCase(ByteView("stream")): streamWord = value
        case 7 where word.equalsIgnoringCase(ByteView("version")): version = value
        case 11 where word.equalsIgnoringCase(ByteView("reply-topic")): replyTopic = value
        default: break
        }
    }

    private func noteFace(_ word: ByteView) {
        face = Face.named(word)
        guard face == nil else { return }
        failure = ExchangeFailure(
            cause: .badRequest,
            message: "the header ameron-face is none of these",
            detail: faceNames.view
        )
    }

    private func noteStream(_ word: ByteView) {
        if word == "parts" {
            wantsParts = true
        } else {
            failure = ExchangeFailure(cause: .badRequest, message: "the header ameron-stream is not parts")
        }
    }

    private func noteLine(_ name: ByteView, _ value: ByteView, _ exchange: Exchange) {
        if let single = Self.single(name) {
            last[single.rawValue] = Line(name: name, value: value)
            return
        }
        switch name.count {
        case 5 where name.equalsIgnoringCase(ByteView("Ce-Id")): noteId(value, &cloudEventId)
        case 6 where name.equalsIgnoringCase(ByteView("Accept")): exchange.request.hasAccept = true
        case 12 where name.equalsIgnoringCase(ByteView("X-Request-Id")): noteId(value, &requestId)
        default: break
        }
        forward(name, value, exchange)
    }

    private static func single(_ name: ByteView) -> Single? {
        switch name.count {
        case 11 where name.equalsIgnoringCase(ByteView("Traceparent")): .traceparent
        case 12 where name.equalsIgnoringCase(ByteView("Content-Type")): .contentType
        case 16 where name.equalsIgnoringCase(ByteView("Content-Encoding")): .contentEncoding
        case 31 where name.equalsIgnoringCase(ByteView("Inference-Header-Content-Length")): .jsonLength
        default: nil
        }
    }

    /// An id that can't be echoed counts as none.
    private func noteId(_ value: ByteView, _ id: inout ByteView) {
        if !value.isEmpty, value.isVisibleASCII { id = value }
    }

    private func forward(_ name: ByteView, _ value: ByteView, _ exchange: Exchange) {
        guard HeaderRules.forwardsToModel(name) else { return }
        bytes += name.count + value.count + 4
        lines += 1
        // Past a limit the request is refused.
        if bytes <= maxBytes, lines <= Self.maxLines { exchange.request.headers.append(name, value) }
    }

    private static func hasPrefix(_ name: ByteView, _ prefix: StaticString) -> Bool {
        name.prefix(prefix.utf8CodeUnitCount).equalsIgnoringCase(ByteView(prefix))
    }
}

extension ByteView {
    /// Whether every byte is a visible ASCII character or a space: what may stand in a header line.
    fileprivate var isPrintableASCII: Bool {
        for index in 0..<count where self[index] < 0x20 || self[index] >= 0x7F { return false }
        return true
    }
}
