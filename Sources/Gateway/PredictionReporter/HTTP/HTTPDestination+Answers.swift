import Logging
import Synchronization

/// Why events did not get through: a stable word for programs, and text for people.
struct HTTPTrouble {
    let cause: String
    let message: String

    init(cause: String, message: String) {
        self.cause = cause
        self.message = message
    }

    init(_ failure: CurlFailure, detail: String) {
        let (cause, message) =
            switch failure.kind {
            case .refused: ("refused", "it refuses connections")
            case .unreachable: ("unreachable", "it cannot be reached")
            case .dns: ("dns", "its name cannot be resolved")
            case .tls: ("tls", "no trusted TLS connection")
            case .timeout: ("timeout", "no connection in time")
            case .resetBeforeAnswer: ("reset", "it closed the connection before it answered")
            case .resetInAnswer: ("reset", "it closed the connection in the middle of its answer")
            case .malformed: ("malformed", "it did not answer in HTTP")
            case .tooLarge, .noMemory, .wantsFreshConnection, .other: ("other", "the request failed")
            }
        self.cause = cause
        self.message = detail.isEmpty ? message : "\(message) (\(detail))"
    }

    /// An answer with this status, and how its body begins.
    init(status: Int, body: ByteView) {
        cause = "status\(status)"
        let text = body.prefix(200).string
        message = text.isEmpty ? "it answers \(status)" : "it answers \(status): \(text)"
    }
}

extension HTTPDestination {
    /// Decides by the status of the answer.
    func answered(_ delivery: HTTPDelivery, _ transfer: CurlTransfer) {
        let status = transfer.status
        let verdict = HTTPVerdict(status: status)
        if verdict == .delivered {
            delivered(delivery)
            return
        }
        let problem = HTTPTrouble(status: status, body: transfer.body.view)
        switch verdict {
        case .delivered: break
        case .retriable, .blocked:
            if let seconds = HTTPVerdict.retryAfter(in: transfer.headers.view) { pause(seconds: seconds) }
            retry(delivery, problem, isHeld: verdict == .blocked)
        case .questionable:
            // It has looked at the events, so there is nothing else in the way.
            gotThrough(delivery)
            if delivery.count > 1 {
                let (first, second) = delivery.halves()
                waiting += [first, second]
            } else {
                trouble.refused(1, problem.message, now: Clock.monotonic())
                fail(delivery, problem)
            }
        }
    }

    private func delivered(_ delivery: HTTPDelivery) {
        counters.sent.add(delivery.count, ordering: .relaxed)
        counters.deliveries.observe(max(Clock.monotonic() - delivery.arrival, 0), times: delivery.count)
        for ticket in delivery.tickets { ledger.end(ticket) }
        gotThrough(delivery)
        if spareDeliveries.count < configuration.maxInFlight { spareDeliveries.append(delivery) }
    }

    /// Ends the trouble, unless there are events that the receiver holds up although it takes others.
    private func gotThrough(_ delivery: HTTPDelivery) {
        delivery.isHeld = false
        if waiting.contains(where: \.isHeld) || active.contains(where: \.isHeld) { return }
        trouble.end()
    }

    /// The receiver wants to be left alone: no request is begun before, whatever it carries.
    private func pause(seconds: Int) {
        let (wanted, overflows) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let pause = min(overflows ? .max : wanted, configuration.maxRetryAfter.nanoseconds)
        pausedUntil = max(pausedUntil, Clock.monotonic() + pause)
    }

    /// Tries again later, after some time that grows with each failure.
    ///
    /// - Parameter isHeld: Whether somebody must mend something first.
    func retry(_ delivery: HTTPDelivery, _ problem: HTTPTrouble, isHeld: Bool) {
        if isHeld {
            trouble.begin(problem.message, blockedBy: problem.cause)
        } else {
            trouble.begin(problem.message)
        }
        delivery.attempts += 1
        if !source.isDurable && delivery.attempts >= configuration.maxAttempts {
            trouble.gaveUp(delivery.count)
            fail(delivery, problem)
            return
        }
        delivery.isHeld = isHeld
        delivery.due = Clock.monotonic() + backoff.delay(attempt: delivery.attempts - 1, random: random.next())
        waiting.append(delivery)
    }

    private func fail(_ delivery: HTTPDelivery, _ problem: HTTPTrouble) {
        delivery.forEachEvent(context.format) { event, ticket in
            refused.append(event, cause: problem.cause, message: problem.message, ticket)
        }
    }
}
