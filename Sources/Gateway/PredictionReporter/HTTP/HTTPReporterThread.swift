import Logging
import Synchronization

/// What the HTTP Reporter's own thread does: copy waiting events into requests, keep some of these out at once, and repeat
/// those that failed.
final class HTTPReporterThread: CurlTransferDelegate {
    /// How much is gathered at once, and put into one request (a single event may be larger).
    private static let batchBytes = 1 << 20
    /// The least time between two looks for events, so that those of several turns of the shards come together.
    private static let lingerNanoseconds: Int64 = 1_000_000
    /// How many events may be under way behind one that does not get through: bounds what is noted of them.
    private static let maxOpenEvents = 1 << 20
    /// How much of an answer is read.
    private static let maxAnswerBytes = 64 << 10

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

    private let wake: ReaderWake
    private let control: ReporterControl
    private let loop: HTTPReporterLoop
    private let headers: HTTPEventHeaders
    private let log: ReporterLog
    private let timeout: Int64

    /// Gathered events; those before `next` have been copied.
    private var events: [WaitingEvent] = []
    private var next = 0
    private var arrival: Int64 = 0
    private var lastGather: Int64 = 0

    init(
        feed: any EventFeed,
        control: ReporterControl,
        configuration: Configuration.Reporter.HTTP,
        loop: HTTPReporterLoop,
        failures: FailureFile,
        log: @escaping ReporterLog
    ) {
        source = feed.makeSource()
        wake = feed.wake
        counters = feed.counters
        self.control = control
        self.configuration = configuration
        self.loop = loop
        refused = RefusedEvents(file: failures, counters: feed.counters)
        self.log = log
        headers = HTTPEventHeaders(own: configuration.headers)
        timeout = configuration.timeout.nanoseconds
        backoff = RetryBackoff(
            initial: configuration.retryBackoff.nanoseconds,
            maximum: configuration.maxRetryBackoff.nanoseconds
        )
        trouble = DeliveryTrouble(
            destination: configuration.destination,
            isDurable: source.isDurable,
            block: feed.counters.block,
            log: log
        )
    }

    /// Returns when the Reporter has been stopped and every event is accounted for.
    func run() {
        while true {
            if control.wantsReopen.exchange(false, ordering: .acquiring) { refused.reopen() }
            let deadline = control.stopDeadline
            if let deadline, isHopeless(deadline) { break }
            loop.runTransfers()
            expire()
            fill()
            startDue()
            // What was started moves now; some are over at once, and nothing would wake the loop for them.
            loop.runTransfers()
            settle()
            if deadline != nil && isIdle { break }
            do {
                try wait(deadline ?? .max)
            } catch {
                log(.critical, "Reporter of \(configuration.destination): \(error)")
                break
            }
        }
        end()
    }

    private var isIdle: Bool { active.isEmpty && waiting.isEmpty && events.isEmpty && !source.hasEvents }

    /// Nothing more gets through before this time: it is over, or nothing is out, and nothing may be sent by then.
    private func isHopeless(_ deadline: Int64) -> Bool {
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

    private func wait(_ deadline: Int64) throws(SystemError) {
        var time = deadline
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
                if now < lastGather + Self.lingerNanoseconds && control.stopDeadline == nil { return }
                arrival = wake.takeOldestArrival() ?? now
                source.gather(into: &events, limit: Self.batchBytes)
                if events.isEmpty { return }
                lastGather = now
            }
            waiting.append(makeDelivery())
            guard next == events.count else { continue }
            events.removeAll(keepingCapacity: true)
            next = 0
            source.release()
        }
    }

    private func makeDelivery() -> HTTPDelivery {
        let mode = configuration.mode
        let limit = mode == .binary ? 1 : configuration.maxBatchEvents
        var end = next
        var bytes = 0
        repeat {
            bytes += events[end].frame.bytes.count
            end += 1
        } while end < events.count && end - next < limit && bytes + events[end].frame.bytes.count <= Self.batchBytes

        let delivery: HTTPDelivery
        if let spare = spareDeliveries.popLast() {
            delivery = spare
            delivery.reset(arrival: arrival, keepingAtMost: Self.batchBytes)
        } else {
            delivery = HTTPDelivery(mode: mode, arrival: arrival, capacity: bytes + 2)
        }
        for event in events[next..<end] { delivery.append(event.frame, ledger.begin(event)) }
        delivery.close()
        next = end
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

    private func end() {
        for delivery in active {
            if let transfer = delivery.transfer { loop.curl.remove(transfer) }
        }
        if !source.isDurable {
            var dropped = events.count - next
            for delivery in active + waiting { dropped += delivery.count }
            counters.dropped.add(dropped, ordering: .relaxed)
        }
        settle()
        source.close()
        loop.shutDown()
    }
}

@available(*, unavailable)
extension HTTPReporterThread: Sendable {}
