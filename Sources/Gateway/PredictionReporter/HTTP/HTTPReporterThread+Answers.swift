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
            case .tooLarge, .wantsFreshConnection, .other: ("other", "the request failed")
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

extension HTTPReporterThread {
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
        case .retriable: retry(delivery, problem, after: HTTPVerdict.retryAfter(in: transfer.headers.view))
        case .questionable where delivery.count > 1:
            let (first, second) = delivery.halves()
            waiting += [first, second]
        case .questionable, .refused:
            trouble.refused(delivery.count, problem.message, now: Clock.monotonic())
            fail(delivery, problem)
        }
    }

    private func delivered(_ delivery: HTTPDelivery) {
        counters.sent.add(delivery.count, ordering: .relaxed)
        counters.deliveries.observe(max(Clock.monotonic() - delivery.arrival, 0), times: delivery.count)
        delivery.forEachEvent { _, ticket in ledger.end(ticket) }
        trouble.end()
        if spareDeliveries.count < configuration.maxInFlight { spareDeliveries.append(delivery) }
    }

    /// Tries again later: after some time that grows with each failure, or when the receiver says, but within the longest
    /// wait that is configured.
    func retry(_ delivery: HTTPDelivery, _ problem: HTTPTrouble, after seconds: Int?) {
        delivery.attempts += 1
        if !source.isDurable && delivery.attempts >= configuration.maxAttempts {
            trouble.gaveUp(delivery.count, problem.message)
            fail(delivery, problem)
            return
        }
        trouble.begin(problem.message)
        var delay = backoff.delay(attempt: delivery.attempts - 1, random: random.next())
        if let seconds {
            let (wanted, overflows) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
            delay = min(overflows ? .max : max(wanted, delay), backoff.maximum)
        }
        delivery.due = Clock.monotonic() + delay
        waiting.append(delivery)
    }

    private func fail(_ delivery: HTTPDelivery, _ problem: HTTPTrouble) {
        delivery.forEachEvent { json, ticket in
            failures.append(json, cause: problem.cause, message: problem.message)
            ledger.end(ticket)
        }
        counters.failed.add(delivery.count, ordering: .relaxed)
    }
}
