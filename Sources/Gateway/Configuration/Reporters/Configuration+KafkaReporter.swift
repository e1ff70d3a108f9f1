extension Configuration.Reporter {
    /// A Reporter that produces events to a topic of Kafka.
    public struct Kafka: Sendable, Equatable {
        /// What becomes the key of an event's message.
        public enum Key: String, Sendable, CaseIterable { case requestId, predictionId, modelName, none }

        public var common = Common()
        /// `host:port`, joined by commas.
        public var brokers = ""
        public var topic = "predictions"
        public var key = Key.requestId
        /// Takes the events that the broker refuses for good, each with its cause.
        public var failurePath = Configuration.Reporter.failurePath
        /// Any of librdkafka's properties by its own name, secrets resolved.
        public var properties: [String: String] = [:]

        public init() {}
    }

    /// nil: it is of another kind.
    var kafka: Kafka? { section as? Kafka }
}

extension Configuration.Reporter.Kafka: FailureFileSection {
    static let keys: [ConfigurationKey] = [
        .brokers("reporting.reporters.N.brokers", .reporter(\Self.brokers), "Where the Kafka cluster is first asked."),
        .topic("reporting.reporters.N.topic", .reporter(\Self.topic), "The topic that events are produced to."),
        .words("reporting.reporters.N.key", .reporter(\Self.key), "What becomes the key of an event's message."),
        ConfigurationKey(
            members: .kafkaProperties,
            "reporting.reporters.N.properties.NAME",
            .reporter(\Self.properties),
            "Any of librdkafka's properties by its own name; the value may be ${env:NAME} or ${file:/path}."
        ),
    ]

    var reporter: Configuration.Reporter { .kafka(self) }

    var destination: ReporterDestination {
        ReporterDestination(type: "kafka", place: topic, brokers: KafkaText.list(brokers).map(String.init).sorted())
    }

    var summary: String {
        "reporter kafka: topic \(topic) at \(brokers), key \(key.rawValue), failures to \(failurePath)"
            + SummaryText.names("properties", properties)
    }

    /// Two eventfds, the failure file, and the next one while that is changed.
    var descriptors: Int { 4 + DescriptorPlan.kafkaClient(brokers) }

    var kafkaClients: Int { 1 }

    /// With less than all in-sync replicas, an event would leave the spool before it is safe.
    func check(
        _ path: ConfigurationPath,
        _ delivery: Configuration.Reporting.Delivery,
        _ all: inout ConfigurationSettings
    ) {
        guard delivery == .atLeastOnce else { return }
        for name in ["acks", "request.required.acks"] {
            guard let value = properties[name], !["all", "-1"].contains(value) else { continue }
            let path = path.appending(.name("properties")).appending(.name(name))
            let reason = "is too little for reporting.delivery at-least-once"
            all.report(
                .init(all.source(of: path), key: path.description, value: value, reason, allowed: "all, -1")
            )
        }
    }
}
