import Synchronization

/// What one shard counts. Its thread writes; whichever thread serves `/metrics` reads.
///
/// Everything is laid out at start, so that counting is an addition: nothing is looked up by text but the names and
/// versions that models give themselves.
final class ShardMetrics: Sendable {
    /// Upper bounds of the histograms in nanoseconds: from 0.1 ms, since the gateway's own share is far below what the usual
    /// buckets start with.
    static let bounds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]
    /// The same as Prometheus labels, in seconds.
    static let boundLabels = [
        "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1",
        "2.5", "5", "10",
    ]
    static let codes = 600

    /// How many models there are; the row after them counts requests that name none of them.
    let modelCount: Int
    private let requests: CounterBlock
    private let modelDurations: CounterBlock
    private let gatewayDurations: CounterBlock
    private let gauges: CounterBlock
    let predictions = PredictionCounters()

    init(modelCount: Int) {
        self.modelCount = modelCount
        requests = CounterBlock(count: (modelCount + 1) * Self.codes)
        modelDurations = CounterBlock(count: modelCount * Self.histogramSize)
        gatewayDurations = CounterBlock(count: modelCount * Self.histogramSize)
        gauges = CounterBlock(count: 2)
    }

    // MARK: The shard's thread

    /// Counts an answered request; `model` nil: it named no configured model.
    func countRequest(model: Int?, code: Int) {
        let code = code > 0 && code < Self.codes ? code : 0
        requests.add(1, at: (model ?? modelCount) * Self.codes + code)
    }

    func observeModel(_ nanoseconds: Int64, model: Int) { observe(nanoseconds, in: modelDurations, model) }
    func observeGateway(_ nanoseconds: Int64, model: Int) { observe(nanoseconds, in: gatewayDurations, model) }

    /// Adds to how many requests are in flight.
    func addInFlight(_ change: Int) { gauges.add(change, at: 0) }
    /// Adds to how many client connections are open.
    func addConnections(_ change: Int) { gauges.add(change, at: 1) }

    // MARK: Any thread

    func requestCount(model: Int, code: Int) -> Int { requests.load(model * Self.codes + code) }
    func modelHistogram(model: Int) -> Histogram { histogram(in: modelDurations, model) }
    func gatewayHistogram(model: Int) -> Histogram { histogram(in: gatewayDurations, model) }
    var inFlight: Int { gauges.load(0) }
    var connections: Int { gauges.load(1) }

    /// A histogram as read: how many fell under each bound (not cumulated; the last is without bound), and their sum.
    struct Histogram {
        var buckets: [Int]
        var sumNanoseconds: Int

        static func + (left: Histogram, right: Histogram) -> Histogram {
            Histogram(
                buckets: zip(left.buckets, right.buckets).map { $0 + $1 },
                sumNanoseconds: left.sumNanoseconds + right.sumNanoseconds)
        }
    }

    private static let histogramSize = bounds.count + 2

    private func observe(_ nanoseconds: Int64, in block: CounterBlock, _ model: Int) {
        let start = model * Self.histogramSize
        var bucket = 0
        while bucket < Self.bounds.count, nanoseconds > Self.bounds[bucket] { bucket += 1 }
        block.add(1, at: start + bucket)
        block.add(Int(nanoseconds), at: start + Self.histogramSize - 1)
    }

    private func histogram(in block: CounterBlock, _ model: Int) -> Histogram {
        let start = model * Self.histogramSize
        return Histogram(
            buckets: (0...Self.bounds.count).map { block.load(start + $0) },
            sumNanoseconds: block.load(start + Self.histogramSize - 1))
    }
}
