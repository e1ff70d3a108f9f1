import Testing

@testable import Gateway

/// What is wrong with the Kafka Provider, word for word.
@Suite struct ConfigurationKafkaErrorTests {
    private static let loop = "is providers.kafka.requestTopic too: each"

    private func told(_ keys: String, more: String = "") -> [String] {
        let yaml = "models: [{ name: iris, url: 'http://a/' }]\nproviders: { kafka: { \(keys) } }\(more)"
        let prefix = "test.yaml:2: providers.kafka."
        return problems(yaml).map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
    }

    @Test(arguments: ["", "kafka:", "kafka: {}", "kafka: { properties: }", "kafka: { properties: {} }"])
    func isNotThereWithoutAKey(_ section: String) throws {
        #expect(try load(minimalYAML + "\nproviders: { \(section) }").providers.kafka == nil)
    }

    @Test(arguments: ["group: g", "properties: { linger.ms: 1 }", "maxInFlight: 3"])
    func needsBrokers(_ keys: String) { #expect(told(keys) == ["brokers: is missing"]) }

    @Test func brokersSuffice() throws {
        var want = Configuration.Providers.Kafka()
        want.brokers = "a"
        #expect(try load(minimalYAML, set: [("providers.kafka.brokers", "a")]).providers.kafka == want)
    }

    @Test(arguments: [
        ("model: irsi", "model: 'irsi' is not the name of a configured model; did you mean 'iris'?"),
        (
            "replyTopic: prediction-requests",
            "replyTopic: 'prediction-requests' \(loop) reply would be taken as a request"
        ),
        (
            "deadLetterTopic: x, requestTopic: x",
            "deadLetterTopic: 'x' \(loop) dead letter would be taken as a request"
        ),
        (
            "requestTopic: prediction-replies",
            "replyTopic: 'prediction-replies' \(loop) reply would be taken as a request"
        ),
        (
            "allowedReplyTopics: 'a, prediction-requests'",
            "allowedReplyTopics: 'a, prediction-requests' \(loop) reply would be taken as a request"
        ),
        (
            "allowedReplyTopics: 'a, __consumer_offsets'",
            "allowedReplyTopics: 'a, __consumer_offsets' allows __consumer_offsets, one of Kafka's own topics"
        ),
        ("allowedReplyTopics: '__*'", "allowedReplyTopics: '__*' allows __*, one of Kafka's own topics"),
        (
            "allowedReplyTopics: 'dead, a', deadLetterTopic: dead",
            "allowedReplyTopics: 'dead, a' allows dead, which is providers.kafka.deadLetterTopic too"
        ),
        ("retryBackoff: 1m", "maxRetryBackoff: '10s' is shorter than retryBackoff, which is 1m"),
        ("maxInFlight: 0", "maxInFlight: '0' is out of range; allowed: 1 to 1000000"),
        ("maxInFlightBytes: 1", "maxInFlightBytes: '1' is out of range; allowed: 1KiB to 1TiB"),
        ("maxAttempts: 1001", "maxAttempts: '1001' is out of range; allowed: 1 to 1000"),
        ("face: raw", "face: 'raw' is not one of the words; allowed: native, v1, v2"),
        ("group: ''", "group: '' is empty"),
        ("topic: a", "topic: unknown key; did you mean 'reporting.reporters.0.topic'?"),
    ]) func refuses(_ keys: String, _ message: String) {
        #expect(told("brokers: a, \(keys)") == [message])
    }

    @Test(arguments: [
        ("a b", "holds a character that no name of a topic has"),
        ("a*b", "holds a character that no name of a topic has"),
        ("a,,b", "holds an empty name of a topic"), ("**", "holds a character that no name of a topic has"),
    ]) func refusesListsOfTopics(_ text: String, _ reason: String) {
        let allowed = "allowed: names of topics joined by commas, * at the end of one standing for any rest"
        let messages = told("brokers: a, allowedReplyTopics: '\(text)'")
        #expect(messages == ["allowedReplyTopics: '\(text)' \(reason); \(allowed)"])
    }

    @Test(arguments: ["", "a", "a,b", "a, b-*", "*", ".*"]) func takesListsOfTopics(_ text: String) throws {
        let set = [("providers.kafka.brokers", "a"), ("providers.kafka.allowedReplyTopics", text)]
        #expect(try load(minimalYAML, set: set).providers.kafka?.allowedReplyTopics == text)
    }

    @Test func repliesAndDeadLettersMayShareATopic() {
        #expect(told("brokers: a, replyTopic: x, deadLetterTopic: x").isEmpty)
    }

    @Test func eventsDoNotBecomeRequests() {
        func reporter(_ brokers: String) -> String {
            "\nreporting: { reporters: [{ type: kafka, brokers: \(brokers), topic: prediction-requests }] }"
        }
        #expect(told("brokers: a", more: reporter("b")).isEmpty)
        #expect(
            told("brokers: a", more: reporter("a"))
                == [
                    """
                    test.yaml:3: reporting.reporters.0.topic: 'prediction-requests' \(Self.loop) event would be taken as \
                    a request
                    """
                ]
        )
    }

    /// The same cluster is known by any broker that two lists have in common.
    @Test(arguments: ["a:9092", "A", "'c, a'", "'b:1,a:9092'"]) func repliesDoNotGoWhereEventsAre(_ brokers: String) {
        let reporter = "\nreporting: { reporters: [{ type: kafka, brokers: \(brokers), topic: t }] }"
        #expect(
            told("brokers: a, allowedReplyTopics: t", more: reporter)
                == ["allowedReplyTopics: 't' allows t, which is reporting.reporters.0.topic too"]
        )
        #expect(told("brokers: 'd,a:9093', allowedReplyTopics: t", more: reporter).isEmpty)
        // No `*` stands for such a topic.
        #expect(told("brokers: a, allowedReplyTopics: '*'", more: reporter).isEmpty)
    }

    /// A problem with the models would be told twice.
    @Test func theModelIsNotMissedWhereModelsAreWrong() {
        let yaml = "models: [{ url: 'http://a/' }]\nproviders: { kafka: { brokers: a, model: iris } }"
        #expect(problems(yaml) == ["test.yaml:1: models.0.name: is missing"])
    }
}
