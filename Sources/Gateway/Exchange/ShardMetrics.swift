/// What one shard counts. Its thread writes; whichever thread serves `/metrics` reads.
///
/// Everything is laid out at start, so that counting is an addition: nothing is looked up by text but the names and
/// versions that models give themselves.
final class ShardMetrics: Sendable {
    private static let codes = 600

    /// How many models there are; the row after them counts requests that name none of them.
    let modelCount: Int
    /// Time in the Model Service of calls that gave a Prediction, and of those that failed, by model.
    let modelDurations: [DurationHistogram]
    let failureDurations: [DurationHistogram]
    /// Time in the Sidecar of requests that got their answer.
    let gatewayDurations: [DurationHistogram]
    let predictions = PredictionCounters()
    private let requests: SparseCounters
    /// By the cause's number and 1.
    private let failures: SparseCounters
    private let gauges = CounterBlock(count: 2)

    init(modelCount: Int) {
        self.modelCount = modelCount
        let rows = ProviderKind.allCases.count * (modelCount + 1)
        requests = SparseCounters(rows: rows, limit: Self.codes)
        failures = SparseCounters(rows: rows, limit: ExchangeFailure.Cause.allCases.count + 1)
        modelDurations = (0..<modelCount).map { _ in DurationHistogram() }
        failureDurations = (0..<modelCount).map { _ in DurationHistogram() }
        gatewayDurations = (0..<modelCount).map { _ in DurationHistogram() }
    }

    // MARK: The shard's thread

    /// Counts an answered request; `model` nil: it named no configured model; `failure` nil: all went well.
    func countRequest(by provider: ProviderKind, model: Int?, code: Int, failure: ExchangeFailure.Cause?) {
        let row = row(provider, model ?? modelCount)
        requests.count(code, row: row)
        if let failure { failures.count(failure.rawValue + 1, row: row) }
    }

    /// Adds to how many requests are in flight.
    func addInFlight(_ change: Int) { gauges.add(change, at: 0) }
    /// Adds to how many client connections are open.
    func addConnections(_ change: Int) { gauges.add(change, at: 1) }

    // MARK: Any thread

    /// How many rows of counted requests there are: by Provider, and within it by model.
    var rowCount: Int { ProviderKind.allCases.count * (modelCount + 1) }

    /// Shows each status of a row, `SparseCounters.other` for what has no place of its own.
    func readRequests(row: Int, _ body: (_ code: Int, _ count: Int) -> Void) { requests.read(row: row, body) }

    /// Shows each cause of a row.
    func readFailures(row: Int, _ body: (_ cause: ExchangeFailure.Cause, _ count: Int) -> Void) {
        failures.read(row: row) { number, count in
            if let cause = ExchangeFailure.Cause(rawValue: number - 1) { body(cause, count) }
        }
    }

    var inFlight: Int { gauges.load(0) }
    var connections: Int { gauges.load(1) }

    private func row(_ provider: ProviderKind, _ model: Int) -> Int { provider.rawValue * (modelCount + 1) + model }
}
