/// An event as a message of Kafka: its attributes as headers (CloudEvents Kafka protocol binding, binary content mode). All
/// views are borrowed.
struct KafkaEventMessage {
    /// nil: any partition.
    var key: ByteView?
    var record: EventRecord
}

/// Makes messages of events. Confined to the Reporter's thread; what it hands out is valid until the next call.
final class KafkaEventWriter {
    private let keyChoice: Configuration.Reporter.Kafka.Key
    private let format: any EventFormat
    private let key = ByteBuffer(capacity: 128)
    let headers = KafkaHeaderList()

    /// What a batch adds to its records (61 bytes), and a record to its key, value and headers at most.
    private static let overhead = 61 + 40
    /// The lengths of a header's name and value.
    private static let headerOverhead = 6

    init(key: Configuration.Reporter.Kafka.Key, format: any EventFormat) {
        keyChoice = key
        self.format = format
    }

    func message(of frame: EventFrame) -> KafkaEventMessage {
        key.removeAll()
        switch keyChoice {
        case .requestId: key.append(unescaping: frame.requestId)
        case .predictionId: key.append(unescaping: frame.predictionId)
        case .modelName: key.append(unescaping: frame.modelName)
        case .none: break
        }
        return KafkaEventMessage(key: key.isEmpty ? nil : key.view, record: format.record(of: frame))
    }

    /// Sets `headers` to those of a message, and returns how much of `message.max.bytes` the message takes.
    func writeHeaders(of message: KafkaEventMessage) -> Int {
        headers.removeAll()
        let record = message.record
        var size = Self.overhead + record.value.count + (message.key?.count ?? 0)
        func append(_ name: StaticString, _ value: ByteView) {
            headers.append(name, value)
            size += ByteView(name).count + value.count + Self.headerOverhead
        }
        append("ce_specversion", ByteView(EventEnvelope.specversion))
        append("ce_type", record.type)
        append("ce_source", record.source)
        append("ce_id", record.id)
        if !record.time.isEmpty { append("ce_time", record.time) }
        append("content-type", record.contentType)
        return size
    }
}

extension KafkaEventMessage {
    /// The message that a delivery report gives back.
    init(_ delivery: KafkaDelivery) {
        let headers = delivery.headers
        func header(_ name: StaticString) -> ByteView { headers.last(named: ByteView(name)) ?? .empty }
        key = delivery.key
        record = EventRecord(
            type: header("ce_type"),
            source: header("ce_source"),
            id: header("ce_id"),
            time: header("ce_time"),
            contentType: header("content-type"),
            value: delivery.value ?? .empty
        )
    }
}

@available(*, unavailable)
extension KafkaEventWriter: Sendable {}
@available(*, unavailable)
extension KafkaEventMessage: Sendable {}
