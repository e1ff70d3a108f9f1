import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Files go, or do not come to the disk, while events are written to them: nothing is told to be where it is not.
@Suite struct LostFileTests {
    private let rig: DeliveryRig
    private let events: String

    init() throws {
        rig = try DeliveryRig()
        events = rig.directory.file("events.jsonl")
    }

    /// Somebody deletes the output again and again, or the whole directory for a while: what comes after each deletion is in
    /// the next file.
    @Test(.timeLimit(.minutes(5)), arguments: ["at-least-once", "best-effort"], ["", ", maxBytes: 10MiB"])
    func aDeletedOutputFileIsMadeAnew(_ delivery: String, _ rotation: String) throws {
        let rig = try DeliveryRig(delivery: delivery)
        let events = rig.directory.file("events.jsonl")
        let sidecar = try rig.start(["type: file, path: \"\(events)\"\(rotation)"])
        var asked: [String] = []
        var found: Set<String> = []
        func sent() throws -> Int { try sidecar.events("sent") }
        for round in 0..<20 {
            try FileManager.default.removeItem(atPath: events)
            let ids = try sidecar.ask(5)
            asked += ids
            #expect(try eventually { try sent() >= asked.count }, "round \(round)")
            // Acknowledged: so it must be in the file of that name.
            let here = Set(requestIds(in: rig.directory.lines(of: "events.jsonl")).keys)
            #expect(here.isSuperset(of: ids), "round \(round): \(here.count) of \(ids.count)")
            found.formUnion(here)
        }
        #expect(found == Set(asked))
        #expect(try sidecar.events("failed") + sidecar.events("dropped") == 0)
        #expect(sidecar.stop() == .code(0))
    }

    @Test(.timeLimit(.minutes(5))) func aDeletedDirectoryHoldsTheEventsUp() throws {
        let folder = rig.directory.file("folder")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let sidecar = try rig.start(["type: file, path: \"\(folder)/events.jsonl\""])
        #expect(try sidecar.ask(3).count == 3)
        #expect(try eventually { try sidecar.events("sent") == 3 })
        try FileManager.default.removeItem(atPath: folder)
        let asked = try sidecar.ask(10)
        #expect(try eventually { try sidecar.block(of: "file") == "cannotWrite" })
        #expect(try sidecar.events("sent") == 3)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        #expect(eventually { Set(requestIds(in: rig.directory.lines(of: "folder/events.jsonl")).keys) == Set(asked) })
        #expect(try eventually { try sidecar.block(of: "file") == nil })
        #expect(sidecar.stop() == .code(0))
    }

    /// The disk refuses to sync for a while.
    @Test(.enabled(if: Tampering.isPossible, "strace(1) cannot be used"), .timeLimit(.minutes(5)))
    func whatIsNotSyncedIsNotAcknowledged() throws {
        let rig = try DeliveryRig(spool: ["fsync": "always"])
        let events = rig.directory.file("events.jsonl")
        let sidecar = try rig.start(["type: file, path: \"\(events)\""])
        // The spool's file is begun, and its name synced: from here on it calls fdatasync(2), and only the Reporter fsync(2).
        var asked = try sidecar.ask(1)
        #expect(try eventually { try sidecar.events("sent") == 1 })
        let tampering = try Tampering(with: sidecar.process.id, "fsync:error=EIO")
        asked += try sidecar.ask(10)
        #expect(try eventually { try sidecar.block(of: "file") == "cannotWrite" })
        #expect(try sidecar.events("sent") == 1)
        #expect(try sidecar.metrics().total("ameron_spool_bytes", [:]) > 0)
        tampering.end()
        #expect(try eventually { try sidecar.events("sent") == 11 })
        #expect(Set(requestIds(in: rig.directory.lines(of: "events.jsonl")).keys) == Set(asked))
        #expect(sidecar.stop() == .code(0))
    }

    /// Under `fsync: always`, a new name is on the disk before anything behind it is acknowledged.
    @Test(.enabled(if: Tampering.isPossible, "strace(1) cannot be used"), .timeLimit(.minutes(5)))
    func aNewNameIsSynced() throws {
        let rig = try DeliveryRig(spool: ["fsync": "always"])
        let events = rig.directory.file("events.jsonl")
        let sidecar = try rig.start(["type: file, path: \"\(events)\", maxBytes: 2KiB, keep: 100"])
        let trace = try Tampering(
            with: sidecar.process.id,
            tracing: "rename,fsync,fdatasync",
            file: rig.directory.file("trace")
        )
        for number in 1...20 {
            #expect(try sidecar.ask(1).count == 1)
            #expect(try eventually { try sidecar.events("sent") == number })
        }
        trace.end()
        let calls = rig.directory.lines(of: "trace").filter { $0.contains("events.jsonl") || $0.contains("fsync(") }
        let renames = calls.indices.filter { calls[$0].contains("rename(\"\(events)\"") }
        #expect(renames.count > 5)
        for (rename, next) in zip(renames, renames.dropFirst()) {
            // The descriptors are shown with their paths.
            let between = calls[rename..<next]
            #expect(
                between.contains {
                    $0.contains("fsync(") && $0.contains("<\(rig.directory.path.replacing("//", with: "/"))>")
                }
            )
        }
        #expect(sidecar.stop() == .code(0))
    }

    /// Of a spool of several files one is missing at the next start, whichever: it is counted and logged, the rest arrives.
    @Test(.timeLimit(.minutes(5)), arguments: ["first", "middle", "last", "only"])
    func aMissingFileOfTheSpoolIsTold(_ which: String) throws {
        let rig = try DeliveryRig(spool: ["maxBytes": "1MiB"], fill: which == "only" ? 0 : 20_000)
        let receiver = try FakeEventReceiver(listening: false)
        let reporter = "type: http, url: \"\(receiver.url)\", maxRetryBackoff: 100ms"
        var sidecar = try rig.start([reporter])
        let asked = try sidecar.ask(which == "only" ? 5 : 40)
        sidecar.send(signal: SIGKILL)
        #expect(sidecar.waitForExit() == .signal(SIGKILL))
        let lane = rig.spoolPath + "/lane-0"
        let names = try FileManager.default.contentsOfDirectory(atPath: lane).filter { $0.hasSuffix(".events") }
            .sorted()
        #expect(which == "only" ? names.count == 1 : names.count > 3)
        let name = ["first": names[0], "middle": names[names.count / 2]][which] ?? names[names.count - 1]
        let missing = Set(
            requestIds(
                in: [String(decoding: try #require(wholeFile("\(lane)/\(name)")), as: UTF8.self)]
                    .flatMap { $0.split(separator: "\n").map(String.init) }
            ).keys
        )
        #expect(!missing.isEmpty)
        try FileManager.default.removeItem(atPath: "\(lane)/\(name)")
        try receiver.startListening()
        sidecar = try rig.start([reporter])
        #expect(eventually { Set(requestIds(in: receiver.events).keys) == Set(asked).subtracting(missing) })
        #expect(try eventually { try sidecar.events("dropped") == 1 })
        #expect(
            sidecar.process.standardError.contains("are not there")
                || sidecar.process.standardError.contains("is missing")
        )
        #expect(sidecar.stop() == .code(0))
    }
}
