/// An HTTP/1.1 server on its owner's loop: libmicrohttpd waits and sends, and what clients send is read here, strictly and
/// within bounds of length and time. One per shard; confined to its thread.
final class HTTPServer {
    /// Bytes a second.
    private static let minProgress = 1 << 10
    /// How long a refused client may take to notice.
    private static let leavingTime: Duration = .seconds(10)
    /// When there is no place for another connection, one that has waited for nothing for so long makes way.
    private static let makesWayAfter: Int64 = 1_000_000_000
    /// Answers so short are in the socket's buffer at once.
    private static let watchedAnswerBytes = 64 << 10

    // Not counted, since it is asked several times per request: the delegate owns the server.
    unowned(unsafe) let delegate: any HTTPServerDelegate
    let options: Options
    private let epoll: Epoll
    private let tokenKind: UInt8
    private var daemon: HTTPDaemon!
    private var acceptor: Acceptor!
    private(set) var clients: [ServerClient] = []
    private var freeClients: [ServerClient] = []
    var spareInboxes: [RequestInbox] = []
    /// Those whose request was started in this run after they had left, of which epoll tells no more.
    private var leftBefore: [ServerClient] = []
    /// For the answers to what is refused, and for what is thrown away.
    let scratch = ByteBuffer(capacity: 1024)

    private let idle: ClientQueue
    let heads: ClientQueue
    let bodies: ClientQueue
    private let answers: ClientQueue
    let leaving: ClientQueue
    /// A connection has been told to make way, and is not closed yet.
    private var hasMadeWay = false
    private let maxConnections: Int
    /// libmicrohttpd has taken the connection that it was given last.
    private var isOpened = false
    /// Nanoseconds of the monotonic clock, as of the turn at hand.
    var now = Clock.monotonic()

    /// What the values of the tokens in its events mean that are no client's index.
    private enum TokenValue {
        static let daemon: Int32 = -1
        static let listener: Int32 = -2
        static let wake: Int32 = -3
    }

    /// Starts to serve.
    ///
    /// - Parameters:
    ///   - connections: where its clients come from; `place`: its own place there.
    ///   - epoll: of the loop.
    ///   - tokenKind: of the events that are for `ready`.
    init(
        _ connections: ConnectionBalancer,
        place: Int = 0,
        options: Options,
        delegate: any HTTPServerDelegate,
        epoll: Epoll,
        tokenKind: UInt8,
        log: @escaping (String) -> Void
    ) throws(SystemError) {
        self.delegate = delegate
        self.options = options
        self.epoll = epoll
        self.tokenKind = tokenKind
        idle = ClientQueue(timeout: options.idleTimeout)
        heads = ClientQueue(timeout: options.headTimeout)
        bodies = ClientQueue(timeout: options.bodyTimeout)
        answers = ClientQueue(timeout: options.bodyTimeout)
        leaving = ClientQueue(timeout: Self.leavingTime)
        maxConnections = connections.maxConnections
        // The balancer keeps the limit. It may be passed by one for each server, and libmicrohttpd counts for a while on what is
        // closed.
        let daemonOptions = HTTPDaemon.Options(maxConnections: 2 * maxConnections + 64)
        daemon = try HTTPDaemon(options: daemonOptions, delegate: self, log: log)
        do throws(SystemError) {
            try epoll.add(daemon.pollDescriptor, .input, token: token(TokenValue.daemon))
            acceptor = try Acceptor(
                connections,
                server: place,
                epoll: epoll,
                token: token(TokenValue.listener),
                wakeToken: token(TokenValue.wake)
            ) { [unowned self] in adopt($0) }
        } catch {
            daemon.stop()
            throw error
        }
    }

    private func token(_ value: Int32) -> Epoll.Token { Epoll.Token(kind: tokenKind, value: value) }

    // MARK: The loop

    /// An event of the loop's epoll is the server's. `run` follows in the same turn.
    func ready(_ event: Epoll.Event) {
        switch event.token.value {
        case TokenValue.daemon: break
        case TokenValue.listener:
            now = Clock.monotonic()
            acceptor.connectionWaits(now: now)
        case TokenValue.wake:
            now = Clock.monotonic()
            acceptor.woken(now: now)
        default: clientChanged(event.token)
        }
    }

    /// Reads, calls the delegate, writes: whatever can be done without waiting.
    ///
    /// - Parameter isIdle: nothing has happened in the loop since the last run: what waits is better suspended.
    func run(isIdle: Bool = false) {
        daemon.run(isIdle: isIdle)
        for client in leftBefore where client.state == .handedOver && client.isStarted && client.peerHasClosed {
            delegate.clientLeft(client.request)
        }
        leftBefore.removeAll(keepingCapacity: true)
    }

