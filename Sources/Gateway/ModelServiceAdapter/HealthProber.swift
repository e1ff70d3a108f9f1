/// Asks each Model Service whether it is ready: often until it is, now and then afterwards. On one shard.
///
/// What the service says about itself counts. Where it says nothing, because it does not answer or was only asked by a guess,
/// Predictions count as well: see `Readiness.askCalls`.
final class HealthProber: CurlTransferDelegate {
    /// What is asked of one Model Service.
    struct Check {
        var model: Int
        var url: String
        var unixSocketPath: String?
        var caFile: String?
        /// It is a guess: any answer below 500 will do, and 501, not just a good one.
        var anyAnswer: Bool
        /// The key that says where else to ask, as in `models.0.healthUrl`; nil: that is where it is asked.
        var key: String?
    }

    private final class Probe {
        let check: Check
        let transfer: CurlTransfer
        var isOut = false
        /// When the next one is due, or the present one is over; nanoseconds of the monotonic clock.
        var due: Int64 = 0
        var failures = 0
        /// The last outcome made calls tell: what they told is looked at with the next.
        var asksCalls = true
        var log: ReadinessLog

        init(check: Check, transfer: CurlTransfer, log: ReadinessLog) {
            self.check = check
            self.transfer = transfer
            self.log = log
        }
    }

    private enum Outcome {
        case ready
        /// The service itself says that it is not.
        case refused(String)
        /// Nothing is known.
        case unknown(String)
    }

    /// After the first failure, doubled after each more up to the second: a model beside us starts in about a tenth of a second.
    private static let eager: Int64 = 10_000_000
    private static let lessEager: Int64 = 200_000_000
    private static let calm: Int64 = 5_000_000_000
    /// After the first failures of one that was ready.
    private static let worried: Int64 = 1_000_000_000
    private static let patience: Int64 = 2_000_000_000
    /// So many failures in a row make a Model Service that was ready count as not ready.
    private static let failuresUntilNotReady = 3

    private let curl: CurlMulti
    private let readiness: Readiness
    private var probes: [Probe] = []

    init(checks: [(Check, ReadinessLog)], curl: CurlMulti, readiness: Readiness) {
        self.curl = curl
        self.readiness = readiness
        for (check, log) in checks {
            let target = CurlHandle.Target(
                url: check.url,
                unixSocketPath: check.unixSocketPath,
                caFile: check.caFile,
                maxBodyBytes: 1 << 20
            )
            let probe = Probe(check: check, transfer: CurlTransfer(target: target, delegate: self), log: log)
            probes.append(probe)
        }
    }

    /// When `run` has something to do next; `.max`: never.
    var nextProbe: Int64 { probes.lazy.map(\.due).min() ?? .max }

    /// Sends the probes that are due, and gives up those that take too long.
    func run(now: Int64) {
        for probe in probes where probe.due <= now {
            if probe.isOut {
                curl.remove(probe.transfer)
                finish(probe, .unknown("no answer within \(Self.patienceText)"), now: now)
            } else {
                probe.isOut = true
                probe.due = now + Self.patience
                probe.transfer.prepare(method: .get)
                curl.add(probe.transfer)
            }
        }
    }

    func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) {
        guard let probe = probes.first(where: { $0.transfer === transfer }) else { return }
        finish(probe, outcome(probe, status: transfer.status, failure), now: Clock.monotonic())
        transfer.letGo()
    }

    private func outcome(_ probe: Probe, status: Int, _ failure: CurlFailure?) -> Outcome {
        if let failure { return .unknown(Self.text(failure, detail: probe.transfer.errorMessage)) }
        if (200..<300).contains(status) { return .ready }
        guard probe.check.anyAnswer else {
            // Not all servers have the resource that the protocol knows.
            let other = status == 404 || status == 405 || status == 501 ? probe.check.key : nil
            return .refused("it answered \(status)\(other.map { "; \($0) says where else to ask" } ?? "")")
        }
        // That it does not know GET shows that it is there.
        return status < 500 || status == 501 ? .ready : .unknown("it answered \(status)")
    }

    private func finish(_ probe: Probe, _ outcome: Outcome, now: Int64) {
        let model = probe.check.model
        probe.isOut = false
        // A Prediction that came since the last check tells more than that check.
        if probe.asksCalls, !readiness.isAskingCalls(model: model) { probe.failures = 0 }
        if case .unknown = outcome { probe.asksCalls = true } else { probe.asksCalls = false }
        readiness.askCalls(model: model, probe.asksCalls)
        switch outcome {
        case .ready:
            probe.failures = 0
            readiness.set(model: model, ready: true)
        case .refused(let reason), .unknown(let reason): fail(probe, reason)
        }
        let isReady = readiness.isReady(model: model)
        probe.due = now + (isReady ? probe.failures > 0 ? Self.worried : Self.calm : Self.eager(after: probe.failures))
        probe.log.note(readiness.standing(model: model), now: now)
    }

    private func fail(_ probe: Probe, _ reason: String) {
        probe.failures += 1
        let model = probe.check.model
        guard probe.failures >= Self.failuresUntilNotReady || !readiness.isReady(model: model) else { return }
        readiness.set(
            model: model,
            ready: false,
            reason: "GET \(ModelServiceURL.shown(probe.check.url, probe.check.unixSocketPath)): \(reason)"
        )
    }

    private static var patienceText: String { DurationText.describe(.nanoseconds(patience)) }

    /// The rest of a sentence that names the URL.
    private static func text(_ failure: CurlFailure, detail: String) -> String {
        switch failure.kind {
        case .refused: "it refuses connections"
        case .unreachable: "its host cannot be reached"
        case .dns: "its host has no address"
        case .tls: "no trusted TLS connection: \(detail)"
        case .timeout: "no answer within \(patienceText)"
        case .resetBeforeAnswer: "it closed the connection before it answered"
        case .resetInAnswer: "it closed the connection in the middle of its answer"
        case .malformed: "its answer is not HTTP"
        case .tooLarge: "its answer is too long"
        case .noMemory, .wantsFreshConnection, .other: "the call failed: \(detail)"
        }
    }

    static func eager(after failures: Int) -> Int64 { min(eager << min(max(failures - 1, 0), 10), lessEager) }
}
