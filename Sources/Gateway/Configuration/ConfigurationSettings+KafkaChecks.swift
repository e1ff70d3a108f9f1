// What the keys of the Kafka Provider cannot check by themselves.
extension ConfigurationSettings {
    mutating func check(_ kafka: Configuration.Providers.Kafka, _ configuration: Configuration) {
        checkModel(kafka.model, configuration.models)
        checkTopics(kafka)
        checkBackoff("providers.kafka", kafka.retryBackoff, most: kafka.maxRetryBackoff)

        for (index, reporter) in configuration.reporting.reporters.enumerated() {
            guard case .kafka(let reporter) = reporter, reporter.topic == kafka.requestTopic,
                reporter.brokers == kafka.brokers
            else { continue }
            reportLoop(ConfigurationPath("reporting.reporters.N.topic").with(index: index), reporter.topic, "event")
        }
    }

    private mutating func checkModel(_ name: String?, _ models: [Configuration.Model]) {
        let names = models.map(\.name)
        // A model without a good name is a problem of its own, and may be the one that is meant.
        guard let name, !names.contains(name), !names.isEmpty, !names.contains("") else { return }
        let path: ConfigurationPath = "providers.kafka.model"
        report(
            Problem(
                source(of: path),
                key: path.description,
                value: name,
                "is not the name of a configured model",
                suggestion: nearest(to: name, in: names)
            )
        )
    }

    /// What the Sidecar writes to its own request topic it would read as requests, without end.
    private mutating func checkTopics(_ kafka: Configuration.Providers.Kafka) {
        if kafka.replyTopic == kafka.requestTopic {
            reportLoop("providers.kafka.replyTopic", kafka.replyTopic, "reply")
        }
        if kafka.deadLetterTopic == kafka.requestTopic {
            reportLoop("providers.kafka.deadLetterTopic", kafka.deadLetterTopic, "dead letter")
        }
        if KafkaText.list(kafka.allowedReplyTopics).contains(kafka.requestTopic[...]) {
            reportLoop("providers.kafka.allowedReplyTopics", kafka.allowedReplyTopics, "reply")
        }
    }

    private mutating func reportLoop(_ path: ConfigurationPath, _ value: String, _ message: String) {
        report(
            Problem(
                source(of: path),
                key: path.description,
                value: value,
                "is providers.kafka.requestTopic too: each \(message) would be taken as a request"
            )
        )
    }
}
