private import CKafka

/// What a client has to tell. Views are valid during the callback that gets the event.
enum KafkaEvent {
    /// A message of this producer was delivered, or will not be.
    case delivered(KafkaDelivery)
    case consumed(KafkaMessage)
    case error(KafkaError, isFatal: Bool)
    /// All records of a partition before this offset have been consumed, or were none: those of aborted transactions, and
    /// the marks of transactions. With `enable.partition.eof`; each time that the end is reached anew.
    case partitionEnd(partition: Int32, offset: Int64)
    /// A line of the library's own log; the level is syslog's, 0 (emergency) to 7 (debug).
    case log(level: Int, facility: String, message: String)
    /// A JSON object, every `statistics.interval.ms` (STATISTICS.md of librdkafka).
    case statistics(ByteView)
    case rebalance(KafkaRebalance)
    /// Offsets were committed, or were not.
    case committed([KafkaPartition], error: KafkaError?)
}

@available(*, unavailable)
extension KafkaEvent: Sendable {}

/// The fate of one message. Borrowed: valid during the callback that gets it.
struct KafkaDelivery {
    private let message: UnsafePointer<rd_kafka_message_t>

    /// How many messages are told of together: those of one batch, or those given up together.
    let companions: Int

    /// - Parameter message: an rd_kafka_message_t of a DR event.
    init(message: UnsafeRawPointer, companions: Int) {
        self.message = message.assumingMemoryBound(to: rd_kafka_message_t.self)
        self.companions = companions
    }

    /// What `produce` was given.
    var ticket: Int { Int(bitPattern: message.pointee._private) }
    /// nil: it was delivered.
    var error: KafkaError? {
        message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(code: message.pointee.err.rawValue)
    }
    var topic: ByteView { ByteView(cString: rd_kafka_topic_name(message.pointee.rkt)) }
    /// -1 where the message has not come to a partition.
    var partition: Int32 { message.pointee.partition }
    /// -1001 where it is not known.
    var offset: Int64 { message.pointee.offset }
    var key: ByteView? { ByteView(message: message.pointee.key, message.pointee.key_len) }
    var value: ByteView? { ByteView(message: message.pointee.payload, message.pointee.len) }
    var headers: KafkaHeaders { KafkaHeaders(message: message) }
}

@available(*, unavailable)
extension KafkaDelivery: Sendable {}
