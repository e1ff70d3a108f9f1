/// A record's own bytes, copied at its arrival: librdkafka's would keep the whole answer of the broker that they came in, up
/// to `fetch.max.bytes`, for as long as one record of it is in flight. Used again for the next record.
final class KafkaRecord {
    /// A record with more headers is refused, and these are left out of everything.
    static let maxHeaders = 1_000
    /// What a record costs beside its bytes, and each of its headers; an estimate.
    private static let overhead = 512
    private static let headerOverhead = 64
    /// How much room is kept for the next record: there may be `maxInFlight` of these.
    private static let keptBytes = 4 << 10

    private(set) var partition: Int32 = 0
    private(set) var offset: Int64 = 0
    /// Milliseconds since 1970-01-01 UTC; -1: none.
    private(set) var timestamp: Int64 = 0
    let headers = KafkaHeaderList()
    /// Whether there are more headers than are taken, or they can't be read.
    private(set) var hasTooManyHeaders = false
    private let bytes = ByteBuffer(capacity: 256)
    private var keyLength: Int?
    private var hasValue = false

    /// nil: null.
    var key: ByteView? { keyLength.map { bytes.view.prefix($0) } }
    /// nil: null, a tombstone.
    var value: ByteView? { hasValue ? bytes.view.dropFirst(keyLength ?? 0) : nil }
    /// What the record is counted as among the bytes in flight.
    private(set) var size = 0

    /// Takes a copy. Returns how many headers librdkafka had to read for it.
    func take(_ message: KafkaMessage) -> Int {
        let found = message.headers
        partition = message.partition
        offset = message.offset
        timestamp = message.timestamp
        keyLength = message.key?.count
        hasValue = message.value != nil
        bytes.removeAll()
        if let key = message.key { bytes.append(key) }
        if let value = message.value { bytes.append(value) }
        headers.removeAll()
        hasTooManyHeaders = !found.isReadable || found.count > Self.maxHeaders
        if !hasTooManyHeaders {
            for index in 0..<found.count { headers.append(name: found[index].name, value: found[index].value) }
        }
        size = bytes.count + headers.byteCount + headers.count * Self.headerOverhead + Self.overhead
        return found.count
    }

    /// Forgets the record, and the room of a large one.
    func clear() {
        bytes.removeAll(keepingAtMost: Self.keptBytes)
        headers.removeAll(keepingAtMost: Self.keptBytes)
        keyLength = nil
        hasValue = false
    }
}

@available(*, unavailable)
extension KafkaRecord: Sendable {}
