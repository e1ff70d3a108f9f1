/// Asks each Model Service whether it is ready: often until it is, now and then afterwards. On one shard.
///
/// What the service says about itself counts. Where it says nothing, because it does not answer or was only asked by a guess,
/// Predictions count as well: see `Readiness.askCalls`.
final class HealthProber: Shard.Source {
    /// One Model Service and what is known of it.
    private final class Entry {
        /// Its place in the configuration.
        let model: Int
        let probe: any HealthProbe
        var isOut = false
        /// When the next question is due, or the present one is over; nanoseconds of the monotonic clock.
        var due: Int64 = 0
        var failures = 0
        /// The last outcome made calls tell: what they told is looked at with the next.
        var asksCalls = true
        var log: ReadinessLog

        init(model: Int, probe: any HealthProbe, log: ReadinessLog) {
            self.model = model
            self.probe = probe
            self.log = log
        }
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

    private let readiness: Readiness
    private let entries: [Entry]

    /// - Parameter probes: of each model, in the order of the configuration.
    init(_ probes: [(any HealthProbe, ReadinessLog)], readiness: Readiness) {
        self.readiness = readiness
        entries = probes.enumerated().map { Entry(model: $0, probe: $1.0, log: $1.1) }
        super.init()
        for (probe, _) in probes { probe.prober = self }
    }

    /// When a turn has something to do next; `.max`: never.
    override var nextDeadline: Int64 { entries.lazy.map(\.due).min() ?? .max }

    /// Asks where it is due, and gives up what takes too long.
    override func turn(_ pass: Shard.Pass) {
        for entry in entries where entry.due <= pass.now {
            if entry.isOut {
                entry.probe.giveUp()
                finish(entry, .unknown("no answer within \(Self.patienceText)"), now: pass.now)
            } else {
                entry.isOut = true
                entry.due = pass.now + Self.patience
                entry.probe.ask()
            }
        }
    }

    /// The end of a question that was asked and not given up.
    func ended(_ probe: any HealthProbe, _ outcome: HealthOutcome) {
        guard let entry = entries.first(where: { $0.probe === probe }) else { return }
        finish(entry, outcome, now: Clock.monotonic())
    }

    private func finish(_ entry: Entry, _ outcome: HealthOutcome, now: Int64) {
        let model = entry.model
        entry.isOut = false
        // A Prediction that came since the last check tells more than that check.
        if entry.asksCalls, !readiness.isAskingCalls(model: model) { entry.failures = 0 }
        if case .unknown = outcome { entry.asksCalls = true } else { entry.asksCalls = false }
        readiness.askCalls(model: model, entry.asksCalls)
        switch outcome {
        case .ready:
            entry.failures = 0
            readiness.set(model: model, ready: true)
        case .refused(let reason), .unknown(let reason): fail(entry, reason)
        }
        let isReady = readiness.isReady(model: model)
        entry.due = now + (isReady ? entry.failures > 0 ? Self.worried : Self.calm : Self.eager(after: entry.failures))
        entry.log.note(readiness.standing(model: model), now: now)
    }

    private func fail(_ entry: Entry, _ reason: String) {
        entry.failures += 1
        let model = entry.model
        guard entry.failures >= Self.failuresUntilNotReady || !readiness.isReady(model: model) else { return }
        readiness.set(
            model: model,
            ready: false,
            reason: "\(entry.probe.question): \(reason)"
        )
    }

    static var patienceText: String { DurationText.describe(.nanoseconds(patience)) }

    static func eager(after failures: Int) -> Int64 { min(eager << min(max(failures - 1, 0), 10), lessEager) }
}
