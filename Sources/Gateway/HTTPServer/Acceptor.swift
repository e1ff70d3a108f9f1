/// Brings a server its connections: those that it accepts itself and those that others have accepted for it. Confined to the
/// server's thread.
final class Acceptor {
    private enum State {
        case listening
        /// There is no place for a connection; the balancer tells when there may be one.
        case full
        /// The system has no room for one, and nobody tells when it has: it is tried again then.
        case exhausted(until: Int64)
        case closed
    }

    /// Others have their turn after so many.
    private static let maxPerTurn = 64
    /// Nanoseconds.
    private static let exhaustedTime: Int64 = 100_000_000

    private let balancer: ConnectionBalancer
    private let server: Int
    private let epoll: Epoll
    /// Of the events of the listening socket.
    private let token: Epoll.Token
    /// Adds a connection to the server, or closes it where that fails.
    private let adopt: (StreamSocket) -> Void
    private let socket: ListeningSocket
    private var state = State.full
    /// How many are accepted in a turn: twice as many as before as long as all of them are there, else one, so that a call that
    /// finds nothing is rare.
    private var perTurn = 1

    /// Begins to accept.
    ///
    /// - Parameters:
    ///   - server: Its place with the balancer.
    ///   - token: of the events that are for `connectionWaits`.
    ///   - wakeToken: of those that are for `woken`.
    init(
        _ balancer: ConnectionBalancer,
        server: Int,
        epoll: Epoll,
        token: Epoll.Token,
        wakeToken: Epoll.Token,
        adopt: @escaping (StreamSocket) -> Void
    ) throws(SystemError) {
        self.balancer = balancer
        socket = balancer.socket(of: server)
        self.server = server
        self.epoll = epoll
        self.token = token
        self.adopt = adopt
        try epoll.add(balancer.wake(of: server).descriptor, .input, token: wakeToken)
        try listen()
    }

    /// When it is tried again to accept; `.max`: that is not waited for.
    var nextDeadline: Int64 {
        if case .exhausted(let time) = state { time } else { .max }
    }

    /// The balancer has signalled: a connection has arrived from elsewhere, or there may be a place for one.
    func woken(now: Int64) {
        takeArrivals()
        if case .full = state { resume(now: now) }
    }

    /// A connection waits to be accepted.
    func connectionWaits(now: Int64) {
        guard case .listening = state else { return }
        for _ in 0..<perTurn {
            guard balancer.hasPlace(waiting: server) else { return pause(.full) }
            switch StreamSocket.accept(from: socket, sendsAtOnce: false) {
            case .socket(let connection): place(connection)
            case .nothingYet:
                perTurn = 1
                return
            case .exhausted: return pause(.exhausted(until: now + Self.exhaustedTime))
            }
        }
        perTurn = min(2 * perTurn, Self.maxPerTurn)
    }

    func expire(now: Int64) {
        if case .exhausted(let time) = state, time <= now { resume(now: now) }
    }

    /// A connection that was adopted is over.
    func connectionEnded() { balancer.connectionEnded(of: server) }

    /// Takes what waits, and nothing from then on.
    func close() {
        if case .closed = state { return }
        // The kernel has completed them: their clients believe that they are served. Of more than it holds, some came later.
        for _ in 0..<ListeningSocket.backlog {
            guard balancer.hasPlace(waiting: server), take() else { break }
        }
        epoll.remove(socket.descriptor)
        epoll.remove(balancer.wake(of: server).descriptor)
        state = .closed
        balancer.close(server: server)
        takeArrivals()
    }

    private func takeArrivals() {
        for connection in balancer.takeArrivals(of: server) { adopt(connection) }
    }

    private func listen() throws(SystemError) {
        try epoll.add(socket.descriptor, .input, token: token)
        state = .listening
    }

    private func resume(now: Int64) {
        guard balancer.hasPlace(waiting: server) else {
            state = .full
            return
        }
        do throws(SystemError) { try listen() } catch { state = .exhausted(until: now + Self.exhaustedTime) }
    }

    /// Takes one; false: none waits, or none can be taken.
    private func take() -> Bool {
        guard case .socket(let connection) = StreamSocket.accept(from: socket, sendsAtOnce: false) else {
            return false
        }
        place(connection)
        return true
    }

    private func place(_ connection: StreamSocket) {
        switch balancer.place(connection, acceptedBy: server) {
        case .here: adopt(connection)
        case .elsewhere: break
        }
    }

    /// Else epoll would report the socket without end.
    private func pause(_ state: State) {
        epoll.remove(socket.descriptor)
        self.state = state
    }
}

@available(*, unavailable)
extension Acceptor: Sendable {}
