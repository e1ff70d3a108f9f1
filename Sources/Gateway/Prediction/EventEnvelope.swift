/// What stands round `data` in an event: the CloudEvents attributes (CloudEvents 1.0, JSON format).
///
/// One place for writing and for reading, so that an event sent with its attributes as headers is the same event.
enum EventEnvelope {
    static let specversion: StaticString = "1.0"
    static let dataContentType: StaticString = "application/json"

    private static let beforeType: StaticString = #"{"specversion":"1.0","type":""#
    private static let beforeSource: StaticString = #"","source":""#
    private static let beforeId: StaticString = #"","id":""#
    private static let beforeTime: StaticString = #"","time":""#
    private static let beforeData: StaticString = #"","datacontenttype":"application/json","data":"#
    /// Without the line feed that ends the line.
    private static let closing: StaticString = "}"

    /// Appends what precedes the id: the same in every event of a kind and process. `source` is plain text.
    static func open(_ kind: EventKind, source: ByteView, to out: ByteBuffer) {
        open(type: ByteView(kind.type), source: source, to: out)
    }

    private static func open(type: ByteView, source: ByteView, to out: ByteBuffer) {
        out.append(beforeType)
        out.append(type)
        out.append(beforeSource)
        out.appendJSON(escaping: source)
        out.append(beforeId)
    }

    /// Goes between the id and the time, where there is one.
    static func appendBeforeTime(to out: ByteBuffer) { out.append(beforeTime) }

    /// Goes between the id or the time and the data.
    static func appendBeforeData(to out: ByteBuffer) { out.append(beforeData) }

    static func close(_ out: ByteBuffer) { out.append(closing) }

    /// Appends a whole event, without a line feed: what the encoder wrote, made again of its parts.
    ///
    /// - Parameters:
    ///   - type: plain ASCII without `"`, as is `id`.
    ///   - source: plain text.
    ///   - id: plain ASCII, as is `time`, which may be empty.
    ///   - data: a JSON object on one line.
    static func append(
        type: ByteView,
        source: ByteView,
        id: ByteView,
        time: ByteView,
        data: ByteView,
        to out: ByteBuffer
    ) {
        open(type: type, source: source, to: out)
        out.append(id)
        if !time.isEmpty {
            appendBeforeTime(to: out)
            out.append(time)
        }
        appendBeforeData(to: out)
        out.append(data)
        close(out)
    }

    /// The inside of the JSON string `source` of an event, as it was when the event was made: events in the spool may come
    /// from a host of another name. Empty where the line does not begin as ours do.
    static func source(of frame: EventFrame) -> ByteView {
        let line = frame.line
        let type = ByteView(frame.kind.type)
        let typeStart = ByteView(beforeType).count
        let typeEnd = typeStart + type.count
        let start = typeEnd + ByteView(beforeSource).count
        let end = frame.idOffset - ByteView(beforeId).count
        guard end >= start, line.hasPrefix(ByteView(beforeType)), line[typeStart..<typeEnd] == type,
            line[typeEnd..<start] == ByteView(beforeSource)
        else { return .empty }
        return line[start..<end]
    }
}
