/// One partition for as long as it is assigned: what was taken from it, and up to where all of that is done.
///
/// A partition that comes back is a new object: what ends late belongs to the old one and stores nothing.
final class PartitionProgress {
    let topic: String
    let partition: Int32
    /// Differs between any two assignments of this shard.
    let assignment: Int

    /// The group takes the partition away: nothing more of it is begun.
    private(set) var isLeaving = false
    /// The partition is gone.
    private(set) var isGone = false
    /// Requests that have begun, and have neither ended nor been dropped.
    private(set) var openCount = 0

    private var ledger = PrefixLedger()
    private var firstOffset: Int64?
    /// Of what came last.
    private var lastOffset: Int64?
    private var storedOffset: Int64?

    init(topic: String, partition: Int32, assignment: Int) {
        self.topic = topic
        self.partition = partition
        self.assignment = assignment
    }

    /// Notes a record that came; the ticket is for its end.
    func begin(_ offset: Int64) -> Int {
        openCount += 1
        if firstOffset == nil { firstOffset = offset }
        lastOffset = offset
        return ledger.begin(offset)
    }

    /// Notes that nothing more comes before this offset: what is there beside records is done when all of them are.
    func reachEnd(_ offset: Int64) {
        guard offset > (lastOffset ?? -1) + 1 else { return }
        if firstOffset == nil { firstOffset = offset }
        lastOffset = offset - 1
        ledger.end(ledger.begin(offset - 1))
    }

    /// Notes that all of a record is done: the answer is at the broker.
    func end(_ ticket: Int) {
        openCount -= 1
        ledger.end(ticket)
    }

    /// A record is left to the partition's next owner: no offset after it will ever be stored here.
    func drop() { openCount -= 1 }

    func beginLeaving() { isLeaving = true }

    func leave() {
        isLeaving = true
        isGone = true
    }

    /// The next record to be read by whoever reads on, where that has not been stored.
    var offsetToStore: Int64? {
        guard !isGone, let position = ledger.position, position + 1 != storedOffset else { return nil }
        return position + 1
    }

    /// Notes that this offset is stored.
    func noteStored(_ offset: Int64) { storedOffset = offset }

    /// How many records are not done, the partition's end being `high`. Nothing taken yet: none, as far as is known.
    func lag(high: Int64) -> Int64 {
        guard let done = ledger.position.map({ $0 + 1 }) ?? firstOffset else { return 0 }
        return max(high - done, 0)
    }
}

@available(*, unavailable)
extension PartitionProgress: Sendable {}
