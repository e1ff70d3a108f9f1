import TestSupport
import Testing

@testable import Gateway

/// Answers over Kafka that go out part after part.
@Suite(.timeLimit(.minutes(5))) struct KafkaPartsTests {
    /// What the Model Service sends, and what must be in the reply topic.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var type: StaticString = "text/event-stream"
        var pieces: [String]
        var parts: [String]
        /// How many of these only the end of the answer completes.
        var lateParts = 0
        /// How it breaks off; nil: it ends.
        var failure: ExchangeFailure.Cause?
        /// Whether the Reporters take the event.
        var isSafe = true
        var status = 200
        var cause: String?

        static let all: [Case] = [
            Case(
                testDescription: "events, however they come",
                pieces: ["data: 1\n", "\ndata: 2\n\ndata: 3\n\nda", "ta: 4\n\n"],
                parts: ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n", "data: 4\n\n"]
            ),
            Case(
                testDescription: "as OpenAI ends",
                pieces: ["data: 1\n\n", "data: [DONE]\n\n"],
                parts: ["data: 1\n\n", "data: [DONE]\n\n"]
            ),
            Case(
                testDescription: "lines",
                type: "application/x-ndjson",
                pieces: ["1\n2", "\n3"],
                parts: ["1\n", "2\n", "3"],
                lateParts: 1
            ),
            Case(testDescription: "nothing at all", pieces: [], parts: []),
            Case(
                testDescription: "broken off in an event",
                pieces: ["data: 1\n\n", "data: 2"],
                parts: ["data: 1\n\n"],
                failure: .reset,
                status: 502,
                cause: "reset"
            ),
            Case(
                testDescription: "too late",
                pieces: ["data: 1\n\n"],
                parts: ["data: 1\n\n"],
                failure: .timeout,
                status: 504,
                cause: "timeout"
            ),
            Case(
                testDescription: "not recorded",
                pieces: ["data: 1\n\n", "data: [DONE]\n\n"],
                parts: ["data: 1\n\n"],
                isSafe: false,
                status: 503,
                cause: "notRecorded"
            ),
        ]
    }

    @Test(arguments: Case.all, ["k", nil])
    func `each part is a record, and the end is`(_ example: Case, key: String?) throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask(key: key)
        rig.rig.beginStream(exchange, example.type)
        for (index, piece) in example.pieces.enumerated() {
            if !example.isSafe, index == example.pieces.count - 1 { rig.rig.lane.failsAfter = 0 }
            rig.rig.send(exchange, piece)
            if index < example.pieces.count - 1 { rig.turn() }
        }
        if example.isSafe {
            #expect(rig.turns { rig.replies.count == example.parts.count - example.lateParts })
        }
        #expect(rig.progress.offsetToStore == nil)
        rig.rig.endStream(exchange, example.failure.map { ExchangeFailure(cause: $0, message: "it is gone") })
        #expect(rig.turns { rig.isIdle && rig.replies.last?.isFinal == true })
        #expect(rig.progress.offsetToStore == 1)

        let replies = rig.replies
        #expect(replies.dropLast().map(\.value) == example.parts)
        #expect(replies.map(\.part) == Array(0...example.parts.count))
        #expect(replies.map(\.isFinal) == example.parts.map { _ in false } + [true])
        #expect(replies.map(\.status) == example.parts.map { _ in 200 } + [example.status])
        #expect(Set(replies.map(\.partition)).count == 1)
        #expect(Set(replies.map(\.headers["ameron-answer"])).count == 1)
        for reply in replies {
            #expect(reply.key == key)
            #expect(reply.headers["correlation-id"] == "c" && reply.headers["x-request-id"] == "mine")
            #expect(reply.headers["ameron-answer"]?.utf8.count == 36)
            #expect(reply.headers["ameron-continues"] == nil)
            #expect((reply.headers["server-timing"] != nil) == reply.isFinal)
        }
        let last = try #require(replies.last)
        if let cause = example.cause {
            #expect(try JSON(parsing: last.value)["cause"]?.string == cause)
            #expect(rig.turns { rig.deadLetters.count == 1 })
            #expect(rig.deadLetters.first?.headers["ameron-dead-letter-cause"] == cause)
            #expect(rig.deadLetters.first?.headers["ameron-stream"] == "parts")
        } else {
            #expect(last.value.isEmpty)
            #expect(rig.deadLetters.isEmpty)
        }
        #expect(rig.rig.lane.events.map(\.status) == (example.isSafe ? [example.status] : []))
    }

    /// One way to read both: a whole answer is its own first and last part.
    @Test func `an answer in one piece is the final part`() throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask()
        rig.rig.answer(exchange, bytes: Array("1".utf8), status: 200, contentType: "application/json", jsonLength: nil)
        #expect(rig.turns { rig.isIdle && rig.replies.count == 1 })
        let reply = try #require(rig.replies.first)
        #expect(reply.part == 0 && reply.isFinal && reply.status == 200 && reply.value.contains("\"value\":1"))
    }

    @Test func `who does not ask for parts gets none`() throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask([:])
        let body = "data: 1\n\ndata: 2\n\n"
        rig.rig.answer(
            exchange,
            bytes: Array(body.utf8),
            status: 200,
            contentType: "text/event-stream",
            jsonLength: nil
        )
        #expect(rig.turns { rig.isIdle && rig.replies.count == 1 })
        #expect(rig.replies.first?.part == nil && rig.replies.first?.headers["ameron-final"] == nil)
    }

    /// Nobody has seen anything of it.
    @Test func `what breaks off before its first part is asked again`() throws {
        let rig = try KafkaPartsRig()
        let first = try rig.ask()
        rig.rig.beginStream(first)
        rig.turn()
        rig.rig.send(first, "data: 1")
        rig.turn()
        rig.rig.endStream(first, ExchangeFailure(cause: .reset, message: "it is gone"))
        #expect(rig.turns { rig.rig.adapter.out.count == 1 })
        let second = try #require(rig.rig.adapter.out.first)
        #expect(second.tries == 2)
        rig.rig.beginStream(second)
        rig.rig.send(second, "data: 2\n\n")
        rig.rig.endStream(second)
        #expect(rig.turns { rig.isIdle && rig.replies.count == 2 })
        #expect(rig.replies.map(\.value) == ["data: 2\n\n", ""])
        #expect(rig.rig.lane.events.map(\.status) == [200])
        #expect(rig.deadLetters.isEmpty)
    }

    /// The next owner of the partition asks again: no end is told of here.
    @Test(arguments: ["the time to drain is over", "the partition is gone"])
    func `what others will answer has no end`(why: String) throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask()
        rig.rig.beginStream(exchange)
        rig.rig.send(exchange, "data: 1\n\n")
        #expect(rig.turns { rig.replies.count == 1 })
        if why.contains("drain") {
            rig.provider.drain()
            rig.rig.flow.abortAll()
        } else {
            rig.progress.beginLeaving()
            rig.provider.dropWaiting()
            rig.rig.send(exchange, "data: 2\n\n")
            #expect(rig.turns { rig.replies.count == 2 })
            rig.progress.leave()
            rig.provider.dropWaiting()
        }
        #expect(rig.finishes())
        #expect(rig.rig.adapter.cancelled == [exchange.index])
        #expect(rig.replies.allSatisfy { !$0.isFinal } && rig.deadLetters.isEmpty)
        #expect(rig.progress.offsetToStore == nil && rig.progress.openCount == 0)
        #expect(rig.rig.lane.events.map(\.status) == [503])
    }
}
