/// Takes what the shard's consumer brings.
protocol KafkaInboxDelegate: AnyObject {
    /// A record has come, of which the delegate takes a copy and says how many headers it has. `partition` is told of its
    /// beginning and its end.
    func take(_ message: KafkaMessage, of partition: PartitionProgress) -> Int
    /// Nothing more of partitions that are leaving is to begin, and what waits is dropped.
    func dropWaiting()
    /// Whether another record can be taken.
    var hasRoom: Bool { get }
    /// Whether so much is done that the consumer may go on after it had to stop.
    var isHalfEmpty: Bool { get }
}

/// The shard's member of the consumer group: what is assigned to it, how far each partition has come, and when to stop
/// taking records in. Confined to its shard.
final class KafkaInbox {
    struct Options {
        var settings: KafkaSettings
        var topic: String
    }

    weak var delegate: (any KafkaInboxDelegate)?

    /// What of the group's taking away of partitions is still to be answered.
    private struct Revocation {
        let rebalance: KafkaRebalance
        let partitions: [PartitionProgress]
        /// Requests in flight may end until then.
        let deadline: Int64
    }

    private enum Flow: Equatable {
        case open
        /// The shard is full: records wait in librdkafka, for a moment.
        case held(since: Int64)
        /// The shard stays full: nothing is fetched, so that the rest of what the group has to say is heard.
        case paused
    }

    private static let second: Int64 = 1_000_000_000
    /// A pause throws away what was fetched, so that it must be worth it.
    private static let patience = second / 10
    /// How long a partition may be kept for the requests in flight, when the group wants it.
    private static let revocationTime = 5 * second
    private static let eventsPerTurn = 256
    /// Some milliseconds' work, of librdkafka's most.
    private static let headersPerTurn = 4_000

    private let options: Options
    private let wake: EventFD
    private let log: KafkaLog
    private let metrics: KafkaMetrics
    private var consumer: KafkaConsumer
    private var partitions: [PartitionProgress] = []
    private var lastAssignment = 0
    private var flow = Flow.open
    private var revocation: Revocation?
    private var isDraining = false
    private var isClosing = false
    private var hasFailed = false
    private var replacedAt: Int64 = 0
    private var nextRound: Int64 = 0
    private var mayHaveMore = false
    /// In this turn.
    private var headersTaken = 0
    private(set) var isClosed = false

    init(
        _ options: Options,
        wake: EventFD,
        log: KafkaLog,
        metrics: KafkaMetrics
    ) throws {
        self.options = options
        self.wake = wake
        self.log = log
        self.metrics = metrics
        consumer = try Self.makeConsumer(options, wake)
    }

    private static func makeConsumer(_ options: Options, _ wake: EventFD) throws -> KafkaConsumer {
        let consumer = try KafkaConsumer(settings: options.settings, wake: wake)
        try consumer.subscribe([options.topic])
        return consumer
    }

    // MARK: The loop

    /// The group must hear from us also when nothing comes (max.poll.interval.ms).
    var nextDeadline: Int64? {
        guard !isClosed else { return nil }
        var deadline = nextRound
        if case .held(let since) = flow { deadline = min(deadline, since + Self.patience) }
        if let revocation { deadline = min(deadline, revocation.deadline) }
        return deadline
    }

    /// Whether the consumer may have more at once.
    var hasMore: Bool { mayHaveMore && !isClosed }

    func run(now: Int64) {
        guard !isClosed else { return }
        adjustFlow(now)
        poll(now)
        storeOffsets()
        finishRevocation(now)
        if hasFailed { replaceConsumer(now) }
        if isClosing, consumer.isClosed { isClosed = true }
        if nextRound <= now {
            nextRound = now + Self.second
            publishLag()
        }
    }

