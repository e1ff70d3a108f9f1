/// The connections without a call, the one that became idle last at the end: that is used next, so that the others may grow
/// old. All take constant time: a Model Service that restarts ends thousands at once.
struct IdleConnections {
    private(set) var first: DirectConnection?
    private(set) var last: DirectConnection?
    private(set) var count = 0

    /// The neighbours of a connection. Not retained beyond the list: a connection that is closed has left it.
    struct Place {
        unowned(unsafe) var previous: DirectConnection?
        var next: DirectConnection?
        var isLinked = false
    }

    mutating func append(_ connection: DirectConnection) {
        connection.place = Place(previous: last, next: nil, isLinked: true)
        if let last { last.place.next = connection } else { first = connection }
        last = connection
        count += 1
    }

    mutating func popLast() -> DirectConnection? {
        guard let connection = last else { return nil }
        remove(connection)
        return connection
    }

    /// Takes a connection out, if it is in.
    mutating func remove(_ connection: DirectConnection) {
        let place = connection.place
        guard place.isLinked else { return }
        connection.place = Place()
        if let previous = place.previous { previous.place.next = place.next } else { first = place.next }
        if let next = place.next { next.place.previous = place.previous } else { last = place.previous }
        count -= 1
    }
}
