import Synchronization

/// A shard's end of a lane of a `ReportQueue`.
final class ReportQueueLane: EventLane {
    private let queue: ReportQueue
    private let channel: ReportChannel
    private var chunk: HandoverChunk?

    init(queue: ReportQueue, channel: ReportChannel) {
        self.queue = queue
        self.channel = channel
    }

    /// Events over the bound are dropped and counted, so there is always room.
    var isFull: Bool { false }

    func submit(_ batch: EventBatch, isLast: Bool) -> Bool {
        if batch.isEmpty { return true }
        if batch.oversized > 0 { queue.counters.dropped.add(batch.oversized, ordering: .relaxed) }
        if batch.count == 0 { return true }
        // Set before `isClosed` is read, as the reader closes before it reads this: so that either the events are
        // refused here, or the reader waits for them and counts them.
        channel.isSubmitting.store(true, ordering: .sequentiallyConsistent)
        if channel.isClosed.load(ordering: .sequentiallyConsistent) {
            queue.counters.dropped.add(batch.count, ordering: .relaxed)
        } else {
            enqueue(batch)
        }
        channel.isSubmitting.store(false, ordering: .releasing)
        return true
    }

    private func enqueue(_ batch: EventBatch) {
        let counters = queue.counters
        let wanted = batch.bytes.count
        // Added first and taken back where it was too much: two shards can never pass the bound together.
        let queued = counters.queuedBytes.add(wanted, ordering: .relaxed).oldValue
        let room = queue.maxBytes - queued
        let events = put(batch, events: wanted <= room ? batch.count : batch.eventCount(fittingIn: room))
        let length = batch.length(ofFirst: events)
        if length < wanted {
            counters.queuedBytes.subtract(wanted - length, ordering: .relaxed)
            counters.dropped.add(batch.count - events, ordering: .relaxed)
        }
        if events > 0 {
            queue.wake.eventsCame()
        }
        // Where the Reporter waits for this very processor, it is better to go on a little later than to lose events. Not
        // where they are lost already: it is then its destination that cannot follow, perhaps for hours.
        if length == wanted && queued + length > queue.maxBytes / 2 { ThreadHandle.yieldProcessor() }
    }

    /// Copies the first `events` into chunks, and returns how many it could.
    private func put(_ batch: EventBatch, events: Int) -> Int {
        var done = 0
        while done < events {
            let start = batch.length(ofFirst: done)
            let next = min(events, max(done + 1, batch.eventCount(fittingIn: start + ReportQueue.chunkSize)))
            guard put(batch.bytes[start..<batch.length(ofFirst: next)], events: next - done) else { break }
            done = next
        }
        return done
    }

    private func put(_ view: ByteView, events: Int) -> Bool {
        if let chunk, chunk.append(view, events: events) { return true }
        let next: HandoverChunk
        if view.count > ReportQueue.chunkSize {
            guard view.count <= HandoverChunk.maxCapacity else { return false }
            next = HandoverChunk(capacity: view.count)
        } else {
            next = channel.spent.take() ?? HandoverChunk(capacity: ReportQueue.chunkSize)
        }
        guard next.append(view, events: events), channel.chunks.put(next) else { return false }
        chunk = next
        return true
    }
}

extension EventBatch {
    /// How many bytes the first `events` take.
    fileprivate func length(ofFirst events: Int) -> Int { events == 0 ? 0 : frames[events - 1].upperBound }

    /// How many of the first events take no more than `length` bytes together.
    fileprivate func eventCount(fittingIn length: Int) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high + 1) / 2
            if frames[middle - 1].upperBound <= length { low = middle } else { high = middle - 1 }
        }
        return low
    }
}

@available(*, unavailable)
extension ReportQueueLane: Sendable {}