    private func adopt(_ connection: StreamSocket) {
        isOpened = false
        daemon.add(connection)
        // Of one that libmicrohttpd has no memory for, it tells nobody.
        if !isOpened { acceptor.connectionEnded() }
    }

    /// When `expire` or `run` has something to do next; nanoseconds of the monotonic clock, `.max`: when the descriptors tell.
    var nextDeadline: Int64 {
        // Of more than three, `min` would make an array.
        var deadline = min(idle.nextDeadline, heads.nextDeadline, bodies.nextDeadline)
        deadline = min(deadline, answers.nextDeadline, leaving.nextDeadline)
        deadline = min(deadline, acceptor.nextDeadline)
        if let way = nextWay { deadline = min(deadline, way.time) }
        // From the turn at hand on, which saves asking for the time.
        if let wait = daemon.timeoutMilliseconds {
            deadline = min(deadline, wait == 0 ? 0 : now + Int64(wait) * 1_000_000)
        }
        return deadline
    }

    /// Ends what has taken too long. Once a turn.
    func expire(now: Int64) {
        self.now = now
        acceptor.expire(now: now)
        // Closing them is libmicrohttpd's: its next run finds the sockets ended.
        while let client = idle.first, client.deadline <= now { end(client) }
        if let way = nextWay, way.time <= now {
            hasMadeWay = true
            end(way.client)
        }
        while let client = heads.first, client.deadline <= now {
            // Of one that has sent nothing, nobody waits for an answer.
            if client.state == .idle {
                end(client)
            } else {
                refuse(client, .headTooSlow)
            }
        }
        while let client = bodies.first, client.deadline <= now {
            // Who waits for the Model Service is not too slow: that one's time runs.
            guard client.isBlocked || !hasProgressed(client, to: client.receivedBytes) else {
                bodies.enter(client, now: now)
                continue
            }
            refuse(client, .bodyTooSlow)
        }
        while let client = answers.first, client.deadline <= now {
            let acknowledged = Int(clamping: client.socket.acknowledgedBytes ?? 0)
            if !delegate.waitsForClient(client.request) || hasProgressed(client, to: acknowledged) {
                answers.enter(client, now: now)
            } else {
                end(client)
            }
        }
        while let client = leaving.first, client.deadline <= now { end(client) }
    }

    /// Whether at least the slowest rate allowed was kept since the time at hand began.
    private func hasProgressed(_ client: ServerClient, to amount: Int) -> Bool {
        defer { client.progressBefore = amount }
        let seconds = max(bodies.timeout / 1_000_000_000, 1)
        return amount - client.progressBefore >= Self.minProgress * Int(clamping: min(seconds, 1 << 32))
    }

    /// Which connection must make way for others, and when; nil: there is a place, or none that may be taken away. Of those that
    /// have sent no head, are kept open, or were refused, it is the one that has been so the longest: so clients that hold
    /// places without using them cannot shut all others out.
    private var nextWay: (time: Int64, client: ServerClient)? {
        guard clients.count - freeClients.count >= maxConnections, !hasMadeWay else { return nil }
        var next: (time: Int64, client: ServerClient)?
        func consider(_ queue: ClientQueue) {
            guard let client = queue.first else { return }
            let time = client.deadline - queue.timeout + min(Self.makesWayAfter, queue.timeout)
            if next.map({ time < $0.time }) ?? true { next = (time, client) }
        }
        consider(heads)
        consider(idle)
        consider(leaving)
        return next
    }

    private func end(_ client: ServerClient) {
        ClientQueue.leave(client)
        client.socket.end()
    }

    /// epoll reports something about a client's socket: the client has left, or has ended its sending.
    private func clientChanged(_ token: Epoll.Token) {
        let index = Int(token.value)
        guard index < clients.count, clients[index].generation & 0xFF_FFFF == token.generation else { return }
        let client = clients[index]
        client.peerHasClosed = true
        switch client.state {
        case .handedOver: if client.isStarted { delegate.clientLeft(client.request) }
        // A read that has taken all there was may have left the end of it, which libmicrohttpd is told of once only.
        case .idle, .head, .body, .leaving: client.connection?.readAgain()
        case .whole, .closed: break
        }
    }

    /// A started request gets an answer of so many bytes: it is watched whether its client reads it.
    func watchAnswer(client index: Int, bytes: Int) {
        let client = clients[index]
        guard bytes > Self.watchedAnswerBytes, client.state == .handedOver else { return }
        client.progressBefore = Int(clamping: client.socket.acknowledgedBytes ?? 0)
        answers.enter(client, now: now)
    }

