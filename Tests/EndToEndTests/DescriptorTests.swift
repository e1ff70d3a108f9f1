import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What happens where the system allows few descriptors.
@Suite("Descriptors", .sidecarLog) struct DescriptorTests {
    /// A shell's command that runs the rest with so many allowed, and without those that the tests' libraries leave open.
    private static func command(limit: Int) -> String {
        "for n in $(ls /proc/$$/fd); do [ $n -le 2 ] || eval \"exec $n>&-\"; done; ulimit -n \(limit); exec \"$0\" \"$@\""
    }

    /// A Sidecar that is started with so many allowed.
    private static func start(
        _ configuration: SidecarConfiguration,
        limit: Int,
        _ directory: TemporaryDirectory = TemporaryDirectory()
    ) throws -> SidecarProcess {
        let file = try directory.write(
            configuration.yaml(eventFile: directory.file("events.jsonl")),
            to: "sidecar.yaml"
        )
        return try SidecarProcess(
            arguments: ["--config", file],
            through: ["/bin/bash", "-c", command(limit: limit), SidecarProcess.executable],
            directory: directory,
            eventFile: directory.file("events.jsonl")
        )
    }

    private static func openCount(_ sidecar: SidecarProcess) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(sidecar.process.id)/fd").count
    }

    /// As many clients as like may come: those that are served get their Predictions, which are recorded.
    @Test(arguments: ModelTransport.allCases, ["best-effort", "at-least-once"])
    func clientsLeaveTheModelItsConnections(_ transport: ModelTransport, _ delivery: String) throws {
        let service = try modelService(Sample.native)
        var configuration = irisConfiguration(service, transport)
        let directory = TemporaryDirectory()
        configuration.reporting = ["delivery": delivery, "spool": "{ path: \"\(directory.file("spool"))\" }"]
        let sidecar = try Self.start(configuration, limit: 64, directory)
        var clients: [HTTPConnection] = []
        // All connect; the kernel keeps those that the Sidecar does not take.
        for _ in 0..<100 { clients.append(try sidecar.connect()) }
        let isServed = eventually {
            let answer = try? clients[0].exchange(.post("/predictions/iris", json: "{}"))
            return answer?.status == 200
        }
        #expect(isServed)
        for client in clients.prefix(8) {
            let answer = try client.exchange(.post("/predictions/iris", json: "{}"))
            #expect(answer.status == 200, "\(answer.text)")
        }
        #expect(try Self.openCount(sidecar) <= 64)
        clients.removeAll()
        _ = try sidecar.events(atLeast: 9)
        #expect(sidecar.stop() == .code(0))
    }

    @Test func refusesToStartWhereTooFewAreAllowed() throws {
        let service = try modelService(Sample.native)
        var configuration = irisConfiguration(service, .direct)
        configuration.kafka = ["brokers": "127.0.0.1:9"]
        let directory = TemporaryDirectory()
        let file = try directory.write(
            configuration.yaml(eventFile: directory.file("events.jsonl")),
            to: "sidecar.yaml"
        )
        let arguments = ["-c", Self.command(limit: 64), SidecarProcess.executable, "--config", file]
        let process = try ChildProcess("/bin/bash", arguments)
        #expect(process.waitForExit() == .code(1))
        let error = process.standardError
        #expect(error.contains("the system allows 64 open descriptors, and at least "))
        #expect(error.contains(" providers.kafka + "))
    }

    /// The plan holds what the parts open: all of them, with a cluster of three brokers and a lane of an earlier run.
    @Test func keepsBackWhatThePartsOpen() throws {
        let service = try modelService(Sample.native)
        let cluster = try KafkaMockCluster(brokers: 3)
        for topic in ["prediction-requests", "prediction-replies", "prediction-dead-letters", "predictions"] {
            try cluster.createTopic(topic, partitions: 3)
        }
        let directory = TemporaryDirectory()
        let file = try directory.write(
            """
            server: { port: 0, shards: 2 }
            models: [{ name: iris, url: "\(service.url("/"))" }]
            providers: { kafka: { brokers: "\(cluster.bootstrapServers)" } }
            reporting:
              delivery: at-least-once
              spool: { path: "\(directory.file("spool"))" }
              reporters:
                - { type: file, path: "\(directory.file("events.jsonl"))" }
                - type: kafka
                  brokers: "\(cluster.bootstrapServers)"
                  failurePath: "\(directory.file("failed.jsonl"))"
                - type: http
                  url: "\(service.url("/events"))"
                  failurePath: "\(directory.file("failed.jsonl"))"
            """,
            to: "sidecar.yaml"
        )
        let sidecar = try SidecarProcess(
            arguments: ["--config", file],
            directory: directory,
            eventFile: directory.file("events.jsonl")
        )
        let plan = try DescriptorPlan(
            try ConfigurationLoader(file: file, environment: [:]).load(),
            DescriptorPlan.Circumstances(shards: 2, limit: 1 << 20, open: 4, lanes: 2)
        )
        let kept = plan.parts.reduce(0) { $0 + $1.count }
        var most = 0
        for _ in 0..<100 {
            #expect(try sidecar.post("/predictions/iris").status == 200)
            most = max(most, try Self.openCount(sidecar))
        }
        let sent = try eventually {
            most = max(most, try Self.openCount(sidecar))
            let metrics = try sidecar.metrics()
            return ["file", "kafka-2", "http-3"].allSatisfy {
                metrics.total("ameron_report_events_total", ["result": "sent", "reporter": $0]) >= 100
            }
        }
        #expect(sent)
        // The one client, one call and its health check per shard are not among what is kept.
        #expect(most <= kept + 4, "\(most) are open")
        #expect(most > kept / 3, "\(kept) are kept back for \(most)")
        #expect(sidecar.stop() == .code(0))
    }
}
