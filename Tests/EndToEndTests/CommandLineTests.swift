import Foundation
import TestSupport
import Testing

/// Arguments, environment and configuration file: what is taken, and what is refused and how.
@Suite("Command line and configuration", .sidecarLog) struct CommandLineTests {
    private let directory = TemporaryDirectory()

    private func file(_ yaml: String) throws -> String { try directory.write(yaml, to: "sidecar.yaml") }

    private static let good = """
        server: { port: 0, shards: 1 }
        models:
          - { name: iris, url: "http://127.0.0.1:9/predict" }
        """

    @Test func validates() throws {
        let (status, _, error) = try SidecarProcess.run(["validate", "--config", file(Self.good)])
        #expect(status == .code(0), "\(error)")
    }

    /// A wrong configuration, and words that the error must have: the key, the value.
    @Test(arguments: [
        ("server: { prot: 1 }", ["prot"]),
        ("server: { port: seventy }", ["server.port", "seventy"]),
        ("server: { port: 70000 }", ["server.port", "70000"]),
        ("server: { maxBodyBytes: 3 buckets }", ["server.maxBodyBytes", "3 buckets"]),
        ("server: { idleTimeout: 5 }", ["server.idleTimeout", "5"]),
        ("models: [{ name: iris, url: \"http://127.0.0.1:9/\", protocol: v9 }]", ["protocol", "v9", "native"]),
        ("models: [{ name: iris, url: \"ftp://127.0.0.1/\" }]", ["url", "ftp"]),
        ("models: [{ url: \"http://127.0.0.1:9/\" }]", ["name"]),
        ("models: [{ name: iris }]", ["url"]),
        ("reporting: { capture: everything }", ["reporting.capture", "everything", "body"]),
        ("reporting: { reporters: [{ type: pigeon }] }", ["type", "pigeon", "file"]),
        ("reporting: { reporters: [{ type: kafka }] }", ["reporting.reporters.0.brokers"]),
        ("reporting: { reporters: [{ type: http, url: \"ftp://a/\" }] }", ["reporting.reporters.0.url", "ftp"]),
        ("reporting: { reporters: [{ type: file, path: a, topic: b }] }", ["reporters.0.topic", "kafka", "file"]),
        ("providers: { kafka: { group: a } }", ["providers.kafka.brokers"]),
        ("providers: { kafka: { brokers: a, properties: { a: \"${env:NONE}\" } } }", ["properties.a", "***", "NONE"]),
        ("server: [1, 2", []),
        ("unknown: 1", ["unknown"]),
    ])
    func refusesConfigurations(_ yaml: String, _ words: [String]) throws {
        let models = yaml.hasPrefix("models") ? "" : "\nmodels: [{ name: iris, url: \"http://127.0.0.1:9/\" }]\n"
        let path = try file(yaml + models)
        for arguments in [["validate", "--config", path], ["--config", path]] {
            let (status, _, error) = try SidecarProcess.run(arguments)
            #expect(status == .code(78), "\(error)")
            for word in words { #expect(error.contains(word), "\(error)") }
        }
    }

    @Test func showsWhatItWouldDo() throws {
        let path = try file(
            Self.good + """

                reporting:
                  delivery: at-least-once
                  spool: { path: /var/spool/ameron, fsync: always }
                  reporters:
                    - { type: file, path: a.jsonl }
                    - { type: kafka, brokers: "a:1,b", properties: { sasl.password: topsecret, linger.ms: 5 } }
                    - { type: http, url: "http://events/", headers: { Authorization: "${env:TOKEN}" } }
                providers:
                  kafka: { brokers: a, model: iris, properties: { sasl.password: "${env:TOKEN}" } }
                """
        )
        let (status, output, error) = try SidecarProcess.run(
            ["validate", "--config", path, "--set", "providers.kafka.properties.sasl.username=topsecret"],
            environment: ["TOKEN": "topsecret"]
        )
        #expect(status == .code(0), "\(error)")
        #expect(!(output + error).contains("topsecret"))
        for line in [
            "delivery at-least-once: spool /var/spool/ameron of up to 1GiB, fsync always, refuse when full",
            "reporter file: a.jsonl",
            """
            reporter kafka: topic predictions at a:1,b, key requestId, failures to failed-predictions.jsonl, \
            properties linger.ms sasl.password
            """,
            "reporter http: batch to http://events/, failures to failed-predictions.jsonl, headers authorization",
            """
            provider kafka: topic prediction-requests at a, group ameron, native replies to prediction-replies, \
            dead letters to prediction-dead-letters, model iris, properties sasl.password sasl.username
            """,
        ] {
            #expect(output.split(separator: "\n").contains(line[...]), "\(output)")
        }
    }

    @Test(arguments: [["--nonsense"], ["validate", "--nonsense"], ["nonsense"], ["example-model", "--port", "x"]])
    func refusesArguments(_ arguments: [String]) throws {
        let (status, _, error) = try SidecarProcess.run(arguments)
        #expect(status == .code(64), "\(error)")
        #expect(!error.isEmpty)
    }

    @Test func refusesAFileThatIsNotThere() throws {
        let path = directory.file("none.yaml")
        let (status, _, error) = try SidecarProcess.run(["--config", path])
        #expect(status == .code(78), "\(error)")
        #expect(error.contains(path))
    }

    @Test func explainsItself() throws {
        let (status, output, _) = try SidecarProcess.run(["--help"])
        #expect(status == .code(0))
        for word in ["--config", "validate", "example-model"] { #expect(output.contains(word)) }
        let (versionStatus, version, _) = try SidecarProcess.run(["--version"])
        #expect(versionStatus == .code(0))
        // Only scripts/release.sh links a commit in; `make test-install` looks for that.
        #expect(
            version.contains(#/^ameron-sidecar [0-9.]+ \(commit (unknown|[0-9a-f]{40}(-dirty)?)\)\n/#),
            "\(version)"
        )
        for library in ["ameron-sidecar 0.", "libmicrohttpd/0.9.", "librdkafka/", "libyaml/", "libcurl/", "OpenSSL/"] {
            #expect(version.contains(library), "\(version)")
        }
    }

    @Test(arguments: ["AMERON_SERVER_MAXBODYBYTES", "AMERON_SERVER_MAX_BODY_BYTES"])
    func environmentComesBeforeTheFile(_ name: String) throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/")),
            server: ["maxBodyBytes": "1MiB"]
        )
        try withSidecar(configuration, environment: [name: "10"]) { sidecar in
            let statuses = try [10, 11].map {
                try sidecar.send(HTTPRequest("POST", "/predictions", body: Array(repeating: 32, count: $0))).status
            }
            #expect(statuses == [200, 413])
        }
    }

