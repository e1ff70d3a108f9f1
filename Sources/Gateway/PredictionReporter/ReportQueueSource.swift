import Synchronization

/// The Reporter's end of a `ReportQueue`: all lanes. For one thread.
final class ReportQueueSource: EventSource {
    private let queue: ReportQueue
    private var cursors: [Cursor] = []
    /// The lane that comes first next time, so that a busy one does not starve the others.
    private var first = 0

    /// How far a lane has been read.
    private struct Cursor {
        let channel: ReportChannel
        /// What has been gathered of the lane's chunk number `chunks`.
        var bytes = 0
        /// How many of the lane's chunks will be given back once the gathered events are released.
        var chunks = 0
        /// Bytes of the lane gathered since its beginning, and of these acknowledged.
        var position: Int64 = 0
        var acknowledged: Int64 = 0
    }

    init(queue: ReportQueue) { self.queue = queue }

    var isDurable: Bool { false }
    var laneCount: Int { cursors.count }
    var isBehind: Bool { queue.counters.queuedBytes.load(ordering: .relaxed) > queue.maxBytes / 4 }

    var hasEvents: Bool {
        meetNewLanes()
        for cursor in cursors {
            let chunks = cursor.channel.chunks
            let count = chunks.count
            if count > cursor.chunks + 1 { return true }
            if count == cursor.chunks + 1, chunks[cursor.chunks].contents.bytes > cursor.bytes { return true }
        }
        return false
    }

    func gather(into events: inout [WaitingEvent], limit: Int) {
        meetNewLanes()
        var rest = limit
        for number in cursors.indices where rest > 0 {
            gather(from: (first + number) % cursors.count, into: &events, &rest)
        }
        if !cursors.isEmpty { first = (first + 1) % cursors.count }
    }

    private func gather(from lane: Int, into events: inout [WaitingEvent], _ rest: inout Int) {
        let chunks = cursors[lane].channel.chunks
        while true {
            let count = chunks.count
            let number = cursors[lane].chunks
            guard number < count else { return }
            // Read after `count`: a chunk that has a successor is not appended to any more.
            let contents = chunks[number].contents.bytes
            let view = chunks[number][0..<contents]
            while cursors[lane].bytes < contents {
                if rest <= 0 { return }
                guard let frame = EventFrame(in: view, at: cursors[lane].bytes) else {
                    preconditionFailure("a queue consists of frames")
                }
                cursors[lane].bytes += frame.bytes.count
                cursors[lane].position += Int64(frame.bytes.count)
                rest -= frame.bytes.count
                events.append(WaitingEvent(frame: frame, lane: lane, end: cursors[lane].position))
            }
            guard number + 1 < count else { return }
            cursors[lane].bytes = 0
            cursors[lane].chunks += 1
        }
    }

    func release() {
        for lane in cursors.indices {
            for _ in 0..<cursors[lane].chunks { recycle(in: cursors[lane].channel) }
            cursors[lane].chunks = 0
        }
    }

    private func recycle(in channel: ReportChannel) {
        guard let chunk = channel.chunks.take(), chunk.capacity == ReportQueue.chunkSize else { return }
        chunk.removeAll()
        // A full ring of spent chunks frees this one.
        _ = channel.spent.put(chunk)
    }

    func acknowledge(lane: Int, through position: Int64) {
        let length = position - cursors[lane].acknowledged
        precondition(length >= 0 && position <= cursors[lane].position, "acknowledged in order, after gathering")
        cursors[lane].acknowledged = position
        queue.counters.queuedBytes.subtract(Int(length), ordering: .relaxed)
    }

    func close() {
        queue.close()
        meetNewLanes()
        for cursor in cursors {
            // A shard is in `submit` for a few microseconds, unless the system has taken the processor away from it.
            while cursor.channel.isSubmitting.load(ordering: .sequentiallyConsistent) {
                queue.wake.pause(nanoseconds: 50_000)
            }
        }
        release()
        var events: [WaitingEvent] = []
        while true {
            gather(into: &events, limit: 1 << 20)
            if events.isEmpty { break }
            queue.counters.dropped.add(events.count, ordering: .relaxed)
            events.removeAll(keepingCapacity: true)
            release()
        }
        for lane in cursors.indices { acknowledge(lane: lane, through: cursors[lane].position) }
    }

    private func meetNewLanes() {
        for channel in queue.channels(after: cursors.count) { cursors.append(Cursor(channel: channel)) }
    }
}

@available(*, unavailable)
extension ReportQueueSource: Sendable {}
