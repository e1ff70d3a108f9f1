/// Writes events from Kafka (CloudEvents 1.0, binary mode) as lines, for people or as JSON. Confined to one
/// thread.
final class EventFormatter {
    private let asJSON: Bool
    private let model: [UInt8]?
    private let outline = JSONOutline()
    private let predictions: PredictionLine

    /// - Parameter model: only events of this model are written.
    init(asJSON: Bool, model: String? = nil, hasColours: Bool = false) {
        self.asJSON = asJSON
        self.model = model.map { Array($0.utf8) }
        predictions = PredictionLine(outline, hasColours: hasColours)
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

    /// The time, and what the event's kind has to say.
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
        switch headers.last("ce_type").flatMap(EventKind.init(type:)) {
        // Others may write events like ours.
        case .prediction, nil: predictions.append(members, to: out)
        }
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
}

@available(*, unavailable)
extension EventFormatter: Sendable {}

extension KafkaHeaderList {
    /// The value of the last header of that name, without regard to case.
    func last(_ name: StaticString) -> ByteView? {
        (0..<count).reversed().first { self[$0].name.equalsIgnoringCase(ByteView(name)) }.flatMap { self[$0].value }
    }
}
