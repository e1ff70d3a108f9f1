/// A request to the example Model Service, from its header to the last byte of its answer. Reused.
final class ExampleExchange {
    enum State {
        case receiving
        /// Suspended until its time is over.
        case held
        /// Its time is over; the daemon will ask for the answer.
        case released
        case answered
    }

    let index: Int
    var state = State.receiving
    var request: HTTPRequest?
    var match = ExampleRoutes.Match.notFound("")
    /// When the whole request was in, by the monotonic clock.
    var receivedAt: Int64 = 0
    let body = ByteBuffer(capacity: 1024)
    let answer = ByteBuffer(capacity: 1024)

    init(index: Int) { self.index = index }

    func reset() {
        state = .receiving
        request = nil
        body.removeAll(keepingAtMost: 64 << 10)
        answer.removeAll(keepingAtMost: 64 << 10)
    }
}

@available(*, unavailable)
extension ExampleExchange: Sendable {}

/// Exchanges by number, those not in use kept for the next request.
struct ExampleExchanges {
    private var all: [ExampleExchange] = []
    private var free: [ExampleExchange] = []

    var inUse: Int { all.count - free.count }

    subscript(index: Int) -> ExampleExchange { all[index] }

    mutating func take() -> ExampleExchange {
        if let exchange = free.popLast() { return exchange }
        let exchange = ExampleExchange(index: all.count)
        all.append(exchange)
        return exchange
    }

    mutating func giveBack(_ exchange: ExampleExchange) {
        exchange.reset()
        free.append(exchange)
    }
}

/// The exchanges that wait for their time. All wait equally long, so the first to come is the first to go.
struct ExampleHold {
    /// Nanoseconds; 0: nothing waits.
    let delay: Int64
    private var waiting: [ExampleExchange] = []
    private var head = 0

    init(delay: Int64) { self.delay = delay }

    mutating func append(_ exchange: ExampleExchange) { waiting.append(exchange) }

    /// When the first is due; nil: nobody waits.
    var nextDeadline: Int64? {
        head < waiting.count ? Self.deadline(of: waiting[head], delay) : nil
    }

    /// The next whose time is over at `now`.
    mutating func next(now: Int64) -> ExampleExchange? {
        guard let deadline = nextDeadline, deadline <= now else { return nil }
        defer {
            head += 1
            // What has gone is dropped in one move once it is at least half of the list.
            if head >= 64, head * 2 >= waiting.count {
                waiting.removeFirst(head)
                head = 0
            }
        }
        return waiting[head]
    }

    private static func deadline(of exchange: ExampleExchange, _ delay: Int64) -> Int64 {
        let (sum, overflows) = exchange.receivedAt.addingReportingOverflow(delay)
        return overflows ? .max : sum
    }
}
