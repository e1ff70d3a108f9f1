private import CKafka
import Synchronization

/// The end of a client, on a thread of its own: librdkafka waits there for its own threads, and those may wait for a name
/// server, or for ever. (2.0.2: a consumer that has heard that its topic is gone keeps itself alive; librdkafka's pull
/// request 4724 and issues 4362, 4667.) Who lets a client go never waits for it.
///
/// A client that does not end keeps its threads, its connections and what it has fetched, and takes a twentieth of a
/// processor. `maxUnfinished` bounds how many of them there can be: who replaces clients makes no other one beyond that.
final class KafkaClientEnd: Sendable {
    /// Of all clients of the process.
    static let maxUnfinished = 8
    /// How long a consumer may take to leave its group, before it is destroyed without. The group then notices when no
    /// heartbeat has come for `session.timeout.ms`.
    private static let closeNanoseconds: Int64 = 10_000_000_000

    private static let unfinishedCount = Atomic<Int>(0)
    /// Clients that were left as they were, since to destroy them would end the process.
    private static let keptCount = Atomic<Int>(0)
    /// Signalled at each end. nil: there was no descriptor for it, and whoever waits looks again by himself.
    private static let news = try? EventFD()

    private let left = Atomic<Bool>(false)
    private let ended = Atomic<Bool>(false)

    /// Whether a consumer has left its group, or had none to leave.
    var hasLeftGroup: Bool { left.load(ordering: .acquiring) }
    /// Whether the client is gone.
    var isFinished: Bool { ended.load(ordering: .acquiring) }

    /// How many clients were let go and are not gone.
    static var unfinished: Int { unfinishedCount.load(ordering: .acquiring) }

    /// How many consumers were left as they were: they never end.
    static var kept: Int { keptCount.load(ordering: .acquiring) }

    /// Whether a producer may take the place of one that was let go.
    static var allowsReplacement: Bool { unfinished < maxUnfinished }

    /// Whether a consumer may. Apart from producers, whose replacement must not end with the consumers'.
    static var allowsConsumerReplacement: Bool { unfinished + kept < maxUnfinished }

    /// The end of the process where there were clients: gives them half a second, and ends it without what exit(3) does
    /// where some are not gone by then. The main thread.
    ///
    /// - Parameter note: Told before that of how many there is no end to be expected; 0: of none.
    static func endProcess(_ code: Int32, unfinished note: (Int) -> Void = { _ in }) -> Int32 {
        let areAllGone = waitForAll(nanoseconds: 500_000_000)
        if areAllGone, kept == 0 { return code }
        note(unfinished)
        ProcessEnd.atOnce(code)
    }

    /// Waits for all clients that were let go, up to so long. False: some are not gone.
    private static func waitForAll(nanoseconds: Int64) -> Bool {
        let deadline = Clock.monotonic() + nanoseconds
        while unfinished > 0 {
            let left = deadline - Clock.monotonic()
            if left <= 0 { return false }
            // Not longer: several may wait, and one of them takes the signal.
            news?.wait(nanoseconds: min(left, 10_000_000))
        }
        return true
    }

    /// Takes over a client, which nobody else uses any more and whose events go to no descriptor.
    ///
    /// - Parameters:
    ///   - pointer: an rd_kafka_t.
    ///   - queue: the rd_kafka_queue_t through which all its events come.
    ///   - waitsForAssignment: it may have joined its group, and has heard of no assignment.
    func begin(_ pointer: OpaquePointer, _ queue: OpaquePointer, isConsumer: Bool, waitsForAssignment: Bool) {
        Self.unfinishedCount.add(1, ordering: .acquiringAndReleasing)
        let client = LastClient(pointer: pointer, queue: queue, waitsForAssignment: waitsForAssignment)
        // Without a thread it is left as it is.
        try? ThreadHandle(name: "kafka-end") { [self] in
            if isConsumer, client.close(within: Self.closeNanoseconds) { left.store(true, ordering: .releasing) }
            if !client.destroy() { Self.keptCount.add(1, ordering: .acquiringAndReleasing) }
            ended.store(true, ordering: .releasing)
            Self.unfinishedCount.subtract(1, ordering: .acquiringAndReleasing)
            Self.news?.signal()
        }
        .detach()
    }

    // Sendable: any thread may use a client of librdkafka, and the one that gets this is the only one that does.
    private final class LastClient: @unchecked Sendable {
        private let pointer: OpaquePointer
        private let queue: OpaquePointer
        private var waitsForAssignment: Bool

        init(pointer: OpaquePointer, queue: OpaquePointer, waitsForAssignment: Bool) {
            self.pointer = pointer
            self.queue = queue
            self.waitsForAssignment = waitsForAssignment
        }

        /// Before 2.3.0, to destroy a member of a group that has been let in and has got no assignment yet aborts the process
        /// (an assertion in rd_kafka_sticky_assignor_state_destroy; librdkafka's pull request 4381).
        private var mayBeDestroyed: Bool { !waitsForAssignment || rd_kafka_version() >= 0x02_03_00_00 }

        /// Leaves the group: answers what it asks for, and throws away all else. False: it is still a member.
        func close(within nanoseconds: Int64) -> Bool {
            if rd_kafka_consumer_closed(pointer) != 0 { return true }
            // Fails where it is closing already, and after a fatal error, when there is no group to leave.
            if let error = rd_kafka_consumer_close_queue(pointer, queue) { rd_kafka_error_destroy(error) }
            let deadline = Clock.monotonic() + nanoseconds
            while rd_kafka_consumer_closed(pointer) == 0, Clock.monotonic() < deadline,
                rd_kafka_fatal_error(pointer, nil, 0) == RD_KAFKA_RESP_ERR_NO_ERROR
            {
                guard let event = rd_kafka_queue_poll(queue, 10) else { continue }
                // While a consumer closes, any answer takes all partitions from it.
                if rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE {
                    if rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
                        waitsForAssignment = false
                    }
                    _ = rd_kafka_assign(pointer, nil)
                }
                rd_kafka_event_destroy(event)
            }
            return rd_kafka_consumer_closed(pointer) != 0
        }

        /// False: it had to be left as it is.
        func destroy() -> Bool {
            rd_kafka_queue_destroy(queue)
            if mayBeDestroyed { rd_kafka_destroy_flags(pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE) }
            return mayBeDestroyed
        }
    }
}
