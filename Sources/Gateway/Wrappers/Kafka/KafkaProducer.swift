private import CKafka

/// Produces messages, and tells of each what became of it. Confined to one thread.
///
/// With `wake` given, its descriptor becomes readable when events wait: clear it, then call `poll` until it returns false.
final class KafkaProducer {
    let client: KafkaClient
    private var topics: [String: KafkaTopic] = [:]
    /// The arguments of rd_kafka_produceva(3), written over for each message.
    private let arguments: UnsafeMutablePointer<rd_kafka_vu_t>

    /// Where each argument stands in `arguments`. The headers are last, as they may be left out.
    private enum Argument: Int {
        case topic, flags, opaque, key, value, partition, headers
    }

    init(settings: KafkaSettings, wake: EventFD?) throws(KafkaSettingError) {
        client = try KafkaClient(.producer, settings: settings, wake: wake)
        arguments = .allocate(capacity: 7)
        arguments.initialize(repeating: rd_kafka_vu_t(), count: 7)
        let types = [
            RD_KAFKA_VTYPE_RKT, RD_KAFKA_VTYPE_MSGFLAGS, RD_KAFKA_VTYPE_OPAQUE, RD_KAFKA_VTYPE_KEY,
            RD_KAFKA_VTYPE_VALUE, RD_KAFKA_VTYPE_PARTITION, RD_KAFKA_VTYPE_HEADERS,
        ]
        for (index, type) in types.enumerated() { arguments[index].vtype = type }
        arguments[Argument.flags.rawValue].u.i = RD_KAFKA_MSG_F_COPY
    }

    deinit { arguments.deallocate() }

    /// The handle of a topic, made on the first call.
    func topic(_ name: String) throws(KafkaError) -> KafkaTopic {
        if let topic = topics[name] { return topic }
        let topic = try KafkaTopic(name, client: client)
        topics[name] = topic
        return topic
    }

    /// Queues a message, of which everything is copied. Does not wait; where it throws, no delivery will be told of.
    ///
    /// - Parameters:
    ///   - topic: a topic of this producer.
    ///   - key: nil is a null key: any partition.
    ///   - value: nil is a null value, a tombstone.
    ///   - partition: nil: the partitioner chooses, by the key.
    ///   - ticket: comes back with the delivery.
    /// - Throws: `.messageTooLarge` (headers do not count here), `.queueFull`, `.fatal` and others.
    func produce(
        to topic: KafkaTopic,
        key: ByteView?,
        value: ByteView?,
        headers: KafkaHeaderList,
        partition: Int32? = nil,
        ticket: Int
    ) throws(KafkaError) {
        let list = headers.makeHeaders()
        arguments[Argument.topic.rawValue].u.rkt = topic.pointer
        arguments[Argument.opaque.rawValue].u.ptr = UnsafeMutableRawPointer(bitPattern: ticket)
        set(.key, key)
        set(.value, value)
        // RD_KAFKA_PARTITION_UA: the partitioner's choice.
        arguments[Argument.partition.rawValue].u.i32 = partition ?? -1
        arguments[Argument.headers.rawValue].u.headers = list
        let count = list == nil ? Argument.headers.rawValue : Argument.headers.rawValue + 1
        guard let error = rd_kafka_produceva(client.pointer, arguments, count) else { return }
        // The list has gone over to the message only where there is one.
        if let list { rd_kafka_headers_destroy(list) }
        throw KafkaError(consuming: error)
    }

    private func set(_ argument: Argument, _ view: ByteView?) {
        // An empty view may have no address, and a null pointer would say "null".
        let base = view.map { UnsafeMutableRawPointer(mutating: $0.base ?? ByteView("-").base.unsafelyUnwrapped) }
        arguments[argument.rawValue].u.mem.ptr = base
        arguments[argument.rawValue].u.mem.size = view?.count ?? 0
    }

    /// Handles what waits, at most 1,000 events, of which one may tell of many messages. True: there may be more.
    func poll(_ body: (KafkaEvent) -> Void) -> Bool { client.poll(limit: 1_000, timeoutMilliseconds: 0, body) }

    /// As `poll`, but waits for the first event: for command-line tools.
    func poll(timeoutMilliseconds: Int, _ body: (KafkaEvent) -> Void) -> Bool {
        client.poll(limit: 1_000, timeoutMilliseconds: timeoutMilliseconds, body)
    }

    /// How many messages are queued or under way, and how many deliveries are not yet handled by `poll`.
    var pendingCount: Int { Int(rd_kafka_outq_len(client.pointer)) }

    /// Gives up all messages, also those under way, which may be stored nevertheless. Each is told of by `poll`.
    func purge() {
        // Fails for consumers only.
        _ = rd_kafka_purge(
            client.pointer,
            RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING
        )
    }

    /// The error after which the producer can do no more and must be replaced; nil while there is none.
    func fatalError() -> KafkaError? { client.fatalError() }

    /// Brings the producer into the state after a fatal error, for tests of what happens then.
    func failFatallyForTest(_ error: KafkaError) {
        _ = rd_kafka_test_fatal_error(client.pointer, rd_kafka_resp_err_t(error.code), "made by a test")
    }

    /// Waits up to so long for the messages to be delivered, then gives up what is left and tells of it: within a second, or
    /// not at all. Without this call the end of the object loses what is pending.
    func close(timeoutMilliseconds: Int, _ body: (KafkaEvent) -> Void = { _ in }) {
        let deadline = Clock.monotonic() + Int64(timeoutMilliseconds) * 1_000_000
        close(deadline: deadline, purgeNanoseconds: 1_000_000_000, body)
    }

    /// The same with a deadline on the monotonic clock, and the time for hearing of what was given up.
    func close(deadline: Int64, purgeNanoseconds: Int64, _ body: (KafkaEvent) -> Void = { _ in }) {
        poll(untilNothingIsPendingBefore: deadline, body)
        guard pendingCount > 0 else { return }
        purge()
        poll(untilNothingIsPendingBefore: Clock.monotonic() + purgeNanoseconds, body)
    }

    private func poll(untilNothingIsPendingBefore deadline: Int64, _ body: (KafkaEvent) -> Void) {
        while pendingCount > 0 {
            let left = Int((deadline - Clock.monotonic()) / 1_000_000)
            _ = client.poll(limit: 1_000, timeoutMilliseconds: min(max(left, 0), 100), body)
            if left <= 0 { return }
        }
    }
}

@available(*, unavailable)
extension KafkaProducer: Sendable {}