    @Test func findsItsFileByTheEnvironment() throws {
        let path = try file(Self.good)
        let sidecar = try SidecarProcess(arguments: [], environment: ["AMERON_CONFIG": path])
        #expect(try sidecar.get("/livez").status == 200)
        #expect(sidecar.stop() == .code(0))
    }

    @Test func refusesWrongEnvironment() throws {
        let path = try file(Self.good)
        let environment = ["AMERON_SERVER_PORT": "seventy"]
        let (status, _, error) = try SidecarProcess.run(["validate", "--config", path], environment: environment)
        #expect(status == .code(78), "\(error)")
        #expect(error.contains("seventy"))
        #expect(error.contains("AMERON_SERVER_PORT") || error.contains("server.port"))
    }

    @Test func tellsThatThePortIsTaken() throws {
        let service = try modelService(Sample.native)
        guard case .tcp(let port) = service.endpoint else { throw TestFailure("not a port") }
        let path = try file(Self.good.replacingOccurrences(of: "port: 0", with: "port: \(port)"))
        let (status, _, error) = try SidecarProcess.run(["--config", path])
        #expect(status != .code(0))
        if case .signal = status { Issue.record("crashed: \(error)") }
        #expect(error.contains("\(port)"), "\(error)")
    }

    @Test func tellsThatTheEventFileCannotBeWritten() throws {
        let path = try file(
            Self.good + "\nreporting: { reporters: [{ type: file, path: \"\(directory.path)/none/events.jsonl\" }] }\n"
        )
        let (status, _, error) = try SidecarProcess.run(["--config", path])
        #expect(status != .code(0))
        if case .signal = status { Issue.record("crashed: \(error)") }
        #expect(error.contains("none/events.jsonl"), "\(error)")
    }
}
