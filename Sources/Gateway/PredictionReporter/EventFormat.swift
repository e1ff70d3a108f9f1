/// An event as it travels where there is a place for attributes beside its value: Kafka's headers, HTTP's. Views are borrowed.
struct EventRecord {
    /// CloudEvents' attributes, plain text; `time` may be empty.
    var type: ByteView
    var source: ByteView
    var id: ByteView
    var time: ByteView
    /// The media type of `value`.
    var contentType: ByteView
    var value: ByteView
}

@available(*, unavailable)
extension EventRecord: Sendable {}

/// How lines are joined into one body.
struct EventBatchFraming {
    /// The media type of the whole.
    let contentType: StaticString
    let opening: StaticString
    let separator: StaticString
    let closing: StaticString
}

/// Turns events into the bytes that a destination gets. One per Reporter, confined to its thread.
///
/// What it hands out is valid until the next call, or as long as the frame, whichever ends first.
protocol EventFormat: AnyObject {
    /// The event with its attributes beside it.
    func record(of frame: EventFrame) -> EventRecord
    /// The event with its attributes in it, and a line feed, the only one. Valid as long as the frame, whatever is called.
    func line(of frame: EventFrame) -> ByteView
    var batch: EventBatchFraming { get }

    /// Appends what the failure file keeps of a record, or of a line without its end: one JSON object on one line.
    func appendEvent(of record: EventRecord, to out: ByteBuffer)
    func appendEvent(ofLine line: ByteView, to out: ByteBuffer)
}

/// Which formats there are. A Reporter's thread makes its own.
enum EventFormatName: Sendable {
    case json

    func make() -> any EventFormat {
        switch self {
        case .json: JSONEventFormat()
        }
    }
}

/// Where a copy of a record stands in a buffer.
struct StoredEventRecord {
    private var start: Int
    private let type: Int
    private let source: Int
    private let id: Int
    private let time: Int
    private let contentType: Int
    private let value: Int

    /// Appends a copy.
    init(_ record: EventRecord, in buffer: ByteBuffer) {
        start = buffer.count
        (type, source, id) = (record.type.count, record.source.count, record.id.count)
        (time, contentType, value) = (record.time.count, record.contentType.count, record.value.count)
        buffer.append(record.type)
        buffer.append(record.source)
        buffer.append(record.id)
        buffer.append(record.time)
        buffer.append(record.contentType)
        buffer.append(record.value)
    }

    var range: Range<Int> { start..<start + type + source + id + time + contentType + value }

    /// After the copy was moved.
    mutating func move(to start: Int) { self.start = start }

    /// The record; valid until the buffer changes.
    func record(in buffer: ByteBuffer) -> EventRecord {
        var rest = buffer[range]
        func take(_ length: Int) -> ByteView {
            defer { rest = rest.dropFirst(length) }
            return rest.prefix(length)
        }
        return EventRecord(
            type: take(type),
            source: take(source),
            id: take(id),
            time: take(time),
            contentType: take(contentType),
            value: take(value)
        )
    }
}
