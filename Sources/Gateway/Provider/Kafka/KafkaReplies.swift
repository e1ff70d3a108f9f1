/// Learns what became of messages.
protocol KafkaRepliesDelegate: AnyObject {
    /// The broker has the message, or refuses it; false: it is to be sent again later. May send others.
    func settle(_ outcome: KafkaReplies.Outcome) -> Bool
    /// Where a message is to go; nil: where the partitioner says. Asked each time that it is sent.
    func partition(of ticket: Int) -> Int32?
}

/// Sends answers and dead letters, and does not give up on any: the shard's producer, replaced when it can do no more.
///
/// What a producer lost is sent by the next one in the old order, before anything newer. It holds at most two messages for
/// each request in flight, its answer and its dead letter, and the parts of an answer that are under way (`KafkaParts`), whose
/// bytes count among those in flight. Confined to its shard.
final class KafkaReplies {
    weak var delegate: (any KafkaRepliesDelegate)?

    /// What became of a message.
    struct Outcome {
        /// What `send` was given.
        let ticket: Int
        /// Where it is; negative: nowhere.
        let partition: Int32
        /// Of its value.
        let bytes: Int
        /// nil: the broker has it.
        let error: KafkaError?
    }

    /// A message that is not with the producer.
    private struct Held {
        let sequence: Sequence
        let ticket: Int
        let topic: String
        let key: [UInt8]?
        let value: [UInt8]?
        let headers: KafkaHeaderList

        var opaque: Int { sequence.opaque(ticket) }
    }

    /// Which place a message has among all. It travels with the message, in the half of its opaque word beside the ticket; no more
    /// than 2^31 messages are told apart, which is more than are ever under way.
    private struct Sequence {
        private var number: UInt32 = 0

        init() {}

        /// Of a message that comes back with this opaque word.
        init(of opaque: Int) { number = UInt32(truncatingIfNeeded: opaque >> 32) }

        mutating func advance() { number &+= 1 }
        func opaque(_ ticket: Int) -> Int { Int(bitPattern: UInt(number) << 32 | UInt(ticket)) }
        func isBefore(_ other: Sequence) -> Bool { Int32(bitPattern: number &- other.number) < 0 }
        static func ticket(of opaque: Int) -> Int { opaque & 0xFFFF_FFFF }
    }

    private static let second: Int64 = 1_000_000_000

    private let settings: KafkaSettings
    private let wake: EventFD
    private let log: KafkaLog
    private let statistics: KafkaClientStatistics
    private(set) var producer: KafkaProducer
    private var sequence = Sequence()

    /// Messages that the producer has no room for or has lost. Newer ones wait behind them.
    private var held: [Held] = []
    private var heldUntil: Int64 = 0
    /// Messages that were refused when they were given to the producer.
    private var refused: [(message: Held, error: KafkaError)] = []
    /// Messages that failed each by itself, such as for want of a topic. Others go on.
    private var postponed: [Held] = []
    private var postponedUntil: Int64 = 0
    /// The producer can do no more: once it has given everything back, a new one takes its place.
    private(set) var isFailing = false
    private var replacedAt: Int64 = 0
    /// Whether the producer has more to tell.
    private var hasEvents = false

    init(
        settings: KafkaSettings,
        wake: EventFD,
        log: KafkaLog,
        statistics: KafkaClientStatistics
    ) throws(KafkaSettingError) {
        self.settings = settings
        self.wake = wake
        self.log = log
        self.statistics = statistics
        producer = try KafkaProducer(settings: settings, wake: wake)
    }

    /// Hands a message to the producer; everything is copied. `settle` tells of its end, never from within this call.
    ///
    /// - Parameter ticket: from 0 to 2^32 - 1.
    func send(to topic: String, key: ByteView?, value: ByteView?, headers: KafkaHeaderList, ticket: Int) {
        sequence.advance()
        let opaque = sequence.opaque(ticket)
        guard !isHeldUp else {
            held.append(hold(topic, key, value, headers, opaque))
            return
        }
        do throws(KafkaError) {
            try producer.produce(
                to: producer.topic(topic),
                key: key,
                value: value,
                headers: headers,
                partition: delegate?.partition(of: ticket),
                ticket: opaque
            )
        } catch {
            refuse(hold(topic, key, value, headers, opaque), error)
        }
    }

    /// Whether what is sent now waits here, as the producer has no room or can do no more.
    var isHeldUp: Bool { !held.isEmpty || isFailing }

    // MARK: The loop

    var hasMore: Bool { hasEvents || !refused.isEmpty }

    /// Nanoseconds of the monotonic clock; nil: the producer will wake the shard.
    var nextDeadline: Int64? {
        if isFailing { return max(replacedAt + Self.second, Clock.monotonic() + Self.second / 20) }
        let next = min(held.isEmpty ? .max : heldUntil, postponed.isEmpty ? .max : postponedUntil)
        return next == .max ? nil : next
    }

    /// Learns what became of messages, and sends what has waited.
    func run(now: Int64) {
        hasEvents = producer.poll { handle($0) }
        settleRefused(now)
        if isFailing { replaceProducer(now) }
        if !isFailing, !postponed.isEmpty, postponedUntil <= now {
            let messages = postponed.sorted { $0.sequence.isBefore($1.sequence) }
            postponed.removeAll()
            for message in messages { sendAgain(message) }
        }
        if !isFailing, !held.isEmpty, heldUntil <= now { sendHeld() }
    }

