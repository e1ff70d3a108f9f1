/// An HTTP/1.1 server on its owner's loop: libmicrohttpd accepts, waits and sends, and what clients send is read here, strictly
/// and within bounds of length and time. One per shard; confined to its thread.
final class HTTPServer {
    /// Bytes a second.
    private static let minProgress = 1 << 10
    /// How long a refused client may take to notice.
    private static let leavingTime: Duration = .seconds(10)
    /// How much of what a refused client goes on to send is thrown away, beyond the length of a body.
    private static let patience = 1 << 20
    /// One read, of a head or a small body, and of a large one.
    private static let readBytes = 16 << 10
    private static let largeReadBytes = 256 << 10
    /// After so much the other connections have their turn.
    private static let bytesPerTurn = 1 << 20
    /// When there is no place for another connection, one that has waited for nothing for so long makes way.
    private static let makesWayAfter: Int64 = 1_000_000_000
    /// Answers so short are in the socket's buffer at once.
    private static let watchedAnswerBytes = 64 << 10

    // Not counted, since it is asked several times per request: the delegate owns the server.
    private unowned(unsafe) let delegate: any HTTPServerDelegate
    private let options: Options
    private let epoll: Epoll?
    private let tokenKind: UInt8
    private var daemon: HTTPDaemon!
    private var clients: [ServerClient] = []
    private var freeClients: [ServerClient] = []
    private var spareInboxes: [RequestInbox] = []
    /// Those whose request was started in this run after they had left, of which epoll tells no more.
    private var leftBefore: [ServerClient] = []
    /// For the answers to what is refused, and for what is thrown away.
    private let scratch = ByteBuffer(capacity: 1024)

    private let idle: ClientQueue
    private let heads: ClientQueue
    private let bodies: ClientQueue
    private let answers: ClientQueue
    private let leaving: ClientQueue
    /// A connection has been told to make way, and is not closed yet.
    private var hasMadeWay = false
    /// A place was taken that is free now: libmicrohttpd looks for who waits for it in its next run only.
    private var hasFreedPlace = false
    /// Nanoseconds of the monotonic clock, as of the turn at hand.
    private var now = Clock.monotonic()

    /// Starts to serve on a socket, which it owns from here on, also where it fails.
    ///
    /// - Parameters:
    ///   - epoll: told of clients that leave while their request is handed over; nil: nobody needs to know.
    ///   - tokenKind: of the events that are for `clientChanged`.
    init(
        socket: ListeningSocket,
        options: Options,
        delegate: any HTTPServerDelegate,
        epoll: Epoll? = nil,
        tokenKind: UInt8 = 0,
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
        daemon = try HTTPDaemon(
            socket: socket,
            options: HTTPDaemon.Options(maxConnections: options.maxConnections),
            delegate: self,
            log: log
        )
    }

    // MARK: The loop

    /// Readable when `run` has something to do.
    var pollDescriptor: Int32 { daemon.pollDescriptor }

    /// Accepts, reads, calls the delegate, writes: whatever can be done without waiting.
    ///
    /// - Parameter isIdle: nothing has happened in the loop since the last run: what waits is better suspended.
    func run(isIdle: Bool = false) {
        hasFreedPlace = false
        daemon.run(isIdle: isIdle)
        for client in leftBefore where client.state == .handedOver && client.isStarted && client.peerHasClosed {
            delegate.clientLeft(client.request)
        }
        leftBefore.removeAll(keepingCapacity: true)
    }

    /// How long the loop may wait before it must call `run`; nil: until the descriptor is readable.
    var timeoutMilliseconds: Int? { hasFreedPlace ? 0 : daemon.timeoutMilliseconds }

    /// When `expire` has something to do next.
    var nextDeadline: Int64? {
        // Of more than three, `min` would make an array.
        var deadline = min(idle.nextDeadline, heads.nextDeadline, bodies.nextDeadline)
        deadline = min(deadline, answers.nextDeadline, leaving.nextDeadline)
        if let way = nextWay { deadline = min(deadline, way.time) }
        return deadline == .max ? nil : deadline
    }

