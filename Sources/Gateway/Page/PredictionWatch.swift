import Synchronization

/// The last Predictions, for the page at `/ui`: collected only while somebody asks for them. Shared by all shards.
///
/// Events of requests that the page itself made are kept apart, so that the others do not push them out.
final class PredictionWatch: Sendable {
    /// How the ids of the requests begin that the page makes.
    static let ownRequests: StaticString = "ui-"
    /// For how long after a question events are collected.
    static let attention: Int64 = 10_000_000_000

    /// Monotonic nanoseconds; 0: nobody is watching.
    private let lastAsked = Atomic<Int64>(0)
    private let rings = LockedValue(Rings())

    private struct Rings {
        var others = EventRing(maxCount: 400, maxBytes: 1 << 20)
        var own = EventRing(maxCount: 64, maxBytes: 256 << 10)
        /// The number of the newest event; numbers are never used twice.
        var newest = 0
        /// How many events there were, kept or not, while somebody watched.
        var seen = 0
    }

    /// Events of one batch, encoded as the page gets them.
    struct Selection {
        var others: [[UInt8]] = []
        var own: [[UInt8]] = []
        /// Those of the batch that were not chosen included.
        var seen = 0
    }

    /// Whether events are wanted. One relaxed load while nobody watches.
    func isWatched() -> Bool {
        let asked = lastAsked.load(ordering: .relaxed)
        if asked == 0 { return false }
        if Clock.monotonic() - asked < Self.attention { return true }
        // Whoever comes later starts with what is new then.
        if lastAsked.compareExchange(expected: asked, desired: 0, ordering: .relaxed).exchanged {
            rings.withLock {
                $0.others.removeAll()
                $0.own.removeAll()
            }
        }
        return false
    }

    func keep(_ selection: Selection) {
        rings.withLock {
            $0.seen += selection.seen
            for bytes in selection.others {
                $0.newest += 1
                $0.others.append(number: $0.newest, bytes)
            }
            for bytes in selection.own {
                $0.newest += 1
                $0.own.append(number: $0.newest, bytes)
            }
        }
    }

    /// Answers with the events after this number in order, and has the shards collect for a while.
    func write(after: Int, to body: ByteBuffer) {
        lastAsked.store(Clock.monotonic(), ordering: .relaxed)
        // Only references are copied under the lock.
        let (events, newest, seen) = rings.withLock {
            ($0.others.entries(after: after) + $0.own.entries(after: after), $0.newest, $0.seen)
        }
        body.append("{\"newest\":")
        body.append(decimal: newest)
        body.append(",\"seen\":")
        body.append(decimal: seen)
        body.append(",\"predictions\":[")
        for (index, event) in events.sorted(by: { $0.number < $1.number }).enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body.append(contentsOf: event.bytes)
        }
        body.append("]}")
    }
}

/// The newest events, bounded in number and in bytes.
struct EventRing {
    struct Entry {
        var number: Int
        var bytes: [UInt8]
    }

    let maxCount: Int
    let maxBytes: Int
    private(set) var entries: [Entry] = []
    private(set) var bytes = 0

    init(maxCount: Int, maxBytes: Int) {
        self.maxCount = maxCount
        self.maxBytes = maxBytes
    }

    mutating func append(number: Int, _ event: [UInt8]) {
        entries.append(Entry(number: number, bytes: event))
        bytes += event.count
        while entries.count > maxCount || bytes > maxBytes { bytes -= entries.removeFirst().bytes.count }
    }

    func entries(after number: Int) -> [Entry] { entries.filter { $0.number > number } }

    mutating func removeAll() {
        entries = []
        bytes = 0
    }
}
