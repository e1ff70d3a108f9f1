import Foundation
import TestSupport
import Testing

@testable import Gateway

/// The brokers are down for a while under a steady load.
///
/// `make test-faults` takes them down for 30 s at 2,000 requests a second; without AMERON_OUTAGE_SECONDS it is short.
@Suite(.serialized) struct OutageTests {
    private static let variable = ProcessInfo.processInfo.environment["AMERON_OUTAGE_SECONDS"].flatMap(Double.init)
    private static let seconds = variable ?? 2
    private static let perSecond: Double = variable == nil ? 200 : 2_000

    @Test(.timeLimit(.minutes(20))) func bestEffortGoesOnAnswering() throws {
        let outage = try Outage(delivery: "best-effort", reporting: ["maxQueueBytes": "1MiB"])
        try outage.run(seconds: Self.seconds, perSecond: Self.perSecond)
        let sidecar = outage.sidecar
        let requests = outage.rest.count
        #expect(outage.rest.refusals == [:])
        // Each event was sent, failed or dropped; and what was sent is what the far end has.
        func events(_ result: String) throws -> Int {
            Int(try sidecar.metrics().total("ameron_report_events_total", ["reporter": "kafka", "result": result]))
        }
        let isAccounted = try eventually(within: 60) {
            try events("sent") + events("failed") + events("dropped") == requests
        }
        #expect(isAccounted)
        let (sent, failed, dropped) = (try events("sent"), try events("failed"), try events("dropped"))
        #expect(eventually { outage.world.events.countsOfRequests().count >= sent })
        let arrived = outage.world.events.countsOfRequests().count
        #expect(arrived == requests - failed - dropped)
        if Self.variable != nil { #expect(dropped > 0, "the outage was too short to tell anything") }
        print("best effort: \(requests) Predictions, \(arrived) arrived, \(dropped) dropped, \(failed) failed")
        outage.printLatencies("best effort")
        #expect(sidecar.stop() == .code(0))
    }

    @Test(.timeLimit(.minutes(20))) func atLeastOnceCatchesUp() throws {
        let outage = try Outage(delivery: "at-least-once")
        try outage.run(seconds: Self.seconds, perSecond: Self.perSecond)
        #expect(outage.rest.refusals == [:])
        let up = ContinuousClock.now
        Accounts.settle(outage.world, rest: outage.rest, kafka: nil, "at least once")
        print("at least once: caught up \(ContinuousClock.now - up) after the load had ended")
        outage.printLatencies("at least once")
        #expect(outage.sidecar.stop() == .code(0))
        #expect(try outage.directory.spooledBytes("spool") == 0)
    }
}

/// A load over REST before, during and after an outage of all brokers.
private final class Outage {
    let world: KafkaWorld
    let model: SidecarProcess
    let sidecar: SidecarProcess
    let directory = TemporaryDirectory()
    private(set) var rest: RESTLoad
    private var down = (ContinuousClock.now, ContinuousClock.now)
    private var resident: [String: Int] = [:]

    init(delivery: String, reporting: [String: String] = [:]) throws {
        world = try KafkaWorld()
        model = try SidecarProcess(arguments: ["example-model", "--port", "0"])
        let configuration = FaultConfiguration(
            world: world,
            modelURL: "http://127.0.0.1:\(model.port)/predict/iris",
            delivery: delivery,
            spoolPath: directory.file("spool"),
            hasProvider: false,
            reporting: reporting
        )
        sidecar = try configuration.start(in: directory)
        rest = RESTLoad(port: nil, clients: 0, perSecond: 1)
    }

    /// As long before the outage as within, and a little after.
    func run(seconds: Double, perSecond: Double) throws {
        rest = RESTLoad(port: sidecar.port, clients: 8, perSecond: perSecond)
        let share = Int(seconds * perSecond)
        func goOn(for count: Int) {
            let wanted = rest.count + count
            #expect(eventually(within: 10 * seconds + 30) { rest.count >= wanted })
        }
        goOn(for: share)
        resident["before"] = residentKiB
        down.0 = ContinuousClock.now
        try world.setAllBrokers(down: true)
        goOn(for: share)
        resident["at the end of the outage"] = residentKiB
        try world.setAllBrokers(down: false)
        down.1 = ContinuousClock.now
        goOn(for: share / 4)
        try rest.stop()
        // Bounded: what librdkafka and the queue may hold, and some room for the allocator.
        #expect(residentKiB < 200 << 10)
    }

    private var residentKiB: Int {
        let status = (try? String(contentsOfFile: "/proc/\(sidecar.process.id)/status", encoding: .utf8)) ?? ""
        return status.firstMatch(of: #/VmRSS:\s+(\d+)/#).flatMap { Int($0.output.1) } ?? 0
    }

    func printLatencies(_ what: String) {
        let phases: [(String, (RESTLoad.Answer) -> Bool)] = [
            ("before", { $0.due < self.down.0 }), ("outage", { $0.due >= self.down.0 && $0.due < self.down.1 }),
            ("after", { $0.due >= self.down.1 }),
        ]
        for (name, belongs) in phases {
            let latencies = rest.answers.filter(belongs).map(\.latency).sorted()
            guard !latencies.isEmpty else { continue }
            print(
                "\(what), \(name): \(latencies.count) answers, p50 \(latencies[latencies.count / 2]), p99",
                latencies[latencies.count * 99 / 100]
            )
        }
        print("\(what): resident KiB \(resident)")
    }
}
