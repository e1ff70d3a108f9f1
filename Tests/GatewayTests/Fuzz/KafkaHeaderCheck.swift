import TestSupport

@testable import Gateway

/// What must hold of the reading of a record's headers for any names and values whatever. The tests and the fuzzer ask the same.
enum KafkaHeaderCheck {
    private static let maxBytes = 300

    private struct Header {
        var name: [UInt8]
        /// nil: it has none, as Kafka allows.
        var value: [UInt8]?
    }

    /// What is wrong, nil where nothing is.
    ///
    /// - Parameter bytes: headers; the byte 0x1e begins a name, 0x1f its value.
    static func violation(_ bytes: [UInt8]) -> String? {
        let headers = bytes.split(separator: 0x1e, omittingEmptySubsequences: true).map { part in
            let parts = part.split(separator: 0x1f, maxSplits: 1, omittingEmptySubsequences: false)
            return Header(name: Array(parts[0]), value: parts.count > 1 ? Array(parts[1]) : nil)
        }
        return headerViolation(headers) ?? topicViolation(headers)
    }

    private final class NoProvider: Provider {
        let kind = ProviderKind.kafka
        func deliver(_ exchange: Exchange) {}
    }

    // MARK: Headers

    private static func headerViolation(_ headers: [Header]) -> String? {
        let provider = NoProvider()
        let exchange = Exchange(index: 0, provider: provider)
        exchange.begin(for: provider)
        let reader = KafkaRequestHeader(maxBytes: maxBytes)
        // The values must outlive the reading.
        let kept = headers.map { (buffer($0.name), $0.value.map(buffer)) }
        return withExtendedLifetime(kept) {
            // As behind another record's.
            reader.begin()
            reader.visit(ByteView("ameron-model"), ByteView("before"), exchange)
            reader.end(exchange)
            exchange.end()
            exchange.begin(for: provider)
            reader.begin()
            for (name, value) in kept { reader.visit(name.view, value?.view, exchange) }
            reader.end(exchange)
            return lineViolation(headers, exchange, isRefused: reader.failure != nil)
                ?? ownViolation(headers, reader, exchange)
        }
    }