    /// Waits until the deadline, on the monotonic clock, for what is out. The end of the shard.
    func shutDown(deadline: Int64) {
        producer.close(deadline: deadline, purgeNanoseconds: Self.second / 5) { handle($0) }
        if !held.isEmpty || !postponed.isEmpty { log.warning("not all answers were sent; their requests come again") }
    }

    // MARK: Steps

    private func handle(_ event: KafkaEvent) {
        switch event {
        case .delivered(let delivery): handle(delivery)
        case .statistics(let json): statistics.note(json)
        case .error(_, isFatal: true):
            log.note(event)
            beginReplacement()
        default: log.note(event)
        }
    }

    private func handle(_ delivery: KafkaDelivery) {
        let outcome = Outcome(
            ticket: Sequence.ticket(of: delivery.ticket),
            partition: delivery.partition,
            bytes: delivery.value?.count ?? 0,
            error: delivery.error
        )
        guard let error = delivery.error else {
            _ = delegate?.settle(outcome)
            return
        }
        let isOrphaned = KafkaFate(error) == .orphaned
        let isLost = isOrphaned || !error.isMessageTooLarge && hasFailed
        if !isLost, delegate?.settle(outcome) != false { return }
        let headers = KafkaHeaderList()
        let old = delivery.headers
        for index in 0..<old.count { headers.append(name: old[index].name, value: old[index].value) }
        let message = hold(delivery.topic.string, delivery.key, delivery.value, headers, delivery.ticket)
        if isLost {
            held.append(message)
            // Not always fatal: librdkafka may go on with what comes after it, which would then be answered first. (What is
            // purged is so by us: the producer is being replaced already, or closed.)
            if hasFailed || isOrphaned && !error.isPurged { beginReplacement() }
        } else {
            postpone(message, error)
        }
    }

    private func hold(
        _ topic: String,
        _ key: ByteView?,
        _ value: ByteView?,
        _ headers: KafkaHeaderList,
        _ opaque: Int
    ) -> Held {
        let copy = KafkaHeaderList()
        for index in 0..<headers.count { copy.append(name: headers[index].name, value: headers[index].value) }
        return Held(
            sequence: Sequence(of: opaque),
            ticket: Sequence.ticket(of: opaque),
            topic: topic,
            key: key?.array,
            value: value?.array,
            headers: copy
        )
    }

    /// The producer did not take a message.
    private func refuse(_ message: Held, _ error: KafkaError) {
        if hasFailed {
            held.append(message)
            beginReplacement()
        } else if error == .queueFull {
            held.append(message)
            heldUntil = Clock.monotonic() + Self.second / 50
        } else {
            refused.append((message, error))
        }
    }

    /// What a producer says after its fatal error bears that error's code, so that the code alone tells nothing.
    private var hasFailed: Bool { producer.fatalError() != nil }

    private func settleRefused(_ now: Int64) {
        guard !refused.isEmpty else { return }
        let messages = refused
        refused.removeAll()
        for (message, error) in messages {
            let outcome = Outcome(
                ticket: message.ticket,
                partition: -1,
                bytes: message.value?.count ?? 0,
                error: error
            )
            if delegate?.settle(outcome) == false { postpone(message, error) }
        }
    }

    private func postpone(_ message: Held, _ error: KafkaError) {
        log.error("a message for \(message.topic) is not taken and will be sent again: \(error)")
        if postponed.isEmpty { postponedUntil = Clock.monotonic() + Self.second }
        postponed.append(message)
    }

    private func sendAgain(_ message: Held) {
        do throws(KafkaError) {
            try produce(message)
        } catch {
            refuse(message, error)
        }
    }

    private func sendHeld() {
        var messages = held
        held.removeAll()
        messages.sort { $0.sequence.isBefore($1.sequence) }
        for (index, message) in messages.enumerated() {
            sendAgain(message)
            // It stands in `held` again: so do all after it.
            if !held.isEmpty {
                held += messages[(index + 1)...]
                return
            }
        }
    }

    private func produce(_ message: Held) throws(KafkaError) {
        let topic = try producer.topic(message.topic)
        let key = ByteBuffer(optional: message.key)
        let value = ByteBuffer(optional: message.value)
        try withExtendedLifetime((key, value)) { () throws(KafkaError) in
            try producer.produce(
                to: topic,
                key: key?.view,
                value: value?.view,
                headers: message.headers,
                partition: delegate?.partition(of: message.ticket),
                ticket: message.opaque
            )
        }
    }

    private func beginReplacement() {
        guard !isFailing else { return }
        isFailing = true
        log.error("the producer can do no more and is replaced")
        producer.purge()
    }

    private func replaceProducer(_ now: Int64) {
        guard producer.pendingCount == 0, now >= replacedAt + Self.second else { return }
        replacedAt = now
        guard KafkaClientEnd.allowsReplacement else {
            log.error("no new producer is made: \(KafkaClientEnd.unfinished) clients that were given up do not end")
            return
        }
        do throws(KafkaSettingError) {
            producer = try KafkaProducer(settings: settings, wake: wake)
            isFailing = false
        } catch {
            log.error("no new producer can be made: \(error)")
        }
    }
}

@available(*, unavailable)
extension KafkaReplies: Sendable {}

extension ByteBuffer {
    fileprivate convenience init?(optional bytes: [UInt8]?) {
        guard let bytes else { return nil }
        self.init(capacity: max(bytes.count, 1))
        append(contentsOf: bytes)
    }
}
