extension Configuration.Providers {
    /// Requests from a topic of Kafka.
    public struct Kafka: Sendable, Equatable {
        public enum Face: String, Sendable, CaseIterable { case native, v1, v2 }
        /// When the next request of a key starts: when the broker has the answer before, or when that is sent.
        public enum KeyOrder: String, Sendable, CaseIterable { case strict, pipelined }

        /// `host:port`, joined by commas.
        public var brokers = ""
        public var group = "ameron"
        public var requestTopic = "prediction-requests"
        public var replyTopic = "prediction-replies"
        public var deadLetterTopic = "prediction-dead-letters"
        /// Which other topics a request may name for its reply: names joined by commas, `*` at the end of one for any rest.
        public var allowedReplyTopics = ""
        /// The model of requests that name none; nil: the first one configured.
        public var model: String?
        /// What answers look like where the request does not say.
        public var face = Face.native
        public var keyOrder = KeyOrder.strict
        /// On how many shards a member of the group runs; 0, or more than there are: on each.
        public var consumers = 0
        /// The most requests taken from the broker and not yet done, over all shards.
        public var maxInFlight = 1_000
        /// The most bytes that these may hold, over all shards.
        public var maxInFlightBytes = 64 << 20
        /// How often a request is tried before it becomes a dead letter.
        public var maxAttempts = 5
        public var retryBackoff: Duration = .milliseconds(100)
        public var maxRetryBackoff: Duration = .seconds(10)
        /// Any of librdkafka's properties by its own name, secrets resolved; for consumer and producer alike.
        public var properties: [String: String] = [:]

        public init() {}

        /// How many members of the group there are.
        func consumerCount(shards: Int) -> Int { consumers == 0 ? shards : min(consumers, shards) }
    }
}

extension Configuration.Providers.Kafka: ProviderSection {
    static let path: ConfigurationPath = "providers.kafka"

    static let keys: [ConfigurationKey] = [
        .brokers("providers.kafka.brokers", .kafka(\.brokers), "Where the Kafka cluster is first asked."),
        .text(
            "providers.kafka.group",
            .kafka(\.group),
            "The consumer group; Sidecars of the same group share the requests among them."
        ),
        .topic(
            "providers.kafka.requestTopic",
            .kafka(\.requestTopic),
            "The topic that requests are taken from."
        ),
        .topic(
            "providers.kafka.replyTopic",
            .kafka(\.replyTopic),
            "The topic of answers to requests that name none."
        ),
        .topic(
            "providers.kafka.deadLetterTopic",
            .kafka(\.deadLetterTopic),
            "The topic of requests that cannot be answered."
        ),
        .optionalText(
            "providers.kafka.allowedReplyTopics",
            ConfigurationPlace<String>.kafka(\.allowedReplyTopics).emptyAsNil,
            allowed: "names of topics joined by commas, * at the end of one standing for any rest",
            """
            Which other topics a request may name for its answer; empty: none. A * stands for no topic that the Sidecar \
            itself reads or writes, and for none that begins with __.
            """,
            check: checkTopicList
        ),
        .optionalText(
            "providers.kafka.model",
            .kafka(\.model),
            "The model of requests that name none; not set: the first one configured."
        ),
        .words(
            "providers.kafka.face",
            .kafka(\.face),
            "What answers look like where the request does not say."
        ),
        .words(
            "providers.kafka.keyOrder",
            .kafka(\.keyOrder),
            """
            When the next request of a key starts: strict, when the broker has acknowledged the answer before; pipelined, when \
            that was sent, which is many times as fast within a key, but lets answers overtake where the broker refuses one.
            """
        ),
        .integer(
            "providers.kafka.consumers",
            .kafka(\.consumers),
            0...1_024,
            """
            On how many shards a member of the group runs, with a consumer and a producer each: no more than the topic has \
            partitions are of use. 0: on each.
            """
        ),
        .integer(
            "providers.kafka.maxInFlight",
            .kafka(\.maxInFlight),
            1...1_000_000,
            "The most requests taken from the broker and not yet done, over all shards."
        ),
        .size(
            "providers.kafka.maxInFlightBytes",
            .kafka(\.maxInFlightBytes),
            1 << 10...ConfigurationSchema.maxSize,
            "The most bytes that these may hold, over all shards."
        ),
        .integer(
            "providers.kafka.maxAttempts",
            .kafka(\.maxAttempts),
            1...1_000,
            "How often a request is tried before it becomes a dead letter."
        ),
        .duration(
            "providers.kafka.retryBackoff",
            .kafka(\.retryBackoff),
            .milliseconds(1)...ConfigurationSchema.hour,
            "The wait before the first repetition; it doubles with each."
        ),
        .duration(
            "providers.kafka.maxRetryBackoff",
            .kafka(\.maxRetryBackoff),
            .milliseconds(1)...ConfigurationSchema.day,
            "The longest wait before a repetition."
        ),
        ConfigurationKey(
            members: .kafkaProperties,
            "providers.kafka.properties.NAME",
            .kafka(\.properties),
            "Any of librdkafka's properties by its own name; the value may be ${env:NAME} or ${file:/path}."
        ),
    ]

    var summary: String {
        "provider kafka: topic \(requestTopic) at \(brokers), group \(group), \(face.rawValue) replies to \(replyTopic), "
            + "dead letters to \(deadLetterTopic)\(model.map { ", model \($0)" } ?? "")"
            + SummaryText.names("properties", properties)
    }

    var memoryBound: (what: String, bytes: Int, from: String)? {
        ("requests from Kafka", maxInFlightBytes, "providers.kafka.maxInFlightBytes")
    }

    /// On each shard that has it a consumer and a producer, and their queue's eventfd.
    func descriptors(shards: Int) -> Int {
        (2 * DescriptorPlan.kafkaClient(brokers) + 1) * consumerCount(shards: shards)
    }

    func kafkaClients(shards: Int) -> Int { 2 * consumerCount(shards: shards) }

    func check(_ configuration: Configuration, _ all: inout ConfigurationSettings) { all.check(self, configuration) }

    @Sendable private static func checkTopicList(_ text: String) throws(InvalidValue) {
        for entry in KafkaText.list(text) {
            // Of `replies-*` the letters before the star must be fit for a name.
            if entry == "*" { continue }
            try KafkaText.checkTopic(entry.hasSuffix("*") ? entry.dropLast() + "x" : entry)
        }
    }
}

extension ConfigurationPlace {
    fileprivate static func kafka(_ path: Path<Configuration.Providers.Kafka>) -> Self { provider(\.kafka, path) }
}
