/// Messages that must be produced again, copied from their delivery reports. Bounded by what librdkafka holds at once.
final class KafkaRetries {
    private struct Entry {
        let record: KafkaMessageRecord
        /// Where the message stands: its key, and behind it the event.
        var start: Int
        let key: Int?
        var event: StoredEventRecord

        var range: Range<Int> { start..<event.range.upperBound }

        mutating func move(to start: Int) {
            self.start = start
            event.move(to: start + (key ?? 0))
        }
    }

    private var bytes = ByteBuffer(capacity: 64)
    private var entries: [Entry] = []
    private var next = 0
    private var isSorted = true

    var count: Int { entries.count - next }
    var isEmpty: Bool { count == 0 }

    /// Copies a message.
    func append(_ message: KafkaEventMessage, _ record: KafkaMessageRecord) {
        let start = bytes.count
        bytes.append(message.key ?? .empty)
        let event = StoredEventRecord(message.record, in: bytes)
        entries.append(Entry(record: record, start: start, key: message.key?.count, event: event))
        isSorted = false
    }

    /// The one that was produced first of all, valid until it is removed.
    var first: (message: KafkaEventMessage, record: KafkaMessageRecord)? {
        if isEmpty { return nil }
        sort()
        let entry = entries[next]
        let key = entry.key.map { bytes[entry.start..<entry.start + $0] }
        return (KafkaEventMessage(key: key, record: entry.event.record(in: bytes)), entry.record)
    }

    func removeFirst() {
        next += 1
        guard next == entries.count else { return }
        entries.removeAll()
        next = 0
        bytes.removeAll(keepingAtMost: 64)
    }

    /// Into the order in which they were first produced: reports come by partition, and batches by when they ended.
    private func sort() {
        if isSorted { return }
        isSorted = true
        entries.removeFirst(next)
        entries.sort { $0.record.sequence < $1.record.sequence }
        guard next > 0 else { return }
        next = 0
        // Some were produced and came back: the bytes of their first copies go.
        let packed = ByteBuffer(capacity: bytes.count)
        for index in entries.indices {
            let range = entries[index].range
            entries[index].move(to: packed.count)
            packed.append(bytes[range])
        }
        bytes = packed
    }
}

@available(*, unavailable)
extension KafkaRetries: Sendable {}
