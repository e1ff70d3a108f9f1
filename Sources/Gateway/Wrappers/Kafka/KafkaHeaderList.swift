private import CKafka

/// One header of a Kafka record: borrowed bytes, valid as long as what they were taken from says. nil is a null value.
struct KafkaHeader {
    let name: ByteView
    let value: ByteView?
}

/// The headers of a record to be produced, in memory that is used again for the next one.
final class KafkaHeaderList {
    private struct Entry {
        var name: Range<Int>
        var value: Range<Int>?
    }

    private let bytes = ByteBuffer(capacity: 1024)
    private var entries: [Entry] = []

    var count: Int { entries.count }
    /// Of all names and values.
    var byteCount: Int { bytes.count }

    /// Forgets them, and room beyond so many bytes.
    func removeAll(keepingAtMost limit: Int = 16 << 10) {
        bytes.removeAll(keepingAtMost: limit)
        entries.removeAll(keepingCapacity: entries.capacity * MemoryLayout<Entry>.stride <= limit)
    }

    func forEachHeader(_ body: (_ name: ByteView, _ value: ByteView?) -> Void) {
        for index in entries.indices {
            let header = self[index]
            body(header.name, header.value)
        }
    }

    func append(_ name: StaticString, _ value: ByteView) { append(name: ByteView(name), value: value) }

    /// Copies both.
    func append(name: ByteView, value: ByteView?) {
        let start = bytes.count
        bytes.append(name)
        let middle = bytes.count
        if let value { bytes.append(value) }
        entries.append(Entry(name: start..<middle, value: value == nil ? nil : middle..<bytes.count))
    }

    /// The views are valid until the list changes.
    subscript(index: Int) -> KafkaHeader {
        KafkaHeader(name: bytes[entries[index].name], value: entries[index].value.map { bytes[$0] })
    }

    /// An rd_kafka_headers_t with copies, owned by the caller; nil where there are no headers.
    func makeHeaders() -> OpaquePointer? {
        guard !entries.isEmpty, let headers = rd_kafka_headers_new(entries.count) else { return nil }
        for index in entries.indices {
            let header = self[index]
            // An empty name or value has no address of its own, and a null pointer would say "null".
            let value = header.value.map { $0.base ?? UnsafePointer(bytes.base) }
            let name = UnsafeRawPointer(header.name.base ?? UnsafePointer(bytes.base))
            // Fails for read-only lists only.
            _ = rd_kafka_header_add(
                headers,
                name.assumingMemoryBound(to: CChar.self),
                header.name.count,
                value,
                header.value?.count ?? 0
            )
        }
        return headers
    }
}

@available(*, unavailable)
extension KafkaHeaderList: Sendable {}
