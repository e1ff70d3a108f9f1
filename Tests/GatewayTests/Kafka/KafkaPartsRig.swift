import Logging
import TestSupport
import Testing

@testable import Gateway

/// A record of the reply topic, or a dead letter.
struct PartRecord: Equatable {
    var partition: Int32
    var key: String?
    var value: String
    var headers: [String: String]

    var part: Int? { headers["ameron-part"].flatMap { Int($0) } }
    var isFinal: Bool { headers["ameron-final"] == "true" }
    var status: Int? { headers["ameron-status"].flatMap { Int($0) } }
}

/// A Kafka Provider on a flow, with a Model Service of the test's and a mock cluster. Records are handed to the Provider as its
/// group's member would, without the seconds that it takes to join one.
final class KafkaPartsRig {
    static let mine = "replies.mine"

    let cluster: KafkaMockCluster
    let rig = FlowRig(.raw)
    let provider: KafkaProvider
    let progress = PartitionProgress(topic: "feed", partition: 0, assignment: 1)
    private let producer: KafkaProducer
    private let feed: KafkaConsumer
    private let reader: KafkaConsumer
    private var seen: [String: [PartRecord]] = [:]
    private let kafka: Configuration.Providers.Kafka

    /// - Parameter properties: of the Provider's clients.
    init(partitions: Int = 4, _ properties: [String: String] = [:]) throws {
        cluster = try KafkaMockCluster()
        var kafka = Configuration.Providers.Kafka()
        kafka.brokers = cluster.bootstrapServers
        kafka.allowedReplyTopics = Self.mine
        kafka.maxAttempts = 2
        kafka.retryBackoff = .milliseconds(1)
        kafka.maxRetryBackoff = .milliseconds(1)
        kafka.properties = [
            "linger.ms": "0", "fetch.wait.max.ms": "20", "retry.backoff.ms": "10", "reconnect.backoff.max.ms": "200",
            "topic.metadata.propagation.max.ms": "0",
        ]
        .merging(properties) { $1 }
        self.kafka = kafka
        let answers = [kafka.replyTopic, kafka.deadLetterTopic, Self.mine]
        for topic in [kafka.requestTopic, "feed"] { try cluster.createTopic(topic, partitions: 1) }
        for topic in answers { try cluster.createTopic(topic, partitions: partitions) }
        provider = try KafkaProvider(
            options: KafkaProvider.Options(kafka, server: Configuration.Server(), eventTopics: [], consumers: 1),
            flow: rig.flow,
            router: Router(routes: [rig.route]),
            metrics: KafkaMetrics(),
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        producer = try cluster.producer()
        feed = try cluster.consumer()
        try feed.assignFromBeginning("feed")
        reader = try cluster.consumer()
        try reader.assign(
            answers.flatMap { topic in
                (0..<partitions).map {
                    KafkaPartition(topic: topic, partition: Int32($0), offset: KafkaPartition.beginning)
                }
            }
        )
    }

    deinit { provider.shutDown() }

    /// Asks, and waits until the call is out; its exchange.
    func ask(key: String? = "k", _ more: [String: String] = ["ameron-stream": "parts"]) throws -> Exchange {
        let headers = KafkaHeaderList()
        let all = ["correlation-id": "c", "x-request-id": "mine"].merging(more) { $1 }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) {
            Array(name.utf8).withByteView { name in
                Array(value.utf8).withByteView { headers.append(name: name, value: $0) }
            }
        }
        try producer.produce(to: "feed", key: key, "{}", headers: headers, ticket: 0)
        let before = rig.adapter.out.count
        let isOut = eventually {
            _ = producer.poll { _ in }
            feed.turn({ _ = provider.take($0, of: progress) })
            turn()
            return rig.adapter.out.count > before
        }
        try #require(isOut)
        return try #require(rig.adapter.out.last)
    }

    func turn() {
        let now = Clock.monotonic()
        rig.flow.startRetries(now: now)
        rig.flow.endTurn()
        provider.takeIn(now: now)
    }

    /// Takes turns until the condition holds; false when it does not.
    func turns(until condition: () -> Bool) -> Bool {
        eventually {
            turn()
            reader.turn({ note($0) })
            return condition()
        }
    }

    private func note(_ message: KafkaMessage) {
        var headers: [String: String] = [:]
        message.forEachHeader { headers[$0.string] = $1?.string }
        let record = PartRecord(
            partition: message.partition,
            key: message.key?.string,
            value: message.value?.string ?? "null",
            headers: headers
        )
        seen[message.topic.string, default: []].append(record)
    }

    var replies: [PartRecord] { seen[kafka.replyTopic] ?? [] }
    var deadLetters: [PartRecord] { seen[kafka.deadLetterTopic] ?? [] }
    var mine: [PartRecord] { seen[Self.mine] ?? [] }

    /// Nothing of any request is left.
    var isIdle: Bool { provider.requests.inUse == 0 && rig.flow.exchanges.inUse == 0 && provider.bytesInFlight == 0 }

    /// Takes turns until the request is done with.
    func finishes() -> Bool { turns { isIdle && !rig.flow.hasWork } }
}
