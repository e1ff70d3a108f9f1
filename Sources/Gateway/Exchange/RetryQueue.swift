/// The exchanges of a shard whose call is to be made again, by the time when that is due. A binary heap.
final class RetryQueue {
    private struct Entry {
        let due: Int64
        let exchange: Exchange
        /// One that was taken out of the queue leaves its entry behind.
        var isCurrent: Bool { exchange.retryAt == due }
    }

    private var entries: [Entry] = []

    /// When the first one is due, at the earliest; `.max`: none waits. Nanoseconds of the monotonic clock.
    private(set) var nextDue = Int64.max

    func add(_ exchange: Exchange, due: Int64) {
        exchange.retryAt = due
        entries.append(Entry(due: due, exchange: exchange))
        var child = entries.count - 1
        while child > 0, entries[child].due < entries[(child - 1) / 2].due {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        nextDue = entries[0].due
    }

    /// It waits no more.
    func remove(_ exchange: Exchange) { exchange.retryAt = nil }

    /// The next one that is due by then.
    func take(dueBy now: Int64) -> Exchange? {
        while let first = entries.first, first.due <= now {
            removeFirst()
            guard first.isCurrent else { continue }
            first.exchange.retryAt = nil
            return first.exchange
        }
        return nil
    }

    private func removeFirst() {
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        defer { nextDue = entries.first?.due ?? .max }
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < entries.count else { return }
            if child + 1 < entries.count, entries[child + 1].due < entries[child].due { child += 1 }
            guard entries[child].due < entries[parent].due else { return }
            entries.swapAt(child, parent)
            parent = child
        }
    }
}

@available(*, unavailable)
extension RetryQueue: Sendable {}
