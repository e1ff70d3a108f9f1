import Logging
import Testing

@testable import Gateway

/// What the Kafka Provider decides about failures.
@Suite(.timeLimit(.minutes(10))) struct KafkaRetryTests {
    private let cluster: KafkaMockCluster
    private let rig = FlowRig()
    private let provider: KafkaProvider

    init() throws {
        cluster = try KafkaMockCluster()
        var kafka = Configuration.Providers.Kafka()
        kafka.brokers = cluster.bootstrapServers
        try cluster.createTopic(kafka.requestTopic, partitions: 1)
        provider = try KafkaProvider(
            options: KafkaProvider.Options(kafka, server: Configuration.Server(), eventTopics: [], consumers: 1),
            flow: rig.flow,
            router: Router(routes: [rig.route]),
            metrics: KafkaMetrics(),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// Its reply is withdrawn when its event is lost. What comes of the next try may be an answer, which has no dead letter.
    @Test func aFailureThatIsWithdrawnIsForgotten() {
        let request = provider.requests.take()
        let exchange = rig.flow.exchanges.take(for: provider)
        exchange.providerContext = request.index
        let malformed = ExchangeFailure(cause: .malformed, message: "not HTTP")
        #expect(provider.decide(exchange, after: malformed) == .over)
        #expect(request.failure == .malformed)
        #expect(provider.decide(exchange, after: .notRecorded) != .over)
        #expect(request.failure == nil)
        provider.requests.giveBack(request)
        provider.shutDown()
    }
}
