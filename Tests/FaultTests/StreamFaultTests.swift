import Foundation
import TestSupport
import Testing

/// Streams on bad days: whoever has the end of one has it recorded, and nothing is recorded twice over.
///
/// `make test-faults` runs as many rounds as kills.
@Suite(.timeLimit(.minutes(30))) struct StreamFaultTests {
    private static let rounds = ProcessInfo.processInfo.environment["AMERON_KILL_ROUNDS"].flatMap(Int.init) ?? 2
    private static let clients = 16

    /// What a client has of its streams.
    private struct Read: Sendable {
        /// The ids of those that came to their end: by the last event, and by the last chunk.
        var done: [String] = []
        var ended: [String] = []
        /// Of those that did not, or that could not be asked for.
        var broken = 0
        var told = 0
    }

    /// Events that come quickly, so that there are always some that are at their end.
    private func service() throws -> FakeModelService {
        var steps: [Reply.Step] = []
        for number in 0..<20 { steps.append(.chunk("data: {\"n\":\(number)}\n\n")) }
        steps.append(.chunk("data: [DONE]\n\n"))
        return try FakeModelService { [steps] _ in .stream(steps: steps + [Reply.end]) }
    }

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

    /// Clients that ask for one stream after the other, on connections of their own, until they are told to stop.
    private func load(_ port: Locked<UInt16?>, until stop: Gate) -> RunningThreads<Read> {
        startConcurrently(Self.clients) { client in
            var read = Read()
            var number = 0
            while !stop.isOpen {
                number += 1
                guard let port = port.withLock({ $0 }), let connection = try? HTTPConnection(port: port) else {
                    _ = stop.wait(Deadline(seconds: 0.01))
                    continue
                }
                let id = "\(client)-\(number)"
                let request = HTTPRequest.post("/v1/models/iris:predict", json: "{}", headers: ["X-Request-Id": id])
                try? connection.send(request.wire)
                var text = ""
                let deadline = Deadline(seconds: 30)
                while !text.hasSuffix("0\r\n\r\n"), let bytes = try? connection.socket.read(deadline), !bytes.isEmpty {
                    text += String(decoding: bytes, as: UTF8.self)
                }
                if text.contains("data: [DONE]\n\n") { read.done.append(id) }
                if text.hasSuffix("\r\n0\r\n\r\n") { read.ended.append(id) } else { read.broken += 1 }
                if text.contains("event: error\n") { read.told += 1 }
            }
            return read
        }
    }

    private func ids(_ path: String) throws -> [String] {
        try SidecarProcess.events(in: path).compactMap { $0["data"]?["requestId"]?.string }
    }

    @Test func losesNothingWhenItIsKilled() throws {
        let service = try service()
        let directory = TemporaryDirectory()
        let events = directory.file("events")
        let configuration = configuration(service, directory)
        let port = Locked<UInt16?>(nil)
        let stop = Gate()
        let clients = load(port, until: stop)
        defer { stop.open() }
        var kills = 0
        for _ in 0..<Self.rounds {
            let sidecar = try SidecarProcess(configuration, eventFile: events)
            let before = try ids(events).count
            port.withLock { $0 = sidecar.port }
            let wanted = before + Int.random(in: 20...400)
            #expect(try eventually(within: 60) { try ids(events).count >= wanted })
            port.withLock { $0 = nil }
            sidecar.send(signal: SIGKILL)
            #expect(sidecar.waitForExit() == .signal(SIGKILL))
            kills += 1
        }
        stop.open()
        let reads = try clients.results()
        let (done, ended) = (Set(reads.flatMap(\.done)), Set(reads.flatMap(\.ended)))
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
            \(reads.map(\.broken).reduce(0, +)) broke off, \(recorded.count) events of \(Set(recorded).count)
            """
        )
    }

    /// No room for events: streams break off, and say so; none is taken for complete.
    @Test func isNotCompleteWhereTheSpoolIsFull() throws {
        let service = try service()
        let directory = TemporaryDirectory()
        let configuration = configuration(service, directory, ", maxBytes: 128KiB")
        let sidecar = try SidecarProcess(configuration, eventFile: "/dev/full")
        let port = Locked<UInt16?>(sidecar.port)
        let stop = Gate()
        let clients = load(port, until: stop)
        defer { stop.open() }
        let isRefused = try eventually(within: 60) {
            try sidecar.metrics().total("ameron_failures_total", ["cause": "notRecorded"]) > 0
        }
        #expect(isRefused)
        stop.open()
        let reads = try clients.results()
        let done = Set(reads.flatMap(\.done) + reads.flatMap(\.ended))
        #expect(sidecar.stop() == .code(0))
        // All that was told to be complete waits for its Reporter.
        let events = directory.file("events")
        let export = ["spool", "export", "file", "--output", events, "--path", directory.file("spool")]
        let tool = try SidecarProcess.run(export)
        #expect(tool.status == .code(0), "\(tool.error)")
        #expect(Set(try ids(events)).isSuperset(of: done))
    }
}
