import Testing

@testable import Gateway

/// Open maps: properties of Kafka and headers of HTTP, from each source.
@Suite struct ConfigurationMapTests {
    private static let yaml = """
        models: [{ name: iris, url: 'http://a/' }]
        reporting:
          reporters:
            - { type: kafka, brokers: a, properties: { linger.ms: 5, enable.idempotence: true, client.id: file } }
            - type: http
              url: http://a/
              headers: { X-Api-Key: file, X-Other: ~text }
        providers:
          kafka:
            brokers: a
            properties:
              "sasl.username": file
              sasl.password: file
              client.id: ''
        """

    private func kafka(_ configuration: Configuration) -> [String: String]? {
        configuration.providers.kafka?.properties
    }

    private func reporter(_ configuration: Configuration, _ index: Int) -> [String: String] {
        switch configuration.reporting.reporters[index] {
        case .file: [:]
        case .kafka(let kafka): kafka.properties
        case .http(let http): http.headers
        }
    }

    @Test func takeAnyScalarAsItsText() throws {
        let configuration = try load(Self.yaml)
        #expect(reporter(configuration, 0) == ["linger.ms": "5", "enable.idempotence": "true", "client.id": "file"])
        #expect(reporter(configuration, 1) == ["x-api-key": "file", "x-other": "~text"])
        #expect(kafka(configuration) == ["sasl.username": "file", "sasl.password": "file", "client.id": ""])
    }

