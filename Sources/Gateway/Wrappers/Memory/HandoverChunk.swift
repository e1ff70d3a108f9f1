private import Glibc
import Synchronization

/// Bytes that one thread appends and another reads at the same time, without a lock.
///
/// What has been published never changes until both are done with the chunk, so the reader needs no copy.
// Sendable: the writer touches only what lies past the published length, the reader only what lies before it.
final class HandoverChunk: @unchecked Sendable {
    struct Contents: Equatable {
        var bytes = 0
        var events = 0
    }

    /// As much as the published length can tell.
    static let maxCapacity = Int(UInt32.max)

    private let base: UnsafeMutablePointer<UInt8>
    let capacity: Int
    /// Length in the upper half, number of events in the lower: one word, so that the reader sees both of one moment.
    private let published = Atomic<UInt64>(0)

    init(capacity: Int) {
        precondition(capacity > 0 && capacity <= Self.maxCapacity)
        guard let memory = malloc(capacity) else { fatalError("out of memory") }
        self.base = memory.assumingMemoryBound(to: UInt8.self)
        self.capacity = capacity
    }

    deinit { free(base) }

    /// What can be read. For both threads.
    var contents: Contents {
        let word = published.load(ordering: .sequentiallyConsistent)
        return Contents(bytes: Int(word >> 32), events: Int(word & 0xffff_ffff))
    }

    /// Appends and publishes, or returns false where there is no room. For the writer.
    func append(_ view: ByteView, events: Int) -> Bool {
        // Only this thread writes it.
        let word = published.load(ordering: .relaxed)
        let length = Int(word >> 32)
        guard view.count <= capacity - length else { return false }
        if let source = view.base { memcpy(base + length, source, view.count) }
        // Sequentially consistent, for the writer goes on to ask whether the reader sleeps (see `ReportQueue`).
        published.store(word + UInt64(view.count) << 32 + UInt64(events), ordering: .sequentiallyConsistent)
        return true
    }

    /// Published bytes, valid until the chunk is emptied. For the reader.
    subscript(range: Range<Int>) -> ByteView {
        precondition(range.lowerBound >= 0 && range.upperBound <= contents.bytes, "byte range out of range")
        return ByteView(base: base + range.lowerBound, count: range.count)
    }

    /// Makes the chunk as new. For whoever is the only one to hold it.
    func removeAll() { published.store(0, ordering: .relaxed) }
}
