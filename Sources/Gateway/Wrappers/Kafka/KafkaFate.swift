/// What follows for a message, an event or an answer, from the error of its delivery.
enum KafkaFate: Equatable {
    /// The brokers will never take this message: trying again would hold up all others.
    case refused
    /// The producer that had it is of no more use, through no fault of the message: another one must send it.
    case orphaned
    /// What it takes may come back: a topic, a broker, the network, a mended configuration.
    case transient

    init(_ error: KafkaError) { self = Self.table[error.code] ?? .transient }

    /// By the numbers of librdkafka (rd_kafka_resp_err_t): its own below zero, the Kafka protocol's above ("Error codes").
    static let table: [Int32: KafkaFate] = [
        // MSG_SIZE_TOO_LARGE: larger than the topic's or the broker's limit.
        10: .refused,
        // RECORD_LIST_TOO_LARGE: alone in its batch larger than a segment of the topic's log.
        18: .refused,
        // INVALID_MSG_SIZE: of a size that the broker does not read.
        4: .refused,
        // TOPIC_EXCEPTION: no topic can have that name.
        17: .refused,
        // TOPIC_AUTHORIZATION_FAILED: the broker knows us and does not let us write there. Nothing heals that by itself.
        29: .refused,
        // INVALID_TIMESTAMP: outside of what the topic allows.
        32: .refused,
        // INVALID_REQUEST: the broker cannot make sense of what we send.
        42: .refused,
        // UNSUPPORTED_FOR_MESSAGE_FORMAT: the topic's old format has no headers.
        43: .refused,
        // POLICY_VIOLATION: the broker's own rules for records.
        44: .refused,
        // INVALID_RECORD: the broker's checks of records (compacted topics want a key).
        87: .refused,
        // _BAD_MSG, _INVALID_ARG: librdkafka cannot make a record of it.
        -199: .refused,
        -186: .refused,

        // OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, UNKNOWN_PRODUCER_ID,
        // PRODUCER_FENCED: the broker and the idempotent producer do not agree any more on what was written.
        45: .orphaned,
        47: .orphaned,
        49: .orphaned,
        59: .orphaned,
        90: .orphaned,
        // _FATAL, _INCONSISTENT, _GAPLESS_GUARANTEE: the same as librdkafka says it.
        -150: .orphaned,
        -149: .orphaned,
        -148: .orphaned,
        // _PURGE_QUEUE, _PURGE_INFLIGHT, _DESTROY: we, or the library after a fatal error, have emptied the producer.
        -152: .orphaned,
        -151: .orphaned,
        -197: .orphaned,
    ]
}
