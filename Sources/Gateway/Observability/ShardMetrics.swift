/// What one shard counts. Its thread writes; whichever thread serves `/metrics` reads.
///
/// Everything is laid out at start, so that counting is an addition: nothing is looked up by text but the names and
/// versions that models give themselves.
final class ShardMetrics: Sendable {
    static let codes = 600

    /// How many models there are; the row after them counts requests that name none of them.
    let modelCount: Int
    /// Time in the Model Service, and in the Sidecar, by model.
    let modelDurations: [DurationHistogram]
    let gatewayDurations: [DurationHistogram]
    let predictions = PredictionCounters()
    private let requests: CounterBlock
    private let gauges = CounterBlock(count: 2)

    init(modelCount: Int) {
        self.modelCount = modelCount
        requests = CounterBlock(count: ProviderKind.allCases.count * (modelCount + 1) * Self.codes)
        modelDurations = (0..<modelCount).map { _ in DurationHistogram() }
        gatewayDurations = (0..<modelCount).map { _ in DurationHistogram() }
    }

    // MARK: The shard's thread

    /// Counts an answered request; `model` nil: it named no configured model.
    func countRequest(by provider: ProviderKind, model: Int?, code: Int) {
        let code = code > 0 && code < Self.codes ? code : 0
        requests.add(1, at: place(provider, model ?? modelCount, code))
    }

    /// Adds to how many requests are in flight.
    func addInFlight(_ change: Int) { gauges.add(change, at: 0) }
    /// Adds to how many client connections are open.
    func addConnections(_ change: Int) { gauges.add(change, at: 1) }

    // MARK: Any thread

    func requestCount(by provider: ProviderKind, model: Int, code: Int) -> Int {
        requests.load(place(provider, model, code))
    }
    var inFlight: Int { gauges.load(0) }
    var connections: Int { gauges.load(1) }

    private func place(_ provider: ProviderKind, _ model: Int, _ code: Int) -> Int {
        (provider.rawValue * (modelCount + 1) + model) * Self.codes + code
    }
}
