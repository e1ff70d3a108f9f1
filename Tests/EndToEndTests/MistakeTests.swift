import Foundation
import TestSupport
import Testing

/// What people write who know other programs: each message says what to write.
@Suite("Mistakes") struct MistakeTests {
    private let directory = TemporaryDirectory()

    private func run(
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> (status: TestSupport.ExitStatus, error: String) {
        let (status, output, error) = try SidecarProcess.run(arguments, environment: environment)
        #expect(output.isEmpty)
        return (status, error)
    }

    @Test(arguments: [
        ["server"], ["start"], ["run"], ["serv"], ["server", "--config", "x.yaml"],
    ]) func theCommandIsServe(_ arguments: [String]) throws {
        let (status, error) = try run(arguments)
        #expect(status == .code(64))
        #expect(error.contains("did you mean 'serve'?"))
    }

    @Test(arguments: [
        (["check"], "did you mean 'validate'?"), (["validat"], "did you mean 'validate'?"),
        (["version"], "did you mean '--version'?"), (["status"], "did you mean 'health'?"),
        (["nonsense"], "commands are serve, validate, "), (["my.yaml"], "write --config my.yaml"),
        (["serve", "my.yml"], "write --config my.yml"), (["validate", "my.yaml"], "write --config my.yaml"),
        (["iris=http://127.0.0.1:9/"], "write --model iris=http://127.0.0.1:9/"),
        (["-p", "80"], "write --port PORT"), (["--listen", "x"], "write --host ADDRESS --port PORT"),
        (["--configuration", "x"], "write --config FILE"), (["--config-file=x"], "write --config FILE"),
        (["--workers", "2"], "write --shards NUMBER"), (["-v"], "write --version"),
        (["--debug"], "write --log-level debug"), (["--confg", "x"], "Did you mean '--config'?"),
    ]) func theCommandLineIsNearlyRight(_ arguments: [String], _ hint: String) throws {
        let (status, error) = try run(arguments)
        #expect(status == .code(64))
        let first = error.prefix { $0 != "\n" }
        #expect(first.hasPrefix("Error: "))
        #expect(first.contains(hint))
    }

    @Test func theShortOptionNamesTheFile() throws {
        let path = try directory.write("models: [{ name: iris, url: \"http://127.0.0.1:9/\" }]", to: "sidecar.yaml")
        #expect(try SidecarProcess.run(["validate", "-c", path]).status == .code(0))
    }

    /// With nothing to go by, in each way.
    @Test(arguments: ["none", "empty", "comments", "sections"]) func thereIsNoModel(_ kind: String) throws {
        let texts = ["empty": "", "comments": "# server:\n", "sections": "server:\nmodels:\nreporting:\n"]
        var arguments: [String] = []
        if let text = texts[kind] { arguments = ["--config", try directory.write(text, to: "\(kind).yaml")] }
        for command in [[], ["validate"]] {
            let (status, error) = try run(command + arguments)
            #expect(status == .code(78))
            for word in ["--model NAME=URL", "--config", "--help"] { #expect(error.contains(word)) }
            #expect(error.hasPrefix(arguments.isEmpty ? "configuration: " : "\(arguments[1]): "))
        }
    }

    @Test(arguments: [
        ("reporters:\n  - { type: file, path: x }", "reporters: unknown key; did you mean 'reporting.reporters'?"),
        ("kafka: { brokers: x }", "did you mean 'providers.kafka'?"),
        ("spool: { path: x }", "did you mean 'reporting.spool'?"),
        ("port: 80", "did you mean 'server.port'?"),
        ("log: { level: warn }", "did you mean 'warning'?"),
        ("log: { level: fatal }", "did you mean 'critical'?"),
        ("reporting: { delivery: at_least_once }", "did you mean 'at-least-once'?"),
        ("reporting: { delivery: exactly-once }", "did you mean 'at-least-once'?"),
        ("ui: { enabled: 0 }", "did you mean 'false'?"),
        ("ui: { enabled: on }", "did you mean 'true'?"),
        ("providers: { kafka: { brokers: \"http://k:9092\" } }", "starts with http://, which no broker has"),
        ("providers: { kafka: { brokers: \"PLAINTEXT://k:9092\" } }", "did you mean 'k:9092'?"),
        ("providers: { kafka: { brokers: \"k:9092/topic\" } }", "holds a path"),
        ("server: { tls: { certFile: x, keyFile: y } }", "server.tls: is not there yet: "),
        ("server: { ssl: true }", "server.ssl: is not there yet: "),
        ("server: { auth: { keys: [] } }", "server.auth: is not there yet: "),
        ("server: { host: \"0.0.0.0:8080\" }", "the port is server.port; did you mean '0.0.0.0'?"),
        ("server: { host: \"http://localhost:8080/\" }", "did you mean 'localhost'?"),
        ("server: { maxBodyBytes: 16 megabytes }", "is not a size"),
        ("server: { idleTimeout: 5 }", "has no unit"),
        ("reporting:\n\treporters: []", "line 3 is indented with a tab"),
        ("server:\n  port:8080", "needs keys with values"),
        ("server: { port: 80", "a quote or a bracket is not closed"),
        ("server:\n  host: \"127.0.0.1\n  port: 80\n", "is not closed"),
        ("log:\n  level: info: yes", "needs quotes"),
        ("server:\n  host: @here", "needs quotes"),
        ("log:\n   level: info\n  format: text", "does not begin where its neighbours do"),
    ]) func theFileIsNearlyRight(_ text: String, _ hint: String) throws {
        let yaml = "models: [{ name: iris, url: \"http://127.0.0.1:9/\" }]\n\(text)\n"
        let (status, error) = try run(["validate", "--config", try directory.write(yaml, to: "sidecar.yaml")])
        #expect(status == .code(78))
        #expect(error.contains(hint), "\(error)")
    }

    @Test(arguments: [
        ("127.0.0.1:9000", "did you mean 'http://127.0.0.1:9000'?"), ("grpc://m:9000", "which is not there yet"),
        ("tcp://m:9000", "write http:// in its place"), ("unix:///run/m.sock", "http+unix://%2Frun%2Fmodel.sock/path"),
    ]) func theURLIsNearlyRight(_ url: String, _ hint: String) throws {
        let (status, error) = try run(["validate", "--model", "iris=\(url)"])
        #expect(status == .code(78))
        #expect(error.contains(hint), "\(error)")
    }

    @Test(arguments: [
        ("AMERON_UI_ENABLED", "0", "did you mean 'false'?"),
        ("AMERON_PORT", "80", "did you mean 'AMERON_SERVER_PORT'?"),
        ("AMERON_LOGLEVEL", "warn", "did you mean 'warning'?"),
        ("AMERON_MODEL_0_URL", "http://m/", "did you mean 'AMERON_MODELS_0_URL'?"),
    ]) func theVariableIsNearlyRight(_ name: String, _ value: String, _ hint: String) throws {
        let (status, error) = try run(["validate", "--model", "iris=http://127.0.0.1:9/"], environment: [name: value])
        #expect(status == .code(78))
        #expect(error.contains(hint), "\(error)")
    }

    /// A client that has met a limit reads which one, and where it is set.
    @Test func answersNameTheLimitAndItsKey() throws {
        let gate = Gate()
        let hanging = try FakeModelService { _ in .json(Sample.native).after(gate) }
        let large = try FakeModelService { _ in .huge(2_000_000) }
        let configuration = SidecarConfiguration(
            .init("quick", url: hanging.url("/"), ["timeout": "60s"]),
            .init("late", url: hanging.url("/"), ["timeout": "50ms"]),
            .init("busy", url: hanging.url("/"), ["timeout": "2s", "maxConnections": "1"]),
            .init("large", url: large.url("/"), ["maxResponseBytes": "1MiB"])
        )
        try withSidecar(configuration) { sidecar in
            func detail(_ model: String, _ status: Int) throws -> String {
                let answer = try sidecar.post("/predictions/\(model)")
                #expect(answer.status == status)
                return try answer.json()["detail"]?.string ?? ""
            }
            let late = try detail("late", 504)
            #expect(late == "the Model Service did not answer in time: models.1.timeout is 50ms")
            let large = try detail("large", 502)
            #expect(
                large == "the answer of the Model Service is longer than allowed: models.3.maxResponseBytes is 1MiB"
            )
            // The one that is called first stands in no line; of the others, who comes within a second of another does.
            let busy = try concurrently(4) { _ in
                try sidecar.post("/predictions/busy").json()["detail"]?.string ?? ""
            }
            #expect(busy.contains { $0.hasSuffix("models.2.timeout is 2s") })
            #expect(
                busy.contains {
                    $0.hasSuffix(
                        "models.2.timeout is 2s, and most of it was spent in line for a connection; "
                            + "there are 1 a shard (models.2.maxConnections)"
                    )
                }
            )
            gate.open()
        }
    }
}
