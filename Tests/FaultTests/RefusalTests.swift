import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A destination refuses for a while, not because of the events: nothing is lost, nothing is quiet, and it passes.
@Suite struct RefusalTests {
    /// What stands in front of a receiver of events, or what it says while it is set up wrongly.
    private static let states = [302, 308, 401, 403, 404, 405, 407, 409, 410, 415, 426, 451]

    @Test(.timeLimit(.minutes(10))) func aReceiverThatRefusesAllIsWaitedFor() throws {
        let status = Locked(0)
        let receiver = try FakeEventReceiver { _ in
            let now = status.withLock { $0 }
            return now == 0 ? .accepted : .answer(now, body: Array("who are you?".utf8))
        }
        let rig = try DeliveryRig()
        let failures = rig.directory.file("failed.jsonl")
        let reporter = "type: http, url: \"\(receiver.url)\", failurePath: \"\(failures)\", maxRetryBackoff: 100ms"
        var sidecar = try rig.start([reporter])
        var asked: [String] = []
        for state in Self.states {
            status.withLock { $0 = state }
            asked += try sidecar.ask(10)
            #expect(try eventually { try sidecar.block(of: "http") == "status\(state)" })
            asked += try sidecar.ask(10)
            // What waits outlives a crash.
            if state == 401 {
                sidecar.send(signal: SIGKILL)
                #expect(sidecar.waitForExit() == .signal(SIGKILL))
                sidecar = try rig.start([reporter])
                #expect(try eventually { try sidecar.block(of: "http") == "status401" })
            }
            status.withLock { $0 = 0 }
            #expect(eventually { requestIds(in: receiver.events).count == asked.count }, "after \(state)")
            #expect(try eventually { try sidecar.block(of: "http") == nil })
            #expect(sidecar.process.standardError.components(separatedBy: "it answers \(state)").count == 2)
        }
        #expect(Set(requestIds(in: receiver.events).keys) == Set(asked))
        #expect(try sidecar.events("failed") == 0)
        #expect(!FileManager.default.fileExists(atPath: failures))
        #expect(try eventually { try sidecar.metrics().total("ameron_spool_bytes", [:]) == 0 })
        #expect(sidecar.stop() == .code(0))
    }

    /// 3: no such topic. 29: no right to write to it. 31: no right to write idempotently. 17: no topic can have that name.
    @Test(.timeLimit(.minutes(10)), arguments: [3, 17, 29, 31] as [Int32])
    func aTopicThatIsNotThereOrForbiddenIsWaitedFor(_ code: Int32) throws {
        let world = try KafkaWorld(brokers: 1, partitions: 1)
        let rig = try DeliveryRig()
        let failures = rig.directory.file("failed.jsonl")
        let reporter = """
            type: kafka, brokers: "\(world.bootstrap)", topic: \(KafkaWorld.eventTopic), failurePath: "\(failures)", \
            properties: { topic.metadata.propagation.max.ms: 500 }
            """
        world.cluster.setTopicError(KafkaWorld.eventTopic, code)
        var sidecar = try rig.start([reporter])
        var asked = try sidecar.ask(20)
        #expect(try eventually { try sidecar.block(of: "kafka") != nil })
        sidecar.send(signal: SIGKILL)
        #expect(sidecar.waitForExit() == .signal(SIGKILL))
        sidecar = try rig.start([reporter])
        asked += try sidecar.ask(20)
        #expect(try eventually { try sidecar.block(of: "kafka") != nil })
        world.cluster.setTopicError(KafkaWorld.eventTopic, 0)
        #expect(eventually { world.events.countsOfRequests().count == asked.count })
        #expect(try eventually { try sidecar.block(of: "kafka") == nil })

        // Taken away while it goes on, and given back.
        world.cluster.setTopicError(KafkaWorld.eventTopic, code)
        world.cluster.pushErrors(apiKey: 0, [Int32](repeating: code, count: 1_000))
        asked += try sidecar.ask(20)
        #expect(try eventually { try sidecar.block(of: "kafka") != nil })
        asked += try sidecar.ask(20)
        world.cluster.clearErrors(apiKey: 0)
        world.cluster.setTopicError(KafkaWorld.eventTopic, 0)
        #expect(eventually { world.events.countsOfRequests().count == asked.count })
        #expect(try eventually { try sidecar.block(of: "kafka") == nil })
        #expect(Set(world.events.countsOfRequests().keys) == Set(asked))
        #expect(try sidecar.events("failed") == 0)
        #expect(!FileManager.default.fileExists(atPath: failures))
        #expect(sidecar.stop() == .code(0))
    }

    /// Events at fault go aside, and where that is not possible, nobody is told that they were.
    @Test(.timeLimit(.minutes(10))) func refusedEventsAreHeldWhileTheirFileCannotBeWritten() throws {
        let receiver = try FakeEventReceiver { _ in .answer(422) }
        let rig = try DeliveryRig()
        let failures = rig.directory.file("failed.jsonl")
        func reporter(_ path: String) -> String { "type: http, url: \"\(receiver.url)\", failurePath: \"\(path)\"" }
        var sidecar = try rig.start([reporter("/dev/full")])
        let asked = try sidecar.ask(100)
        #expect(try eventually { try sidecar.block(of: "http") == "failurePath" })
        #expect(try sidecar.events("failed") == 0)
        #expect(try sidecar.metrics().total("ameron_spool_bytes", [:]) > 0)
        #expect(sidecar.stop() == .code(0))
        sidecar = try rig.start([reporter(failures)])
        #expect(eventually { requestIds(in: rig.directory.lines(of: "failed.jsonl")).count == asked.count })
        #expect(Set(requestIds(in: rig.directory.lines(of: "failed.jsonl")).keys) == Set(asked))
        #expect(try eventually { try sidecar.metrics().total("ameron_spool_bytes", [:]) == 0 })
        #expect(try sidecar.block(of: "http") == nil)
        #expect(sidecar.stop() == .code(0))
    }
}