    private func poll(_ now: Int64) {
        mayHaveMore = false
        if case .held = flow { return }
        headersTaken = 0
        for _ in 0..<Self.eventsPerTurn {
            mayHaveMore = consumer.poll(limit: 1) { handle($0, now) }
            guard mayHaveMore, headersTaken < Self.headersPerTurn else { return }
            if flow == .open, !isDraining, delegate?.hasRoom == false {
                flow = .held(since: now)
                mayHaveMore = false
                return
            }
        }
    }

    private func handle(_ event: KafkaEvent, _ now: Int64) {
        switch event {
        case .consumed(let message): take(message)
        case .rebalance(let rebalance): handle(rebalance, now)
        case .partitionEnd(let number, let offset): reachEnd(number, offset)
        case .statistics(let json): metrics.consumer.note(json)
        case .error(_, isFatal: true):
            log.note(event)
            hasFailed = true
        default: log.note(event)
        }
    }

    private func take(_ message: KafkaMessage) {
        if let error = message.error { log.warning("a record cannot be read: \(error)") }
        guard message.error == nil, !isDraining, let partition = find(message.partition), !partition.isLeaving else {
            return
        }
        headersTaken += delegate?.take(message, of: partition) ?? 0
    }

    /// It stands in the queue behind all records before it. Those that were not taken, it must not pass.
    private func reachEnd(_ number: Int32, _ offset: Int64) {
        guard !isDraining, let partition = find(number), !partition.isLeaving else { return }
        partition.reachEnd(offset)
    }

    /// All are of the one topic that is subscribed to.
    private func find(_ number: Int32) -> PartitionProgress? { partitions.first { $0.partition == number } }

    // MARK: As much as there is room for

    private func adjustFlow(_ now: Int64) {
        guard !isDraining else { return }
        switch flow {
        case .open: break
        case .held(let since):
            if delegate?.isHalfEmpty == true {
                flow = .open
            } else if now - since >= Self.patience {
                pause(partitions)
                flow = .paused
            }
        case .paused:
            guard delegate?.isHalfEmpty == true else { return }
            do throws(KafkaError) {
                try consumer.resume(partitions.map(KafkaPartition.init))
            } catch {
                log.warning("partitions cannot be resumed: \(error)")
            }
            flow = .open
        }
    }

    private func pause(_ partitions: [PartitionProgress]) {
        guard !partitions.isEmpty else { return }
        do throws(KafkaError) {
            try consumer.pause(partitions.map(KafkaPartition.init))
        } catch {
            log.warning("partitions cannot be paused: \(error)")
        }
    }

    // MARK: Offsets

    /// Tells librdkafka how far each partition is done; it commits that within half a second.
    private func storeOffsets() {
        for partition in partitions {
            guard let offset = partition.offsetToStore else { continue }
            do throws(KafkaError) {
                try consumer.storeOffset(topic: partition.topic, partition: partition.partition, offset: offset)
                partition.noteStored(offset)
            } catch {
                // It is tried again in the next turn.
                log.debug("an offset is not stored: \(error)")
            }
        }
    }

    private func publishLag() {
        metrics.publish(
            partitions.map { partition in
                let marks = consumer.watermarks(topic: partition.topic, partition: partition.partition)
                return KafkaMetrics.Lag(
                    topic: partition.topic,
                    partition: partition.partition,
                    records: marks.map { partition.lag(high: $0.high) } ?? 0
                )
            }
        )
    }

    // MARK: The group

    private func handle(_ rebalance: KafkaRebalance, _ now: Int64) {
        switch rebalance.kind {
        case .assign: assign(rebalance)
        case .revoke:
            let isWhole = consumer.rebalanceProtocol != "COOPERATIVE"
            let leaving = partitions.filter { isWhole || rebalance.contains($0) }
            for partition in leaving { partition.beginLeaving() }
            delegate?.dropWaiting()
            revocation = Revocation(
                rebalance: rebalance,
                partitions: leaving,
                deadline: now + Self.revocationTime
            )
            finishRevocation(now)
        }
    }

