import Logging
import Synchronization

/// Posts events to a URL (CloudEvents HTTP protocol binding, batched or binary content mode): copies waiting ones into requests,
/// keeps some of these out at once, and repeats those that failed.
///
/// With several requests out at once, and with tries that are repeated, events may arrive in another order than they came;
/// with `maxInFlight` 1, those of a shard arrive in order unless a batch had to be split. An event whose answer was lost
/// is posted again, under the same id.
///
/// A batch that is answered 400, 413 or 422 is halved, down to single events: one that the receiver does not take must not
/// take the others with it.
final class HTTPDestination: EventDestination, CurlTransferDelegate {
    /// How much is gathered at once, and put into one request (a single event may be larger).
    private static let batchBytes = 1 << 20
    /// The least time between two looks for events, so that those of several turns of the shards come together.
    private static let lingerNanoseconds: Int64 = 1_000_000
    /// How many events may be under way behind one that does not get through: bounds what is noted of them.
    private static let maxOpenEvents = 1 << 20
    /// How much of an answer is read.
    private static let maxAnswerBytes = 64 << 10

    let context: ReporterContext
    let source: any EventSource
    let counters: ReporterCounters
    let configuration: Configuration.Reporter.HTTP
    /// Events that the receiver never takes, on their way into the failure file.
    let refused: RefusedEvents
    var trouble: DeliveryTrouble
    var ledger = DeliveryLedger()
    /// Requests that are out.
    var active: [HTTPDelivery] = []
    /// Those that wait to be sent, or sent again.
    var waiting: [HTTPDelivery] = []
    /// Of finished requests, to be used again.
    var spare: [CurlTransfer] = []
    /// Those that were delivered, to be filled again.
    var spareDeliveries: [HTTPDelivery] = []
    let random = RandomPool()
    let backoff: RetryBackoff

    /// No request is begun before: the receiver has said so. On `Clock.monotonic`.
    var pausedUntil: Int64 = 0

    private let loop: HTTPTransferLoop
    private let headers: HTTPEventHeaders
    private let timeout: Int64

    /// Events that are in no request yet.
    private var events: GatheredEvents
    private var lastGather: Int64 = 0

    static let word = "http"

    static func hang(_ settings: Configuration.Reporter.HTTP) -> String {
        "\(settings.shownURL) does not let go; its last events may be lost"
    }

    static func open(
        _ settings: Configuration.Reporter.HTTP,
        reporter: String,
        feed: any EventFeed
    ) throws -> sending HTTPTransferLoop {
        try HTTPTransferLoop(wake: feed.wake, maxConnections: settings.maxInFlight)
    }

    init(_ settings: Configuration.Reporter.HTTP, _ opened: HTTPTransferLoop, _ context: ReporterContext) {
        self.context = context
        configuration = settings
        loop = opened
        source = context.source
        counters = context.counters
        refused = context.makeRefusedEvents(settings.failurePath)
        trouble = context.makeTrouble(settings.shownURL)
        headers = HTTPEventHeaders(own: settings.headers)
        timeout = settings.timeout.nanoseconds
        backoff = RetryBackoff(
            initial: settings.retryBackoff.nanoseconds,
            maximum: settings.maxRetryBackoff.nanoseconds
        )
        events = GatheredEvents(context)
    }

    func reopen() { refused.reopen() }

    func advance() {
        loop.runTransfers()
        expire()
        fill()
        startDue()
        // What was started moves now; some are over at once, and nothing would wake the loop for them.
        loop.runTransfers()
        settle()
    }

    var isIdle: Bool { active.isEmpty && waiting.isEmpty && events.isEmpty && !source.hasEvents }

    /// It is over, or nothing is out, and nothing may be sent by then.
    func isHopeless(by deadline: Int64) -> Bool {
        if Clock.monotonic() > deadline { return true }
        guard active.isEmpty else { return false }
        if pausedUntil > deadline { return true }
        return !hasRoom && !waiting.isEmpty && waiting.allSatisfy { $0.due > deadline }
    }

    /// Whether another request may be made up.
    private var hasRoom: Bool {
        active.count + waiting.count < configuration.maxInFlight && !refused.isStuck
            && ledger.openCount < Self.maxOpenEvents
    }

    /// Tells the source what is done with. What was refused must be in its file by then.
    private func settle() {
        refused.settle(&ledger)
        ledger.acknowledge(to: source)
    }

    func rest(until deadline: Int64?) throws(SystemError) {
        var time = deadline ?? .max
        if let nextTry = refused.nextTry { time = min(time, nextTry) }
        for delivery in active { time = min(time, delivery.due) }
        if active.count < configuration.maxInFlight {
            for delivery in waiting { time = min(time, max(delivery.due, pausedUntil)) }
        }
        var sleepsForEvents = false
        if hasRoom {
            let nextGather = lastGather + Self.lingerNanoseconds
            if !events.isEmpty {
                time = 0
            } else if nextGather > Clock.monotonic() {
                time = min(time, nextGather)
            } else {
                sleepsForEvents = true
            }
        }
        try loop.wait(until: time, orEventsIn: sleepsForEvents ? source : nil)
    }

