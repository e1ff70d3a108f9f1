import TestSupport
import Testing

@testable import Gateway

/// Long answers that nobody has to look into: they go on as they come.
@Suite struct LongAnswerBodyTests {
    private static let length = 200_000

    private func event(_ rig: FlowRig) throws -> JSON {
        let frame = try #require(rig.lane.frames.first)
        let batch = ByteBuffer(capacity: 16)
        batch.append(contentsOf: frame)
        return try JSON(parsing: try #require(EventFrame(in: batch.view, at: 0)).data.array)
    }

    /// Raw answers that no event holds. All others are split, wrapped or recorded.
    @Test func `who may pass`() {
        for face in [Face.native, .v1, .v2] {
            for modelProtocol in ModelProtocol.allCases {
                let isOurs = modelProtocol == .raw && face != .native
                for (most, bytes) in [(nil, 64 << 10), (1_000, 64 << 10), (1 << 20, 1 << 20)] as [(Int?, Int)] {
                    let isRead = AnswerWork.reads(modelProtocol, for: face)
                    let found = LongBodies.answerBytes(isRead: isRead, maxEventBytes: most)
                    #expect(found == (isOurs ? bytes : nil), "\(face) \(modelProtocol) \(String(describing: most))")
                }
            }
        }
    }

    @Test(arguments: [true, false]) func `what is recorded decides from where on`(_ isRecorded: Bool) throws {
        let rig = FlowRig(.raw, policy: EventPolicy(maxEventBytes: 300_000), isRecorded: isRecorded)
        let exchange = try #require(rig.ask(1))
        #expect(rig.flow.wholeBytes(exchange.attempt) == (isRecorded ? 300_000 : 64 << 10))
        rig.answer(exchange, "1")
        _ = rig.settle()
    }

    /// It is kept where the call may be made again, and where the model's answers never go on as they come.
    @Test func `a model may keep them`() throws {
        let options = RetryPolicy.Options(attempts: 2, causes: .connect, budget: 20, isRepeatable: false)
        let policy = RetryPolicy(options) { 0 }
        for (retry, streams) in [(policy, .byType), (nil, .never)] as [(RetryPolicy?, StreamRule)] {
            let rig = FlowRig(.raw, retry: retry, streams: streams)
            let exchange = try #require(rig.ask(1))
            #expect(rig.flow.wholeBytes(exchange.attempt) == nil)
            rig.answer(exchange, "1")
            _ = rig.settle()
        }
    }

    @Test func `an error is taken whole`() throws {
        let rig = FlowRig(.raw)
        let exchange = try #require(rig.ask(1))
        #expect(rig.beginLong(exchange, length: Self.length, status: 500) == .whole)
        rig.flow.ended(exchange.attempt, nil)
        #expect(rig.settle() > 0)
        #expect(rig.provider.begun.isEmpty)
        #expect(rig.provider.delivered.map(\.status) == [500])
    }

    @Test(arguments: [true, false])
    func `its last byte leaves when it is recorded`(_ isSafe: Bool) throws {
        let rig = FlowRig(.raw)
        let exchange = try #require(rig.ask(1))
        #expect(rig.beginLong(exchange, length: Self.length) == .parts)
        rig.flow.endTurn()
        #expect(exchange.stream?.length == Self.length)
        rig.send(exchange, String(repeating: "a", count: Self.length / 2))
        rig.flow.endTurn()
        #expect(rig.provider.parts[exchange.index]?.utf8.count == Self.length / 2)
        rig.send(exchange, String(repeating: "b", count: Self.length / 2))
        // All of it is there, and its end was not told of yet.
        rig.flow.endTurn()
        #expect(rig.provider.parts[exchange.index]?.utf8.count == Self.length - 1)
        #expect(rig.lane.events.isEmpty && rig.provider.delivered.isEmpty)
        if !isSafe { rig.lane.failsAfter = 0 }
        rig.endStream(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.parts[exchange.index]?.utf8.count == (isSafe ? Self.length : Self.length - 1))
        #expect(rig.provider.delivered.map(\.status) == [isSafe ? 200 : 503])
        if isSafe {
            // As of one that was taken whole, and is too long for its event.
            let event = try event(rig)
            #expect(event["value"] == .null && event["stream"] == nil && event["error"] == nil)
            #expect(event["truncated"]?.elements == ["value"])
            #expect(event["status"] == 200 && event["rowCount"] == 1)
        }
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0 && !rig.flow.hasWork)
    }

    @Test func `one without a length has an end`() throws {
        let rig = FlowRig(.raw)
        let exchange = try #require(rig.ask(1))
        #expect(rig.beginLong(exchange, length: nil) == .parts)
        rig.send(exchange, "all")
        rig.flow.endTurn()
        #expect(rig.provider.parts[exchange.index] == "all")
        rig.endStream(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.status) == [200])
        #expect(rig.lane.events.count == 1)
    }

    /// Nothing is said in the body: the client misses bytes.
    @Test func `one that breaks off`() throws {
        let rig = FlowRig(.raw)
        let exchange = try #require(rig.ask(1))
        #expect(rig.beginLong(exchange, length: Self.length) == .parts)
        rig.send(exchange, "some")
        rig.flow.endTurn()
        rig.endStream(exchange, ExchangeFailure(cause: .reset, message: "it is gone"))
        rig.flow.endTurn()
        #expect(rig.provider.parts[exchange.index] == "some")
        #expect(rig.provider.delivered.map(\.status) == [502])
        let event = try event(rig)
        #expect(event["status"] == 502 && event["error"]?["cause"] == "reset")
        #expect(event["value"] == .null && event["truncated"] == nil)
    }
}
