/// One thread with everything that a request needs; nothing on the way of a request is shared with another shard.
///
/// A shard is a loop over its sources, in an order that its maker gives them (`ShardBlueprint`): wait, tell each source what has
/// happened to its descriptors, give each its turn. So work batches by itself under load: one hand-over to the Reporters per
/// turn, however many requests it had.
final class Shard {
    /// What a turn knows of its loop.
    struct Pass {
        /// When it began, in nanoseconds of the monotonic clock.
        var now: Int64
        /// The wait before it was over without an event.
        var isIdle: Bool
    }

    /// The kind of token of the shard's own orders.
    private static let orders = UInt8.max

    private let epoll: Epoll
    /// By the kind of their tokens.
    private let sources: [Source?]
    /// In the order of their turns. Not counted, since they are gone through several times per request.
    private let turns: [Link<Source>]
    private let control: ShardControl
    private var isDraining = false
    private var isStopping = false

    /// - Parameter sources: in the order of their turns; the kind of a source's tokens is its place here. nil: there is none.
    init(epoll: Epoll, sources: [Source?], control: ShardControl) throws(SystemError) {
        precondition(sources.count < Int(Self.orders), "the kind of a token tells the sources apart")
        self.epoll = epoll
        self.sources = sources
        turns = sources.compactMap { $0.map(Link.init) }
        self.control = control
        try epoll.add(control.wake.descriptor, .input, token: Epoll.Token(kind: Self.orders))
    }

    /// Serves until it is told to stop. The shard's thread.
    func run() throws(SystemError) {
        while !isStopping {
            let timeout = waitTime()
            let count = try epoll.wait(timeoutMilliseconds: timeout)
            for index in 0..<count {
                let event = epoll.event(index)
                switch event.token.kind {
                case Self.orders: obey(control.takeOrders())
                default: sources[Int(event.token.kind)]?.ready(event)
                }
            }
            turn(isIdle: count == 0 && timeout > 0)
        }
        stop()
    }

    /// Everything that follows from what the wait brought.
    private func turn(isIdle: Bool) {
        let pass = Pass(now: Clock.monotonic(), isIdle: isIdle)
        for source in turns { source.use { $0.turn(pass) } }
        if isDraining, turns.allSatisfy({ $0.object.isDrained }) { control.setDrained() }
    }

    /// How long the next wait may take, in milliseconds: until the first deadline, rounded up so as not to spin.
    private func waitTime() -> Int32 {
        var deadline = Int64.max
        for source in turns {
            deadline = min(deadline, source.use { $0.nextDeadline })
            if deadline == 0 { return 0 }
        }
        // Also bounded, so that a drained shard is noticed although nothing more happens on it.
        let most: Int64 = isDraining ? 50 : 10_000
        guard deadline < .max else { return Int32(most) }
        return Int32(min(max(0, (deadline - Clock.monotonic() + 999_999) / 1_000_000), most))
    }

    // MARK: The end

    private func obey(_ orders: ShardControl.Orders) {
        if orders.contains(.drain), !isDraining {
            isDraining = true
            for source in turns { source.object.drain() }
        }
        if orders.contains(.stop) { isStopping = true }
    }

    private func stop() {
        for source in turns { source.object.abort() }
        for source in turns.reversed() { source.object.shutDown() }
    }
}
