import Synchronization

/// The events that a destination refused for good, from the refusal until they are safe in the failure file; only then do
/// they count as failed, and are done with. Confined to the Reporter's thread.
///
/// Bounded by what a Reporter has under way, since it takes on nothing new while these wait (`isStuck`).
final class RefusedEvents {
    private static let firstRetry: Int64 = 100_000_000
    private static let longestRetry: Int64 = 2_000_000_000

    private let file: FailureFile
    private let counters: ReporterCounters
    /// Of the events that wait, in the order of the file's lines.
    private var tickets: [DeliveryLedger.Ticket] = []
    private let backoff = RetryBackoff(initial: RefusedEvents.firstRetry, maximum: RefusedEvents.longestRetry)
    private var failures = 0
    /// The file could not be written; when to try again, on `Clock.monotonic`.
    private(set) var nextTry: Int64?

    init(file: FailureFile, counters: ReporterCounters) {
        self.file = file
        self.counters = counters
    }

    /// The file takes nothing for now: no more events should be sent.
    var isStuck: Bool { nextTry != nil }

    /// Enters an event, one JSON object on one line; what it says of the others is as for `FailureFile.append`.
    func append(_ event: ByteView, cause: String, message: String, _ ticket: DeliveryLedger.Ticket) {
        file.append(event, cause: cause, message: message)
        tickets.append(ticket)
    }

    /// Brings what waits into the file, and ends there what is safe. To be called before acknowledging.
    func settle(_ ledger: inout DeliveryLedger) {
        guard !tickets.isEmpty else { return }
        let now = Clock.monotonic()
        if let nextTry, now < nextTry { return }
        let settled = file.flush()
        for ticket in tickets[..<settled] { ledger.end(ticket) }
        tickets.removeFirst(settled)
        counters.failed.add(settled, ordering: .relaxed)
        counters.failuresLost.store(file.lost, ordering: .relaxed)
        if tickets.isEmpty {
            if nextTry != nil { counters.block.set(nil, by: .failureFile) }
            (nextTry, failures) = (nil, 0)
        } else {
            counters.block.set("failurePath", by: .failureFile)
            nextTry = now + backoff.limit(attempt: failures)
            failures += 1
        }
    }

    /// Opens the file anew, and tries at once.
    func reopen() {
        file.reopen()
        if nextTry != nil { nextTry = 0 }
    }
}

@available(*, unavailable)
extension RefusedEvents: Sendable {}
