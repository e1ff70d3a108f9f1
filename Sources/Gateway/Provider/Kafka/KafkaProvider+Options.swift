extension KafkaProvider {
    struct Options {
        var requestTopic: String
        var replyTopic: String
        var deadLetterTopic: String
        var replyTopics: ReplyTopics
        /// nil: the first one configured.
        var model: String?
        var face: Face
        /// Whether the next request of a key waits until the broker has the answer before.
        var keepsOrderStrictly: Bool
        var maxBodyBytes: Int
        var maxHeaderBytes: Int
        /// Of this shard.
        var maxInFlight: Int
        var maxInFlightBytes: Int
        var maxAttempts: Int
        var backoff: RetryBackoff
        var consumer: KafkaSettings
        var producer: KafkaSettings
    }
}

extension KafkaProvider.Options {
    /// - Parameters:
    ///   - eventTopics: where Reporters write to.
    ///   - consumers: on how many shards there is a Provider, among which the limits are divided.
    init(
        _ kafka: Configuration.Providers.Kafka,
        server: Configuration.Server,
        eventTopics: [String],
        consumers: Int
    ) {
        self.init(
            requestTopic: kafka.requestTopic,
            replyTopic: kafka.replyTopic,
            deadLetterTopic: kafka.deadLetterTopic,
            replyTopics: ReplyTopics(
                kafka.allowedReplyTopics,
                replyTopic: kafka.replyTopic,
                requestTopic: kafka.requestTopic,
                reserved: eventTopics + [kafka.deadLetterTopic]
            ),
            model: kafka.model,
            face: Face(kafka.face),
            keepsOrderStrictly: kafka.keyOrder == .strict,
            maxBodyBytes: server.maxBodyBytes,
            maxHeaderBytes: server.maxHeaderBytes,
            maxInFlight: max((kafka.maxInFlight + consumers - 1) / consumers, 1),
            maxInFlightBytes: max((kafka.maxInFlightBytes + consumers - 1) / consumers, 1),
            maxAttempts: kafka.maxAttempts,
            backoff: RetryBackoff(
                initial: kafka.retryBackoff.nanoseconds,
                maximum: kafka.maxRetryBackoff.nanoseconds
            ),
            consumer: Self.consumerSettings(kafka),
            producer: Self.producerSettings(kafka)
        )
    }

    private static func consumerSettings(_ kafka: Configuration.Providers.Kafka) -> KafkaSettings {
        var settings = KafkaSettings([
            ("client.id", "ameron-sidecar"),
            ("statistics.interval.ms", "5000"),
            ("auto.offset.reset", "earliest"),
            ("auto.commit.interval.ms", "500"),
            ("partition.assignment.strategy", "cooperative-sticky"),
            // What waits in librdkafka, beside maxInFlightBytes.
            ("queued.max.messages.kbytes", "16384"),
            // And what one answer of a broker may add to that.
            ("fetch.max.bytes", "16777216"),
            // A request topic that is not there yet comes with its first request.
            ("allow.auto.create.topics", "true"),
        ])
        add(kafka.properties, to: &settings)
        // What the promise "at least once" stands on is not for properties to change.
        settings.set("bootstrap.servers", kafka.brokers)
        settings.set("group.id", kafka.group)
        settings.set("enable.auto.commit", "true")
        settings.set("enable.auto.offset.store", "false")
        // What is no record, such as the mark at the end of a transaction, is done with too.
        settings.set("enable.partition.eof", "true")
        return settings
    }

    private static func producerSettings(_ kafka: Configuration.Providers.Kafka) -> KafkaSettings {
        var settings = KafkaSettings([
            ("client.id", "ameron-sidecar"),
            ("statistics.interval.ms", "5000"),
            ("message.timeout.ms", "0"),
            ("linger.ms", "2"),
            // As the Reporter: a broker that has stopped answering holds replies up for no longer than this.
            ("request.timeout.ms", "10000"),
            ("socket.timeout.ms", "15000"),
            ("compression.type", "lz4"),
        ])
        add(kafka.properties, to: &settings)
        settings.set("bootstrap.servers", kafka.brokers)
        settings.set("acks", "all")
        settings.set("enable.idempotence", "true")
        return settings
    }

    private static func add(_ properties: [String: String], to settings: inout KafkaSettings) {
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) { settings.set(name, value) }
    }
}

extension KafkaProvider.Options {
    /// What librdkafka has against the settings of the Provider.
    ///
    /// - Parameter withClients: Whether clients are made, and let go, to learn what only these can tell.
    static func findings(
        _ kafka: Configuration.Providers.Kafka,
        server: Configuration.Server,
        consumers: Int,
        withClients: Bool
    ) -> [ConfigurationFinding] {
        let key = "providers.kafka"
        let single = ConfigurationFinding.kafkaProperties(kafka.properties, key)
        guard single.isEmpty, withClients else { return single }
        let options = Self(kafka, server: server, eventTopics: [], consumers: consumers)
        let consumer = ConfigurationFinding.kafkaClient(key) { () throws(KafkaSettingError) in
            _ = try KafkaConsumer(settings: options.consumer, wake: nil)
        }
        // What is wrong with both need not be told twice.
        guard consumer.isEmpty else { return consumer }
        return ConfigurationFinding.kafkaClient(key) { () throws(KafkaSettingError) in
            _ = try KafkaProducer(settings: options.producer, wake: nil)
        }
    }
}

/// A setting of the Kafka Provider that librdkafka does not take, by the key that it came from.
struct KafkaProviderError: Error, CustomStringConvertible {
    let description: String

    init(_ error: KafkaSettingError) {
        let key =
            switch error.property {
            case "bootstrap.servers": "brokers"
            case "group.id": "group"
            default: "properties.\(error.property)"
            }
        description = "providers.kafka.\(key): \(error.reason)"
    }
}

extension Face {
    init(_ word: Configuration.Providers.Kafka.Face) {
        let face = Face.allCases.first { "\($0.codec.name)" == word.rawValue }
        guard let face else { preconditionFailure("each word for a face has one") }
        self = face
    }
}
