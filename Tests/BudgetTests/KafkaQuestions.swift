import TestSupport

@testable import Gateway

/// A mock cluster, and a client of a Sidecar that serves it: sends some requests, waits for as many replies. One thread.
final class KafkaQuestions {
    static let events = "predictions"
    private static let requests = "requests"
    private static let replies = "replies"

    private let cluster: KafkaMockCluster
    private let producer: KafkaProducer
    private let consumer: KafkaConsumer
    private let headers = KafkaHeaderList()
    private var asked = 0
    private var answered = 0
    private var refusals = 0
    /// Of the topic of events, so far.
    private var reported = 0

    init() throws {
        cluster = try KafkaMockCluster()
        for topic in [Self.events, Self.requests, Self.replies, "dead-letters"] {
            try cluster.createTopic(topic, partitions: 1)
        }
        let servers = [("bootstrap.servers", cluster.bootstrapServers)]
        producer = try KafkaProducer(settings: KafkaSettings(servers + [("linger.ms", "5")]), wake: nil)
        consumer = try KafkaConsumer(
            settings: KafkaSettings(
                servers + [("group.id", "client"), ("enable.auto.commit", "false"), ("fetch.wait.max.ms", "5")]
            ),
            wake: nil
        )
        try consumer.assign(
            [Self.replies, Self.events].map {
                KafkaPartition(topic: $0, partition: 0, offset: KafkaPartition.beginning)
            }
        )
        headers.append("ameron-model", ByteView("iris"))
    }

    var brokers: String { cluster.bootstrapServers }

    /// The Provider's keys in a Sidecar's configuration.
    var providerLines: [String] {
        [
            "providers:", "  kafka:", "    brokers: \"\(brokers)\"", "    group: sidecars",
            "    requestTopic: \(Self.requests)", "    replyTopic: \(Self.replies)",
            "    deadLetterTopic: dead-letters",
            // The mock cluster answers a fetch when its time is over, and not when there is something.
            "    properties: { fetch.wait.max.ms: 5 }",
        ]
    }

    /// Sends so many requests and waits for their replies; the same again for each round.
    func run(rounds: Int, each count: Int) throws {
        for _ in 0..<rounds {
            let topic = try producer.topic(Self.requests)
            for _ in 0..<count {
                try Array(Case.question.utf8).withByteView {
                    try producer.produce(to: topic, key: nil, value: $0, headers: headers, ticket: asked)
                }
                asked += 1
            }
            let isDone = eventually(within: 60) {
                _ = producer.poll { _ in }
                read()
                return answered >= asked
            }
            guard isDone, refusals == 0 else {
                throw TestFailure("\(answered) of \(asked) requests were answered, \(refusals) of them not with 200")
            }
        }
    }

    /// How many events have come, after a look for more.
    func reportedEvents() -> Int {
        read()
        return reported
    }

    private func read() {
        _ = consumer.poll(limit: 1_000, timeoutMilliseconds: 10) { event in
            guard case .consumed(let message) = event else { return }
            if message.topic.string == Self.events {
                reported += 1
                return
            }
            answered += 1
            message.forEachHeader { name, value in
                if name.string == "ameron-status", value?.string != "200" { refusals += 1 }
            }
        }
    }
}
