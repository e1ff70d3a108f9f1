import TestSupport
import Testing

@testable import Gateway

/// The flow of exchanges, short and long, and what may come in between.
@Suite struct ExchangeFlowTests {
    private static let many = 5_000

    @Test func aShortAnswerIsDoneInItsTurn() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.answer(exchange, FlowRig.v1(rows: 3))
        #expect(exchange.state == .recording && rig.flow.hasWork)
        #expect(rig.provider.delivered.isEmpty && rig.lane.events.isEmpty)
        rig.flow.endTurn()
        #expect(rig.lane.rows(of: "r1") == [0, 1, 2])
        #expect(rig.provider.delivered.map(\.status) == [200])
        #expect(rig.provider.delivered.map(\.eventsBefore) == [3])
        #expect(!rig.flow.hasWork && rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0)
    }

    @Test(arguments: [Face.v1, .native]) func aLongAnswerTakesManyTurns(_ face: Face) throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1, face: face))
        rig.answer(exchange, FlowRig.v1(rows: Self.many))
        #expect(exchange.state == .recording && rig.flow.inFlight == 1)
        var recorded = 0
        var turns = 0
        while rig.flow.hasWork {
            rig.flow.endTurn()
            turns += 1
            // A little in each turn, and the reply behind all of it.
            #expect(rig.lane.events.count - recorded <= LongAnswers.stepRows)
            recorded = rig.lane.events.count
            #expect(rig.provider.delivered.isEmpty == (recorded < Self.many))
        }
        #expect(turns >= Self.many / LongAnswers.stepRows)
        #expect(rig.lane.rows(of: "r1") == Array(0..<Self.many))
        #expect(rig.lane.events.allSatisfy { $0.rowCount == Self.many })
        #expect(rig.provider.delivered.map(\.eventsBefore) == [Self.many])
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0)
        if face == .native {
            let predictions = try JSON(parsing: rig.provider.delivered[0].body)["predictions"]?.elements
            #expect(predictions?.map { $0["value"]?.int } == Array(0..<Self.many))
        } else {
            #expect(rig.provider.delivered[0].body == FlowRig.v1(rows: Self.many))
        }
    }

    /// A long body whose Predictions are few is read in several turns too.
    @Test func aLongBodyIsReadInManyTurns() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        let element = "[" + String(repeating: "1.25,", count: 200_000) + "0]"
        rig.answer(exchange, #"{"predictions":[\#(element),1]}"#)
        #expect(rig.settle() > 5)
        #expect(rig.lane.rows(of: "r1") == [0, 1])
        #expect(rig.provider.delivered.map(\.status) == [200])
    }

    /// A short body with few rows, which repeat long names.
    @Test func rowsThatBecomeLongAreWrittenInManyTurns() throws {
        let rig = FlowRig(.v2)
        let exchange = try #require(rig.ask(1, face: .native))
        let values = Array(repeating: "0", count: 400).joined(separator: ",")
        let outputs = ["a", "b"].map { name in
            #"{"name":"\#(String(repeating: name, count: 10_000))","shape":[400],"data":[\#(values)]}"#
        }
        rig.answer(exchange, #"{"outputs":[\#(outputs.joined(separator: ","))]}"#)
        #expect(exchange.state == .recording)
        #expect(rig.settle() > 10)
        #expect(rig.lane.rows(of: "r1") == Array(0..<400))
        #expect(rig.provider.delivered.map(\.status) == [200])
    }

    @Test func othersAreAnsweredMeanwhile() throws {
        let rig = FlowRig()
        let long = try #require(rig.ask(1))
        rig.answer(long, FlowRig.v1(rows: Self.many))
        for number in 2..<8 {
            let short = try #require(rig.ask(number))
            rig.answer(short, FlowRig.v1(rows: 2))
            rig.flow.endTurn()
            #expect(rig.provider.delivered.last?.exchange == short.index)
            #expect(rig.lane.rows(of: "r\(number)") == [0, 1])
        }
        #expect(long.state == .recording)
        _ = rig.settle()
        #expect(rig.provider.delivered.last?.exchange == long.index)
        #expect(rig.lane.rows(of: "r1") == Array(0..<Self.many))
    }

    @Test func longAnswersStandInLine() throws {
        let rig = FlowRig()
        let exchanges = try (1...3).map { try #require(rig.ask($0)) }
        for exchange in exchanges { rig.answer(exchange, FlowRig.v1(rows: Self.many)) }
        #expect(rig.flow.inFlight == 3)
        _ = rig.settle()
        #expect(rig.provider.delivered.map(\.exchange) == exchanges.map(\.index))
        #expect(rig.provider.delivered.map(\.eventsBefore) == [Self.many, 2 * Self.many, 3 * Self.many])
    }

    /// Recording counts as being in flight, so that long answers cannot pile up.
    @Test func longAnswersAreInFlight() throws {
        let rig = FlowRig(maxInFlight: 2)
        for number in 1...2 { rig.answer(try #require(rig.ask(number)), FlowRig.v1(rows: Self.many)) }
        #expect(rig.ask(3) == nil)
        _ = rig.settle()
        let third = try #require(rig.ask(3))
        rig.flow.clientLeft(third)
        _ = rig.settle()
    }

    @Test func aClientThatLeavesWhileItsAnswerIsRecordedChangesNothing() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.answer(exchange, FlowRig.v1(rows: Self.many))
        rig.flow.endTurn()
        rig.flow.clientLeft(exchange)
        _ = rig.settle()
        #expect(rig.lane.rows(of: "r1") == Array(0..<Self.many))
        #expect(rig.provider.delivered.map(\.state) == [.replying])
        #expect(rig.adapter.cancelled.isEmpty && rig.flow.inFlight == 0)
    }

    /// Under at-least-once a reply whose events are not safe is not given, wherever in the recording they were lost.
    @Test(arguments: [0, 1, 3, 9], [false, true])
    func aLongAnswerIsTakenBackWhenItsEventsAreLost(batches: Int, isRetried: Bool) throws {
        let rig = FlowRig()
        rig.provider.retriesFailures = isRetried
        let exchange = try #require(rig.ask(1, face: .native))
        rig.answer(exchange, FlowRig.v1(rows: Self.many))
        let next = try #require(rig.ask(2))
        rig.answer(next, FlowRig.v1(rows: Self.many))
        rig.lane.failsAfter = batches
        while rig.provider.delivered.isEmpty, exchange.retryAt == nil { rig.flow.endTurn() }
        #expect(rig.provider.delivered.map(\.exchange) == (isRetried ? [] : [exchange.index]))
        #expect((exchange.retryAt != nil) == isRetried)
        if !isRetried {
            #expect(rig.provider.delivered[0].status == 503)
            #expect(try JSON(parsing: rig.provider.delivered[0].body)["cause"] == "notRecorded")
        }
        let recorded = rig.lane.rows(of: "r1")
        #expect(recorded == Array(0..<recorded.count) && recorded.count < Self.many)
        // The next one is not touched by it.
        rig.lane.failsAfter = nil
        _ = rig.settle()
        #expect(rig.provider.delivered.map(\.exchange) == (isRetried ? [next.index] : [exchange.index, next.index]))
        #expect(rig.provider.delivered.last?.status == 200)
        #expect(rig.lane.rows(of: "r2") == Array(0..<Self.many))
        #expect(rig.flow.inFlight == 0)
    }

    /// An answer whose events can never be stored is not asked for again: its partition would wait for it for ever.
    @Test(arguments: [10, many], [false, true])
    func anAnswerThatNeverFitsIsGivenUp(rows: Int, isRetried: Bool) throws {
        let rig = FlowRig(maxAnswerBytes: 2_000)
        rig.provider.retriesFailures = isRetried
        rig.answer(try #require(rig.ask(1, face: .native)), FlowRig.v1(rows: rows))
        while rig.provider.delivered.isEmpty { rig.flow.endTurn() }
        #expect(rig.provider.delivered.map(\.state) == [.replying])
        #expect(rig.provider.delivered[0].status == 502)
        #expect(try JSON(parsing: rig.provider.delivered[0].body)["cause"] == "tooLarge")
        #expect(rig.provider.asked == [.tooLarge])
        #expect(rig.lane.events.isEmpty && rig.flow.inFlight == 0)
    }

    /// Several that do not fit together may well do so one after the other.
    @Test func answersThatFitOneByOneAreAskedForAgain() throws {
        let rig = FlowRig(maxAnswerBytes: 2_000)
        rig.provider.retriesFailures = true
        for number in 1...4 { rig.answer(try #require(rig.ask(number)), FlowRig.v1(rows: 1)) }
        rig.flow.endTurn()
        #expect(rig.provider.delivered.isEmpty && rig.flow.exchanges.inUse == 4)
        #expect(rig.provider.asked == Array(repeating: .notRecorded, count: 4))
    }

    /// The time to drain is over: what is being recorded is recorded to its end, what waits is told.
    @Test func abortingEndsLongAnswers() throws {
        let rig = FlowRig()
        let exchanges = try (1...3).map { try #require(rig.ask($0)) }
        for exchange in exchanges.dropLast() { rig.answer(exchange, FlowRig.v1(rows: Self.many)) }
        rig.flow.endTurn()
        rig.flow.endTurn()
        rig.flow.abortAll()
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.exchange) == exchanges.map(\.index))
        #expect(rig.provider.delivered.map(\.status) == [200, 503, 503])
        #expect(rig.lane.rows(of: "r1") == Array(0..<Self.many))
        #expect(rig.lane.events.filter { $0.requestId != "r1" }.map(\.status) == [503, 503])
        #expect(!rig.flow.hasWork && rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0)
    }

    /// Whatever happens in whatever order: each request has one reply, each reply of 200 all of its events before it, and
    /// nothing is left.
    @Test(arguments: 0..<16 as Range<UInt64>) func anyOrder(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let rig = FlowRig(random.pick([.v1, .native]), policy: .init(capture: random.pick([.none, .input, .body])))
        var out: [(number: Int, exchange: Exchange)] = []
        var rows: [String: Int] = [:]
        var asked = 0
        for _ in 0..<120 {
            switch random.below(10) {
            case 0...2:
                let body = random.chance(10) ? #"{"instances":[\#(String(repeating: "1,", count: 90_000))1]}"# : "{}"
                asked += 1
                if let exchange = rig.ask(asked, face: random.pick([.v1, .native]), body: body) {
                    out.append((asked, exchange))
                }
            case 3...5 where !out.isEmpty:
                let (number, exchange) = out.remove(at: random.below(out.count))
                let count = random.pick([0, 1, 5, 1_023, 1_024, 1_500, 4_000])
                rows["r\(number)"] = count
                let elements = Array(repeating: random.pick(["1", #"{"value":2}"#]), count: count)
                // The wrong protocol's elements make it one Prediction.
                rig.answer(exchange, #"{"predictions":[\#(elements.joined(separator: ","))]}"#)
                if elements.first == "1", rig.route.modelProtocol == .native { rows["r\(number)"] = 1 }
            case 6 where !out.isEmpty:
                let (_, exchange) = out.remove(at: random.below(out.count))
                rig.flow.clientLeft(exchange)
            case 7 where !out.isEmpty:
                let (_, exchange) = out.remove(at: random.below(out.count))
                rig.adapter.cancel(exchange.attempt)
                rig.flow.ended(exchange.attempt, ExchangeFailure(cause: .timeout, message: "too late"))
            case 8: rig.lane.failsAfter = random.chance(20) ? random.below(4) : nil
            default: rig.flow.endTurn()
            }
        }
        if random.chance(50) {
            rig.flow.abortAll()
            out.removeAll()
        }
        for (_, exchange) in out { rig.flow.clientLeft(exchange) }
        rig.lane.failsAfter = nil
        #expect(rig.settle() < 10_000)
        #expect(rig.provider.delivered.count == asked, "seed \(seed)")
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0, "seed \(seed)")
        let good = Dictionary(grouping: rig.lane.events.filter { $0.status == 200 }, by: \.requestId)
        for (id, events) in good {
            // Nothing twice, nothing out of order; where something was lost, nobody was answered.
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.rowIndex < $1.rowIndex }, "seed \(seed), \(id)")
            #expect(events.allSatisfy { $0.rowCount == rows[id] }, "seed \(seed), \(id)")
        }
        for reply in rig.provider.delivered where reply.status == 200 && reply.state == .replying {
            let before = rig.lane.events.prefix(reply.eventsBefore).filter { $0.requestId == reply.requestId }
            #expect(before.count == rows[reply.requestId], "seed \(seed), \(reply.requestId)")
            #expect(good[reply.requestId]?.count ?? 0 == before.count, "seed \(seed), \(reply.requestId)")
        }
    }
}
