import Synchronization

/// What waits between the shards and a Reporter's own thread: frames, bounded in bytes.
///
/// Each shard has a lane of its own, into which it copies the events of a turn without taking a lock. A lane is a chain
/// of chunks that the shard fills and the Reporter's thread reads at the same time; spent chunks come back, so that
/// nothing is allocated on the steady path. Of a batch that does not fit under `maxBytes` as a whole, the first events
/// that do fit are taken and the rest are dropped: never a part of an event, never a wait.
final class ReportQueue: EventFeed {
    /// How much a chunk holds; a larger event gets a chunk of its own size.
    static let chunkSize = 128 << 10
    /// How many spent chunks a lane keeps for later; after a backlog the others are freed.
    static let maxSpentChunks = 64

    let maxBytes: Int
    let counters: ReporterCounters
    let wake: ReaderWake
    var isDurable: Bool { false }
    private let lanes = LockedValue(Lanes())

    private struct Lanes {
        var channels: [ReportChannel] = []
        var isClosed = false
    }

    /// - Parameter maxBytes: The bound of what waits and what is not acknowledged, over all lanes.
    init(maxBytes: Int, counters: ReporterCounters = ReporterCounters()) throws(SystemError) {
        self.maxBytes = maxBytes
        self.counters = counters
        self.wake = try ReaderWake()
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

    func makeSource() -> any EventSource { ReportQueueSource(queue: self) }
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
