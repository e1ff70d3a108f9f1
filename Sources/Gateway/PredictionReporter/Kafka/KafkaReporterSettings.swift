/// The settings of the Reporter's producer, and what the Reporter must know of them.
struct KafkaReporterSettings {
    let settings: KafkaSettings
    /// What a message may take: `message.max.bytes`, and no more than librdkafka holds, or it would never take it.
    let maxMessageBytes: Int
    /// How long a message is tried (`message.timeout.ms`), in nanoseconds; nil: for ever.
    let messageTimeout: Int64?
    /// The settings whose values must not get into a log.
    private let secrets: KafkaSettings

    /// How much librdkafka holds at once: enough for its batches at any rate. The rest waits compactly where it came from.
    /// The second number bounds what librdkafka adds to small messages, some 1 KiB each.
    private static let maxBufferedKilobytes = 16 << 10
    private static let maxBufferedMessages = 32 << 10

    /// The values are checked by librdkafka when the producer is made; what a configuration may not set, its loader refuses.
    init(_ configuration: Configuration.Reporter.Kafka, isDurable: Bool) {
        var settings = KafkaSettings([
            ("client.id", "ameron-sidecar"),
            // Neither loss nor doubles nor another order where librdkafka tries again.
            ("enable.idempotence", "true"),
            ("acks", "all"),
            ("compression.codec", "lz4"),
            // As the Java clients do it, so that consumers find the partitions they expect.
            ("partitioner", "murmur2_random"),
            // Fewer, larger batches: at 2,000 requests/s a tenth less of a request's cost than with librdkafka's 5.
            ("linger.ms", "50"),
            // A broker that has stopped answering is given up sooner than after librdkafka's 60 s, of which there may be several
            // in a row: all that time events wait.
            ("request.timeout.ms", "10000"),
            ("socket.timeout.ms", "15000"),
            ("statistics.interval.ms", "5000"),
            // A topic that is not there is told of sooner than after librdkafka's 30 s; it is asked for again and again.
            ("topic.metadata.propagation.max.ms", "5000"),
            ("queue.buffering.max.kbytes", "\(Self.maxBufferedKilobytes)"),
            ("queue.buffering.max.messages", "\(Self.maxBufferedMessages)"),
            // At least once: an event is tried until it is delivered or refused.
            ("message.timeout.ms", isDurable ? "0" : "300000"),
        ])
        for (name, value) in configuration.properties.sorted(by: { $0.key < $1.key }) {
            settings.set(name, value)
        }
        settings.set("bootstrap.servers", configuration.brokers)
        self.settings = settings
        let buffered = settings["queue.buffering.max.kbytes"].flatMap { Int($0) } ?? Self.maxBufferedKilobytes
        maxMessageBytes = min(settings["message.max.bytes"].flatMap { Int($0) } ?? 1_000_000, buffered * 1024)
        let timeout = settings.pairs.last { $0.name == "message.timeout.ms" || $0.name == "delivery.timeout.ms" }
        let milliseconds = timeout.flatMap { Int64($0.value) } ?? 0
        messageTimeout = milliseconds > 0 ? milliseconds * 1_000_000 : nil
        secrets = settings.secrets
    }

    /// How large a batch may be, in bytes (`batch.size`).
    var batchBytes: Int { settings["batch.size"].flatMap { Int($0) } ?? 1_000_000 }

    /// For a producer that sends each message alone, or that makes batches of at most so many bytes.
    func settings(oneByOne: Bool, batchBytes: Int) -> KafkaSettings {
        var settings = settings
        if oneByOne { settings.set("batch.num.messages", "1") }
        if batchBytes < self.batchBytes { settings.set("batch.size", "\(batchBytes)") }
        return settings
    }

    /// A text of the library without any secret.
    func redacted(_ text: String) -> String { secrets.redacted(text) }
}

extension KafkaReporterSettings {
    /// What librdkafka has against the settings of a Reporter.
    ///
    /// - Parameters:
    ///   - key: of the Reporter, such as `reporting.reporters.0`.
    ///   - withClient: Whether a producer is made, and let go, to learn what only that can tell.
    static func findings(
        _ configuration: Configuration.Reporter.Kafka,
        _ key: String,
        isDurable: Bool,
        withClient: Bool
    ) -> [ConfigurationFinding] {
        let single = ConfigurationFinding.kafkaProperties(configuration.properties, key)
        guard single.isEmpty, withClient else { return single }
        let settings = Self(configuration, isDurable: isDurable).settings
        return ConfigurationFinding.kafkaClient(key) { () throws(KafkaSettingError) in
            _ = try KafkaProducer(settings: settings, wake: nil)
        }
    }
}
