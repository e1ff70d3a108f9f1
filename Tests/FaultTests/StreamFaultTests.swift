import Foundation
import TestSupport
import Testing

/// Streams on bad days: whoever has the end of one has it recorded, and nothing is recorded twice over.
///
/// `make test-faults` runs as many rounds as kills.
@Suite(.timeLimit(.minutes(30))) struct StreamFaultTests {
    private static let rounds = ProcessInfo.processInfo.environment["AMERON_KILL_ROUNDS"].flatMap(Int.init) ?? 2

    private func configuration(
        _ service: FakeModelService,
        _ directory: TemporaryDirectory,
        _ spool: String = ""
    ) -> SidecarConfiguration {
        SidecarConfiguration(
            .init("iris", url: service.url("/predict")),
            reporting: [
                "delivery": "at-least-once", "spool": "{ path: \"\(directory.file("spool"))\"\(spool) }",
            ]
        )
    }

    private func ids(_ path: String) throws -> [String] {
        try SidecarProcess.events(in: path).compactMap { $0["data"]?["requestId"]?.string }
    }

    @Test func losesNothingWhenItIsKilled() throws {
        let service = try StreamLoad.service()
        let directory = TemporaryDirectory()
        let events = directory.file("events")
        let configuration = configuration(service, directory)
        let load = StreamLoad(port: nil)
        var kills = 0
        for _ in 0..<Self.rounds {
            let sidecar = try SidecarProcess(configuration, eventFile: events)
            let before = try ids(events).count
            load.setPort(sidecar.port)
            let wanted = before + Int.random(in: 20...400)
            #expect(try eventually(within: 60) { try ids(events).count >= wanted })
            load.setPort(nil)
            sidecar.send(signal: SIGKILL)
            #expect(sidecar.waitForExit() == .signal(SIGKILL))
            kills += 1
        }
        let read = try load.finish()
        let (done, ended) = (Set(read.done), Set(read.ended))
        // The last Sidecar's clients are gone; what waits in the spool is delivered by the next one.
        let sidecar = try SidecarProcess(configuration, eventFile: events)
        let areAllThere = try eventually(within: 60) { Set(try ids(events)).isSuperset(of: done.union(ended)) }
        let lost = done.union(ended).subtracting(try ids(events))
        #expect(areAllThere, "\(lost.count) are lost")
        #expect(sidecar.stop() == .code(0))
        let recorded = try ids(events)
        print(
            """
            streams, \(kills) kills: \(ended.count) ended, \(done.count) had the last event, \
            \(read.broken) broke off, \(recorded.count) events of \(Set(recorded).count)
            """
        )
    }

    /// No room for events: streams break off, and say so; none is taken for complete.
    @Test func isNotCompleteWhereTheSpoolIsFull() throws {
        let service = try StreamLoad.service()
        let directory = TemporaryDirectory()
        let configuration = configuration(service, directory, ", maxBytes: 128KiB")
        let sidecar = try SidecarProcess(configuration, eventFile: "/dev/full")
        let load = StreamLoad(port: sidecar.port)
        let isRefused = try eventually(within: 60) {
            try sidecar.metrics().total("ameron_failures_total", ["cause": "notRecorded"]) > 0
        }
        #expect(isRefused)
        let read = try load.finish()
        let done = Set(read.done + read.ended)
        #expect(sidecar.stop() == .code(0))
        // All that was told to be complete waits for its Reporter.
        let events = directory.file("events")
        let export = ["spool", "export", "file", "--output", events, "--path", directory.file("spool")]
        let tool = try SidecarProcess.run(export)
        #expect(tool.status == .code(0), "\(tool.error)")
        #expect(Set(try ids(events)).isSuperset(of: done))
    }
}
