/// Asks each Model Service whether it is ready: often until it is, now and then afterwards. On one shard.
final class HealthProber: CurlTransferDelegate {
    /// What is asked of one Model Service.
    struct Check {
        var model: Int
        var url: String
        var unixSocketPath: String?
        var caFile: String?
        /// Any answer below 500 will do, not just a good one.
        var anyAnswer: Bool
    }

    private final class Probe {
        let check: Check
        let transfer: CurlTransfer
        var isOut = false
        /// When the next one is due, or the present one is over; nanoseconds of the monotonic clock.
        var due: Int64 = 0
        var failures = 0

        init(check: Check, transfer: CurlTransfer) {
            self.check = check
            self.transfer = transfer
        }
    }

    /// After the first failure, doubled after each more up to the second: a model beside us starts in about a tenth of a second.
    private static let eager: Int64 = 10_000_000
    private static let lessEager: Int64 = 200_000_000
    private static let calm: Int64 = 5_000_000_000
    private static let patience: Int64 = 2_000_000_000
    /// So many failures in a row make a Model Service that was ready count as not ready.
    private static let failuresUntilNotReady = 3

    private let curl: CurlMulti
    private let readiness: Readiness
    private var probes: [Probe] = []

    init(checks: [Check], curl: CurlMulti, readiness: Readiness) {
        self.curl = curl
        self.readiness = readiness
        for check in checks {
            let target = CurlHandle.Target(
                url: check.url,
                unixSocketPath: check.unixSocketPath,
                caFile: check.caFile,
                maxBodyBytes: 1 << 20
            )
            let probe = Probe(check: check, transfer: CurlTransfer(target: target, delegate: self))
            probe.transfer.owner = probe
            probes.append(probe)
        }
    }

    /// When `run` has something to do next.
    var nextDeadline: Int64? { probes.lazy.map(\.due).min() }

    /// Sends the probes that are due, and gives up those that take too long.
    func run(now: Int64) {
        for probe in probes where probe.due <= now {
            if probe.isOut {
                curl.remove(probe.transfer)
                finish(probe, isReady: false, now: now)
            } else {
                probe.isOut = true
                probe.due = now + Self.patience
                probe.transfer.prepare(method: .get)
                curl.add(probe.transfer)
            }
        }
    }

    func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) {
        guard let probe = transfer.owner as? Probe else { return }
        let status = transfer.status
        let isGood = probe.check.anyAnswer ? status > 0 && status < 500 : (200..<300).contains(status)
        finish(probe, isReady: failure == nil && isGood, now: Clock.monotonic())
    }

    private func finish(_ probe: Probe, isReady: Bool, now: Int64) {
        probe.isOut = false
        probe.failures = isReady ? 0 : probe.failures + 1
        if isReady {
            readiness.set(model: probe.check.model, ready: true)
        } else if probe.failures >= Self.failuresUntilNotReady {
            readiness.set(model: probe.check.model, ready: false)
        }
        probe.due = now + (readiness.isReady(model: probe.check.model) ? Self.calm : Self.eager(after: probe.failures))
    }

    static func eager(after failures: Int) -> Int64 { min(eager << min(max(failures - 1, 0), 10), lessEager) }
}
