import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Who changes the Reporters while events wait must hear of it, and nothing may be lost on the way.
@Suite struct ReporterNameTests {
    private let rig: DeliveryRig
    /// The second is away until it is started.
    private let first: FakeEventReceiver
    private let second: FakeEventReceiver

    init() throws {
        rig = try DeliveryRig()
        first = try FakeEventReceiver()
        second = try FakeEventReceiver(listening: false)
    }

    private func http(_ receiver: FakeEventReceiver, name: String? = nil) -> String {
        "type: http, url: \"\(receiver.url)\"\(name.map { ", name: \($0)" } ?? ""), maxRetryBackoff: 100ms"
    }

    /// Leaves events in the spool that the second has not got.
    private func leaveEvents(_ reporters: [String], _ count: Int = 30) throws -> Set<String> {
        let sidecar = try rig.start(reporters)
        let asked = try sidecar.ask(count)
        #expect(eventually { requestIds(in: first.events).count == count })
        #expect(sidecar.stop() == .code(0))
        return Set(asked)
    }

    /// Starts with other Reporters, which must be refused; what it says.
    private func refused(_ reporters: [String]) throws -> String {
        let result = try SidecarProcess.run(["--config", rig.write(reporters)])
        #expect(result.status == .code(78), "\(result.error)")
        return result.error
    }

    private func spool(_ arguments: String...) throws -> (status: TestSupport.ExitStatus, output: String, error: String)
    {
        try SidecarProcess.run(["spool"] + arguments + ["--path", rig.spoolPath])
    }

    private func expectAllArrive(_ reporters: [String], at receiver: FakeEventReceiver, _ asked: Set<String>) throws {
        try receiver.startListening()
        let sidecar = try rig.start(reporters)
        #expect(eventually { Set(requestIds(in: receiver.events).keys) == asked })
        #expect(try eventually { try sidecar.metrics().total("ameron_spool_bytes", [:]) == 0 })
        #expect(sidecar.stop() == .code(0))
    }

