/// Writes prediction events from Kafka (CloudEvents 1.0, binary mode) as lines, for people or as JSON. Confined to one
/// thread.
final class EventFormatter {
    /// How many characters of a value are shown.
    private static let valueWidth = 60
    private static let idWidth = 36

    private let asJSON: Bool
    private let model: [UInt8]?
    private let hasColours: Bool
    private let outline = JSONOutline()
    /// How wide the column of the models has become, so that it seldom moves.
    private var modelWidth = 16

    /// - Parameter model: only events of this model are written.
    init(asJSON: Bool, model: String? = nil, hasColours: Bool = false) {
        self.asJSON = asJSON
        self.model = model.map { Array($0.utf8) }
        self.hasColours = hasColours
    }

    /// Appends the line of one record; false, and nothing, where the event is not of the model asked for.
    func append(headers: KafkaHeaderList, value: ByteView?, timestamp: Int64, to out: ByteBuffer) -> Bool {
        let members = EventMembers(value ?? .empty, outline)
        if let model {
            guard let name = members?["modelName"], outline.isString(name) else { return false }
            let plain = ByteBuffer()
            plain.append(unescaping: outline.inside(name))
            let isWanted = model.withByteView { $0 == plain.view }
            guard isWanted else { return false }
        }
        if asJSON {
            appendJSON(headers, value, isJSON: members != nil || isJSON(value), to: out)
        } else {
            appendText(headers, value, members, timestamp, to: out)
        }
        out.append(UInt8(ascii: "\n"))
        return true
    }

    private func isJSON(_ value: ByteView?) -> Bool {
        guard let value else { return false }
        do {
            try outline.read(value, depth: 0)
            return true
        } catch {
            return false
        }
    }

    // MARK: - JSON

    /// The event in structured mode: attributes from `ce_` headers, and the data.
    private func appendJSON(_ headers: KafkaHeaderList, _ value: ByteView?, isJSON: Bool, to out: ByteBuffer) {
        if isJSON, let value, headers.last("content-type")?.hasPrefix(ByteView("application/cloudevents+json")) == true
        {
            out.append(json: value)
            return
        }
        out.append(UInt8(ascii: "{"))
        var separator: StaticString = ""
        func append(_ name: ByteView, _ text: ByteView) {
            out.append(separator)
            separator = ","
            out.appendJSON(string: name)
            out.append(UInt8(ascii: ":"))
            out.appendJSON(string: text)
        }
        for index in 0..<headers.count {
            let header = headers[index]
            guard let text = header.value else { continue }
            if header.name.prefix(3).equalsIgnoringCase(ByteView("ce_")) {
                append(header.name.dropFirst(3), text)
            } else if header.name.equalsIgnoringCase(ByteView("content-type")) {
                append(ByteView("datacontenttype"), text)
            }
        }
        if let value {
            out.append(separator)
            if isJSON {
                out.append("\"data\":")
                out.append(json: value)
            } else {
                out.append("\"data_base64\":\"")
                out.append(base64: value)
                out.append(UInt8(ascii: "\""))
            }
        }
        out.append(UInt8(ascii: "}"))
    }

    // MARK: - Text

    /// `time  model/version  request id  ms  status  value`.
    private func appendText(
        _ headers: KafkaHeaderList,
        _ value: ByteView?,
        _ members: EventMembers?,
        _ timestamp: Int64,
        to out: ByteBuffer
    ) {
        appendTime(headers.last("ce_time"), timestamp, to: out)
        out.append("  ")
        guard let members else {
            out.append(string: value.map { "(no event: \($0.count) bytes that are no JSON object)" } ?? "(no value)")
            return
        }
        appendModel(members, to: out)
        out.append("  ")
        out.append(padding(text(members["requestId"]), to: Self.idWidth))
        out.append(string: aligned(text(members["timeTakenInMs"]), to: 10))
        out.append(" ms  ")
        appendStatus(text(members["status"]), to: out)
        out.append("  ")
        appendOutcome(members, to: out)
    }