    @Test func laterLayersWinMemberByMember() throws {
        let configuration = try load(
            Self.yaml,
            environment: [
                "AMERON_PROVIDERS_KAFKA_PROPERTIES_SASL_PASSWORD": "environment",
                "AMERON_PROVIDERS_KAFKA_PROPERTIES_CLIENT_ID": "environment",
                "AMERON_REPORTING_REPORTERS_0_PROPERTIES_COMPRESSION_CODEC": "zstd",
                "AMERON_REPORTING_REPORTERS_1_HEADERS_X_API_KEY": "environment",
                "AMERON_REPORTING_REPORTERS_1_HEADERS_AUTHORIZATION": "Bearer a=b",
            ],
            set: [
                ("providers.kafka.properties.client.id", "flag"), ("providers.kafka.properties.0.x", "flag"),
                ("reporting.reporters.0.properties.linger.ms", "7"),
                ("reporting.reporters.1.headers.X-Other", "a.b: c"),
            ]
        )
        #expect(
            kafka(configuration)
                == ["sasl.username": "file", "sasl.password": "environment", "client.id": "flag", "0.x": "flag"]
        )
        #expect(
            reporter(configuration, 0)
                == [
                    "linger.ms": "7", "enable.idempotence": "true", "client.id": "file", "compression.codec": "zstd",
                ]
        )
        #expect(
            reporter(configuration, 1)
                == ["x-api-key": "environment", "x-other": "a.b: c", "authorization": "Bearer a=b"]
        )
    }

    @Test func theWholeMapMayComeFromOneLayer() throws {
        let kafka = ["AMERON_PROVIDERS_KAFKA_BROKERS": "a", "AMERON_PROVIDERS_KAFKA_PROPERTIES_DEBUG": "all"]
        #expect(self.kafka(try load(minimalYAML, environment: kafka)) == ["debug": "all"])
        let set = [("providers.kafka.brokers", "a"), ("providers.kafka.properties.debug", "all")]
        #expect(self.kafka(try load(minimalYAML, set: set)) == ["debug": "all"])
    }

    /// What is added to the properties of the Kafka Provider.
    @Test(arguments: [
        ("'a b': topsecret", "a b: is not the name of a property: it holds a space or another odd character"),
        ("'': topsecret", ": needs a name after it"),
        ("a: ", "a: has no value"),
        ("a: [topsecret]", "a: needs one value, not a list or a section"),
        ("sasl: { password: topsecret }", "sasl: needs one value, not a list or a section"),
        ("a: \"topsecret\\0\"", "a: '***' holds a NUL character"),
        ("bootstrap.servers: topsecret", "bootstrap.servers: cannot be set here; use brokers"),
        ("metadata.broker.list: topsecret", "metadata.broker.list: cannot be set here; use brokers"),
        (
            "group.id: topsecret",
            "group.id: cannot be set here; the consumer's group is providers.kafka.group"
        ),
        ("opaque: topsecret", "opaque: cannot be set: the Sidecar keeps its own pointer there"),
        ("log.queue: topsecret", "log.queue: cannot be set: the Sidecar takes librdkafka's log lines from a queue"),
        (
            "delivery.report.only.error: topsecret",
            "delivery.report.only.error: cannot be set: the Sidecar must be told of every delivery"
        ),
        ("transactional.id: topsecret", "transactional.id: cannot be set: messages are sent outside of transactions"),
        (
            "enable.auto.commit: topsecret",
            """
            enable.auto.commit: cannot be set: a request counts as consumed only when its answer is with the broker
            """
        ),
        (
            "enable.auto.offset.store: topsecret",
            """
            enable.auto.offset.store: cannot be set: a request counts as consumed only when its answer is with the broker
            """
        ),
    ]) func refuseProperties(_ member: String, _ message: String) {
        let told = problems(minimalYAML + "\nproviders: { kafka: { brokers: a, properties: { \(member) } } }")
        #expect(told == ["test.yaml:8: providers.kafka.properties." + message])
    }

    @Test(arguments: [
        ("'a b': topsecret", "a b: is not the name of a header (RFC 9110, section 5.1)"),
        ("'a:': topsecret", "a:: is not the name of a header (RFC 9110, section 5.1)"),
        ("a: ''", "a: '***' is empty"),
        ("A: \"topsecret\\r\\nb: c\"", "a: '***' holds a line break or another control character, which no header may"),
        ("Content-Type: topsecret", "content-type: cannot be set: it tells the receiver the CloudEvents mode"),
        ("Content-Length: topsecret", "content-length: cannot be set: it tells where the request ends"),
        ("ce-id: topsecret", "ce-id: cannot be set: ce- headers tell the event's attributes"),
        ("A: 1, a: topsecret", "a: was given before, in other letters"),
    ]) func refuseHeaders(_ member: String, _ message: String) {
        let told = problems(
            "models: [{ name: a, url: 'http://a/' }]\n"
                + "reporting: { reporters: [{ type: http, url: 'http://a/', headers: { \(member) } }] }"
        )
        #expect(told == ["test.yaml:2: reporting.reporters.0.headers." + message])
    }

    @Test func refuseAValueOfTheirOwn() {
        let path = "providers.kafka.properties"
        #expect(
            problems(minimalYAML, set: [(path, "topsecret")])
                == ["--set: \(path): takes no value itself, only its keys, such as \(path).NAME"]
        )
        #expect(
            problems(minimalYAML, set: [(path + ".", "topsecret")]).contains("--set: \(path).: needs a name after it")
        )
        #expect(
            problems(minimalYAML, environment: ["AMERON_PROVIDERS_KAFKA_PROPERTIES": "topsecret"])
                == [
                    "AMERON_PROVIDERS_KAFKA_PROPERTIES: \(path): takes no value itself, only its keys, such as \(path).NAME"
                ]
        )
        #expect(
            problems(minimalYAML + "\nproviders: { kafka: { properties: topsecret } }")
                == ["test.yaml:8: \(path): needs keys with values, written as 'key: value'"]
        )
    }

    @Test func twoVariablesForOneMemberAreRefused() {
        let environment = [
            "AMERON_PROVIDERS_KAFKA_BROKERS": "a", "AMERON_PROVIDERS_KAFKA_PROPERTIES_A_B": "topsecret",
            "AMERON_PROVIDERS_KAFKA_PROPERTIES_A_b": "topsecret",
        ]
        #expect(
            problems(minimalYAML, environment: environment)
                == [
                    """
                    AMERON_PROVIDERS_KAFKA_PROPERTIES_A_b: providers.kafka.properties.a.b: is set by \
                    AMERON_PROVIDERS_KAFKA_PROPERTIES_A_B too
                    """
                ]
        )
    }
}
