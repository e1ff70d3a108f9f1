private import CKafka

/// An rd_kafka_t and the one queue that all its events come through. Confined to one thread, but for its end.
///
/// librdkafka 2.0.2 writes to `wake` only when the queue turns from empty to not empty, and at most once between two
/// polls (rd_kafka_q_io_event in rdkafka_queue.h). So a woken thread must first clear `wake` and then poll until there is
/// no more: what it leaves behind wakes it no second time. `poll` tells that by returning true.
final class KafkaClient {
    enum Kind {
        case producer, consumer
    }

    private let kind: Kind
    /// The rd_kafka_t.
    let pointer: OpaquePointer
    /// The rd_kafka_queue_t: the main queue of a producer, the consumer's queue of a consumer.
    let queue: OpaquePointer
    /// The library's threads write to its descriptor.
    private let wake: EventFD?
    /// What follows when the client is let go.
    let end = KafkaClientEnd()
    private var hasSubscribed = false
    private var wasAssigned = false
    /// Recycled objects, for the next records.
    private var spareMessages: [KafkaMessage] = []
    private static let maxSpareMessages = 4_096

    init(_ kind: Kind, settings: KafkaSettings, wake: EventFD?) throws(KafkaSettingError) {
        var settings = settings
        // The log comes as events, in our threads.
        settings.set("log.queue", "true")
        let configuration = try settings.makeConfiguration()
        let common = RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG | RD_KAFKA_EVENT_STATS
        let own =
            switch kind {
            case .producer: RD_KAFKA_EVENT_DR
            case .consumer: RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_FETCH
            }
        rd_kafka_conf_set_events(configuration, common | own)

        var text = [CChar](repeating: 0, count: 512)
        let type = kind == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
        guard let pointer = rd_kafka_new(type, configuration, &text, text.count) else {
            // Only a client that was made owns the configuration.
            rd_kafka_conf_destroy(configuration)
            throw KafkaSettingError(text: String(cCharacters: text), settings: settings)
        }
        // To the main queue.
        rd_kafka_set_log_queue(pointer, nil)
        if kind == .consumer {
            // What comes by the main queue comes by the consumer's.
            rd_kafka_poll_set_consumer(pointer)
        }
        let queue = kind == .producer ? rd_kafka_queue_get_main(pointer) : rd_kafka_queue_get_consumer(pointer)
        guard let queue else {
            rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            throw KafkaSettingError(property: "group.id", reason: "a consumer needs one")
        }
        self.kind = kind
        self.pointer = pointer
        self.queue = queue
        self.wake = wake
        if let wake {
            var one: UInt64 = 1
            rd_kafka_queue_io_event_enable(queue, wake.descriptor, &one, 8)
            // For what has come before.
            wake.signal()
        }
    }

    /// It joins a group.
    func subscribed() { hasSubscribed = true }

    /// Does not wait: `end` follows.
    deinit {
        rd_kafka_queue_io_event_enable(queue, -1, nil, 0)
        end.begin(
            pointer,
            queue,
            isConsumer: kind == .consumer,
            waitsForAssignment: hasSubscribed && !wasAssigned
        )
    }

    /// Handles up to `limit` events; waits for the first up to `timeoutMilliseconds`. True: there may be more.
    func poll(limit: Int, timeoutMilliseconds: Int, _ body: (KafkaEvent) -> Void) -> Bool {
        // A negative one would wait for ever.
        var timeout = Int32(clamping: max(timeoutMilliseconds, 0))
        for _ in 0..<limit {
            guard let event = rd_kafka_queue_poll(queue, timeout) else { return false }
            timeout = 0
            handle(event, body)
        }
        return true
    }

    private func handle(_ event: OpaquePointer, _ body: (KafkaEvent) -> Void) {
        if rd_kafka_event_type(event) == RD_KAFKA_EVENT_FETCH {
            let message = spareMessages.popLast() ?? KafkaMessage()
            if message.take(event, of: self) {
                body(.consumed(message))
                return
            }
        }
        defer { rd_kafka_event_destroy(event) }
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
            let count = rd_kafka_event_message_count(event)
            while let message = rd_kafka_event_message_next(event) {
                body(.delivered(KafkaDelivery(message: UnsafeRawPointer(message), companions: count)))
            }
        case RD_KAFKA_EVENT_ERROR where rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__PARTITION_EOF:
            guard let place = rd_kafka_event_topic_partition(event) else { return }
            body(.partitionEnd(partition: place.pointee.partition, offset: place.pointee.offset))
            rd_kafka_topic_partition_destroy(place)
        case RD_KAFKA_EVENT_ERROR:
            let error = KafkaError(
                code: rd_kafka_event_error(event).rawValue,
                detail: String(cString: rd_kafka_event_error_string(event))
            )
            body(.error(error, isFatal: rd_kafka_event_error_is_fatal(event) != 0))
        case RD_KAFKA_EVENT_LOG: handleLog(event, body)
        case RD_KAFKA_EVENT_STATS: body(.statistics(ByteView(cString: rd_kafka_event_stats(event))))
        case RD_KAFKA_EVENT_REBALANCE:
            let isAssign = rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
            if isAssign { wasAssigned = true }
            let partitions = KafkaPartitionList.partitions(rd_kafka_event_topic_partition_list(event))
            // Anything but an assignment takes partitions away.
            body(.rebalance(KafkaRebalance(kind: isAssign ? .assign : .revoke, partitions: partitions)))
        case RD_KAFKA_EVENT_OFFSET_COMMIT:
            let code = rd_kafka_event_error(event)
            let partitions = KafkaPartitionList.partitions(rd_kafka_event_topic_partition_list(event))
            let isError = code != RD_KAFKA_RESP_ERR_NO_ERROR
            body(.committed(partitions, error: isError ? KafkaError(code: code.rawValue) : nil))
        default: break  // asked for by no call of ours
        }
    }

    /// Keeps a recycled object for the next record.
    func keep(_ message: KafkaMessage) {
        if spareMessages.count < Self.maxSpareMessages { spareMessages.append(message) }
    }

    private func handleLog(_ event: OpaquePointer, _ body: (KafkaEvent) -> Void) {
        var facility: UnsafePointer<CChar>?
        var message: UnsafePointer<CChar>?
        var level: Int32 = 0
        guard rd_kafka_event_log(event, &facility, &message, &level) == 0 else { return }
        body(
            .log(
                level: Int(level),
                facility: ByteView(cString: facility).string,
                message: ByteView(cString: message).string
            )
        )
    }

    /// The error after which the client can do no more; nil while there is none.
    func fatalError() -> KafkaError? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(pointer, &text, text.count)
        if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
        return KafkaError(code: code.rawValue, detail: String(cCharacters: text))
    }
}

@available(*, unavailable)
extension KafkaClient: Sendable {}
