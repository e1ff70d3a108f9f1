import Synchronization

/// The Reporter's end of a `ReportQueue`: all lanes. For one thread.
final class ReportQueueReader {
    private let queue: ReportQueue
    private var cursors: [Cursor] = []
    /// The lane that comes first next time, so that a busy one does not starve the others.
    private var first = 0
    private var gathered = HandoverChunk.Contents()

    /// How far a lane has been read.
    private struct Cursor {
        let channel: ReportChannel
        /// What has been read of the lane's first chunk.
        var done = HandoverChunk.Contents()
        /// What will have been read of chunk number `doneChunksNext` once the gathered events are released.
        var doneNext = HandoverChunk.Contents()
        var doneChunksNext = 0
    }

    init(queue: ReportQueue) { self.queue = queue }

    /// Whether events wait.
    var hasEvents: Bool {
        meetNewLanes()
        for cursor in cursors {
            let chunks = cursor.channel.chunks
            if chunks.count > 1 || (chunks.count == 1 && chunks[0].contents.bytes > cursor.done.bytes) { return true }
        }
        return false
    }

    /// Adds waiting events to the list, which stay where they are until `release`. Stops soon after `limit` bytes.
    ///
    /// - Returns: how many events.
    func gather(into list: GatherList, limit: Int) -> Int {
        meetNewLanes()
        gathered = HandoverChunk.Contents()
        for number in cursors.indices {
            let index = (first + number) % cursors.count
            cursors[index].doneNext = cursors[index].done
            cursors[index].doneChunksNext = 0
            gather(from: index, into: list, limit: limit)
        }
        if !cursors.isEmpty { first = (first + 1) % cursors.count }
        return gathered.events
    }

    private func gather(from index: Int, into list: GatherList, limit: Int) {
        let chunks = cursors[index].channel.chunks
        while gathered.bytes < limit && !list.isFull {
            let number = cursors[index].doneChunksNext
            let count = chunks.count
            guard number < count else { return }
            // Read after `count`: a chunk that has a successor is not appended to any more.
            let contents = chunks[number].contents
            let done = cursors[index].doneNext
            if contents.bytes > done.bytes {
                list.append(chunks[number][done.bytes..<contents.bytes])
                gathered.bytes += contents.bytes - done.bytes
                gathered.events += contents.events - done.events
            }
            guard number + 1 < count else {
                cursors[index].doneNext = contents
                return
            }
            cursors[index].doneNext = HandoverChunk.Contents()
            cursors[index].doneChunksNext = number + 1
        }
    }

    /// Forgets the gathered events and gives their room back.
    func release() {
        for index in cursors.indices {
            for _ in 0..<cursors[index].doneChunksNext { recycle(in: cursors[index].channel) }
            cursors[index].done = cursors[index].doneNext
            cursors[index].doneChunksNext = 0
        }
        queue.counters.queuedBytes.subtract(gathered.bytes, ordering: .relaxed)
        gathered = HandoverChunk.Contents()
    }

    private func recycle(in channel: ReportChannel) {
        guard let chunk = channel.chunks.take(), chunk.capacity == ReportQueue.chunkSize else { return }
        chunk.removeAll()
        // A full ring of spent chunks frees this one.
        _ = channel.spent.put(chunk)
    }

    /// Refuses events from now on and counts those that wait as dropped.
    func close() {
        queue.close()
        meetNewLanes()
        for cursor in cursors {
            // A shard is in `submit` for a few microseconds, unless the system has taken the processor away from it.
            while cursor.channel.isSubmitting.load(ordering: .sequentiallyConsistent) {
                queue.pause(nanoseconds: 50_000)
            }
        }
        let list = GatherList()
        while true {
            let events = gather(into: list, limit: Int.max)
            if events == 0 { return }
            queue.counters.dropped.add(events, ordering: .relaxed)
            list.removeAll()
            release()
        }
    }

    private func meetNewLanes() {
        for channel in queue.channels(after: cursors.count) { cursors.append(Cursor(channel: channel)) }
    }
}

@available(*, unavailable)
extension ReportQueueReader: Sendable {}
