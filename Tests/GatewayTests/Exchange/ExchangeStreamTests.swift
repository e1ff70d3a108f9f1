import TestSupport
import Testing

@testable import Gateway

/// Answers that go on as they come, between an adapter, a Reporter and a Provider of the test's.
@Suite struct ExchangeStreamTests {
    private func event(_ rig: FlowRig, _ index: Int = 0) throws -> JSON {
        try #require(index < rig.lane.frames.count)
        let batch = ByteBuffer(capacity: 16)
        batch.append(contentsOf: rig.lane.frames[index])
        let frame = try #require(EventFrame(in: batch.view, at: 0))
        return try JSON(parsing: frame.data.array)
    }

    @Test func `each part leaves in the turn in which it comes`() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.begun == [exchange.index])
        var text = ""
        for number in 0..<5 {
            #expect(rig.send(exchange, "data: \(number)\n\n"))
            rig.flow.endTurn()
            text += "data: \(number)\n\n"
            #expect(rig.provider.parts[exchange.index] == text)
            #expect(rig.lane.events.isEmpty && rig.provider.delivered.isEmpty)
        }
        rig.endStream(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.status) == [200])
        #expect(rig.provider.delivered.map(\.eventsBefore) == [1])
        let event = try event(rig)
        #expect(event["value"]?.elements?.map(\.int) == [0, 1, 2, 3, 4])
        #expect(event["stream"]?["parts"]?.int == 5)
        #expect(event["stream"]?["bytes"]?.int == text.utf8.count)
        #expect(event["stream"]?["firstPartInMs"] != nil)
        #expect(event["contentType"] == "text/event-stream")
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0 && !rig.flow.hasWork)
    }

    /// The last event says that all is there: nobody may have it whose answer is not recorded.
    @Test(arguments: [false, true]) func `the last event leaves when the answer is recorded`(isSafe: Bool) throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange)
        rig.send(exchange, "data: 1\n\n")
        rig.flow.endTurn()
        if !isSafe { rig.lane.failsAfter = 0 }
        // No turn ends between these two.
        rig.send(exchange, "data: 2\n\ndata: [DONE]\n\n")
        #expect(rig.provider.parts[exchange.index] == "data: 1\n\n")
        rig.flow.endTurn()
        let text = try #require(rig.provider.parts[exchange.index])
        if isSafe {
            #expect(text == "data: 1\n\ndata: 2\n\ndata: [DONE]\n\n")
            #expect(rig.lane.events.count == 1)
            // The end of the connection may take its time, and may fail.
            rig.endStream(exchange, ExchangeFailure(cause: .reset, message: "too late"))
            rig.flow.endTurn()
            #expect(rig.provider.parts[exchange.index] == text)
            #expect(try event(rig)["status"] == 200)
        } else {
            #expect(text.hasPrefix("data: 1\n\ndata: 2\n\nevent: error\ndata: {") && !text.contains("DONE"))
            #expect(rig.adapter.cancelled == [exchange.index])
            #expect(rig.lane.events.isEmpty)
        }
        #expect(rig.provider.delivered.map(\.status) == [isSafe ? 200 : 503])
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0 && !rig.flow.hasWork)
    }

    @Test(arguments: [Face.native, .v1, .v2]) func `a stream that breaks off says so`(face: Face) throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1, face: face))
        rig.beginStream(exchange)
        rig.send(exchange, "data: 1\n\ndata: 2")
        rig.flow.endTurn()
        rig.endStream(exchange, ExchangeFailure(cause: .reset, message: "it is gone"))
        rig.flow.endTurn()
        let text = try #require(rig.provider.parts[exchange.index])
        let error = try #require(text.split(separator: "\n").last?.dropFirst("data: ".count))
        let object = try JSON(parsing: Array(error.utf8))
        #expect(face == .native ? object["cause"] == "reset" : object["error"] == "it is gone")
        // The second one is not complete, and is not taken for one.
        #expect(text.hasPrefix("data: 1\n\ndata: 2\nevent: error\n") && text.hasSuffix("\n\n"))
        let event = try event(rig)
        #expect(event["value"]?.elements?.map(\.int) == [1])
        #expect(event["status"] == 502 && event["error"]?["cause"] == "reset")
        #expect(rig.provider.delivered.map(\.status) == [502])
    }

    /// Of lines of JSON none says so: that the answer has no end does.
    @Test func `lines only end`() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange, "application/x-ndjson")
        rig.send(exchange, "1\n2\n")
        rig.flow.endTurn()
        rig.endStream(exchange, ExchangeFailure(cause: .reset, message: "it is gone"))
        rig.flow.endTurn()
        #expect(rig.provider.parts[exchange.index] == "1\n2\n")
        #expect(try event(rig)["value"]?.elements?.map(\.int) == [1, 2])
    }

    /// Nothing has left yet: it is a failure like any other.
    @Test func `what breaks off at once has a status of its own`() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1, face: .native))
        rig.beginStream(exchange)
        rig.endStream(exchange, ExchangeFailure(cause: .reset, message: "it is gone"))
        rig.flow.endTurn()
        #expect(rig.provider.begun.isEmpty)
        // Nor is it a Prediction.
        #expect(rig.flow.metrics.predictions.read().pairs.isEmpty)
        #expect(rig.provider.delivered.map(\.status) == [502])
        #expect(try JSON(parsing: rig.provider.delivered[0].body)["cause"] == "reset")
        #expect(rig.lane.events.map(\.status) == [502])
    }

    /// Where the head of a stream tells its client nothing, it may be asked for again until a part has left.
    @Test(arguments: [(0, true), (0, false), (1, true)])
    func `a stream of which nothing was seen is asked for again`(parts: Int, isSafe: Bool) throws {
        let rig = FlowRig()
        rig.provider.hidesHeads = true
        rig.provider.retriesFailures = true
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange)
        rig.flow.endTurn()
        for number in 0..<parts { rig.send(exchange, "data: \(number)\n\n") }
        rig.flow.endTurn()
        if !isSafe { rig.lane.failsAfter = 0 }
        rig.endStream(exchange, isSafe ? ExchangeFailure(cause: .reset, message: "it is gone") : nil)
        rig.flow.endTurn()
        #expect(rig.provider.asked == (parts > 0 ? [] : [isSafe ? .reset : .notRecorded]))
        #expect(rig.lane.events.map(\.status) == (parts > 0 ? [502] : []))
        #expect(rig.provider.delivered.map(\.status) == (parts > 0 ? [502] : []))
        guard parts == 0 else { return }
        rig.lane.failsAfter = nil
        #expect(rig.flow.inFlight == 0 && exchange.stream == nil)
        rig.flow.startRetries(now: .max)
        rig.beginStream(exchange)
        rig.send(exchange, "data: 1\n\n")
        rig.flow.endTurn()
        rig.endStream(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.status) == [200])
        #expect(rig.lane.events.map(\.status) == [200])
        #expect(rig.flow.exchanges.inUse == 0 && !rig.flow.hasWork)
    }

    /// A Provider that takes part after part tells of the failure in one of its own.
    @Test(arguments: ["data: 2", "data: [DONE]\n\n"])
    func `nothing is added to parts that leave one by one`(last: String) throws {
        let rig = FlowRig()
        rig.provider.reads = false
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange)
        rig.flow.endTurn()
        let stream = try #require(exchange.stream)
        stream.leaveInParts()
        rig.provider.finish = { _ in }
        rig.lane.failsAfter = 0
        rig.send(exchange, "data: 1\n\n" + last)
        if !last.hasSuffix("\n") { rig.endStream(exchange) }
        rig.flow.endTurn()
        #expect(stream.end == .broken)
        #expect(stream.takePart().map { $0.bytes.string } == "data: 1\n\n")
        #expect(stream.takePart() == nil)
        rig.flow.end(exchange)
    }

    @Test func `a client that leaves ends the call`() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange)
        rig.send(exchange, "data: 1\n\n")
        rig.flow.endTurn()
        rig.flow.clientLeft(exchange)
        rig.flow.clientLeft(exchange)
        #expect(rig.adapter.cancelled == [exchange.index] && rig.flow.inFlight == 0)
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.state) == [.abandoned])
        let event = try event(rig)
        #expect(event["status"] == 499 && event["value"]?.elements?.map(\.int) == [1])
        #expect(rig.lane.events.count == 1)
    }

    /// A client that has the last event needs no more.
    @Test func `leaving after the last event is no failure`() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange)
        rig.send(exchange, "data: 1\n\ndata: [DONE]\n\n")
        rig.flow.endTurn()
        rig.flow.clientLeft(exchange)
        rig.flow.endTurn()
        #expect(rig.lane.events.map(\.status) == [200])
        #expect(rig.provider.delivered.map(\.status) == [200])
    }

    @Test func `the time to drain ends streams`() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange)
        rig.send(exchange, "data: 1\n\n")
        rig.flow.endTurn()
        rig.flow.abortAll()
        rig.flow.endTurn()
        #expect(rig.provider.parts[exchange.index]?.contains("event: error") == true)
        #expect(rig.lane.events.map(\.status) == [503])
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0)
    }

    /// What a client does not read is bounded, and the model waits.
    @Test func `a client without room stops the reading`() throws {
        let rig = FlowRig()
        rig.provider.reads = false
        let exchange = try #require(rig.ask(1))
        rig.beginStream(exchange)
        let piece = "data: \"\(String(repeating: "x", count: 16_000))\"\n\n"
        var sent = ""
        var turns = 0
        while rig.send(exchange, piece) {
            sent += piece
            turns += 1
            rig.flow.endTurn()
            try #require(turns < 100)
        }
        sent += piece
        #expect(turns == (256 << 10) / piece.utf8.count)
        rig.flow.endTurn()
        // Not at once: it reads on when there is room for much.
        rig.provider.read(exchange, upTo: 64 << 10)
        rig.flow.endTurn()
        #expect(rig.adapter.resumed.isEmpty)
        while rig.adapter.resumed.isEmpty {
            rig.provider.read(exchange, upTo: 9_000)
            rig.flow.endTurn()
        }
        #expect(rig.adapter.resumed == [exchange.index])
        rig.provider.reads = true
        rig.endStream(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.parts[exchange.index] == sent)
    }

    @Test func `without memory it waits too`() throws {
        let rig = FlowRig()
        let exchange = try #require(rig.ask(1))
        rig.provider.reads = false
        rig.beginStream(exchange)
        rig.flow.endTurn()
        #expect(!rig.send(exchange, "data: 1\n\n", mayGrow: false))
        rig.flow.endTurn()
        rig.provider.read(exchange)
        rig.flow.endTurn()
        #expect(rig.adapter.resumed == [exchange.index])
        rig.endStream(exchange)
        rig.flow.endTurn()
    }

    @Test func `a Provider that takes no parts gets all at the end`() throws {
        let rig = FlowRig(.raw)
        rig.provider.takesParts = false
        let exchange = try #require(rig.ask(1))
        let body = "data: 1\n\n"
        rig.answer(exchange, bytes: Array(body.utf8), status: 200, contentType: "text/event-stream", jsonLength: nil)
        _ = rig.settle()
        #expect(rig.provider.begun.isEmpty)
        #expect(rig.provider.delivered.map(\.body) == [body])
    }

    @Test(arguments: [
        ("text/event-stream", true), ("Text/Event-Stream; charset=utf-8", true), ("application/x-ndjson", true),
        ("application/jsonl", true), ("text/event-streams", false), ("application/json", false), ("", false),
    ])
    func `the type tells`(type: String, isStream: Bool) {
        let kind = Array(type.utf8).withByteView { StreamKind(contentType: $0) }
        #expect((kind != nil) == isStream)
    }
}
