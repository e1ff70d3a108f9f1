import Foundation
import TestSupport
import Testing

@testable import Gateway

/// The end comes within `drainTimeout` and two seconds, whatever is dead: destinations, several of them, the disk.
///
/// No test asserts how long a thing takes; but what waits for one dead thing after the other, or for ever, misses these
/// deadlines by far.
@Suite struct StopTests {
    /// With a drain time of 1 s, an end that is due after 3: with room for a loaded machine.
    private static let limit = 9.0

    private func expectEnd(_ sidecar: SidecarProcess, _ what: String) {
        let start = ContinuousClock.now
        sidecar.send(signal: SIGTERM)
        let status = sidecar.waitForExit(within: Self.limit)
        #expect(status != nil, "\(what): \(sidecar.process.standardErrorTail)")
        print("the end with \(what): \(ContinuousClock.now - start), \(status.map { "\($0)" } ?? "none")")
    }

    /// Each alone takes all the time that it gets.
    @Test(.timeLimit(.minutes(5)), arguments: ["best-effort", "at-least-once"])
    func severalDeadDestinations(_ delivery: String) throws {
        let hanging = try FakeEventReceiver { _ in .hang }
        let world = try KafkaWorld(brokers: 1, partitions: 1)
        let rig = try DeliveryRig(delivery: delivery)
        let pipe = rig.directory.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDWR)
        defer { close(reader) }
        try #expect(fillPipe(pipe) > 0)
        let sidecar = try rig.start(
            [
                "type: http, url: \"\(hanging.url)\", timeout: 60s",
                "type: http, url: \"\(hanging.url)\", timeout: 60s",
                "type: http, url: \"\(hanging.url)\", timeout: 60s",
                "type: kafka, brokers: \"\(world.bootstrap)\", topic: \(KafkaWorld.eventTopic)",
                "type: file, path: \"\(pipe)\"",
            ],
            server: ["drainTimeout": "1s"]
        )
        try world.setAllBrokers(down: true)
        #expect(try sidecar.ask(20).count == 20)
        #expect(eventually { hanging.requests.count >= 3 })
        expectEnd(sidecar, "five dead destinations, \(delivery)")
    }

    private func fillPipe(_ path: String) throws -> Int {
        let writer = open(path, O_WRONLY | O_NONBLOCK)
        defer { close(writer) }
        let bytes = [UInt8](repeating: 0x0a, count: 4_096)
        var written = 0
        while true {
            let count = write(writer, bytes, bytes.count)
            if count <= 0 { return written }
            written += count
        }
    }

    /// A system call that does not come back: of the Reporter, of the spool's thread, of a shard.
    @Test(
        .enabled(if: Tampering.isPossible, "strace(1) cannot be used"),
        .timeLimit(.minutes(5)),
        arguments: [("interval", "fdatasync"), ("always", "fdatasync"), ("always", "fsync"), ("never", "writev")]
    )
    func aDiskThatHangs(_ fsync: String, _ call: String) throws {
        let rig = try DeliveryRig(spool: ["fsync": fsync, "fsyncInterval": "50ms"])
        let receiver = try FakeEventReceiver { _ in .answer(503) }
        let sidecar = try rig.start(
            [
                "type: file, path: \"\(rig.directory.file("events.jsonl"))\"",
                "type: http, url: \"\(receiver.url)\"",
            ],
            server: ["drainTimeout": "1s"]
        )
        #expect(try sidecar.ask(1).count == 1)
        #expect(try eventually { try sidecar.events("sent") == 1 })
        let trace = rig.directory.file("trace")
        let tampering = try Tampering(with: sidecar.process.id, tracing: call, file: trace, delay: 600_000_000)
        let connection = try sidecar.connect()
        try connection.send("POST /predictions/iris HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
        #expect(eventually { rig.directory.lines(of: "trace").count > 0 })
        // strace(1) holds the thread that hangs, and with it the process, beyond its last word.
        sidecar.send(signal: SIGTERM)
        let hasEnded = eventually(within: Self.limit) {
            sidecar.process.standardError.contains(#""message":"stopped""#) || sidecar.process.exitStatus != nil
        }
        #expect(hasEnded, "\(sidecar.process.standardErrorTail)")
        tampering.kill()
        #expect(sidecar.waitForExit() != nil)
    }

    /// Another process keeps the lock of the file that is to be rotated.
    @Test(.timeLimit(.minutes(5)), arguments: ["best-effort", "at-least-once"])
    func aLockThatIsKept(_ delivery: String) throws {
        let rig = try DeliveryRig(delivery: delivery)
        let events = rig.directory.file("events.jsonl")
        let sidecar = try rig.start(["type: file, path: \"\(events)\", maxBytes: 1MiB"], server: ["drainTimeout": "1s"])
        #expect(try sidecar.ask(1).count == 1)
        #expect(try eventually { try sidecar.events("sent") == 1 })
        let file = open(events, O_RDWR)
        defer { close(file) }
        #expect(flock(file, LOCK_EX) == 0)
        #expect(try sidecar.ask(3).count == 3)
        #expect(eventually { sidecar.process.standardError.contains("waiting for it") })
        #expect(flock(file, LOCK_UN) == 0)
        #expect(try eventually { try sidecar.events("sent") == 4 })
        #expect(flock(file, LOCK_EX) == 0)
        #expect(try sidecar.ask(3).count == 3)
        expectEnd(sidecar, "a lock that another process keeps, \(delivery)")
    }
}
