/// Spreads the connections of one port over the servers of a process: each stays with the server that accepted it, unless
/// another has fewer: then it goes to the one that has the fewest. So a few connections that stay open for long use all shards
/// alike, which the kernel's own spreading by a hash (SO_REUSEPORT, socket(7)) does not do.
///
/// Of many connections a few more or less matter little, and each that is handed over wakes a second thread: a server may have
/// an eighth more than the one with the fewest. So one that gets a connection has then at most `1 + f + f / 8`, where `f` is
/// what the server with the fewest has; while that is below 8, none has more than its even share when none has gone.
///
/// Its lock is taken when a connection comes or goes, never for a request. Any thread.
final class ConnectionBalancer: Sendable {
    private struct Seat {
        var connections = 0
        /// Accepted by another server and not taken yet; counted in `connections`.
        var arrivals: [StreamSocket] = []
        /// Whether it takes connections still.
        var isOpen = true
        /// Whether it is to be woken as soon as there is a place.
        var waitsForPlace = false
    }

    /// Where a connection belongs that a server has accepted.
    enum Place {
        /// With the server that accepted it.
        case here
        /// With another one, which has been woken.
        case elsewhere
    }

    /// A server may have more than the one with the fewest by what that one has divided by this.
    private static let tolerance = 8

    /// What each server accepts from; closed with it.
    private let sockets: [ListeningSocket]
    /// Of each server.
    let maxConnections: Int
    private let seats: LockedValue<[Seat]>
    private let wakes: [EventFD]

    /// - Parameters:
    ///   - sockets: one for each server; they belong to the balancer from here on, also where this fails.
    ///   - maxConnections: of all servers together.
    init(_ sockets: [ListeningSocket], maxConnections: Int) throws(SystemError) {
        self.sockets = sockets
        let servers = sockets.count
        self.maxConnections = max((maxConnections + servers - 1) / servers, 1)
        seats = LockedValue(Array(repeating: Seat(), count: servers))
        do throws(SystemError) {
            var wakes: [EventFD] = []
            for _ in 0..<servers { wakes.append(try EventFD()) }
            self.wakes = wakes
        } catch {
            for socket in sockets { socket.closeSocket() }
            throw error
        }
    }

    /// The port of all of them.
    var port: Int { sockets[0].port }

    /// What a server accepts from, until it is closed.
    func socket(of server: Int) -> ListeningSocket { sockets[server] }

    /// Signalled when a server has something to take, or to look for a place again.
    func wake(of server: Int) -> EventFD { wakes[server] }

    /// Whether a server has a place for one more connection; if not, `server` is woken when there may be one.
    func hasPlace(waiting server: Int) -> Bool {
        seats.withLock { seats in
            let hasPlace = seats.contains { $0.isOpen && $0.connections < maxConnections }
            seats[server].waitsForPlace = !hasPlace
            return hasPlace
        }
    }

    /// Finds the place of a connection that `server` has accepted, and counts it there. Servers that accept at the same time may
    /// exceed `maxConnections` by one each.
    func place(_ connection: StreamSocket, acceptedBy server: Int) -> Place {
        let (target, isFirst) = seats.withLock { seats in
            let target = destination(among: seats, acceptedBy: server)
            seats[target].connections += 1
            guard target != server else { return (target, false) }
            seats[target].arrivals.append(connection)
            return (target, seats[target].arrivals.count == 1)
        }
        if isFirst { wakes[target].signal() }
        return target == server ? .here : .elsewhere
    }

    private func destination(among seats: [Seat], acceptedBy server: Int) -> Int {
        var fewest = server
        for index in seats.indices where seats[index].isOpen {
            if seats[index].connections < seats[fewest].connections || !seats[fewest].isOpen { fewest = index }
        }
        // A server that is full keeps nothing that another has a place for.
        guard seats[server].isOpen, seats[server].connections < maxConnections else { return fewest }
        let most = seats[fewest].connections + seats[fewest].connections / Self.tolerance
        return seats[server].connections <= most ? server : fewest
    }

    /// What others have accepted for a server, which is its own from here on.
    func takeArrivals(of server: Int) -> [StreamSocket] {
        wakes[server].clear()
        return seats.withLock { seats in
            defer { seats[server].arrivals = [] }
            return seats[server].arrivals
        }
    }

    /// A connection of a server is over.
    func connectionEnded(of server: Int) {
        var waiting: [Int] = []
        seats.withLock { seats in
            seats[server].connections -= 1
            for index in seats.indices where seats[index].waitsForPlace {
                seats[index].waitsForPlace = false
                waiting.append(index)
            }
        }
        for index in waiting { wakes[index].signal() }
    }

    /// A server takes no more connections, and its socket is closed; those that have arrived for it it still takes. Once for each.
    func close(server: Int) {
        seats.withLock { seats in
            seats[server].isOpen = false
            seats[server].waitsForPlace = false
        }
        sockets[server].closeSocket()
    }
}
