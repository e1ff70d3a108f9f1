/// Durations sorted into buckets. One thread writes, any thread reads.
final class DurationHistogram: Sendable {
    /// Upper bounds in nanoseconds: from 5 us, since the Sidecar's own part is far below what the usual buckets start with,
    /// to 10 minutes, since some models take minutes.
    static let bounds: [Int64] = [
        5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
        25_000_000,
        50_000_000, 100_000_000, 250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
        30_000_000_000, 60_000_000_000, 120_000_000_000, 300_000_000_000, 600_000_000_000,
    ]
    /// The same in seconds, as Prometheus labels; the last bucket has no bound.
    static let labels: [StaticString] = [
        "0.000005", "0.00001", "0.000025", "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
        "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "120", "300", "600", "+Inf",
    ]

    /// What was counted: how many fell under each bound and above the one before, and the sum of all.
    struct Reading {
        var buckets = [Int](repeating: 0, count: DurationHistogram.labels.count)
        var sumNanoseconds = 0

    }

    private let counters = CounterBlock(count: labels.count + 1)

    /// Counts `times` durations of this length. The writer's thread only.
    func observe(_ nanoseconds: Int64, times: Int = 1) {
        // Most of what is measured is longer than the first bounds.
        var bucket = nanoseconds > Self.bounds[4] ? 5 : 0
        while bucket < Self.bounds.count, nanoseconds > Self.bounds[bucket] { bucket += 1 }
        counters.add(times, at: bucket)
        counters.add(Int(nanoseconds) &* times, at: Self.labels.count)
    }

    /// Nothing was counted yet, or nothing that took any time. Any thread.
    var isEmpty: Bool { counters.load(Self.labels.count) == 0 }

    /// Any thread.
    func read() -> Reading {
        var reading = Reading()
        add(to: &reading)
        return reading
    }

    /// Adds what was counted to a reading. Any thread.
    func add(to reading: inout Reading) {
        for index in reading.buckets.indices { reading.buckets[index] += counters.load(index) }
        reading.sumNanoseconds += counters.load(Self.labels.count)
    }
}
