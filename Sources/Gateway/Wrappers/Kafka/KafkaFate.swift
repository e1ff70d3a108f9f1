/// What follows for a message, an event or an answer, from the error of its delivery.
enum KafkaFate: Equatable {
    /// The brokers will never take this message: trying again would hold up all others.
    case refused
    /// The brokers take no message as they are set up, or we: somebody must mend a topic, a right, a password.
    case blocked
    /// The producer that had it is of no more use, through no fault of the message: another one must send it.
    case orphaned
    /// What it takes may come back by itself: a broker, the network.
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
        // INVALID_TIMESTAMP: outside of what the topic allows.
        32: .refused,
        // POLICY_VIOLATION: the broker's own rules for records.
        44: .refused,
        // INVALID_RECORD: the broker's checks of records (compacted topics want a key).
        87: .refused,
        // _BAD_MSG, _INVALID_ARG: librdkafka cannot make a record of it.
        -199: .refused,
        -186: .refused,

        // UNKNOWN_TOPIC_OR_PART, _UNKNOWN_TOPIC, _UNKNOWN_PARTITION: it is not there, or we may not know of it.
        3: .blocked,
        -188: .blocked,
        -190: .blocked,
        // TOPIC_EXCEPTION: no topic can have that name.
        17: .blocked,
        // TOPIC_, GROUP_, CLUSTER_, TRANSACTIONAL_ID_, DELEGATION_TOKEN_AUTHORIZATION_FAILED: the broker knows us and does
        // not let us write.
        29: .blocked,
        30: .blocked,
        31: .blocked,
        53: .blocked,
        65: .blocked,
        // UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE, SECURITY_DISABLED, SASL_AUTHENTICATION_FAILED,
        // DELEGATION_TOKEN_AUTH_DISABLED, _NOT_FOUND, _OWNER_MISMATCH, _REQUEST_NOT_ALLOWED, _EXPIRED; _AUTHENTICATION, _SSL as
        // librdkafka says it: the broker does not know us, or we not it.
        33: .blocked,
        34: .blocked,
        54: .blocked,
        58: .blocked,
        61: .blocked,
        62: .blocked,
        63: .blocked,
        64: .blocked,
        66: .blocked,
        -169: .blocked,
        -181: .blocked,
        // UNSUPPORTED_VERSION, UNSUPPORTED_FOR_MESSAGE_FORMAT, INVALID_REQUEST, INVALID_REQUIRED_ACKS,
        // UNSUPPORTED_COMPRESSION_TYPE, _UNSUPPORTED_FEATURE: a broker, a topic's old format, and our settings do not go
        // together.
        35: .blocked,
        43: .blocked,
        42: .blocked,
        21: .blocked,
        76: .blocked,
        -165: .blocked,

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