    // MARK: Making up requests

    /// Copies events into requests while there is room for these.
    private func fill() {
        while hasRoom {
            if events.isEmpty {
                let now = Clock.monotonic()
                if now < lastGather + Self.lingerNanoseconds && context.stopDeadline == nil { return }
                events.gather(limit: Self.batchBytes)
                if events.isEmpty { return }
                lastGather = now
            }
            waiting.append(makeDelivery())
        }
    }

    private func makeDelivery() -> HTTPDelivery {
        let mode = configuration.mode
        let limit = mode == .binary ? 1 : configuration.maxBatchEvents
        var count = 0
        var bytes = 0
        repeat {
            bytes += events[count].frame.bytes.count
            count += 1
        } while count < events.count && count < limit && bytes + events[count].frame.bytes.count <= Self.batchBytes

        let delivery: HTTPDelivery
        if let spare = spareDeliveries.popLast() {
            delivery = spare
            delivery.reset(arrival: events.arrival, keepingAtMost: Self.batchBytes)
        } else {
            delivery = HTTPDelivery(mode, context.format.batch, arrival: events.arrival, capacity: bytes + 2)
        }
        for index in 0..<count {
            let event = events[index]
            delivery.append(event.frame, in: context.format, ledger.begin(event))
        }
        delivery.close()
        events.removeFirst(count)
        return delivery
    }

    // MARK: Sending them

    private func startDue() {
        let now = Clock.monotonic()
        if now < pausedUntil { return }
        var index = 0
        while index < waiting.count && active.count < configuration.maxInFlight {
            if waiting[index].due > now {
                index += 1
                continue
            }
            start(waiting.remove(at: index))
        }
    }

    private func start(_ delivery: HTTPDelivery) {
        let transfer = spare.popLast() ?? makeTransfer()
        delivery.transfer = transfer
        delivery.due = Clock.monotonic() + timeout
        active.append(delivery)
        start(delivery, on: transfer, freshConnection: false)
    }

    private func start(_ delivery: HTTPDelivery, on transfer: CurlTransfer, freshConnection: Bool) {
        headers.write(for: delivery, to: transfer.requestHeaders)
        transfer.prepare(method: .post, body: delivery.body, freshConnection: freshConnection)
        loop.curl.add(transfer)
    }

    private func makeTransfer() -> CurlTransfer {
        let target = CurlHandle.Target(
            url: configuration.url,
            caFile: configuration.caFile,
            maxBodyBytes: Self.maxAnswerBytes
        )
        return CurlTransfer(target: target, delegate: self)
    }

    func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) {
        guard let delivery = active.first(where: { $0.transfer === transfer }) else { return }
        if failure?.kind == .wantsFreshConnection {
            // Not a try of its own: the receiver had closed an idle connection.
            start(delivery, on: transfer, freshConnection: true)
            return
        }
        takeBack(delivery)
        if let failure, failure.kind != .tooLarge {
            // A certificate that is not trusted is as good as a refusal: somebody must mend it.
            let problem = HTTPTrouble(failure, detail: transfer.errorMessage)
            retry(delivery, problem, isHeld: failure.kind == .tls)
        } else {
            // The status counts, however long the rest is.
            answered(delivery, transfer)
        }
    }

    /// Cancels the requests that have taken too long.
    private func expire() {
        let now = Clock.monotonic()
        for delivery in active where delivery.due <= now {
            if let transfer = delivery.transfer { loop.curl.remove(transfer) }
            takeBack(delivery)
            let trouble = HTTPTrouble(cause: "timeout", message: "no answer within \(configuration.timeout)")
            retry(delivery, trouble, isHeld: false)
        }
    }

    /// A request is out no more.
    private func takeBack(_ delivery: HTTPDelivery) {
        active.removeAll { $0 === delivery }
        if let transfer = delivery.transfer { spare.append(transfer) }
        delivery.transfer = nil
    }

    // MARK: The end

    func end() {
        for delivery in active {
            if let transfer = delivery.transfer { loop.curl.remove(transfer) }
        }
        if !source.isDurable {
            var dropped = events.count
            for delivery in active + waiting { dropped += delivery.count }
            counters.dropped.add(dropped, ordering: .relaxed)
        }
        settle()
    }

    func shutDown() { loop.shutDown() }
}

@available(*, unavailable)
extension HTTPDestination: Sendable {}

typealias HTTPReporter = EventReporter<HTTPDestination>

extension Configuration.Reporter.HTTP {
    /// The URL for the log: without its query, which may hold a key.
    var shownURL: String { String(url.prefix { $0 != "?" }) }
}
