/// Messages that must be produced again, copied from their delivery reports. Bounded by what librdkafka holds at once.
final class KafkaRetries {
    private struct Entry {
        let record: KafkaMessageRecord
        /// Where the message starts, and how long its parts are, one after the other.
        var start: Int
        let key: Int?
        let value: Int
        let source: Int
        let id: Int
        let time: Int

        var length: Int { (key ?? 0) + value + source + id + time }
    }

    private var bytes = ByteBuffer(capacity: 64)
    private var entries: [Entry] = []
    private var next = 0
    private var isSorted = true

    var count: Int { entries.count - next }
    var isEmpty: Bool { count == 0 }

    /// Copies a message.
    func append(_ message: KafkaEventMessage, _ record: KafkaMessageRecord) {
        let entry = Entry(
            record: record,
            start: bytes.count,
            key: message.key?.count,
            value: message.value.count,
            source: message.source.count,
            id: message.id.count,
            time: message.time.count
        )
        for part in [message.key ?? .empty, message.value, message.source, message.id, message.time] {
            bytes.append(part)
        }
        entries.append(entry)
        isSorted = false
    }

    /// The one that was produced first of all, valid until it is removed.
    var first: (message: KafkaEventMessage, record: KafkaMessageRecord)? {
        if isEmpty { return nil }
        sort()
        let entry = entries[next]
        var rest = bytes[entry.start..<entry.start + entry.length]
        func take(_ length: Int) -> ByteView {
            defer { rest = rest.dropFirst(length) }
            return rest.prefix(length)
        }
        let key = entry.key.map { take($0) }
        let value = take(entry.value)
        let message = KafkaEventMessage(
            key: key,
            value: value,
            source: take(entry.source),
            id: take(entry.id),
            time: take(entry.time)
        )
        return (message, entry.record)
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
            let entry = entries[index]
            entries[index].start = packed.count
            packed.append(bytes[entry.start..<entry.start + entry.length])
        }
        bytes = packed
    }
}

@available(*, unavailable)
extension KafkaRetries: Sendable {}