    /// `2026-11-24T15:14:31.123456Z` as `2026-11-24 15:14:31.123`; without it, when Kafka got the record.
    private func appendTime(_ stamp: ByteView?, _ timestamp: Int64, to out: ByteBuffer) {
        let own = ByteBuffer()
        if timestamp >= 0 { TimestampWriter().append(timestamp * 1_000_000, to: own) }
        withExtendedLifetime(own) {
            let stamp = stamp.flatMap { $0.count >= 23 && $0.isVisibleASCII ? $0 : nil } ?? own.view
            out.append(stamp.prefix(10))
            out.append(" ")
            out.append(stamp.dropFirst(11).prefix(12))
        }
    }

    private func appendModel(_ members: EventMembers, to out: ByteBuffer) {
        let start = out.count
        out.append(text(members["modelName"]))
        let version = text(members["modelVersion"])
        if !version.isEmpty {
            out.append("/")
            out.append(version)
        }
        let width = out[start..<out.count].characterCount
        modelWidth = min(max(modelWidth, width), 40)
        for _ in 0..<max(modelWidth - width, 0) { out.append(" ") }
    }

    private func appendStatus(_ status: ByteView, to out: ByteBuffer) {
        let isFailure = (status.decimal ?? 0) >= 400
        if hasColours && isFailure { out.append("\u{1B}[31m") }
        out.append(padding(status, to: 3))
        if hasColours && isFailure { out.append("\u{1B}[0m") }
    }

    private func appendOutcome(_ members: EventMembers, to out: ByteBuffer) {
        let line = ByteBuffer()
        if let cause = members["error.cause"] {
            line.append(text(cause))
            line.append(": ")
            line.append(text(members["error.message"]))
            if let detail = members["error.detail"] {
                line.append(": ")
                line.append(text(detail))
            }
        } else if let value = members["value"] {
            // Not the model's null, but a value that was too long for its event.
            if isLeftOut("value", members) {
                line.append("(left out: too long)")
            } else {
                line.append(json: outline.bytes(value))
            }
        }
        let shown = line.view.prefixOfCharacters(Self.valueWidth)
        out.append(shown)
        if shown.count < line.count { out.append("…") }
    }

    private func isLeftOut(_ name: StaticString, _ members: EventMembers) -> Bool {
        guard let list = members["truncated"], outline.isArray(list) else { return false }
        var node = list + 1
        while node < outline.after(list) {
            if outline.isString(node), outline.inside(node) == name { return true }
            node = outline.after(node)
        }
        return false
    }

    /// A string without its quotes, and with its escapes, so that no control character comes to the terminal; another
    /// value as it stands.
    private func text(_ node: Int?) -> ByteView {
        guard let node else { return .empty }
        return outline.isString(node) ? outline.inside(node) : outline.bytes(node)
    }

    private func padding(_ text: ByteView, to width: Int) -> ByteView {
        padded.removeAll()
        padded.append(text)
        for _ in 0..<max(width - text.characterCount, 0) { padded.append(" ") }
        return padded.view
    }
    private let padded = ByteBuffer(capacity: 64)

    private func aligned(_ text: ByteView, to width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 1)) + text.string
    }
}

@available(*, unavailable)
extension EventFormatter: Sendable {}

extension KafkaHeaderList {
    /// The value of the last header of that name, without regard to case.
    func last(_ name: StaticString) -> ByteView? {
        (0..<count).reversed().first { self[$0].name.equalsIgnoringCase(ByteView(name)) }.flatMap { self[$0].value }
    }
}

extension ByteView {
    /// How many characters the UTF-8 text has, counted as code points.
    fileprivate var characterCount: Int {
        var found = 0
        for index in 0..<count where self[index] & 0xC0 != 0x80 { found += 1 }
        return found
    }

    fileprivate func prefixOfCharacters(_ limit: Int) -> ByteView {
        var found = 0
        for index in 0..<count where self[index] & 0xC0 != 0x80 {
            if found == limit { return prefix(index) }
            found += 1
        }
        return self
    }
}
