import Foundation
import Testing

@testable import Gateway

/// The reference: that it is current, and that what it says is so.
@Suite struct ConfigurationReferenceTests {
    private let reference = ConfigurationReference.markdown

    /// What stands in the fenced block after `text`.
    private func block(after text: String) throws -> String {
        let rest = try #require(reference.components(separatedBy: text).dropFirst().first)
        let parts = rest.components(separatedBy: "```")
        return String(try #require(parts.dropFirst().first).drop { $0 != "\n" }.dropFirst())
    }

    @Test func docsAreCurrent() throws {
        let root = URL(fileURLWithPath: #filePath).appending(path: "../../../..").standardized
        let file = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        #expect(
            file == reference,
            "docs/configuration.md is not what the table of keys says; `make docs` writes it anew"
        )
    }

    @Test func hasEveryKeyOnce() {
        let rows = reference.split(separator: "\n").filter { $0.hasPrefix("| `") }
        for key in ConfigurationSchema.keys {
            let own = rows.filter { $0.hasPrefix("| `\(key.path)`<br>`\(key.environmentName)`") }
            // A key may belong to two types of Reporter with different limits.
            #expect(own.count == ConfigurationSchema.keys.count { $0.path == key.path }, "\(key.path)")
        }
        for (key, flag) in ConfigurationFlags.ownFlags {
            #expect(rows.count { $0.hasPrefix("| `\(key)`") && $0.contains("`\(flag)`") } == 1)
        }
        for name in ConfigurationSchema.reservedKafkaProperties.keys { #expect(reference.contains("| `\(name)` |")) }
    }

    @Test func theExampleCanBeLoaded() throws {
        let yaml = try block(after: "## An example")
        let environment = ["KAFKA_PASSWORD": "p", "AMERON_MODELS_0_TIMEOUT": "2s"]
        let configuration = try load(yaml, environment: environment, set: [("server.port", "9000")])
        #expect(configuration.models[0].timeout == .seconds(2))
        #expect(configuration.server.port == 9000)
    }

    @Test func errorsLookAsShown() throws {
        let lines = try block(after: "## Errors").split(separator: "\n").map(String.init)
        var flags = ConfigurationFlags()
        flags.models = [.init(name: "iris", url: "http://127.0.0.1:9090/predict")]
        flags.set("server.port", to: "70000")
        let loader = ConfigurationLoader(
            environment: ["AMERON_LOG_LEVEL": "debgu", "AMERON_SERVER_PROT": "1"],
            flags: flags
        )
        let yaml = "# Two mistakes.\nserver:\n  prot: 8080\n  idleTimeout: 75\n"
        let error = #expect(throws: ConfigurationError.self) {
            try loader.load(yaml: Array(yaml.utf8), named: "sidecar.yaml")
        }
        #expect(error?.problems.map(\.description) == lines)
    }
}
