import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Streams while the brokers are away, and while the Sidecar is killed: whoever has the end of an answer has all of it, and its event
/// is at the far end or counted.
///
/// `make test-faults` runs as many rounds as kills.
@Suite(.serialized, .timeLimit(.minutes(30))) struct StreamOutageTests {
    private static let rounds = ProcessInfo.processInfo.environment["AMERON_KILL_ROUNDS"].flatMap(Int.init) ?? 2
    /// How many streams must come to their end in each phase.
    private static let share = 200

    private func configuration(
        _ world: KafkaWorld,
        _ service: FakeModelService,
        _ directory: TemporaryDirectory,
        delivery: String = "at-least-once",
        hasProvider: Bool,
        reporting: [String: String] = [:]
    ) -> FaultConfiguration {
        FaultConfiguration(
            world: world,
            modelURL: service.url("/predict"),
            delivery: delivery,
            spoolPath: delivery == "at-least-once" ? directory.file("spool") : "",
            hasProvider: hasProvider,
            producerProperties: ["reconnect.backoff.max.ms": "500", "socket.timeout.ms": "3000"],
            reporting: reporting
        )
    }

    // MARK: Over REST, with a Kafka Reporter

    /// Streams end before, during and after the outage; what all their clients have.
    private func readThroughAnOutage(
        _ world: KafkaWorld,
        _ sidecar: SidecarProcess,
        until isLongEnough: () throws -> Bool = { true }
    ) throws -> StreamLoad.Read {
        let load = StreamLoad(port: sidecar.port)
        func goOn() {
            let wanted = load.read.ended.count + Self.share
            #expect(eventually(within: 60) { load.read.ended.count >= wanted })
        }
        goOn()
        try world.setAllBrokers(down: true)
        goOn()
        #expect(try eventually(within: 60, isLongEnough))
        try world.setAllBrokers(down: false)
        goOn()
        let read = try load.finish()
        #expect(read.broken == 0 && read.told == 0)
        #expect(read.done.count == read.ended.count)
        return read
    }

    @Test func bestEffortGoesOnStreaming() throws {
        let world = try KafkaWorld()
        let service = try StreamLoad.service()
        let directory = TemporaryDirectory()
        let sidecar = try configuration(
            world,
            service,
            directory,
            delivery: "best-effort",
            hasProvider: false,
            reporting: ["maxQueueBytes": "256KiB"]
        )
        .start(in: directory)
        let read = try readThroughAnOutage(world, sidecar) { try sidecar.events("dropped") > 0 }
        // Each event was sent, failed or dropped; and what was sent is what the far end has.
        let isAccounted = try eventually(within: 60) {
            try sidecar.events("sent") + sidecar.events("failed") + sidecar.events("dropped") == read.ended.count
        }
        #expect(isAccounted)
        let sent = try sidecar.events("sent")
        #expect(eventually { world.events.countsOfRequests().count >= sent })
        #expect(world.events.countsOfRequests().count == sent)
        print("streams, best effort: \(read.ended.count) ended, \(sent) events arrived, the rest is counted as dropped")
        #expect(sidecar.stop() == .code(0))
    }

    @Test func atLeastOnceCatchesUpOnStreams() throws {
        let world = try KafkaWorld()
        let service = try StreamLoad.service()
        let directory = TemporaryDirectory()
        let sidecar = try configuration(world, service, directory, hasProvider: false).start(in: directory)
        let read = try readThroughAnOutage(world, sidecar)
        let ended = Set(read.ended)
        let haveArrived = eventually(within: 120) { ended.isSubset(of: world.events.countsOfRequests().keys) }
        let lost = ended.subtracting(world.events.countsOfRequests().keys)
        #expect(haveArrived, "\(lost.count) are lost")
        print("streams, at least once: \(ended.count) ended, none of their events is lost")
        #expect(sidecar.stop() == .code(0))
        #expect(try directory.spooledBytes("spool") == 0)
    }

    // MARK: Over Kafka, in parts

    /// 20 events and the last one.
    private static let partCount = 21

    /// What is there of each run of each request, first come first: the numbers of its parts, and that of its end.
    private func readRuns(_ world: KafkaWorld) -> [String: [String: (parts: [Int], end: Int?)]] {
        var runs: [String: [String: (parts: [Int], end: Int?)]] = [:]
        for record in world.replies.all {
            guard let id = record.headers["correlation-id"], let run = record.headers["ameron-answer"],
                let number = record.headers["ameron-part"].flatMap({ Int($0) })
            else { continue }
            var seen = runs[id]?[run] ?? ([], nil)
            if record.headers["ameron-final"] == "true" {
                seen.end = number
            } else if !seen.parts.contains(number) {
                seen.parts.append(number)
            }
            runs[id, default: [:]][run] = seen
        }
        return runs
    }

    /// Each request has a run with all parts and their end; no run has an end and not all parts.
    private func settle(_ world: KafkaWorld, _ load: RequestLoad, _ what: String) {
        let requests = Set(load.requests.map(\.id))
        let all = Array(0..<Self.partCount)
        let areAnswered = eventually(within: 120) {
            let runs = readRuns(world)
            return requests.allSatisfy { id in runs[id]?.values.contains { $0.end != nil } == true }
        }
        #expect(areAnswered)
        let runs = readRuns(world)
        let torn = runs.flatMap { id, runs in runs.values.filter { $0.end != nil && $0.parts != all }.map { (id, $0) } }
        #expect(torn.isEmpty, "\(torn.count) answers have an end and not all parts: \(torn.prefix(3))")
        let ends = world.replies.all.filter { $0.headers["ameron-final"] == "true" }
        #expect(ends.allSatisfy { $0.headers["ameron-status"] == "200" && $0.headers["ameron-part"] == "21" })
        #expect(world.deadLetters.all.isEmpty)
        let areRecorded = eventually(within: 60) { requests.isSubset(of: world.events.countsOfRequests().keys) }
        #expect(areRecorded)
        let begun = runs.values.map(\.count).reduce(0, +)
        print("\(what): \(requests.count) answers in parts, \(begun - requests.count) begun again, none lost")
    }

    @Test func partsOutliveAnOutage() throws {
        let world = try KafkaWorld()
        let service = try StreamLoad.service()
        let directory = TemporaryDirectory()
        let sidecar = try configuration(world, service, directory, hasProvider: true).start(in: directory)
        let load = RequestLoad(world.bootstrap, perSecond: 100, inParts: true)
        #expect(eventually(within: 60) { world.replies.count >= 2_000 })
        try world.setAllBrokers(down: true)
        // What was taken in goes on until no more may be under way.
        var calls = -1
        let stands = eventually(within: 60) {
            _ = Gate().wait(Deadline(seconds: 0.2))
            defer { calls = service.calls.count }
            return calls == service.calls.count
        }
        #expect(stands)
        try world.setAllBrokers(down: false)
        let before = world.replies.count
        #expect(eventually(within: 60) { world.replies.count >= before + 2_000 })
        try load.stop()
        settle(world, load, "an outage")
        #expect(sidecar.stop() == .code(0))
        try Accounts.expectCommittedAreAnswered(world, load)
    }

    @Test func partsOutliveKills() throws {
        let world = try KafkaWorld()
        let service = try StreamLoad.service()
        let directory = TemporaryDirectory()
        let configuration = configuration(world, service, directory, hasProvider: true)
        var sidecar = try configuration.start(in: directory)
        let load = RequestLoad(world.bootstrap, perSecond: 50, inParts: true)
        for _ in 0..<Self.rounds {
            let wanted = world.replies.count + Int.random(in: 500...3_000)
            #expect(eventually(within: 60) { world.replies.count >= wanted })
            sidecar.send(signal: SIGKILL)
            #expect(sidecar.waitForExit() == .signal(SIGKILL))
            sidecar = try configuration.start(in: directory)
        }
        try load.stop()
        settle(world, load, "\(Self.rounds) kills")
        #expect(sidecar.stop() == .code(0))
    }
}
