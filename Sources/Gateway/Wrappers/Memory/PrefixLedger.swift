/// Things that begin in order and end in any order, and how far they have all ended.
///
/// For positions of which only a gapless beginning may be told on: offsets of a partition, places in the spool.
struct PrefixLedger {
    private struct Entry {
        var position: Int64
        var hasEnded = false
    }

    /// A ring; its size is a power of two.
    private var entries = [Entry](repeating: Entry(position: 0), count: 16)
    /// The tickets of the first entry that has not ended, and of the next one to begin.
    private var first = 0
    private var next = 0

    /// The position of the last entry up to which all have ended; nil: the first one has not.
    private(set) var position: Int64?

    /// How many are between the first that has not ended and the last that has begun.
    var count: Int { next - first }

    /// Enters a position, larger than those before, and returns the ticket by which it ends.
    mutating func begin(_ position: Int64) -> Int {
        if count == entries.count { grow() }
        entries[next & (entries.count - 1)] = Entry(position: position)
        next += 1
        return next - 1
    }

    /// Ends an entry. Whether `position` has moved.
    @discardableResult
    mutating func end(_ ticket: Int) -> Bool {
        precondition(ticket >= first && ticket < next, "an entry ends once, after it has begun")
        let mask = entries.count - 1
        entries[ticket & mask].hasEnded = true
        guard ticket == first else { return false }
        while first < next, entries[first & mask].hasEnded {
            position = entries[first & mask].position
            first += 1
        }
        return true
    }

    private mutating func grow() {
        var larger = [Entry](repeating: Entry(position: 0), count: entries.count * 2)
        for ticket in first..<next { larger[ticket & (larger.count - 1)] = entries[ticket & (entries.count - 1)] }
        entries = larger
    }
}
