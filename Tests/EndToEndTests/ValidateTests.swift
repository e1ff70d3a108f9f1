import Foundation
import TestSupport
import Testing

/// `validate` tries what `serve` would open; both tell all that is wrong, and what may be held at most.
@Suite("Validation") struct ValidateTests {
    private let directory = TemporaryDirectory()

    private func file(_ yaml: String) throws -> String { try directory.write(yaml, to: "sidecar.yaml") }

    /// Something wrong in each place that `serve` would open, and in the configuration itself.
    private func wrong() throws -> (path: String, problems: [String]) {
        let text = try directory.write("no certificate", to: "text")
        let path = try file(
            """
            server: { port: 0, maxInFlight: none }
            models:
              - { name: iris, url: "https://127.0.0.1:9/", caFile: \(directory.file("missing.pem")) }
            reporting:
              delivery: at-least-once
              spool: { path: \(directory.file("missing/spool")) }
              reporters:
                - { type: file, path: \(directory.file("missing/events.jsonl")) }
                - { type: http, url: "https://127.0.0.1:9/", caFile: \(text), failurePath: \(directory.path) }
                - type: kafka
                  brokers: 127.0.0.1:9
                  failurePath: \(directory.file("text/failed.jsonl"))
                  properties: { linger.mss: 1, compression.type: bzip2 }
            providers:
              kafka: { brokers: "127.0.0.1:9", properties: { fetch.min.bytes: none } }
            """
        )
        return (
            path,
            [
                "models.0.caFile: '\(directory.file("missing.pem"))' cannot be read: No such file or directory",
                "reporting.spool.path: '\(directory.file("missing/spool"))' cannot be made: the directory",
                "reporting.reporters.0.path: '\(directory.file("missing/events.jsonl"))' cannot be opened: the directory",
                "reporting.reporters.1.caFile: '\(text)' holds no certificate",
                "reporting.reporters.1.failurePath: '\(directory.path)' cannot be opened: Is a directory",
                "reporting.reporters.2.failurePath: '\(directory.file("text/failed.jsonl"))' cannot be opened: Not a directory",
                "reporting.reporters.2.properties.linger.mss: librdkafka knows no setting of that name",
                "reporting.reporters.2.properties.compression.type: its value is not allowed",
                "providers.kafka.properties.fetch.min.bytes: its value is not allowed",
            ]
        )
    }

