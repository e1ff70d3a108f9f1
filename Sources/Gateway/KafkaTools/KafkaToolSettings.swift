/// What the Kafka commands have in common: where the brokers are, and any settings of librdkafka.
public struct KafkaToolSettings: Sendable {
    public var brokers = "127.0.0.1:9092"
    public var properties: [(name: String, value: String)] = []

    public init() {}

    func producer(timeoutMilliseconds: Int) -> KafkaSettings {
        settings([
            ("linger.ms", "0"),
            // A missing topic is told of after that time; a broker that makes topics has made one by then.
            ("topic.metadata.propagation.max.ms", "5000"),
            ("message.timeout.ms", "\(min(max(timeoutMilliseconds, 1), 2_147_483_647))"),
        ])
    }

    /// For a reader of whole topics: no group is joined, and nothing committed.
    func consumer() -> KafkaSettings {
        settings([
            ("group.id", "ameron-sidecar-tools"), ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            ("auto.offset.reset", "earliest"), ("fetch.wait.max.ms", "100"),
        ])
    }

    /// Those of the user that must not be shown.
    var secrets: KafkaSettings { KafkaSettings(properties.map { ($0.name, $0.value) }).secrets }

    private func settings(_ own: [(String, String)]) -> KafkaSettings {
        let common = [
            ("bootstrap.servers", brokers), ("client.id", "ameron-sidecar"), ("reconnect.backoff.max.ms", "1000"),
        ]
        return KafkaSettings(common + own + properties.map { ($0.name, $0.value) })
    }
}

/// Says once that a command cannot go on for now, and again after it could.
struct Complaint {
    let command: String
    private var isMade = false

    init(command: String) { self.command = command }

    mutating func make(_ text: @autoclosure () -> String) {
        if isMade { return }
        isMade = true
        StandardError.print("ameron-sidecar \(command): \(text())")
    }

    mutating func settle() { isMade = false }
}

extension KafkaError {
    /// Whether it says that no broker can be reached, rather than that one has refused something.
    var isUnreachable: Bool {
        self == .transport || self == .allBrokersDown || self == .timedOut || name == "_RESOLVE"
    }

    var isMissingTopic: Bool { self == .unknownTopic || self == .unknownTopicOrPartition }
}