    /// Sends bytes of the answer of a started request before libmicrohttpd does; how many the socket took. Of a broken connection
    /// epoll tells.
    func write(client index: Int, _ bytes: ByteView) -> Int {
        let client = clients[index]
        guard client.state == .handedOver, case .bytes(let count) = client.socket.write(bytes, .empty) else { return 0 }
        return count
    }

    /// Accepts no more connections; those that are open are served on.
    func stopAccepting() { acceptor.close() }

    /// Closes everything. Each suspended request must have been resumed.
    func stop() {
        acceptor.close()
        daemon.stop()
    }

    /// Frees what a burst has left behind, all but the inboxes that are in use; how many bytes.
    func trim() -> Int {
        defer { spareInboxes.removeAll() }
        return spareInboxes.reduce(0) { $0 + $1.bytes.capacity }
    }

    /// What libmicrohttpd takes for a connection.
    static var connectionBytes: Int { HTTPDaemon.connectionBytes }
}

@available(*, unavailable)
extension HTTPServer: Sendable {}

// MARK: - From libmicrohttpd

extension HTTPServer: HTTPDaemonDelegate {
    func connectionOpened(_ connection: DaemonConnection) -> Int {
        isOpened = true
        let client: ServerClient
        if let free = freeClients.popLast() {
            client = free
        } else {
            client = ServerClient(index: clients.count)
            clients.append(client)
        }
        client.connection = connection
        client.socket = connection.socket
        client.state = .idle
        client.endRequest()
        client.mayHaveMore = false
        client.peerHasClosed = false
        heads.enter(client, now: now)
        delegate.clientsChanged(by: 1)
        // libmicrohttpd does not look at the socket of a suspended request. Edge-triggered, this costs one system call per
        // connection and none per request; closing the socket ends it.
        let token = Epoll.Token(kind: tokenKind, generation: client.generation, value: Int32(client.index))
        do throws(SystemError) {
            try epoll.add(client.socket.descriptor, [.peerClosed, .edgeTriggered], token: token)
        } catch {
            // Nobody would hear that the client leaves.
            client.socket.end()
        }
        return client.index + 1
    }

    func connectionClosed(context: Int) {
        let client = clients[context - 1]
        ClientQueue.leave(client)
        if client.request != 0 { delegate.requestAbandoned(client.request) }
        client.endRequest()
        client.connection = nil
        client.state = .closed
        client.generation &+= 1
        hasMadeWay = false
        giveBackInbox(of: client)
        freeClients.append(client)
        acceptor.connectionEnded()
        delegate.clientsChanged(by: -1)
    }

    func receive(context: Int) -> HTTPDaemon.Received {
        let client = clients[context - 1]
        switch client.state {
        case .idle, .head, .body: return read(client)
        case .whole:
            client.state = .handedOver
            return .request(client.standIn)
        case .leaving: return discard(client)
        case .handedOver:
            // Not asked for while a request is with it; should it do so, it is told again afterwards.
            client.mayHaveMore = true
            return .nothing
        case .closed: return .failed
        }
    }

    func readsOn(context: Int) -> Bool {
        switch clients[context - 1].state {
        case .idle, .head, .body, .whole, .leaving: true
        case .handedOver, .closed: false
        }
    }

    func requestStarted(_ request: HTTPRequest) -> Int {
        let client = clients[request.connectionContext - 1]
        // Whatever libmicrohttpd has read that did not come from `receive` is no request.
        guard client.state == .handedOver, client.request != 0, !client.isStarted else { return 0 }
        client.isStarted = true
        if client.peerHasClosed { leftBefore.append(client) }
        delegate.requestStarted(client.request, request)
        return client.index + 1
    }

    func requestReady(context: Int, mayWait: Bool) -> HTTPDaemon.Step {
        delegate.requestReady(clients[context - 1].request, mayWait: mayWait)
    }

    var waitingCount: Int { delegate.waitingCount }
    var streamingCount: Int { delegate.streamingCount }

    func sendLent(context: Int, upTo length: Int) -> StreamSocket.Written? {
        let client = clients[context - 1]
        guard client.state == .handedOver, client.isStarted else { return nil }
        return delegate.sendLent(client.request, upTo: length, to: client.socket)
    }

    func requestCompleted(context: Int) {
        let client = clients[context - 1]
        let word = client.request
        client.endRequest()
        client.state = .idle
        idle.enter(client, now: now)
        delegate.requestCompleted(word)
        if client.mayHaveMore || client.peerHasClosed { client.connection?.readAgain() }
        client.mayHaveMore = false
    }
}