    private static func buffer(_ bytes: [UInt8]) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: bytes.count)
        buffer.append(contentsOf: bytes)
        return buffer
    }

    private static let token = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8
    )
    /// What belongs to one connection or one message, or is the Sidecar's own.
    private static let kept: Set = [
        "te", "trailer", "upgrade", "connection", "keep-alive", "proxy-connection", "transfer-encoding",
        "proxy-authenticate", "proxy-authorization", "host", "expect", "x-request-id", "content-length",
        "accept-encoding",
    ]

    private static func lowercased(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }, as: UTF8.self)
    }

    /// What is forwarded is a token and a clean value, came from the record, and is none of what stays here.
    ///
    /// - Parameter isRefused: nothing is forwarded in the end.
    private static func lineViolation(_ headers: [Header], _ exchange: Exchange, isRefused: Bool) -> String? {
        var length = 0
        let table = exchange.request.headers
        for index in 0..<table.count {
            let (name, value) = (table[index].name.array, table[index].value.array)
            let line = "\(String(decoding: name, as: UTF8.self).debugDescription): \(value)"
            guard !name.isEmpty, name.allSatisfy(token.contains) else { return "no token: \(line)" }
            guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else { return "no clean value: \(line)" }
            guard value.first != 0x20, value.first != 0x09, value.last != 0x20, value.last != 0x09 else {
                return "space around: \(line)"
            }
            let word = lowercased(name)
            guard !kept.contains(word.replacing("_", with: "-")),
                !["ameron-", "mlserver-", "ce_"].contains(where: word.hasPrefix)
            else {
                return "not to be forwarded: \(line)"
            }
            let isGiven = headers.contains { $0.name == name && trimmed($0.value ?? []) == value }
            guard isGiven || line == "\"Content-Type\": \(Array("application/json".utf8))" else {
                return "from nowhere: \(line)"
            }
            length += name.count + value.count + 4
        }
        // The type that is added is not the client's.
        let most = maxBytes + "Content-Type: application/json\r\n".utf8.count
        return length <= most || isRefused ? nil : "\(length) bytes of lines are forwarded"
    }

    private static func trimmed(_ text: [UInt8]) -> [UInt8] {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        return text.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
    }

    /// Of several headers of one name the last one counts.
    private static func ownViolation(
        _ headers: [Header],
        _ reader: KafkaRequestHeader,
        _ exchange: Exchange
    ) -> String? {
        func last(_ name: String) -> [UInt8]? {
            headers.last { $0.value != nil && lowercased($0.name) == name }?.value
        }
        let own = last("ameron-model") ?? []
        let model = own.isEmpty ? last("mlserver-model") ?? [] : own
        guard reader.model.array == model else { return "model \(reader.model.array), not \(model)" }
        guard reader.replyTopic.array == last("ameron-reply-topic") ?? [] else { return "another topic for the answer" }
        let stream = last("ameron-stream")
        guard reader.wantsParts == (stream == Array("parts".utf8)) else { return "parts: \(reader.wantsParts)" }
        guard stream == nil || reader.wantsParts || reader.failure != nil else { return "not refused: \(stream ?? [])" }
        let id = exchange.request.id.view.array
        guard id.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return "an id that cannot be echoed: \(id)" }
        guard exchange.request.traceparent.view.array.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
            return "a traceparent with controls"
        }
        return nil
    }

    // MARK: Topics

    private static let topicBytes = Set("._-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

    /// Takes lists and names from the headers.
    private static func topicViolation(_ headers: [Header]) -> String? {
        let list = String(decoding: headers.first?.value ?? [], as: UTF8.self)
        let topics = ReplyTopics(list, replyTopic: "answers", requestTopic: "requests", reserved: ["dead"])
        let names =
            headers.flatMap { [$0.name, $0.value ?? []] }
            + ["answers", "requests", "dead", "__a"].map { Array($0.utf8) }
        let entries = list.split(separator: ",").map { String(decoding: trimmed(Array($0.utf8)), as: UTF8.self) }
        for name in names {
            let isAllowed = name.withByteView { topics.allows($0) }
            let text = String(decoding: name, as: UTF8.self)
            let isName =
                (1...249).contains(name.count) && name.allSatisfy(topicBytes.contains) && text != "." && text != ".."
            let isListed = text == "answers" || entries.contains(text)
            let isMatched = entries.contains { $0.hasSuffix("*") && text.hasPrefix($0.dropLast()) }
            let isOthers = text == "dead" || text.hasPrefix("__")
            let wanted = isName && text != "requests" && (isListed || isMatched && !isOthers)
            guard isAllowed == wanted else {
                return "topic \(text.debugDescription) by \(list.debugDescription): \(isAllowed)"
            }
        }
        return nil
    }
}

/// Changes to headers that leave them headers.
enum KafkaHeaderMutation {
    private static let words = [
        "\u{1e}ameron-model\u{1f}m", "\u{1e}Ameron-Face\u{1f}v1", "\u{1e}ameron-version\u{1f}2",
        "\u{1e}ameron-reply-topic\u{1f}a.b", "\u{1e}ameron-stream\u{1f}parts", "\u{1e}Ameron-Stream\u{1f}part",
        "\u{1e}mlserver-model\u{1f}m", "\u{1e}mlserver-version\u{1f}", "\u{1e}ce_id\u{1f}i", "\u{1e}Ce-Id\u{1f}i",
        "\u{1e}X-Request-Id\u{1f}r", "\u{1e}Content-Type\u{1f}text/csv", "\u{1e}content-length\u{1f}3",
        "\u{1e}Content-Encoding\u{1f}gzip", "\u{1e}Transfer-Encoding\u{1f}chunked", "\u{1e}Connection\u{1f}X-A",
        "\u{1e}traceparent\u{1f}00-1-2-01", "\u{1e}Inference-Header-Content-Length\u{1f}10", "\u{1e}X-A\u{1f} b ",
        "\u{1e}",
        "\u{1f}", "a*,requests, b", "__a", "\r\n", "\0", " ", "\t", ":", ";", "\u{e9}", "\u{7f}",
    ]
    .map { Array($0.utf8) }

    /// - Parameter other: headers that parts may be taken from.
    static func mutate(_ bytes: inout [UInt8], _ random: inout SeededGenerator, other: [UInt8]) {
        let start = random.below(bytes.count + 1)
        let end = min(bytes.count, start + random.below(random.pick([2, 10, 100])))
        switch random.below(6) {
        case 0 where start < bytes.count: bytes[start] = UInt8(random.below(256))
        case 1: bytes.removeSubrange(start..<end)
        case 2: bytes.insert(contentsOf: bytes[start..<end], at: start)
        case 3: bytes += other
        default: bytes.insert(contentsOf: random.pick(words), at: start)
        }
    }
}
