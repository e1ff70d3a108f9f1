import TestSupport
import Testing

@testable import Gateway

/// What the log hears of a destination, and what shows in the metrics.
@Suite struct DeliveryTroubleTests {
    private static let minute: Int64 = 60_000_000_000
    private let recorder = LogRecorder()
    private let block = ReporterBlock()

    private func makeTrouble(isDurable: Bool = false) -> DeliveryTrouble {
        DeliveryTrouble(destination: "the topic", isDurable: isDurable, block: block, log: recorder.log)
    }

    @Test(arguments: [(false, "its events wait in the queue"), (true, "its events wait in the spool")])
    func `trouble is told when it begins and when it ends`(isDurable: Bool, consequence: String) {
        var trouble = makeTrouble(isDurable: isDurable)
        trouble.end()
        #expect(recorder.messages.isEmpty && !trouble.isOn)
        for _ in 0..<3 { trouble.begin("no broker") }
        #expect(trouble.isOn && !trouble.isBlocked)
        trouble.end()
        trouble.end()
        trouble.begin("no route")
        trouble.gaveUp(2)
        trouble.gaveUp(3)
        trouble.end()
        // What was given up belongs to its trouble.
        trouble.begin("no broker")
        trouble.end()
        #expect(
            recorder.messages == [
                "error the topic: no broker; \(consequence)", "notice the topic takes events again; none was given up",
                "error the topic: no route; \(consequence)", "notice the topic takes events again; 5 were given up",
                "error the topic: no broker; \(consequence)", "notice the topic takes events again; none was given up",
            ]
        )
        #expect(block.cause == nil)
    }

    @Test func `what somebody must mend is told once for each cause, and shows until it is over`() {
        var trouble = makeTrouble()
        trouble.begin("no broker")
        for _ in 0..<2 { trouble.begin("401", blockedBy: "status401") }
        #expect(block.cause == "status401" && trouble.isBlocked)
        trouble.begin("404", blockedBy: "status404")
        #expect(block.cause == "status404")
        trouble.begin("401", blockedBy: "status401")
        #expect(block.cause == "status401")
        let blocked = "no event gets through until that is mended; its events wait in the queue"
        #expect(
            recorder.messages == [
                "error the topic: no broker; its events wait in the queue", "error the topic: 401; \(blocked)",
                "error the topic: 404; \(blocked)",
            ]
        )
        trouble.end()
        #expect(block.cause == nil && !trouble.isBlocked && !trouble.isOn)
        // The next time it is told again.
        trouble.begin("401", blockedBy: "status401")
        #expect(recorder.messages.count == 5 && block.cause == "status401")
    }

    /// The failure file's own trouble is not over when the destination's is.
    @Test func `another one's block stays`() {
        var trouble = makeTrouble()
        block.set("failurePath", by: .failureFile)
        trouble.begin("401", blockedBy: "status401")
        #expect(block.cause == "status401")
        trouble.end()
        #expect(block.cause == "failurePath")
        block.set(nil, by: .failureFile)
        #expect(block.cause == nil)
    }

    @Test func `refusals are told at most once a minute, and none is left out of the count`() {
        var trouble = makeTrouble()
        var told = 0
        for (count, now, message) in [
            (1, 0, "refuses an event: too large 0"), (2, 1, nil), (3, Self.minute - 1, nil),
            (4, Self.minute, "refuses 9 events: too large 3"), (1, Self.minute + 1, nil),
            (1, 3 * Self.minute, "refuses 2 events: too large 5"),
            (7, 4 * Self.minute, "refuses 7 events: too large 6"),
        ] as [(Int, Int64, String?)] {
            defer { told += 1 }
            let before = recorder.messages.count
            trouble.refused(count, "too large \(told)", now: now)
            #expect(recorder.messages.dropFirst(before) == (message.map { ["error the topic \($0)"] } ?? [])[...])
        }
        // That events are refused is no trouble of the destination's.
        #expect(!trouble.isOn)
    }

    @Test func `a batch that is sent one by one is told of at most once a minute`() {
        var trouble = makeTrouble()
        for now in [5, 6, Self.minute + 4, Self.minute + 5, Self.minute + 6] {
            trouble.singledOut(10, "413", now: now)
        }
        let line = "warning the topic refuses a batch of 10 events: 413; they are sent one by one"
        #expect(recorder.messages == [line, line])
    }
}

/// What is under way, lane by lane.
@Suite struct DeliveryLedgerTests {
    /// Notes what is acknowledged.
    private final class Source: EventSource {
        var acknowledged: [[Int64]]
        init(lanes: Int) { acknowledged = [[Int64]](repeating: [], count: lanes) }

        var isDurable: Bool { true }
        var laneCount: Int { acknowledged.count }
        var hasEvents: Bool { false }
        var isBehind: Bool { false }
        func gather(into events: inout [WaitingEvent], limit: Int) {}
        func release() {}
        func acknowledge(lane: Int, through position: Int64) { acknowledged[lane].append(position) }
        func close() {}
    }

    @Test(arguments: 0..<30) func `each lane is acknowledged as far as all are done`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let lanes = 1 + random.below(4)
        let source = Source(lanes: lanes)
        let batch = EventBatch()
        fillEvents(batch, 0..<1)
        var ledger = DeliveryLedger()
        // The model: each lane's events in order, and whether they are done.
        var events = [[(end: Int64, isDone: Bool)]](repeating: [], count: lanes)
        var open: [(ticket: DeliveryLedger.Ticket, lane: Int, index: Int)] = []
        var told = [Int64?](repeating: nil, count: lanes)
        for step in 0..<1_000 {
            switch random.below(5) {
            case 0, 1:
                let lane = random.below(lanes)
                let end = (events[lane].last?.end ?? 0) + Int64(1 + random.below(1_000))
                let ticket = ledger.begin(WaitingEvent(frame: batch[0], lane: lane, end: end))
                #expect(ticket.lane == lane)
                open.append((ticket, lane, events[lane].count))
                events[lane].append((end, false))
            case 2...3 where !open.isEmpty:
                let (ticket, lane, index) = open.remove(at: random.below(open.count))
                ledger.end(ticket)
                events[lane][index].isDone = true
            default:
                ledger.acknowledge(to: source)
                for lane in 0..<lanes {
                    let reached = events[lane].prefix { $0.isDone }.last?.end
                    // Once, where it has moved.
                    #expect(source.acknowledged[lane] == (reached == told[lane] ? [] : [reached ?? -1]), "seed \(seed)")
                    told[lane] = reached
                    source.acknowledged[lane] = []
                }
            }
            let waiting = events.reduce(0) { sum, lane in sum + lane.count - lane.prefix { $0.isDone }.count }
            guard ledger.openCount == waiting else {
                Issue.record("seed \(seed), step \(step): \(ledger.openCount) and not \(waiting)")
                return
            }
        }
        for (ticket, _, _) in open { ledger.end(ticket) }
        ledger.acknowledge(to: source)
        for lane in 0..<lanes where events[lane].last?.end != told[lane] {
            #expect(source.acknowledged[lane] == [events[lane].last?.end ?? -1])
        }
        #expect(ledger.openCount == 0)
    }
}
