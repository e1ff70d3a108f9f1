import Synchronization

/// What waits between the shards and a Reporter's own thread: lines of text, bounded in bytes.
///
/// Each shard has a lane of its own, into which it copies the events of a turn without taking a lock. A lane is a chain
/// of chunks that the shard fills and the Reporter's thread reads at the same time; spent chunks come back, so that
/// nothing is allocated on the steady path. Of a batch that does not fit under `maxBytes` as a whole, the first events
/// that do fit are taken and the rest are dropped: never a part of an event, never a wait.
final class ReportQueue: Sendable {
    /// How much a chunk holds; a larger batch gets a chunk of its own size.
    static let chunkSize = 128 << 10
    /// How many spent chunks a lane keeps for later; after a backlog the others are freed.
    static let maxSpentChunks = 8

    let maxBytes: Int
    let counters: ReporterCounters
    private let event: EventFD
    /// The reader waits, and the next one who brings something must wake it.
    private let readerSleeps = Atomic<Bool>(false)
    /// On `Clock.monotonic`; 0: nothing has come since it was last taken.
    private let oldestArrival = Atomic<Int64>(0)
    private let lanes = LockedValue(Lanes())

    private struct Lanes {
        var channels: [ReportChannel] = []
        var isClosed = false
    }

    init(maxBytes: Int, counters: ReporterCounters) throws(SystemError) {
        self.maxBytes = maxBytes
        self.counters = counters
        self.event = try EventFD()
    }

    /// Adds a lane. From any thread, at any time.
    func openLane() -> ReportQueueLane {
        // Two neighbours in the chain hold more than `chunkSize` together, else they were one. So the bound in bytes is
        // reached before the ring is full.
        let channel = ReportChannel(capacity: 2 * (maxBytes / Self.chunkSize) + 8)
        lanes.withLock {
            if $0.isClosed { channel.isClosed.store(true, ordering: .sequentiallyConsistent) }
            $0.channels.append(channel)
        }
        return ReportQueueLane(queue: self, channel: channel)
    }

    /// The lanes that `known` does not yet count.
    func channels(after known: Int) -> ArraySlice<ReportChannel> { lanes.withLock { $0.channels[known...] } }

    /// Refuses events from now on, in later lanes too.
    func close() {
        lanes.withLock {
            $0.isClosed = true
            for channel in $0.channels { channel.isClosed.store(true, ordering: .sequentiallyConsistent) }
        }
    }

    /// Wakes the reader, whatever it waits for. From any thread.
    func wake() { event.signal() }

    /// Notes when the oldest of the waiting events came. Any shard.
    func noteArrival() {
        guard oldestArrival.load(ordering: .relaxed) == 0 else { return }
        oldestArrival.store(Clock.monotonic(), ordering: .relaxed)
    }

    /// When the oldest of the waiting events came, on `Clock.monotonic`, and begins anew. The Reporter's thread, before it
    /// gathers; nil where shards have only just brought some.
    func takeOldestArrival() -> Int64? {
        let arrival = oldestArrival.exchange(0, ordering: .relaxed)
        return arrival == 0 ? nil : arrival
    }

    /// Wakes the reader if it sleeps for want of events: a system call only then.
    func wakeIfSleeping() {
        // The shard publishes, then looks here; the reader sets this, then looks for events. In one order of all four
        // (hence sequentially consistent), at least one of them sees what the other did.
        guard readerSleeps.load(ordering: .sequentiallyConsistent) else { return }
        if readerSleeps.exchange(false, ordering: .sequentiallyConsistent) { event.signal() }
    }

    /// Waits until there are events or `wake` is called. For the reader.
    func sleep(unless hasEvents: () -> Bool) {
        readerSleeps.store(true, ordering: .sequentiallyConsistent)
        if !hasEvents() { event.wait(nanoseconds: nil) }
        readerSleeps.store(false, ordering: .sequentiallyConsistent)
    }

    /// Waits for a time, or until `wake` is called, or until a descriptor takes bytes. For the reader.
    func pause(nanoseconds: Int64, orUntilWritable descriptor: Int32 = -1) {
        event.wait(nanoseconds: nanoseconds, orUntilWritable: descriptor)
    }
}

/// What the two ends of a lane share.
final class ReportChannel: Sendable {
    /// Chunks in order; the last one is still being filled.
    let chunks: HandoverRing<HandoverChunk>
    /// Chunks that were read to the end, empty.
    let spent = HandoverRing<HandoverChunk>(capacity: ReportQueue.maxSpentChunks)
    /// The shard is within `submit`. Written by the shard.
    let isSubmitting = Atomic<Bool>(false)
    /// Nothing is taken any more. Written by the reader.
    let isClosed = Atomic<Bool>(false)

    init(capacity: Int) { chunks = HandoverRing(capacity: capacity) }
}
