import Synchronization

/// A file of a lane: frames one after the other, the first at `start`. A batch is never torn between two of them.
final class SpoolSegment: Sendable {
    /// The position of its first byte within the lane.
    let start: Int64
    let path: String
    /// The position behind its last whole batch. Written by the shard.
    let end: Atomic<Int64>
    /// How many events it holds. Written by the shard.
    let events = Atomic<Int>(0)
    /// Whether `events` is known: not for what an earlier run has left.
    let isCounted: Bool
    private let use = Atomic<Use>(.none)

    /// Who has hold of its end.
    private enum Use: Int, AtomicRepresentable {
        case none
        /// Its shard writes; what it writes is not published yet.
        case writing
        /// Nobody writes any more: the file is let go of, though the shard has it open.
        case letGo
    }

    init(directory: String, start: Int64, end: Int64, isCounted: Bool) {
        self.start = start
        self.path = directory + "/" + Self.name(start)
        self.end = Atomic(end)
        self.isCounted = isCounted
    }

    /// Takes hold of the end, to write. False: it was let go of. For its shard.
    func beginUse() -> Bool { change(.none, to: .writing) }
    /// After what was written is published, or taken back; nothing happens where it was not in use.
    func endUse() { _ = change(.writing, to: .none) }
    /// Keeps the shard from writing any more; false where it is at it. From any thread.
    func letGo() -> Bool { change(.none, to: .letGo) }
    /// Takes that back, at once.
    func takeBack() { _ = change(.letGo, to: .none) }

    private func change(_ expected: Use, to desired: Use) -> Bool {
        use.compareExchange(expected: expected, desired: desired, ordering: .acquiringAndReleasing).exchanged
    }

    /// Twenty digits, so that the names stand in the order of the positions.
    static func name(_ start: Int64) -> String {
        let digits = String(start)
        return String(repeating: "0", count: 20 - digits.count) + digits + suffix
    }

    static let suffix = ".events"

    /// No position is further: what comes after it can be added without a thought of overflow. 4 EiB, so nobody gets there.
    static let maxPosition: Int64 = 1 << 62

    /// The position that a file's name tells; nil: it is no segment's.
    static func start(ofName name: String) -> Int64? {
        guard name.utf8.count == 20 + suffix.utf8.count, name.hasSuffix(suffix) else { return nil }
        guard let start = Int64(name.prefix(20)), start >= 0, start <= maxPosition else { return nil }
        return start
    }
}
