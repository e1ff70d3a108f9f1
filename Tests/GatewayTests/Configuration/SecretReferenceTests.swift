import TestSupport
import Testing

@testable import Gateway

/// `${env:NAME}` and `${file:/path}` in open maps.
@Suite struct SecretReferenceTests {
    private static let path = "providers.kafka.properties.sasl.password"
    private static let forms = "${env:NAME} or ${file:/path}"
    private let directory = TemporaryDirectory()

    private func told(_ value: String, _ environment: [String: String] = [:]) -> [String] {
        problems(minimalYAML, environment: environment, set: [("providers.kafka.brokers", "a"), (Self.path, value)])
    }

    private func password(_ value: String, _ environment: [String: String] = [:]) throws -> String? {
        let set = [("providers.kafka.brokers", "a"), (Self.path, value)]
        return try load(minimalYAML, environment: environment, set: set).providers.kafka?.properties["sasl.password"]
    }

    @Test(arguments: ["topsecret", "", "${env:OTHER}", "a\nb", " x "]) func areResolvedFromTheEnvironment(
        _ secret: String
    ) throws {
        // What a secret holds is not looked into again.
        #expect(try password("${env:SECRET}", ["SECRET": secret, "OTHER": "x"]) == secret)
    }

    @Test(arguments: [
        ("topsecret", "topsecret"), ("topsecret\n", "topsecret"), ("topsecret\r\n", "topsecret"),
        ("topsecret\n\n", "topsecret\n"), ("one\ntwo\n", "one\ntwo"), ("", ""), ("\n", ""),
    ]) func areResolvedFromAFile(_ content: String, _ secret: String) throws {
        let file = try directory.write(content, to: "secret")
        #expect(try password("${file:\(file)}") == secret)
    }

    @Test func areResolvedInEachMapAndSource() throws {
        let yaml = """
            models: [{ name: iris, url: 'http://a/' }]
            reporting:
              reporters:
                - { type: kafka, brokers: a, properties: { sasl.password: '${env:SECRET}' } }
                - { type: http, url: 'http://a/', headers: { Authorization: '${env:SECRET}' } }
            """
        let environment = [
            "SECRET": "topsecret", "AMERON_PROVIDERS_KAFKA_BROKERS": "a",
            "AMERON_PROVIDERS_KAFKA_PROPERTIES_SASL_PASSWORD": "${env:SECRET}",
        ]
        let configuration = try load(yaml, environment: environment)
        var values = configuration.providers.kafka?.properties.map(\.value) ?? []
        for reporter in configuration.reporting.reporters {
            switch reporter {
            case .file: break
            case .kafka(let kafka): values += kafka.properties.values
            case .http(let http): values += http.headers.values
            }
        }
        #expect(values == ["topsecret", "topsecret", "topsecret"])
    }

    @Test func elsewhereTheyAreText() throws {
        #expect(try load(minimalYAML, set: [("models.0.name", "${env:NONE}")]).models[0].name == "${env:NONE}")
    }

    /// One that a later layer replaces need not be there.
    @Test func onlyTheWinnerIsResolved() throws {
        let yaml = minimalYAML + "\nproviders: { kafka: { brokers: a, properties: { a: '${env:NONE}' } } }"
        #expect(problems(yaml).count == 1)
        #expect(try load(yaml, set: [("providers.kafka.properties.a", "b")]).providers.kafka?.properties == ["a": "b"])
    }

    @Test(arguments: [
        ("${env:NONE}", "names the environment variable NONE, which is not set"),
        ("${file:/nonexistent}", "names the file /nonexistent, which cannot be read: No such file or directory"),
        ("${file:/}", "names the file /, which cannot be read: Is a directory"),
        ("${env:}", "is no reference to a secret; write \(forms)"),
        ("${topsecret}", "is no reference to a secret; write \(forms)"),
        ("${vault:topsecret}", "is no reference to a secret; write \(forms)"),
        ("Bearer ${env:SECRET}", "holds more than the reference; \(forms) must be the whole value"),
        ("${env:SECRET} ", "holds more than the reference; \(forms) must be the whole value"),
    ]) func tellWhatIsWrongWithThem(_ value: String, _ reason: String) {
        #expect(told(value, ["SECRET": "topsecret"]) == ["--set: \(Self.path): '***' \(reason)"])
    }

    @Test func filesAreBoundedText() throws {
        let large = try directory.write(String(repeating: "x", count: (64 << 10) + 1), to: "large")
        let messages = told("${file:\(large)}")
        #expect(
            messages == [
                "--set: \(Self.path): '***' names the file \(large), which cannot be read: it is larger than 65536 bytes"
            ]
        )
        let binary = told("${file:/proc/self/exe}")
        #expect(binary.count == 1 && !binary[0].contains("ELF"))
    }

    /// Whatever is wrong beside it, a secret is in no message.
    @Test(arguments: ["topsecret", "${env:SECRET}", "top\u{0}secret"]) func areInNoMessage(_ value: String) {
        let yaml = """
            models: [{ name: a, url: 'http://a/' }]
            reporting:
              reporters:
                - { type: file, properties: { sasl.password: topsecret }, headers: { A: topsecret }, zebra: 1 }
                - { type: pigeon, headers: { 'bad name': topsecret }, properties: { x: [topsecret] } }
                - { type: http, url: a, headers: { A: "topsecret\\n", connection: topsecret } }
            """
        let set = [
            (Self.path, value), ("providers.kafka.properties.group.id", value),
            ("providers.kafka.properties.a b", value),
            ("reporting.reporters.9.headers.a", value), ("providers.kafka.property.a", value),
        ]
        let messages = problems(yaml, environment: ["SECRET": "topsecret\u{0}"], set: set)
        #expect(messages.count >= 12)
        #expect(messages.allSatisfy { !$0.contains("secret") }, "\(messages)")
    }
}
