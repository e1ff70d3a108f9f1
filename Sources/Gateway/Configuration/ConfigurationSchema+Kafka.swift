// The keys of the Kafka Provider.
extension ConfigurationSchema {
    static let kafkaProvider: [ConfigurationKey] = [
        .brokers("providers.kafka.brokers", .kafkaProvider(\.brokers), "Where the Kafka cluster is first asked."),
        .text(
            "providers.kafka.group",
            .kafkaProvider(\.group),
            "The consumer group; Sidecars of the same group share the requests among them."
        ),
        .topic(
            "providers.kafka.requestTopic",
            .kafkaProvider(\.requestTopic),
            "The topic that requests are taken from."
        ),
        .topic(
            "providers.kafka.replyTopic",
            .kafkaProvider(\.replyTopic),
            "The topic of answers to requests that name none."
        ),
        .topic(
            "providers.kafka.deadLetterTopic",
            .kafkaProvider(\.deadLetterTopic),
            "The topic of requests that cannot be answered."
        ),
        .optionalText(
            "providers.kafka.allowedReplyTopics",
            ConfigurationPlace<String>.kafkaProvider(\.allowedReplyTopics).emptyAsNil,
            allowed: "names of topics joined by commas, * at the end of one standing for any rest",
            """
            Which other topics a request may name for its answer; empty: none. A * stands for no topic that the Sidecar \
            itself reads or writes, and for none that begins with __.
            """,
            check: checkTopicList
        ),
        .optionalText(
            "providers.kafka.model",
            .kafkaProvider(\.model),
            "The model of requests that name none; not set: the first one configured."
        ),
        .words(
            "providers.kafka.face",
            .kafkaProvider(\.face),
            "What answers look like where the request does not say."
        ),
        .words(
            "providers.kafka.keyOrder",
            .kafkaProvider(\.keyOrder),
            """
            When the next request of a key starts: strict, when the broker has acknowledged the answer before; pipelined, when \
            that was sent, which is many times as fast within a key, but lets answers overtake where the broker refuses one.
            """
        ),
        .integer(
            "providers.kafka.consumers",
            .kafkaProvider(\.consumers),
            0...1_024,
            """
            On how many shards a member of the group runs, with a consumer and a producer each: no more than the topic has \
            partitions are of use. 0: on each.
            """
        ),
        .integer(
            "providers.kafka.maxInFlight",
            .kafkaProvider(\.maxInFlight),
            1...1_000_000,
            "The most requests taken from the broker and not yet done, over all shards."
        ),
        .size(
            "providers.kafka.maxInFlightBytes",
            .kafkaProvider(\.maxInFlightBytes),
            1 << 10...maxSize,
            "The most bytes that these may hold, over all shards."
        ),
        .integer(
            "providers.kafka.maxAttempts",
            .kafkaProvider(\.maxAttempts),
            1...1_000,
            "How often a request is tried before it becomes a dead letter."
        ),
        .duration(
            "providers.kafka.retryBackoff",
            .kafkaProvider(\.retryBackoff),
            .milliseconds(1)...hour,
            "The wait before the first repetition; it doubles with each."
        ),
        .duration(
            "providers.kafka.maxRetryBackoff",
            .kafkaProvider(\.maxRetryBackoff),
            .milliseconds(1)...day,
            "The longest wait before a repetition."
        ),
        ConfigurationKey(
            members: .kafkaProperties,
            "providers.kafka.properties.NAME",
            .kafkaProvider(\.properties),
            "Any of librdkafka's properties by its own name; the value may be ${env:NAME} or ${file:/path}."
        ),
    ]

    @Sendable private static func checkTopicList(_ text: String) throws(InvalidValue) {
        for entry in KafkaText.list(text) {
            // Of `replies-*` the letters before the star must be fit for a name.
            if entry == "*" { continue }
            try KafkaText.checkTopic(entry.hasSuffix("*") ? entry.dropLast() + "x" : entry)
        }
    }
}

// The types of values that only Kafka has.
extension ConfigurationKey {
    static func brokers(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<String>,
        _ documentation: String
    ) -> Self {
        text(
            pattern,
            place,
            type: "brokers",
            allowed: "host[:port] joined by commas, IPv6 addresses in brackets",
            isRequired: true,
            documentation,
            check: KafkaText.checkBrokers
        )
    }

    static func topic(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<String>,
        _ documentation: String
    ) -> Self {
        text(
            pattern,
            place,
            type: "topic",
            allowed: "1 to \(KafkaText.maxTopicBytes) of the characters a-z, A-Z, 0-9, '.', '_' and '-'",
            documentation,
            check: { (text) throws(InvalidValue) in try KafkaText.checkTopic(text[...]) }
        )
    }
}
