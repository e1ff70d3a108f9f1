/// The connections without a call, the one that became idle last at the end: that is used next, so that the others may grow
/// old. All take constant time: a Model Service that restarts ends thousands at once.
struct IdleConnections: ~Copyable {
    // Each is retained once, as it comes in, until it goes.
    private var head: Link<DirectConnection>?
    private var tail: Link<DirectConnection>?
    private(set) var count = 0

    /// The neighbours of a connection.
    struct Place {
        fileprivate var previous: Link<DirectConnection>?
        fileprivate var next: Link<DirectConnection>?
        fileprivate(set) var isLinked = false
    }

    deinit {
        var place = head
        while let connection = place {
            place = connection.use { $0.place.next }
            _ = connection.letGo()
        }
    }

    /// Since when the first has been idle, and the last; nil: there is none.
    var oldest: Int64? { head?.use { $0.idleSince } }
    var youngest: Int64? { tail?.use { $0.idleSince } }

    mutating func append(_ connection: DirectConnection) {
        let entry = Link.holding(connection)
        connection.place = Place(previous: tail, next: nil, isLinked: true)
        if let tail { tail.use { $0.place.next = entry } } else { head = entry }
        tail = entry
        count += 1
    }

    mutating func popFirst() -> DirectConnection? { pop(head) }
    mutating func popLast() -> DirectConnection? { pop(tail) }

    private mutating func pop(_ entry: Link<DirectConnection>?) -> DirectConnection? {
        guard let entry else { return nil }
        entry.use { unlink($0) }
        return entry.letGo()
    }

    /// Takes a connection out, if it is in.
    mutating func remove(_ connection: DirectConnection) {
        guard connection.place.isLinked else { return }
        unlink(connection)
        _ = Link(connection).letGo()
    }

    private mutating func unlink(_ connection: DirectConnection) {
        let place = connection.place
        connection.place = Place()
        if let previous = place.previous {
            previous.use { $0.place.next = place.next }
        } else {
            head = place.next
        }
        if let next = place.next {
            next.use { $0.place.previous = place.previous }
        } else {
            tail = place.previous
        }
        count -= 1
    }
}
