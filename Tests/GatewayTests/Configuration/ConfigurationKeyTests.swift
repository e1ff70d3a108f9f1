import TestSupport
import Testing

@testable import Gateway

/// Each key, by each of the three ways to set it.
@Suite struct ConfigurationKeyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let path: String
        let text: String
        let expect: @Sendable (Configuration) -> Bool

        init(_ path: String, _ text: String, _ expect: @escaping @Sendable (Configuration) -> Bool) {
            (self.path, self.text, self.expect) = (path, text, expect)
        }

        var testDescription: String { path }
    }

    static func file(_ configuration: Configuration) -> Configuration.Reporter.File? {
        if case .file(let file)? = configuration.reporting.reporters.first { file } else { nil }
    }

    static func kafka(_ configuration: Configuration) -> Configuration.Reporter.Kafka? {
        if case .kafka(let kafka)? = configuration.reporting.reporters.first { kafka } else { nil }
    }

    static func http(_ configuration: Configuration) -> Configuration.Reporter.HTTP? {
        if case .http(let http)? = configuration.reporting.reporters.first { http } else { nil }
    }

    static let cases: [Case] = [
        Case("server.host", "0.0.0.0") { $0.server.host == "0.0.0.0" },
        Case("server.port", "0") { $0.server.port == 0 },
        Case("server.shards", "3") { $0.server.shards == 3 },
        Case("server.maxBodyBytes", "1MiB") { $0.server.maxBodyBytes == 1 << 20 },
        Case("server.maxHeaderBytes", "4KiB") { $0.server.maxHeaderBytes == 4096 },
        Case("server.maxConnections", "7") { $0.server.maxConnections == 7 },
        Case("server.maxInFlight", "8") { $0.server.maxInFlight == 8 },
        Case("server.maxInFlightBytes", "64MiB") { $0.server.maxInFlightBytes == 64 << 20 },
        Case("server.headTimeout", "5s") { $0.server.headTimeout == .seconds(5) },
        Case("server.bodyTimeout", "30s") { $0.server.bodyTimeout == .seconds(30) },
        Case("server.idleTimeout", "1m") { $0.server.idleTimeout == .seconds(60) },
        Case("server.drainTimeout", "0s") { $0.server.drainTimeout == .zero },
        Case("server.allowedHosts", "a.org, *.b.org") { $0.server.allowedHosts == "a.org, *.b.org" },
        Case("models.0.name", "rotate") { $0.models[0].name == "rotate" },
        Case("models.0.version", "1.10") { $0.models[0].version == "1.10" },
        Case("models.0.protocol", "v2") { $0.models[0].protocol == .v2 },
        Case("models.0.url", "https://model/x") { $0.models[0].url == "https://model/x" },
        Case("models.0.timeout", "500ms") { $0.models[0].timeout == .milliseconds(500) },
        Case("models.0.maxConnections", "9") { $0.models[0].maxConnections == 9 },
        Case("models.0.maxResponseBytes", "10MB") { $0.models[0].maxResponseBytes == 10_000_000 },
        Case("models.0.stream", "always") { $0.models[0].stream == .always },
        Case("models.0.idleTimeout", "7s") { $0.models[0].idleTimeout == .seconds(7) },
        Case("models.0.maxStreamTime", "1h") { $0.models[0].maxStreamTime == .seconds(3_600) },
        Case("models.0.maxStreamBufferBytes", "1MiB") { $0.models[0].maxStreamBufferBytes == 1 << 20 },
        Case("models.0.keepAlive", "9s") { $0.models[0].keepAlive == .seconds(9) },
        Case("models.0.repeatable", "true") { $0.models[0].repeatable },
        Case("models.0.retry.attempts", "3") { $0.models[0].retry.attempts == 3 },
        Case("models.0.retry.on", "connect, connect") { $0.models[0].retry.causes == [.connect, .connect] },
        Case("models.0.retry.budget", "50") { $0.models[0].retry.budget == 50 },
        Case("models.0.maxPredictions", "17") { $0.models[0].maxPredictions == 17 },
        Case("models.0.healthUrl", "http://model/health") { $0.models[0].healthUrl == "http://model/health" },
        Case("models.0.transport", "curl") { $0.models[0].transport == .curl },
        Case("models.0.caFile", "/etc/ca.pem") { $0.models[0].caFile == "/etc/ca.pem" },
        Case("reporting.delivery", "at-least-once") { $0.reporting.delivery == .atLeastOnce },
        Case("reporting.capture", "body") { $0.reporting.capture == .body },
        Case("reporting.maxCaptureBytes", "512B") { $0.reporting.maxCaptureBytes == 512 },
        Case("reporting.maxEventBytes", "20KiB") { $0.reporting.maxEventBytes == 20 << 10 },
        Case("reporting.maxQueueBytes", "1GiB") { $0.reporting.maxQueueBytes == 1 << 30 },
        Case("reporting.spool.path", "/var/spool/x") { $0.reporting.spool.path == "/var/spool/x" },
        Case("reporting.spool.maxBytes", "2GiB") { $0.reporting.spool.maxBytes == 2 << 30 },
        Case("reporting.spool.fsync", "always") { $0.reporting.spool.fsync == .always },
        Case("reporting.spool.fsyncInterval", "5ms") { $0.reporting.spool.fsyncInterval == .milliseconds(5) },
        Case("reporting.spool.whenFull", "drop-oldest") { $0.reporting.spool.whenFull == .dropOldest },
        Case("reporting.reporters.0.type", "file") { file($0)?.path == "a.jsonl" },
        Case("reporting.reporters.0.path", "b.jsonl") { file($0)?.path == "b.jsonl" },
        Case("reporting.reporters.0.maxBytes", "100MiB") { file($0)?.maxBytes == 100 << 20 },
        Case("reporting.reporters.0.keep", "2") { file($0)?.keep == 2 },
        Case("reporting.reporters.0.brokers", "a:1,[::1]:2") { kafka($0)?.brokers == "a:1,[::1]:2" },
        Case("reporting.reporters.0.topic", "x_1.y-Z") { kafka($0)?.topic == "x_1.y-Z" },
        Case("reporting.reporters.0.key", "modelName") { kafka($0)?.key == .modelName },
        Case("reporting.reporters.0.properties.linger.ms", "5") { kafka($0)?.properties == ["linger.ms": "5"] },
        Case("reporting.reporters.0.url", "https://events/x") { http($0)?.url == "https://events/x" },
        Case("reporting.reporters.0.mode", "binary") { http($0)?.mode == .binary },
        Case("reporting.reporters.0.maxBatchEvents", "7") { http($0)?.maxBatchEvents == 7 },
        Case("reporting.reporters.0.maxInFlight", "2") { http($0)?.maxInFlight == 2 },
        Case("reporting.reporters.0.timeout", "3s") { http($0)?.timeout == .seconds(3) },
        Case("reporting.reporters.0.maxAttempts", "9") { http($0)?.maxAttempts == 9 },
        Case("reporting.reporters.0.retryBackoff", "20ms") { http($0)?.retryBackoff == .milliseconds(20) },
        Case("reporting.reporters.0.name", "collector") { $0.reporting.reporterNames == ["collector"] },
        Case("reporting.reporters.0.maxRetryAfter", "1m") { http($0)?.maxRetryAfter == .seconds(60) },
        Case("reporting.reporters.0.maxRetryBackoff", "1m") { http($0)?.maxRetryBackoff == .seconds(60) },
        Case("reporting.reporters.0.caFile", "/ca.pem") { http($0)?.caFile == "/ca.pem" },
        Case("reporting.reporters.0.headers.x-api-key", "k") { http($0)?.headers == ["x-api-key": "k"] },
        Case("reporting.reporters.0.failurePath", "bad") { kafka($0)?.failurePath == "bad" },
        Case("providers.kafka.brokers", "127.0.0.1:9092") { $0.providers.kafka?.brokers == "127.0.0.1:9092" },
        Case("providers.kafka.group", "g") { $0.providers.kafka?.group == "g" },
        Case("providers.kafka.requestTopic", "in") { $0.providers.kafka?.requestTopic == "in" },
        Case("providers.kafka.replyTopic", "out") { $0.providers.kafka?.replyTopic == "out" },
        Case("providers.kafka.deadLetterTopic", "dead") { $0.providers.kafka?.deadLetterTopic == "dead" },
        Case("providers.kafka.allowedReplyTopics", "a,b-*") { $0.providers.kafka?.allowedReplyTopics == "a,b-*" },
        Case("providers.kafka.model", "iris") { $0.providers.kafka?.model == "iris" },
        Case("providers.kafka.face", "v2") { $0.providers.kafka?.face == .v2 },
        Case("providers.kafka.keyOrder", "pipelined") { $0.providers.kafka?.keyOrder == .pipelined },
        Case("providers.kafka.consumers", "2") { $0.providers.kafka?.consumers == 2 },
        Case("providers.kafka.maxInFlight", "3") { $0.providers.kafka?.maxInFlight == 3 },
        Case("providers.kafka.maxInFlightBytes", "1MiB") { $0.providers.kafka?.maxInFlightBytes == 1 << 20 },
        Case("providers.kafka.maxAttempts", "1") { $0.providers.kafka?.maxAttempts == 1 },
        Case("providers.kafka.retryBackoff", "1s") { $0.providers.kafka?.retryBackoff == .seconds(1) },
        Case("providers.kafka.maxRetryBackoff", "2s") { $0.providers.kafka?.maxRetryBackoff == .seconds(2) },
        Case("providers.kafka.properties.sasl.password", "p") {
            $0.providers.kafka?.properties == ["sasl.password": "p"]
        },
        Case("ui.enabled", "false") { !$0.ui.enabled },
        Case("ui.showsRequests", "true") { $0.ui.showsRequests },
        Case("log.level", "debug") { $0.log.level == .debug },
        Case("log.format", "text") { $0.log.format == .text },
    ]

    @Test func everyKeyHasACase() {
        let tested = Set(Self.cases.map { ConfigurationPath(text: $0.path).pattern.documented })
        #expect(tested == Set(ConfigurationSchema.keys.map(\.path)))
        #expect(Self.cases.count == ConfigurationSchema.keys.count)
    }

    @Test(arguments: cases) func isSetByFile(_ test: Case) throws {
        var keys = Self.minimum(for: ConfigurationPath(text: test.path))
        keys[test.path] = test.text
        #expect(test.expect(try load(Self.yaml(keys))))
    }

    @Test(arguments: cases) func isSetByEnvironment(_ test: Case) throws {
        let path = ConfigurationPath(text: test.path)
        let yaml = Self.yaml(Self.minimum(for: path))
        #expect(test.expect(try load(yaml, environment: [path.environmentName: test.text])))
        let squeezed = "AMERON_" + test.path.uppercased().split(separator: ".").joined(separator: "_")
        #expect(test.expect(try load(yaml, environment: [squeezed: test.text])))
    }

    @Test(arguments: cases) func isSetByFlag(_ test: Case) throws {
        let yaml = Self.yaml(Self.minimum(for: ConfigurationPath(text: test.path)))
        #expect(test.expect(try load(yaml, set: [(test.path, test.text)])))
    }

    @Test func aFileMayWriteWordsAsAList() throws {
        let retry = "retry: { attempts: 2, on: [connect, 5xx] }"
        let yaml = minimalYAML.replacing("url:", with: "repeatable: true\n    \(retry)\n    url:")
        #expect(try load(yaml).models[0].retry.causes == [.connect, .serverError])
        // Not of other keys, and no other lists.
        #expect(throws: ConfigurationError.self) { try load(yaml.replacing("[connect, 5xx]", with: "[[connect]]")) }
        #expect(throws: ConfigurationError.self) { try load(yaml.replacing("attempts: 2", with: "attempts: [2]")) }
    }

    @Test func failurePathIsOfHTTPReportersToo() throws {
        let yaml = minimalYAML.replacing("type: file", with: "type: http").replacing(
            "path: a.jsonl",
            with: "url: http://a"
        )
        let configuration = try load(yaml, set: [("reporting.reporters.0.failurePath", "bad")])
        #expect(Self.http(configuration)?.failurePath == "bad")
    }

    @Test func theTableShowsTheDefaults() {
        let defaults = Dictionary(uniqueKeysWithValues: ConfigurationSchema.keys.map { ($0.path, $0.defaultText) })
        #expect(defaults["server.maxBodyBytes"] == "16MiB")
        #expect(defaults["server.idleTimeout"] == "75s")
        #expect(defaults["models.N.protocol"] == "native")
        #expect(defaults["models.N.version"] == "")
        #expect(defaults["reporting.reporters.N.keep"] == "5")
        #expect(defaults["reporting.delivery"] == "best-effort")
        #expect(defaults["reporting.spool.maxBytes"] == "1GiB")
        #expect(defaults["reporting.reporters.N.type"] == "")
        #expect(defaults["reporting.reporters.N.failurePath"] == "failed-predictions.jsonl")
        #expect(defaults["providers.kafka.requestTopic"] == "prediction-requests")
        #expect(defaults["providers.kafka.allowedReplyTopics"] == "")
        #expect(defaults["log.level"] == "info")
    }

    /// A default that its own limits refuse could not be written down by anybody.
    @Test(arguments: ConfigurationSchema.keys.map(\.path)) func theDefaultIsAllowed(_ path: String) throws {
        let key = try #require(ConfigurationSchema.keys.first { $0.path == path })
        if key.isRequired || key.members != nil { return }
        let yaml = Self.yaml(Self.minimum(for: key.pattern))
        #expect(try load(yaml, set: [(key.pattern.description, key.defaultText)]) == load(yaml))
    }

    @Test func everyKeyIsDocumented() {
        for key in ConfigurationSchema.keys {
            #expect(key.documentation.hasSuffix("."), "\(key.path)")
            #expect(!KubernetesVariable.isOne(key.environmentName, value: "1"), "\(key.path)")
        }
    }

    /// The least that must be there for the key at `path` to be allowed; the path may be among it.
    static func minimum(for path: ConfigurationPath) -> [String: String] {
        var keys = ["models.0.name": "iris", "models.0.url": "http://127.0.0.1:9090/predict"]
        let type = ConfigurationSchema.keys.first { $0.pattern == path.pattern }?.reporterTypes.first ?? "file"
        keys["reporting.reporters.0.type"] = type
        switch type {
        case "kafka": keys["reporting.reporters.0.brokers"] = "broker"
        case "http": keys["reporting.reporters.0.url"] = "http://receiver/"
        default: keys["reporting.reporters.0.path"] = "a.jsonl"
        }
        if path.hasPrefix("providers.kafka") { keys["providers.kafka.brokers"] = "broker" }
        return keys
    }

    /// Writes dotted keys as flow style: `{models: [{name: "iris"}]}`.
    static func yaml(_ keys: [String: String]) -> String {
        yaml(keys.map { (ConfigurationPath(text: $0.key).components[...], $0.value) })
    }

    private static func yaml(_ values: [(ArraySlice<ConfigurationPath.Component>, String)]) -> String {
        if values.count == 1, values[0].0.isEmpty { return "\"\(values[0].1)\"" }
        let groups = Dictionary(grouping: values) { $0.0.first }.mapValues { yaml($0.map { ($0.0.dropFirst(), $0.1) }) }
        if let element = groups[.index(0)] { return "[\(element)]" }
        return "{"
            + groups.map { "\(ConfigurationPath(components: [$0.key].compactMap { $0 })): \($0.value)" }
            .joined(separator: ", ") + "}"
    }
}
