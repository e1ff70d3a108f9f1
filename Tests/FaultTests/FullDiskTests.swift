import Foundation
import TestSupport
import Testing

@testable import Gateway

/// The spool on a volume of its own, a small one, which may be full for a while.
///
/// The volume is a file system in memory that only the Sidecar sees: mounted in a namespace of its own (unshare(1)), which
/// needs no rights where the kernel lets users have such namespaces.
@Suite struct FullDiskTests {
    /// A wrapper of the program that gives it a volume of so many KiB at a directory.
    private static func volume(_ kibibytes: Int, at directory: String) -> [String] {
        let script = #"mount -t tmpfs -o size=\#(kibibytes)k,nr_inodes=1000 none "$0" && exec "$@""#
        return ["/usr/bin/unshare", geteuid() == 0 ? "-m" : "-rm", "/bin/sh", "-c", script, directory]
    }

    private static let isPossible: Bool = {
        let directory = TemporaryDirectory()
        let command = volume(64, at: directory.path) + ["/bin/true"]
        let process = try? ChildProcess(command[0], Array(command.dropFirst()))
        return process?.waitForExit() == .code(0)
    }()

    private let rig: DeliveryRig
    private let volume: String
    private let receiver: FakeEventReceiver

    init() throws {
        let directory = TemporaryDirectory()
        volume = directory.path
        rig = try DeliveryRig(spool: ["path": "\(directory.path)/spool"], fill: 20_000)
        receiver = try FakeEventReceiver(listening: false)
        self.directory = directory
    }

    private let directory: TemporaryDirectory

    private func start(_ reporter: String, _ kibibytes: Int, shards: Int) throws -> SidecarProcess {
        try rig.start(
            [reporter],
            server: ["shards": "\(shards)"],
            through: Self.volume(kibibytes, at: volume) + [SidecarProcess.executable]
        )
    }

    private func isDelivered(_ sidecar: SidecarProcess) throws -> Bool {
        try eventually(within: 60) { try sidecar.metrics().total("ameron_spool_bytes", [:]) == 0 }
    }

    /// With everything delivered nothing stands in the way of more, whatever shards and Reporters have open.
    @Test(
        .enabled(if: isPossible, "no mount namespace can be made here"),
        .timeLimit(.minutes(5)),
        arguments: [(8 << 10, 1), (4 << 10, 4), (3 << 10, 8)]
    )
    func passes(_ kibibytes: Int, _ shards: Int) throws {
        let http = "type: http, url: \"\(receiver.url)\", maxRetryBackoff: 100ms"
        let sidecar = try start(http, kibibytes, shards: shards)
        var asked: Set<String> = []
        /// On a connection of its own, for any shard.
        func ask() throws -> Int {
            let response = try sidecar.post("/predictions/iris")
            if response.status == 200 { asked.insert(response.requestId ?? "") }
            return response.status
        }
        var refused = 0
        let isFull = try eventually(within: 60) {
            let status = try ask()
            #expect([200, 503].contains(status))
            if status == 503 { refused += 1 }
            return refused > 2 * shards
        }
        #expect(isFull)
        #expect(sidecar.process.standardError.contains("No space left on device"))
        try receiver.startListening()
        #expect(try isDelivered(sidecar))
        // A lane tries again every 200 ms.
        #expect(try eventually { try ask() == 200 })
        for _ in 0..<100 { #expect(try eventually { try ask() == 200 }) }
        #expect(eventually(within: 60) { Set(requestIds(in: receiver.events).keys) == asked })
        #expect(try isDelivered(sidecar))
        #expect(try sidecar.events("dropped") + sidecar.events("failed") == 0)
        #expect(sidecar.stop() == .code(0))
    }

    /// With a Reporter that keeps up, a volume smaller than a segment per shard is large enough.
    @Test(.enabled(if: isPossible, "no mount namespace can be made here"), .timeLimit(.minutes(5)))
    func isNotMetWhileEventsAreDelivered() throws {
        let events = rig.directory.file("events.jsonl")
        let sidecar = try start("type: file, path: \"\(events)\"", 4 << 10, shards: 8)
        // Some 20 MB, five times the volume.
        let load = RESTLoad(port: sidecar.port, clients: 8, perSecond: 500)
        #expect(eventually(within: 120) { load.count + (load.refusals[503] ?? 0) > 1_000 })
        try load.stop()
        #expect(load.refusals == [:])
        #expect(eventually(within: 60) { rig.directory.lines(of: "events.jsonl").count == load.count })
        #expect(try isDelivered(sidecar))
        #expect(sidecar.stop() == .code(0))
    }

    @Test(.enabled(if: isPossible, "no mount namespace can be made here"), .timeLimit(.minutes(5)))
    func isRefusedWhereItCouldNotWork() throws {
        let file = try rig.write(["type: file, path: \"\(rig.directory.file("a"))\""], server: ["shards": "16"])
        let command = Self.volume(256, at: volume) + [SidecarProcess.executable, "--config", file]
        let process = try ChildProcess(command[0], Array(command.dropFirst()))
        #expect(process.waitForExit() == .code(1))
        #expect(process.standardError.contains("16 shards"), "\(process.standardError)")
        #expect(process.standardError.contains("512KiB"), "\(process.standardError)")
    }
}
