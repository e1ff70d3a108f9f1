private import CKafka

/// What went wrong in librdkafka or at a broker (rd_kafka_resp_err_t): negative codes are the library's own, positive ones
/// the broker's (Kafka protocol, "Error codes").
struct KafkaError: Error, Sendable {
    let code: Int32
    /// What the library adds for people, such as the broker's address; not part of the error's identity.
    var detail: String?

    init(code: Int32, detail: String? = nil) {
        self.code = code
        self.detail = detail
    }

    /// The code's name, such as MSG_SIZE_TOO_LARGE.
    var name: String { String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(code))) }

    /// What the code means, in words.
    var reason: String { String(cString: rd_kafka_err2str(rd_kafka_resp_err_t(code))) }

    /// Whether the same may succeed later without anybody changing anything, as far as the code alone tells.
    var isRetriable: Bool { Self.retriable.contains(code) }

    /// Whether the message is larger than the client's `message.max.bytes` or the topic's `max.message.bytes` allow.
    var isMessageTooLarge: Bool { self == .messageTooLarge || self == .recordListTooLarge }

    /// Whether the client purged the message before or after it was sent.
    var isPurged: Bool { self == .purgedInQueue || self == .purgedInFlight }
}

extension KafkaError: Equatable {
    static func == (left: KafkaError, right: KafkaError) -> Bool { left.code == right.code }
}

extension KafkaError: CustomStringConvertible {
    var description: String { "\(name): \(detail ?? reason)" }
}

extension KafkaError {
    /// One message is too large: the client says so at once, or the broker in the delivery report.
    static let messageTooLarge = KafkaError(code: RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE.rawValue)
    /// A batch is larger than the broker's segments.
    static let recordListTooLarge = KafkaError(code: RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE.rawValue)
    /// The producer holds as much as `queue.buffering.max.messages` or `.kbytes` allow.
    static let queueFull = KafkaError(code: RD_KAFKA_RESP_ERR__QUEUE_FULL.rawValue)
    static let timedOut = KafkaError(code: RD_KAFKA_RESP_ERR__TIMED_OUT.rawValue)
    /// The message was not delivered within `message.timeout.ms`.
    static let messageTimedOut = KafkaError(code: RD_KAFKA_RESP_ERR__MSG_TIMED_OUT.rawValue)
    /// The client can do no more and must be replaced.
    static let fatal = KafkaError(code: RD_KAFKA_RESP_ERR__FATAL.rawValue)
    static let purgedInQueue = KafkaError(code: RD_KAFKA_RESP_ERR__PURGE_QUEUE.rawValue)
    static let purgedInFlight = KafkaError(code: RD_KAFKA_RESP_ERR__PURGE_INFLIGHT.rawValue)
    /// The end of a partition, with `enable.partition.eof`.
    /// Not possible in this state: such as storing the offset of a partition that is not assigned.
    static let state = KafkaError(code: RD_KAFKA_RESP_ERR__STATE.rawValue)
    static let invalidArgument = KafkaError(code: RD_KAFKA_RESP_ERR__INVALID_ARG.rawValue)
    static let transport = KafkaError(code: RD_KAFKA_RESP_ERR__TRANSPORT.rawValue)
    static let allBrokersDown = KafkaError(code: RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN.rawValue)
    static let unknownTopic = KafkaError(code: RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC.rawValue)
    static let unknownPartition = KafkaError(code: RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION.rawValue)
    static let unknownTopicOrPartition = KafkaError(code: RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART.rawValue)
    static let topicAuthorizationFailed = KafkaError(code: RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED.rawValue)
    static let noOffset = KafkaError(code: RD_KAFKA_RESP_ERR__NO_OFFSET.rawValue)
    static let authentication = KafkaError(code: RD_KAFKA_RESP_ERR__AUTHENTICATION.rawValue)
    static let saslAuthenticationFailed = KafkaError(code: RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED.rawValue)
    static let tls = KafkaError(code: RD_KAFKA_RESP_ERR__SSL.rawValue)
    static let resolve = KafkaError(code: RD_KAFKA_RESP_ERR__RESOLVE.rawValue)
    static let maxPollExceeded = KafkaError(code: RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED.rawValue)
    static let notLeader = KafkaError(code: RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION.rawValue)

    private static let retriable: Set<Int32> = Set(
        [
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
            RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__QUEUE_FULL,
            RD_KAFKA_RESP_ERR__WAIT_COORD,
            RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
            RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
        ].map(\.rawValue)
    )
}

extension KafkaError {
    /// Takes over an rd_kafka_error_t and frees it.
    init(consuming error: OpaquePointer) {
        self.init(code: rd_kafka_error_code(error).rawValue, detail: String(cString: rd_kafka_error_string(error)))
        rd_kafka_error_destroy(error)
    }

    /// Throws unless the code of a call says that all is well.
    static func check(_ code: Int32) throws(KafkaError) {
        if code != 0 { throw KafkaError(code: code) }
    }

    /// Throws what a call gave back as an rd_kafka_error_t, if it did.
    static func check(_ error: OpaquePointer?) throws(KafkaError) {
        if let error { throw KafkaError(consuming: error) }
    }
}
