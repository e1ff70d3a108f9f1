/// Events as JSON (CloudEvents 1.0): a line is the event as it stands in its frame, a record's value is its `data`.
final class JSONEventFormat: EventFormat {
    private let source = ByteBuffer(capacity: 128)

    func record(of frame: EventFrame) -> EventRecord {
        source.removeAll()
        source.append(unescaping: EventEnvelope.source(of: frame))
        return EventRecord(
            type: ByteView(frame.kind.type),
            source: source.view,
            id: frame.id,
            time: frame.time,
            contentType: ByteView(EventEnvelope.dataContentType),
            value: frame.data
        )
    }

    func line(of frame: EventFrame) -> ByteView { frame.line }

    let batch = EventBatchFraming(
        contentType: "application/cloudevents-batch+json",
        opening: "[",
        separator: ",",
        closing: "]"
    )

    func appendEvent(of record: EventRecord, to out: ByteBuffer) {
        EventEnvelope.append(
            type: record.type,
            source: record.source,
            id: record.id,
            time: record.time,
            data: record.value,
            to: out
        )
    }

    func appendEvent(ofLine line: ByteView, to out: ByteBuffer) { out.append(line) }
}

@available(*, unavailable)
extension JSONEventFormat: Sendable {}