    /// Ends what has taken too long. Once a turn.
    func expire(now: Int64) {
        self.now = now
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
            guard !hasProgressed(client, to: client.body?.count ?? 0) else {
                bodies.enter(client, now: now)
                continue
            }
            refuse(client, .bodyTooSlow)
        }
        while let client = answers.first, client.deadline <= now {
            if hasProgressed(client, to: Int(clamping: client.socket.acknowledgedBytes ?? 0)) {
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
        guard clients.count - freeClients.count >= options.maxConnections, !hasMadeWay else { return nil }
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
    func clientChanged(_ token: Epoll.Token) {
        let index = Int(token.value)
        guard index < clients.count, clients[index].generation & 0xFF_FFFF == token.generation else { return }
        let client = clients[index]
        client.peerHasClosed = true
        switch client.state {
        case .handedOver: if client.isStarted { delegate.clientLeft(client.request) }
        // A read that has taken all there was may have left the end of it, which libmicrohttpd is told of once only.
        case .idle, .head, .body, .leaving: client.connection?.readAgain()
        case .closed: break
        }
    }

    /// A started request gets an answer of so many bytes: it is watched whether its client reads it.
    func watchAnswer(client index: Int, bytes: Int) {
        let client = clients[index]
        guard bytes > Self.watchedAnswerBytes, client.state == .handedOver else { return }
        client.progressBefore = Int(clamping: client.socket.acknowledgedBytes ?? 0)
        answers.enter(client, now: now)
    }

    /// Accepts no more connections; those that are open are served on.
    func stopAccepting() { daemon.stopAccepting() }

    /// Closes everything. Each suspended request must have been resumed.
    func stop() { daemon.stop() }

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

// MARK: - Reading

extension HTTPServer {
    private func read(_ client: ServerClient) -> HTTPDaemon.Received {
        now = Clock.monotonic()
        var left = Self.bytesPerTurn
        var isDrained = false
        while true {
            do throws(HTTP1Refusal) {
                if let inbox = client.inbox, try advance(client, inbox) { return handOver(client, inbox, isDrained) }
                if isDrained { return .nothing }
                guard left > 0 else { return .interrupted }
                let (outcome, wanted) = try readMore(client)
                switch outcome {
                case .bytes(let count):
                    left -= count
                    // What was less than there was room for was all there is.
                    isDrained = count < wanted
                case .nothingYet: return .nothing
                case .ended: return .ended
                case .failed: return .failed
                }
            } catch {
                refuse(client, error)
                return discard(client)
            }
        }
    }

    /// Reads once; what came of it, and for how much there was room.
    private func readMore(_ client: ServerClient) throws(HTTP1Refusal) -> (StreamSocket.Received, wanted: Int) {
        let inbox = client.inbox ?? spareInboxes.popLast() ?? RequestInbox()
        inbox.compact()
        let expected = client.state == .body ? inbox.body.expectedBytes : 0
        let outcome: StreamSocket.Received
        let wanted: Int
        if expected > 0, let body = client.body {
            // Past the inbox, and with it what follows the body.
            let length = min(expected, Self.largeReadBytes)
            try makeRoom(client, body, length)
            wanted = length + Self.readBytes
            outcome = client.socket.receive(into: body, upTo: length, then: inbox.bytes, upTo: Self.readBytes)
            if case .bytes(let count) = outcome { inbox.body.count(min(count, length)) }
        } else {
            wanted = Self.readBytes
            outcome = client.socket.receive(into: inbox.bytes, upTo: wanted)
        }
        guard client.inbox == nil else { return (outcome, wanted) }
        if case .bytes = outcome {
            client.inbox = inbox
        } else {
            spareInboxes.append(inbox)
        }
        return (outcome, wanted)
    }

    /// Reads what is in the inbox; true when the request is whole.
    private func advance(_ client: ServerClient, _ inbox: RequestInbox) throws(HTTP1Refusal) -> Bool {
        if client.state == .idle {
            guard !inbox.isEmpty else { return false }
            client.state = .head
        }
        if client.state == .head {
            guard try inbox.head.read(inbox.unread, maxBytes: options.maxHeaderBytes) else {
                // Most come at once, and need no time. On a new connection it has begun with it.
                if !heads.has(client) { heads.enter(client, now: now) }
                return false
            }
            try begin(client, inbox)
        }
        guard let body = client.body else { return false }
        while !inbox.body.isComplete {
            let limits = HTTP1RequestBody.Limits(bodyBytes: options.maxBodyBytes, trailerBytes: options.maxHeaderBytes)
            let before = inbox.start
            let bytes = inbox.bytes.view
            let data = inbox.body.takeData(bytes, consumed: &inbox.start)
            if !data.isEmpty {
                try makeRoom(client, body, data.count)
                body.append(data)
            }
            try inbox.body.readFraming(bytes, consumed: &inbox.start, received: body.count, limits: limits)
            guard inbox.start > before else {
                if !bodies.has(client) { bodies.enter(client, now: now) }
                return false
            }
        }
        return true
    }

    private func begin(_ client: ServerClient, _ inbox: RequestInbox) throws(HTTP1Refusal) {
        let head = inbox.head
        let bytes = inbox.unread
        (client.request, client.body) = delegate.requestBegan(head, in: bytes, client: client.index, now: now)
        client.standIn = HTTPStandIn(
            isHead: bytes[head.method] == "HEAD",
            isHTTP10: head.isHTTP10,
            keepsAlive: head.keepsAlive
        )
        client.announced = nil
        if case .sized(let length) = head.framing {
            guard length <= options.maxBodyBytes else { throw .bodyTooLong }
            client.announced = length
        }
        inbox.body = HTTP1RequestBody(head.framing)
        inbox.start += head.length
        client.state = .body
        ClientQueue.leave(client)
        client.progressBefore = 0
        // Who has begun to send it needs no leave; HTTP/1.0 knows none (RFC 9110, section 10.1.1).
        if head.expectsContinue, !head.isHTTP10, inbox.isEmpty, !inbox.body.isComplete {
            _ = client.socket.write(ByteView("HTTP/1.1 100 Continue\r\n\r\n"), .empty)
        }
    }

    /// Room for `more` bytes of the body, no more than it can need where its length is known.
    private func makeRoom(_ client: ServerClient, _ body: ByteBuffer, _ more: Int) throws(HTTP1Refusal) {
        let needed = body.count + more
        var capacity = body.capacity
        if needed > capacity {
            capacity = max(needed, capacity * 2)
            if let announced = client.announced { capacity = max(needed, min(capacity, announced)) }
        } else if !body.isEmpty {
            return
        }
        guard delegate.mayHoldBody(of: client.request, capacity: capacity) else {
            throw .noRoom
        }
        body.reserve(total: capacity)
    }

    private func handOver(_ client: ServerClient, _ inbox: RequestInbox, _ isDrained: Bool) -> HTTPDaemon.Received {
        ClientQueue.leave(client)
        client.state = .handedOver
        client.isStarted = false
        client.mayHaveMore = !isDrained || !inbox.isEmpty
        if inbox.isEmpty {
            giveBackInbox(of: client)
        } else {
            inbox.beginRequest()
        }
        delegate.requestReceived(client.request, now: now)
        return .request(client.standIn)
    }

    private func giveBackInbox(of client: ServerClient) {
        guard let inbox = client.inbox else { return }
        client.inbox = nil
        inbox.reset()
        spareInboxes.append(inbox)
    }

    /// Answers at once, past libmicrohttpd, which knows nothing of the request; then closes, but not so soon that a client which is
    /// still sending would lose the answer to a reset (RFC 9112, section 9.6).
    private func refuse(_ client: ServerClient, _ refusal: HTTP1Refusal) {
        scratch.removeAll()
        if client.request != 0 {
            let hasBody = !client.standIn.isHead
            delegate.requestRefused(refusal, client.request, path: .empty, hasBody: hasBody, to: scratch)
        } else if let inbox = client.inbox {
            let (head, bytes) = (inbox.head, inbox.unread)
            let hasBody = !(bytes[head.method] == "HEAD")
            delegate.requestRefused(refusal, 0, path: bytes[head.path], hasBody: hasBody, to: scratch)
        }
        client.request = 0
        client.body = nil
        giveBackInbox(of: client)
        // What the socket has no room for at once is lost.
        _ = client.socket.write(scratch.view, .empty)
        client.socket.endSending()
        client.state = .leaving
        client.discarded = 0
        leaving.enter(client, now: now)
    }

    private func discard(_ client: ServerClient) -> HTTPDaemon.Received {
        var left = Self.bytesPerTurn
        while left > 0 {
            scratch.removeAll(keepingAtMost: 64 << 10)
            switch client.socket.receive(into: scratch, upTo: 64 << 10) {
            case .bytes(let count):
                left -= count
                client.discarded += count
                // By then it does not listen.
                if client.discarded > 4 * min(options.maxBodyBytes, 16 << 20) + Self.patience { return .failed }
            case .nothingYet: return .nothing
            case .ended: return .ended
            case .failed: return .failed
            }
        }
        return .interrupted
    }
}

// MARK: - From libmicrohttpd

extension HTTPServer: HTTPDaemonDelegate {
    func connectionOpened(_ connection: DaemonConnection) -> Int {
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
        client.request = 0
        client.mayHaveMore = false
        client.peerHasClosed = false
        heads.enter(client, now: now)
        delegate.clientsChanged(by: 1)
        // libmicrohttpd does not look at the socket of a suspended request. Edge-triggered, this costs one system call per
        // connection and none per request; closing the socket ends it.
        if let epoll {
            let token = Epoll.Token(kind: tokenKind, generation: client.generation, value: Int32(client.index))
            do throws(SystemError) {
                try epoll.add(client.socket.descriptor, [.peerClosed, .edgeTriggered], token: token)
            } catch {
                // Nobody would hear that the client leaves.
                client.socket.end()
            }
        }
        return client.index + 1
    }

    func connectionClosed(context: Int) {
        let client = clients[context - 1]
        ClientQueue.leave(client)
        if client.request != 0 { delegate.requestAbandoned(client.request) }
        client.request = 0
        client.body = nil
        client.connection = nil
        client.state = .closed
        client.generation &+= 1
        hasMadeWay = false
        if clients.count - freeClients.count >= options.maxConnections { hasFreedPlace = true }
        giveBackInbox(of: client)
        freeClients.append(client)
        delegate.clientsChanged(by: -1)
    }

    func receive(context: Int) -> HTTPDaemon.Received {
        let client = clients[context - 1]
        switch client.state {
        case .idle, .head, .body: return read(client)
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
        case .idle, .head, .body, .leaving: true
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

    func requestCompleted(context: Int) {
        let client = clients[context - 1]
        let word = client.request
        client.request = 0
        client.body = nil
        client.state = .idle
        idle.enter(client, now: now)
        delegate.requestCompleted(word)
        if client.mayHaveMore || client.peerHasClosed { client.connection?.readAgain() }
        client.mayHaveMore = false
    }
}