    @Test func tellsAllThatIsWrongAtOnce() throws {
        let (path, problems) = try wrong()
        let (status, output, error) = try SidecarProcess.run(["validate", "--config", path])
        #expect(status == .code(78))
        #expect(output.isEmpty)
        for problem in problems { #expect(error.contains(problem), "\(problem)\n\(error)") }
        #expect(error.contains("\(path):1:20: server.maxInFlight: 'none'"))
        #expect(error.contains("\(path):3:48: models.0.caFile:"), "with the place")
        #expect(error.split(separator: "\n").count == problems.count + 1)
    }

    @Test func serveTellsTheSameBeforeItOpensAnything() throws {
        let (path, problems) = try wrong()
        let (status, _, error) = try SidecarProcess.run(["--config", path, "--set", "server.maxInFlight=5"])
        #expect(status == .code(1))
        for problem in problems { #expect(error.contains(problem), "\(problem)\n\(error)") }
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path).filter {
            !$0.hasPrefix("process-")
        }
        #expect(Set(left) == ["sidecar.yaml", "text"])
    }

    /// What only a client of librdkafka finds out.
    @Test func makesTheClientsOfKafka() throws {
        let path = try file(
            """
            models: [{ name: iris, url: "http://127.0.0.1:9/" }]
            reporting:
              reporters:
                - type: kafka
                  brokers: 127.0.0.1:9
                  failurePath: \(directory.file("failed.jsonl"))
                  properties: { security.protocol: SSL, ssl.ca.location: \(directory.file("missing.pem")) }
            """
        )
        let (status, _, error) = try SidecarProcess.run(["validate", "--config", path])
        #expect(status == .code(78))
        #expect(error.contains("reporting.reporters.0.properties.ssl.ca.location"), "\(error)")
    }

    @Test func looksAtNothingOfThisMachineWhereItIsForAnother() throws {
        let path = try file(
            """
            models: [{ name: iris, url: "https://127.0.0.1:9/", caFile: /missing/ca.pem }]
            reporting:
              delivery: at-least-once
              spool: { path: /missing/spool }
              reporters: [{ type: file, path: /missing/events.jsonl }]
            """
        )
        #expect(try SidecarProcess.run(["validate", "--config", path]).status == .code(78))
        let (status, output, _) = try SidecarProcess.run(["validate", "--elsewhere", "--config", path])
        #expect(status == .code(0))
        #expect(output.hasPrefix("configuration ok\n"))
    }

    @Test func leavesNoTrace() throws {
        let path = try file(
            """
            server: { port: 0 }
            models: [{ name: iris, url: "http://127.0.0.1:9/" }]
            reporting:
              delivery: at-least-once
              spool: { path: \(directory.file("spool")) }
              reporters:
                - { type: file, path: \(directory.file("events.jsonl")) }
                - { type: kafka, brokers: "127.0.0.1:9", failurePath: \(directory.file("failed.jsonl")) }
            """
        )
        let (status, output, error) = try SidecarProcess.run(["validate", "--config", path])
        #expect(status == .code(0), "\(error)")
        #expect(output.contains("reporter file: \(directory.file("events.jsonl"))"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["sidecar.yaml"])
    }

    @Test func printsEachBound() throws {
        let path = try file(
            """
            server: { port: 0, shards: 2, maxInFlight: 10, maxInFlightBytes: 5MiB, drainTimeout: 3s }
            models: [{ name: iris, url: "http://127.0.0.1:9/", maxConnections: 4, maxResponseBytes: 1MiB }]
            reporting:
              maxQueueBytes: 3MiB
              reporters: [{ type: file, path: \(directory.file("events.jsonl")), maxBytes: 1MiB, keep: 2 }]
            """
        )
        let (status, output, _) = try SidecarProcess.run(["validate", "--config", path])
        #expect(status == .code(0))
        let rows = output.split(separator: "\n").map {
            $0.split(separator: "  ").map { $0.trimmingCharacters(in: .whitespaces) }
        }
        func most(_ what: String) -> String? { rows.first { $0.first == what }?.dropFirst().first }
        #expect(most("bodies") == "5MiB")
        #expect(most("short answers") == "512KiB", "4 connections of 2 shards")
        #expect(most("events that wait") == "3MiB")
        #expect(most(directory.file("events.jsonl")) == "3MiB")
        #expect(most("requests at once") == "10")
        #expect(most("the end") == "10s")
        #expect(most("descriptors").flatMap { Int($0) } != nil)
    }

    /// Best effort goes on without the file of refused events.
    @Test func saysThatRefusedEventsCannotBeKept() throws {
        let path = try file(
            """
            server: { port: 0 }
            models: [{ name: iris, url: "http://127.0.0.1:9/" }]
            reporting:
              reporters: [{ type: http, url: "http://127.0.0.1:9/", failurePath: /missing/failed.jsonl }]
            """
        )
        let note =
            "reporting.reporters.0.failurePath: '/missing/failed.jsonl' cannot be opened: the directory /missing does not"
        let (status, output, _) = try SidecarProcess.run(["validate", "--config", path])
        #expect(status == .code(0))
        #expect(output.contains("note: \(note)"))
        let sidecar = try SidecarProcess(arguments: ["--config", path])
        #expect(sidecar.process.standardError.contains(note))
        #expect(sidecar.stop() == .code(0))
    }

    @Test func saysThatThePortIsInUse() throws {
        let service = try FakeModelService { _ in .close }
        guard case .tcp(let port) = service.endpoint else { throw TestFailure("no port") }
        let arguments = ["validate", "--model", "iris=http://127.0.0.1:9/", "--port", "\(port)"]
        let (status, output, _) = try SidecarProcess.run(arguments)
        #expect(status == .code(0), "a Sidecar that runs is no reason against its configuration")
        #expect(output.contains("note: port \(port) is in use"))
        #expect(output.contains("note: nothing is reported"))
    }

    /// One table at the start, and a warning where nothing is reported.
    @Test(arguments: [true, false]) func theLogSaysWhatIsGoingToServe(_ reports: Bool) throws {
        let path = try file(
            """
            server: { port: 0, shards: 1, maxInFlightBytes: 5MiB }
            models:
              - { name: iris, version: "7", url: "http://127.0.0.1:9/predict?key=secret" }
            reporting:
              reporters: [\(reports ? "{ type: file, path: \(directory.file("events.jsonl")) }" : "")]
            """
        )
        let sidecar = try SidecarProcess(arguments: ["--config", path])
        let lines = try sidecar.process.standardError.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) }
        func isTold(_ level: String, _ text: String) -> Bool {
            lines.contains { $0["level"]?.string == level && $0["message"]?.string?.contains(text) == true }
        }
        #expect(isTold("info", "model iris version 7: native at http://127.0.0.1:9/predict?…, timeout 2s"))
        #expect(isTold("info", "at most: bodies: 5MiB (server.maxInFlightBytes)"))
        #expect(isTold("info", "at most: descriptors: "))
        #expect(isTold("info", "reporter file: ") == reports)
        #expect(isTold("warning", "nothing is reported") == !reports)
        #expect(!sidecar.process.standardError.contains("secret"))
        #expect(sidecar.stop() == .code(0))
    }
}
