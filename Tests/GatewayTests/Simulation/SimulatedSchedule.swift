/// What is to happen, by time; what is due at one time, in the order in which it was added.
struct SimulatedSchedule<Action> {
    private struct Entry {
        let time: Int64
        let order: Int
        let action: Action

        func comesBefore(_ other: Entry) -> Bool { time == other.time ? order < other.order : time < other.time }
    }

    /// A binary heap.
    private var entries: [Entry] = []
    private var added = 0

    var nextTime: Int64? { entries.first?.time }

    mutating func add(at time: Int64, _ action: Action) {
        added += 1
        entries.append(Entry(time: time, order: added, action: action))
        var child = entries.count - 1
        while child > 0, entries[child].comesBefore(entries[(child - 1) / 2]) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    /// The next thing that is due by then.
    mutating func take(dueBy now: Int64) -> Action? {
        guard let first = entries.first, first.time <= now else { return nil }
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
                if entries[child].comesBefore(entries[least]) { least = child }
            }
            if least == parent { return first.action }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
