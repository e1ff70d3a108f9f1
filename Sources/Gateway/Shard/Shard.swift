/// One thread with everything that a request needs; nothing on the way of a request is shared with another shard.
///
/// A shard is a loop over its sources, in an order that its maker gives them (`ShardBlueprint`): wait, tell each source what has
/// happened to its descriptors, give each its turn. So work batches by itself under load: one hand-over to the Reporters per
/// turn, however many requests it had.
final class Shard {
    /// A part of the shard that the loop drives: where requests come from, where calls go out, what has deadlines.
    protocol Source: AnyObject {
        /// One of its descriptors in the shard's epoll, which it has registered with its place among the sources as the kind.
        func ready(_ event: Epoll.Event)
        /// Does what there is to do. Once in each turn of the loop.
        func turn(_ pass: Pass)
        /// When it wants a turn at the latest: nanoseconds of the monotonic clock; `.max`: it waits for events only.
        var nextDeadline: Int64 { get }
        /// Whether it wants another turn at once.
        var hasMore: Bool { get }
        /// Takes in nothing new from here on, and ends what is in flight.
        func drain()
        /// Whether it has, after `drain`, nothing more to do.
        var isDrained: Bool { get }
        /// The time to drain is over: ends what is out, so that everybody is told in the turn that follows.
        func abort()
        /// The shard is about to end: nothing is out any more. In the opposite order of the turns.
        func shutDown()
    }

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
    private let sources: [any Source]
    private let control: ShardControl
    private var isDraining = false
    private var isStopping = false

    /// - Parameter sources: in the order of their turns. A source may stand there twice; the kind of its tokens is its first place.
    init(epoll: Epoll, sources: [any Source], control: ShardControl) throws(SystemError) {
        precondition(sources.count < Int(Self.orders), "the kind of a token tells the sources apart")
        self.epoll = epoll
        self.sources = sources
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
                default: sources[Int(event.token.kind)].ready(event)
                }
            }
            turn(isIdle: count == 0 && timeout > 0)
        }
        stop()
    }

    /// Everything that follows from what the wait brought.
    private func turn(isIdle: Bool) {
        let pass = Pass(now: Clock.monotonic(), isIdle: isIdle)
        for source in sources { source.turn(pass) }
        if isDraining, sources.allSatisfy(\.isDrained) { control.setDrained() }
    }

    /// How long the next wait may take, in milliseconds: until the first deadline, rounded up so as not to spin.
    private func waitTime() -> Int32 {
        var deadline = Int64.max
        for source in sources {
            if source.hasMore { return 0 }
            deadline = min(deadline, source.nextDeadline)
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
            for source in sources { source.drain() }
        }
        if orders.contains(.stop) { isStopping = true }
    }

    private func stop() {
        for source in sources { source.abort() }
        for source in sources.reversed() { source.shutDown() }
    }
}

/// Most sources need only some of it.
extension Shard.Source {
    func ready(_ event: Epoll.Event) {}
    var nextDeadline: Int64 { .max }
    var hasMore: Bool { false }
    func drain() {}
    var isDrained: Bool { true }
    func abort() {}
    func shutDown() {}
}
