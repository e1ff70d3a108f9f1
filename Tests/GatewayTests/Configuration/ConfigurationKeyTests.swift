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

    static func file(_ configuration: Configuration) -> Configuration.Reporter.File {
        switch configuration.reporting.reporters[0] {
        case .file(let file): file
        case .kafka, .http: Configuration.Reporter.File()
        }
    }

    static let cases: [Case] = [
        Case("server.host", "0.0.0.0") { $0.server.host == "0.0.0.0" },
        Case("server.port", "0") { $0.server.port == 0 },
        Case("server.shards", "3") { $0.server.shards == 3 },
        Case("server.maxBodyBytes", "1MiB") { $0.server.maxBodyBytes == 1 << 20 },
        Case("server.maxHeaderBytes", "4KiB") { $0.server.maxHeaderBytes == 4096 },
        Case("server.maxConnections", "7") { $0.server.maxConnections == 7 },
        Case("server.maxInFlight", "8") { $0.server.maxInFlight == 8 },
        Case("server.idleTimeout", "1m") { $0.server.idleTimeout == .seconds(60) },
        Case("server.drainTimeout", "0s") { $0.server.drainTimeout == .zero },
        Case("models.0.name", "rotate") { $0.models[0].name == "rotate" },
        Case("models.0.version", "1.10") { $0.models[0].version == "1.10" },
        Case("models.0.protocol", "v2") { $0.models[0].protocol == .v2 },
        Case("models.0.url", "https://model/x") { $0.models[0].url == "https://model/x" },
        Case("models.0.timeout", "500ms") { $0.models[0].timeout == .milliseconds(500) },
        Case("models.0.maxConnections", "9") { $0.models[0].maxConnections == 9 },
        Case("models.0.maxResponseBytes", "10MB") { $0.models[0].maxResponseBytes == 10_000_000 },
        Case("models.0.healthUrl", "http://model/health") { $0.models[0].healthUrl == "http://model/health" },
        Case("models.0.transport", "curl") { $0.models[0].transport == .curl },
        Case("models.0.caFile", "/etc/ca.pem") { $0.models[0].caFile == "/etc/ca.pem" },
        Case("reporting.delivery", "best-effort") { $0.reporting.delivery == .bestEffort },
        Case("reporting.capture", "body") { $0.reporting.capture == .body },
        Case("reporting.maxCaptureBytes", "512B") { $0.reporting.maxCaptureBytes == 512 },
        Case("reporting.maxQueueBytes", "1GiB") { $0.reporting.maxQueueBytes == 1 << 30 },
        Case("reporting.reporters.0.type", "file") { file($0).path == "a.jsonl" },
        Case("reporting.reporters.0.path", "b.jsonl") { file($0).path == "b.jsonl" },
        Case("reporting.reporters.0.maxBytes", "100MiB") { file($0).maxBytes == 100 << 20 },
        Case("reporting.reporters.0.keep", "2") { file($0).keep == 2 },
        Case("log.level", "debug") { $0.log.level == .debug },
    ]

    @Test func everyKeyHasACase() {
        let tested = Set(Self.cases.map { ConfigurationPath(text: $0.path).pattern.documented })
        #expect(tested == Set(ConfigurationSchema.keys.map(\.path)))
        #expect(Self.cases.count == ConfigurationSchema.keys.count)
    }

    @Test(arguments: cases) func isSetByFile(_ test: Case) throws {
        // Merged into the minimal configuration with a list element reached by its own keys.
        var keys = ["models.0.name": "iris", "models.0.url": "http://127.0.0.1:9090/predict"]
        keys["reporting.reporters.0.type"] = "file"
        keys["reporting.reporters.0.path"] = "a.jsonl"
        keys[test.path] = test.text
        #expect(test.expect(try load(yaml(keys))))
    }

    @Test(arguments: cases) func isSetByEnvironment(_ test: Case) throws {
        let name = ConfigurationPath(text: test.path).environmentName
        #expect(test.expect(try load(minimalYAML, environment: [name: test.text])))
        let squeezed = "AMERON_" + test.path.uppercased().split(separator: ".").joined(separator: "_")
        #expect(test.expect(try load(minimalYAML, environment: [squeezed: test.text])))
    }

    @Test(arguments: cases) func isSetByFlag(_ test: Case) throws {
        #expect(test.expect(try load(minimalYAML, set: [(test.path, test.text)])))
    }

    @Test func theTableShowsTheDefaults() {
        let defaults = Dictionary(uniqueKeysWithValues: ConfigurationSchema.keys.map { ($0.path, $0.defaultText) })
        #expect(defaults["server.maxBodyBytes"] == "16MiB")
        #expect(defaults["server.idleTimeout"] == "75s")
        #expect(defaults["models.N.protocol"] == "native")
        #expect(defaults["models.N.version"] == "")
        #expect(defaults["reporting.reporters.N.keep"] == "5")
        #expect(defaults["log.level"] == "info")
    }

    /// A default that its own limits refuse could not be written down by anybody.
    @Test(arguments: ConfigurationSchema.keys.map(\.path)) func theDefaultIsAllowed(_ path: String) throws {
        let key = try #require(ConfigurationSchema.keys.first { $0.path == path })
        if key.isRequired { return }
        let concrete = key.pattern.with(index: 0).description
        #expect(try load(minimalYAML, set: [(concrete, key.defaultText)]) == load(minimalYAML))
    }

    @Test func everyKeyIsDocumented() {
        for key in ConfigurationSchema.keys {
            #expect(key.documentation.hasSuffix("."), "\(key.path)")
            #expect(!KubernetesVariable.isOne(key.environmentName, value: "1"), "\(key.path)")
        }
    }

    /// Writes dotted keys as flow style: `{models: [{name: "iris"}]}`.
    private func yaml(_ keys: [String: String]) -> String {
        if keys.count == 1, let value = keys[""] { return "\"\(value)\"" }
        var groups: [String: [String: String]] = [:]
        for (key, value) in keys {
            let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
            groups[parts[0], default: [:]][parts.count == 2 ? parts[1] : ""] = value
        }
        if let element = groups["0"] { return "[\(yaml(element))]" }
        return "{" + groups.map { "\($0.key): \(yaml($0.value))" }.joined(separator: ", ") + "}"
    }
}
