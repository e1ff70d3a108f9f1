// What the keys of the Kafka Provider cannot check by themselves.
extension ConfigurationSettings {
    mutating func check(_ kafka: Configuration.Providers.Kafka, _ configuration: Configuration) {
        checkModel(kafka.model, configuration.models)
        checkTopics(kafka)
        checkBackoff("providers.kafka", kafka.retryBackoff, most: kafka.maxRetryBackoff)

        let path: ConfigurationPath = "reporting.reporters.N.topic"
        var written: [(topic: String, by: String)] = [(kafka.deadLetterTopic, "providers.kafka.deadLetterTopic")]
        for (index, reporter) in configuration.reporting.reporters.enumerated() {
            guard let reporter = reporter.kafka, KafkaText.shareABroker(reporter.brokers, kafka.brokers) else {
                continue
            }
            if reporter.topic == kafka.requestTopic {
                reportLoop(path.with(index: index), reporter.topic, "event")
            }
            written.append((reporter.topic, path.with(index: index).description))
        }
        checkReplyTopics(kafka, written: written)
    }

    /// Requests may not have their answers written to where something else is expected.
    private mutating func checkReplyTopics(
        _ kafka: Configuration.Providers.Kafka,
        written: [(topic: String, by: String)]
    ) {
        for entry in KafkaText.list(kafka.allowedReplyTopics) where entry != kafka.replyTopic[...] {
            let topic = String(entry)
            if topic == kafka.requestTopic {
                reportLoop("providers.kafka.allowedReplyTopics", kafka.allowedReplyTopics, "reply")
            } else if topic.hasPrefix("\(KafkaText.internalPrefix)") {
                reportReplyTopic(kafka, "allows \(topic), one of Kafka's own topics")
            } else if let other = written.first(where: { $0.topic == topic }) {
                reportReplyTopic(kafka, "allows \(topic), which is \(other.by) too")
            }
        }
    }

    private mutating func reportReplyTopic(_ kafka: Configuration.Providers.Kafka, _ message: String) {
        let path: ConfigurationPath = "providers.kafka.allowedReplyTopics"
        report(Problem(source(of: path), key: path.description, value: kafka.allowedReplyTopics, message))
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
