/// One thread with everything that a request needs; nothing on the way of a request is shared with another shard.
///
/// A turn of its loop: wait, model-service sockets, finished transfers, events to the Reporters, replies, new requests,
/// timers. So work batches by itself under load: one hand-over to the Reporters per turn, however many requests it had.
final class Shard {
    /// Which part of the shard a descriptor in its epoll belongs to.
    enum TokenKind {
        static let daemon: UInt8 = 1
        static let modelService: UInt8 = 2
        static let client: UInt8 = 3
        static let control: UInt8 = 4
        static let intake: UInt8 = 5
    }

    /// The parts with deadlines of their own.
    protocol Timed: AnyObject {
        /// Nanoseconds of the monotonic clock; nil: nothing is waited for.
        var nextDeadline: Int64? { get }
        func expire(now: Int64)
        /// The shard is about to end: nothing is out any more.
        func shutDown()
    }

    /// A part that brings requests from elsewhere than the daemon: the messages of a queue.
    protocol Intake: Timed {
        /// Readable when something waits.
        var wakeDescriptor: Int32 { get }
        /// The descriptor has become readable.
        func wake()
        /// Takes in what waits, as far as there is room for it. Once a turn, after the replies.
        func takeIn(now: Int64)
        /// Whether more can be taken in at once.
        var hasMore: Bool { get }
        /// Take in no more, and end what is in flight.
        func drain()
        /// Whether a draining intake has nothing more to do.
        var isDrained: Bool { get }
    }

    private let epoll: Epoll
    private let curl: CurlMulti
    private let flow: ExchangeFlow
    private let server: HTTPServer
    private let timed: [any Timed]
    private let intakes: [any Intake]
    private let control: ShardControl
    private var isDraining = false
    private var isStopping = false

    init(
        epoll: Epoll,
        curl: CurlMulti,
        flow: ExchangeFlow,
        server: HTTPServer,
        timed: [any Timed],
        intakes: [any Intake],
        control: ShardControl
    ) throws(SystemError) {
        self.epoll = epoll
        self.curl = curl
        self.flow = flow
        self.server = server
        self.timed = timed + intakes.map { $0 as any Timed }
        self.intakes = intakes
        self.control = control
        try epoll.add(server.pollDescriptor, .input, token: Epoll.Token(kind: TokenKind.daemon))
        try epoll.add(control.wake.descriptor, .input, token: Epoll.Token(kind: TokenKind.control))
        for (index, intake) in intakes.enumerated() {
            let token = Epoll.Token(kind: TokenKind.intake, value: Int32(index))
            try epoll.add(intake.wakeDescriptor, .input, token: token)
        }
    }

    /// Serves until it is told to stop. The shard's thread.
    func run() throws(SystemError) {
        while !isStopping {
            let timeout = waitTime()
            let count = try epoll.wait(timeoutMilliseconds: timeout)
            for index in 0..<count { handle(epoll.event(index)) }
            turn(isIdle: count == 0 && timeout > 0)
        }
        stop()
    }

    private func handle(_ event: Epoll.Event) {
        switch event.token.kind {
        case TokenKind.modelService: curl.socketReady(event)
        case TokenKind.client: server.clientChanged(event.token)
        case TokenKind.control: obey(control.takeOrders())
        case TokenKind.intake: intakes[Int(event.token.value)].wake()
        default: break  // the daemon, which runs in every turn
        }
    }

    /// Everything that follows from what the wait brought.
    private func turn(isIdle: Bool) {
        let now = Clock.monotonic()
        curl.runTimers(now: now)
        curl.deliverFinished()
        for part in timed { part.expire(now: now) }
        flow.endTurn()
        server.run(isIdle: isIdle)
        for intake in intakes { intake.takeIn(now: Clock.monotonic()) }
        // Calls that were begun just now start. Some are over at once, and nothing would wake the loop for them.
        curl.runTimers(now: Clock.monotonic())
        curl.deliverFinished()
        if isDraining, flow.exchanges.inUse == 0, intakes.allSatisfy(\.isDrained) { control.setDrained() }
    }

    /// How long the next wait may take, in milliseconds: until the first deadline, rounded up so as not to spin.
    private func waitTime() -> Int32 {
        if flow.hasWork || intakes.contains(where: \.hasMore) { return 0 }
        var deadline = curl.deadline ?? .max
        for part in timed { deadline = min(deadline, part.nextDeadline ?? .max) }
        var milliseconds = Int64.max
        if deadline < .max {
            milliseconds = max(0, (deadline - Clock.monotonic() + 999_999) / 1_000_000)
        }
        if let timeout = server.timeoutMilliseconds { milliseconds = min(milliseconds, Int64(timeout)) }
        // Also bounded, so that a drained shard is noticed although nothing more happens on it.
        return Int32(min(milliseconds, isDraining ? 50 : 10_000))
    }

    // MARK: The end

    private func obey(_ orders: ShardControl.Orders) {
        if orders.contains(.drain), !isDraining {
            isDraining = true
            // Connections that the kernel has completed are taken in before the listening socket goes.
            server.run()
            server.stopAccepting()
            for intake in intakes { intake.drain() }
        }
        if orders.contains(.stop) { isStopping = true }
    }

    private func stop() {
        flow.abortAll()
        flow.endTurn()
        server.run()
        server.stop()
        flow.endTurn()
        for part in timed { part.shutDown() }
        curl.shutDown()
    }
}
