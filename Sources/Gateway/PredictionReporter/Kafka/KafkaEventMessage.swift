/// An event as a message of Kafka: its attributes as headers, `data` as the value (CloudEvents Kafka protocol binding,
/// binary content mode). All views are borrowed.
struct KafkaEventMessage {
    /// nil: any partition.
    var key: ByteView?
    var value: ByteView
    /// Plain text.
    var source: ByteView
    var id: ByteView
    var time: ByteView
}

/// Makes messages of events. Confined to the Reporter's thread; what it hands out is valid until the next call.
final class KafkaEventWriter {
    private let keyChoice: Configuration.Reporter.Kafka.Key
    private let key = ByteBuffer(capacity: 128)
    private let source = ByteBuffer(capacity: 128)
    let headers = KafkaHeaderList()

    /// What a batch adds to its records (61 bytes), and a record to its key, value and headers at most.
    private static let overhead = 61 + 40
    /// The lengths of a header's name and value.
    private static let headerOverhead = 6

    init(key: Configuration.Reporter.Kafka.Key) { keyChoice = key }

    func message(of frame: EventFrame) -> KafkaEventMessage {
        source.removeAll()
        source.append(unescaping: EventEnvelope.source(of: frame))
        key.removeAll()
        switch keyChoice {
        case .requestId: key.append(unescaping: frame.requestId)
        case .predictionId: key.append(unescaping: frame.predictionId)
        case .modelName: key.append(unescaping: frame.modelName)
        case .none: break
        }
        return KafkaEventMessage(
            key: key.isEmpty ? nil : key.view,
            value: frame.data,
            source: source.view,
            id: frame.id,
            time: frame.time
        )
    }

    /// Sets `headers` to those of a message, and returns how much of `message.max.bytes` the message takes.
    func writeHeaders(of message: KafkaEventMessage) -> Int {
        headers.removeAll()
        var size = Self.overhead + message.value.count + (message.key?.count ?? 0)
        func append(_ name: StaticString, _ value: ByteView) {
            headers.append(name, value)
            size += ByteView(name).count + value.count + Self.headerOverhead
        }
        append("ce_specversion", ByteView(EventEnvelope.specversion))
        append("ce_type", ByteView(EventEnvelope.type))
        append("ce_source", message.source)
        append("ce_id", message.id)
        if !message.time.isEmpty { append("ce_time", message.time) }
        append("content-type", ByteView(EventEnvelope.dataContentType))
        return size
    }
}

extension KafkaEventMessage {
    /// The message that a delivery report gives back.
    init(_ delivery: KafkaDelivery) {
        let headers = delivery.headers
        key = delivery.key
        value = delivery.value ?? .empty
        source = headers.last(named: ByteView("ce_source")) ?? .empty
        id = headers.last(named: ByteView("ce_id")) ?? .empty
        time = headers.last(named: ByteView("ce_time")) ?? .empty
    }

    /// Appends the event as it was before it became a message: one JSON object, without a line feed.
    func appendEvent(to out: ByteBuffer) {
        EventEnvelope.append(source: source, id: id, time: time, data: value, to: out)
    }
}

@available(*, unavailable)
extension KafkaEventWriter: Sendable {}
@available(*, unavailable)
extension KafkaEventMessage: Sendable {}
