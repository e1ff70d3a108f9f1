/// What the Kafka Provider of one shard counts. Its thread writes; whichever thread serves `/metrics` reads.
final class KafkaMetrics: Sendable {
    /// How far a partition is behind.
    struct Lag: Sendable, Equatable {
        var topic: String
        var partition: Int32
        var records: Int64
    }

    let consumer: KafkaClientStatistics
    let producer: KafkaClientStatistics
    private let counters = CounterBlock(count: 2)
    private let published = LockedValue<[Lag]>([])

    init(shard: Int = 0) {
        consumer = KafkaClientStatistics(client: "consumer-\(shard)")
        producer = KafkaClientStatistics(client: "producer-\(shard)")
    }

    // MARK: The shard's thread

    func countDeadLetter() { counters.add(1, at: 0) }
    func countRetry() { counters.add(1, at: 1) }
    /// Takes the place of what was published before. Not for the request path.
    func publish(_ lags: [Lag]) { published.withLock { $0 = lags } }

    // MARK: Any thread

    var deadLetters: Int { counters.load(0) }
    var retries: Int { counters.load(1) }
    var lags: [Lag] { published.withLock { $0 } }
}
