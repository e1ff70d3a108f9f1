/// Durations sorted into buckets. One thread writes, any thread reads.
final class DurationHistogram: Sendable {
    /// Upper bounds in nanoseconds: from 0.1 ms, since what is measured here is far below what the usual buckets start with.
    static let bounds: [Int64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]
    /// The same in seconds, as Prometheus labels; the last bucket has no bound.
    static let labels = [
        "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1",
        "2.5", "5", "10", "+Inf",
    ]

    /// What was counted: how many fell under each bound and above the one before, and the sum of all.
    struct Reading {
        var buckets = [Int](repeating: 0, count: DurationHistogram.labels.count)
        var sumNanoseconds = 0

        mutating func add(_ other: Reading) {
            for index in buckets.indices { buckets[index] += other.buckets[index] }
            sumNanoseconds += other.sumNanoseconds
        }
    }

    private let counters = CounterBlock(count: labels.count + 1)

    /// Counts `times` durations of this length. The writer's thread only.
    func observe(_ nanoseconds: Int64, times: Int = 1) {
        var bucket = 0
        while bucket < Self.bounds.count, nanoseconds > Self.bounds[bucket] { bucket += 1 }
        counters.add(times, at: bucket)
        counters.add(Int(nanoseconds) &* times, at: Self.labels.count)
    }

    /// Any thread.
    func read() -> Reading {
        Reading(
            buckets: Self.labels.indices.map { counters.load($0) },
            sumNanoseconds: counters.load(Self.labels.count)
        )
    }
}
