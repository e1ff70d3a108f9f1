import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A disk that is slow, or hangs: what a shard has to do with it.
@Suite(.enabled(if: Tampering.isPossible, "strace(1) cannot be used")) struct SlowDiskTests {
    /// To count what is dropped, files of an earlier run must be read, 16 MiB each: not by the thread on which requests wait.
    @Test(.timeLimit(.minutes(5))) func noShardReadsTheSpool() throws {
        let rig = try DeliveryRig(spool: ["maxBytes": "8MiB", "whenFull": "drop-oldest"], fill: 50_000)
        // It reads the first MiB, and gets stuck with that.
        let events = rig.directory.file("events.jsonl")
        try FileManager.default.createSymbolicLink(atPath: events, withDestinationPath: "/dev/full")
        let reporter = "type: file, path: \"\(events)\""
        var sidecar = try rig.start([reporter])
        var asked = try sidecar.ask(200)
        #expect(try sidecar.events("dropped") > 0)
        #expect(sidecar.stop() == .code(0))
        // What it had read and not delivered counts at the end.
        let last = try #require(sidecar.process.standardError.matches(of: #/(\d+) were dropped/#).last)
        let dropped = try #require(Int(last.output.1))
        sidecar = try rig.start([reporter])
        let file = rig.directory.file("trace")
        let trace = try Tampering(with: sidecar.process.id, tracing: "pread64", file: file)
        asked += try sidecar.ask(200)
        let threads = Tampering.threads(of: sidecar.process.id)
        #expect(try eventually { try sidecar.events("dropped") > 100 })
        trace.end()
        let reads = rig.directory.lines(of: "trace").filter { $0.contains(".events>") }
        let readers = reads.compactMap { line in
            line.split(separator: " ").first.flatMap { pid_t($0) }.flatMap { threads[$0] }
        }
        #expect(readers.contains("spool-keeper"))
        #expect(!readers.contains { $0.hasPrefix("shard") }, "\(Set(readers))")
        try FileManager.default.removeItem(atPath: events)
        sidecar.send(signal: SIGHUP)
        #expect(try eventually { try sidecar.metrics().total("ameron_spool_bytes", [:]) == 0 })
        let arrived = requestIds(in: rig.directory.lines(of: "events.jsonl")).count
        let lost = dropped + (try sidecar.events("dropped"))
        #expect(arrived + lost == asked.count, "\(arrived) arrived, \(lost) dropped of \(asked.count)")
        #expect(sidecar.stop() == .code(0))
    }

    /// A Reporter's place is written to the disk: while that takes long, the shard begins file after file and waits for none
    /// of it.
    @Test(.timeLimit(.minutes(5))) func noShardWaitsForTheReportersPlace() throws {
        let rig = try DeliveryRig(spool: ["maxBytes": "1MiB", "fsync": "never"], fill: 20_000)
        let events = rig.directory.file("events.jsonl")
        let sidecar = try rig.start(["type: file, path: \"\(events)\""])
        #expect(try sidecar.ask(1).count == 1)
        #expect(try eventually { try sidecar.events("sent") == 1 })
        let file = rig.directory.file("trace")
        let slow = try Tampering(
            withThread: "report-file",
            of: sidecar.process.id,
            tracing: "pwrite64",
            file: file,
            delay: 5_000_000
        )
        // Some seven files.
        #expect(try sidecar.ask(40).count == 40)
        #expect(rig.directory.lines(of: "trace").count <= 1, "each wrote 5 s long")
        slow.end()
        #expect(try eventually(within: 60) { try sidecar.events("sent") == 41 })
        #expect(sidecar.stop() == .code(0))
    }
}