    @Test(.timeLimit(.minutes(5))) func swappedReportersAreRefusedWhileEventsWait() throws {
        let asked = try leaveEvents([http(first), http(second)])
        let error = try refused([http(second), http(first)])
        #expect(error.contains("bytes of events wait for Reporter http-2"))
        #expect(error.contains("spool list"))
        let list = try spool("list")
        #expect(list.status == .code(0), "\(list.error)")
        let lines = list.output.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.contains { $0.first == "http" && $0[1] == "0" }, "\(list.output)")
        #expect(lines.contains { $0.first == "http-2" && $0[1] == "30" }, "\(list.output)")
        // With their names, their order does not matter.
        try expectAllArrive([http(second, name: "http-2"), http(first, name: "http")], at: second, asked)
        #expect(requestIds(in: first.events).values.allSatisfy { $0 == 1 })
    }

    @Test(.timeLimit(.minutes(5))) func anotherDestinationIsRefusedUntilThatIsMeant() throws {
        let third = try FakeEventReceiver(listening: false)
        let asked = try leaveEvents([http(first, name: "a"), http(second, name: "b")])
        let error = try refused([http(first, name: "a"), http(third, name: "b")])
        #expect(error.contains("Reporter b") && error.contains("--keep-place"), "\(error)")
        #expect(!error.contains("secret"), "\(error)")
        let forgotten = try spool("forget", "b", "--keep-place")
        #expect(forgotten.status == .code(0), "\(forgotten.error)")
        try expectAllArrive([http(first, name: "a"), http(third, name: "b")], at: third, asked)
        #expect(requestIds(in: first.events).values.allSatisfy { $0 == 1 })
    }

    @Test(.timeLimit(.minutes(5))) func aNameThatIsGoneIsRefusedUntilItIsForgotten() throws {
        let asked = try leaveEvents([http(first, name: "a"), http(second, name: "b")])
        let error = try refused([http(first, name: "a")])
        #expect(error.contains("Reporter b") && error.contains("spool export"), "\(error)")
        let exported = try spool("export", "b")
        #expect(exported.status == .code(0), "\(exported.error)")
        let lines = exported.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 30)
        #expect(Set(requestIds(in: lines).keys) == asked)
        let file = rig.directory.file("exported.jsonl")
        #expect(try spool("export", "b", "--output", file).status == .code(0))
        #expect(wholeFile(file).map { String(decoding: $0, as: UTF8.self) } == exported.output)
        // It stands there already.
        #expect(try spool("export", "b", "--output", file).status == .code(1))
        let forgotten = try spool("forget", "b")
        #expect(forgotten.status == .code(0) && forgotten.output.contains("30 events"), "\(forgotten)")
        let sidecar = try rig.start([http(first, name: "a")])
        #expect(try sidecar.metrics().total("ameron_spool_bytes", [:]) == 0)
        #expect(sidecar.stop() == .code(0))
    }

    /// One whose place was forgotten begins with the oldest that is stored, as any new one.
    @Test(.timeLimit(.minutes(5))) func aNewNameGetsAllThatIsStored() throws {
        let third = try FakeEventReceiver(listening: false)
        let asked = try leaveEvents([http(first, name: "a"), http(second, name: "b")])
        try third.startListening()
        let reporters = [http(third, name: "c"), http(second, name: "b"), http(first, name: "a")]
        try expectAllArrive(reporters, at: second, asked)
        #expect(eventually { Set(requestIds(in: third.events).keys) == asked })
    }

    /// The version before knew no names: its spool has none.
    @Test(.timeLimit(.minutes(5))) func aSpoolOfTheVersionBeforeIsTakenOver() throws {
        let asked = try leaveEvents([http(first), http(second)])
        try FileManager.default.removeItem(atPath: rig.spoolPath + "/reporters")
        try expectAllArrive([http(first), http(second)], at: second, asked)
        #expect(FileManager.default.fileExists(atPath: rig.spoolPath + "/reporters"))
        #expect(requestIds(in: first.events).values.allSatisfy { $0 == 1 })
    }

    @Test(.timeLimit(.minutes(5))) func changesWithNothingWaitingAreTaken() throws {
        try second.startListening()
        var sidecar = try rig.start([http(first), http(second)])
        let asked = Set(try sidecar.ask(10))
        #expect(eventually { requestIds(in: second.events).count == 10 })
        #expect(try eventually { try sidecar.metrics().total("ameron_spool_bytes", [:]) == 0 })
        #expect(sidecar.stop() == .code(0))
        sidecar = try rig.start([http(second), http(first), http(second, name: "again")])
        let more = Set(try sidecar.ask(10))
        #expect(eventually { requestIds(in: first.events).count == 20 })
        #expect(eventually { requestIds(in: second.events).values.reduce(0, +) == 30 })
        #expect(Set(requestIds(in: first.events).keys) == asked.union(more))
        #expect(sidecar.stop() == .code(0))
        // Nothing may be forgotten, or looked at, under the feet of one that runs; looking at it is fine.
        sidecar = try rig.start([http(second)])
        #expect(try spool("list").status == .code(0))
        let forgotten = try spool("forget", "http")
        #expect(forgotten.status == .code(1) && forgotten.error.contains("another process uses"), "\(forgotten)")
        #expect(sidecar.stop() == .code(0))
    }

    /// Whoever turns at-least-once off, or takes all Reporters away, is told that events wait.
    @Test(.timeLimit(.minutes(5))) func aSpoolThatNobodyReadsIsToldOf() throws {
        _ = try leaveEvents([http(first), http(second)])
        let bestEffort = try DeliveryRig(delivery: "best-effort", spool: ["path": rig.spoolPath])
        let sidecar = try bestEffort.start([http(first)])
        #expect(sidecar.process.standardError.contains("nobody reads it"), "\(sidecar.process.standardError)")
        #expect(sidecar.stop() == .code(0))
    }
}