    private func assign(_ rebalance: KafkaRebalance) {
        let new = rebalance.partitions.map { partition in
            lastAssignment += 1
            return PartitionProgress(
                topic: partition.topic,
                partition: partition.partition,
                assignment: lastAssignment
            )
        }
        do throws(KafkaError) {
            try consumer.accept(rebalance)
        } catch {
            // Such as when the group has moved on: it will assign again.
            log.warning("partitions cannot be taken over: \(error)")
            return
        }
        partitions += new
        log.info("assigned: \(Self.text(new))")
        if flow == .paused || isDraining { pause(new) }
    }

    /// Lets partitions go as soon as nothing of theirs is in flight, when time is over, or when they are lost already.
    private func finishRevocation(_ now: Int64) {
        guard let revocation else { return }
        let isLost = consumer.assignmentLost
        guard isLost || now >= revocation.deadline || revocation.partitions.allSatisfy({ $0.openCount == 0 }) else {
            return
        }
        self.revocation = nil
        if !isLost { storeOffsets() }
        end(revocation.partitions)
        do throws(KafkaError) {
            try consumer.accept(revocation.rebalance)
        } catch {
            log.warning("partitions cannot be given back: \(error)")
            try? consumer.unassign()
        }
        log.info("\(isLost ? "lost" : "given back"): \(Self.text(revocation.partitions))")
    }

    private func end(_ gone: [PartitionProgress]) {
        for partition in gone { partition.leave() }
        partitions.removeAll { $0.isGone }
        delegate?.dropWaiting()
    }

    private func replaceConsumer(_ now: Int64) {
        guard now >= replacedAt + Self.second else { return }
        replacedAt = now
        revocation = nil
        end(partitions)
        if isDraining {
            // There is nothing left to leave.
            isClosed = isClosing
            return
        }
        guard KafkaClientEnd.allowsConsumerReplacement else {
            let held = KafkaClientEnd.unfinished + KafkaClientEnd.kept
            log.error("no new consumer is made: \(held) clients that were given up do not end")
            return
        }
        do {
            consumer = try Self.makeConsumer(options, wake)
            hasFailed = false
            flow = .open
            log.error("the consumer could do no more and was replaced")
        } catch {
            log.error("no new consumer can be made: \(error)")
        }
    }

    private static func text(_ partitions: [PartitionProgress]) -> String {
        partitions.isEmpty ? "nothing" : partitions.map { "\($0.topic)/\($0.partition)" }.joined(separator: ", ")
    }

    // MARK: The end

    /// Takes nothing more; what is in flight may end.
    func drain() {
        isDraining = true
        // One that was held is heard again: nothing makes room any more, and the group is still to be left.
        flow = .paused
        pause(partitions)
    }

    /// Leaves the group, with what is done committed. `isClosed` follows.
    func close() {
        guard !isClosing else { return }
        isClosing = true
        if !isDraining { drain() }
        storeOffsets()
        do throws(KafkaError) {
            try consumer.beginClose()
        } catch {
            log.warning("the group cannot be left: \(error)")
            isClosed = true
        }
        mayHaveMore = true
    }

    /// Leaves the group, until the deadline on the monotonic clock. The end of the shard.
    func shutDown(deadline: Int64) {
        close()
        for partition in partitions { partition.beginLeaving() }
        while !isClosed, Clock.monotonic() < deadline {
            _ = consumer.poll(limit: 1, timeoutMilliseconds: 20) { handle($0, 0) }
            finishRevocation(.max)
            isClosed = consumer.isClosed
        }
        if !isClosed { log.warning("the group was not left in time: it will notice by itself") }
    }
}

@available(*, unavailable)
extension KafkaInbox: Sendable {}

extension KafkaPartition {
    fileprivate init(_ progress: PartitionProgress) {
        self.init(topic: progress.topic, partition: progress.partition)
    }
}

extension KafkaRebalance {
    fileprivate func contains(_ progress: PartitionProgress) -> Bool {
        partitions.contains { $0.partition == progress.partition && $0.topic == progress.topic }
    }
}
