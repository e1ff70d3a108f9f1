import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Several Sidecars share the requests, come and go, and each request is answered.
@Suite struct GroupTests {
    @Test(.timeLimit(.minutes(20))) func sharesWithOthersThatComeAndGo() throws {
        let world = try KafkaWorld()
        let model = try SidecarProcess(arguments: ["example-model", "--port", "0", "--delay", "20ms"])
        let directory = TemporaryDirectory()
        var configuration = FaultConfiguration(
            world: world,
            modelURL: "http://127.0.0.1:\(model.port)/predict/iris",
            spoolPath: directory.file("spool-1")
        )
        let first = try configuration.start(in: directory)
        let kafka = RequestLoad(world.bootstrap, keys: 64, perSecond: 300)
        #expect(eventually(within: 60) { world.replies.count > 300 })

        // One is added: both work.
        configuration.spoolPath = directory.file("spool-2")
        let second = try configuration.start(in: directory)
        #expect(try eventually(within: 60) { try kafkaRequests(second) > 100 && kafkaRequests(first) > 100 })
        try Accounts.expectCommittedAreAnswered(world, kafka)

        // One is killed: the other takes its share over.
        second.send(signal: SIGKILL)
        #expect(second.waitForExit() == .signal(SIGKILL))
        let asked = kafka.count
        try Accounts.expectCommittedAreAnswered(world, kafka)
        #expect(eventually(within: 60) { kafka.count > asked + 600 })

        // A third comes, and the first leaves in good order.
        configuration.spoolPath = directory.file("spool-2")
        let third = try configuration.start(in: directory)
        #expect(try eventually(within: 60) { try kafkaRequests(third) > 50 })
        #expect(first.stop() == .code(0))
        try Accounts.expectCommittedAreAnswered(world, kafka)
        try kafka.stop()
        Accounts.settle(world, rest: nil, kafka: kafka, "two in a group, one added, one killed, one left")
        #expect(third.stop() == .code(0))
        try Accounts.expectCommittedAreAnswered(world, kafka)
        let committed = try world.committed()
        let ends = Dictionary(grouping: kafka.requests, by: \.partition).mapValues { $0.map(\.offset).max()! + 1 }
        #expect(committed == ends, "all is committed")
    }

    private func kafkaRequests(_ sidecar: SidecarProcess) throws -> Double {
        try sidecar.metrics().total("ameron_requests_total", ["provider": "kafka", "code": "200"])
    }
}
