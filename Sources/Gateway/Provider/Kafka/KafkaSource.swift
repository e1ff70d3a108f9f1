/// The Kafka Provider as a shard's loop drives it.
final class KafkaSource: Shard.Source {
    private let provider: KafkaProvider

    init(_ provider: KafkaProvider) { self.provider = provider }

    override func ready(_ event: Epoll.Event) { provider.wake() }

    override func turn(_ pass: Shard.Pass) { provider.takeIn(now: Clock.monotonic()) }

    override var nextDeadline: Int64 { provider.hasMore ? 0 : provider.nextDeadline }

    override func drain() { provider.drain() }

    override var isDrained: Bool { provider.isDrained }

    override func shutDown() { provider.shutDown() }
}
