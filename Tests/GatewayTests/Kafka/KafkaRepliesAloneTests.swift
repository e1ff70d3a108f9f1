import Logging
import TestSupport
import Testing

@testable import Gateway

/// The producer's side while there is no broker: nothing is given up, and nobody is held up.
@Suite(.timeLimit(.minutes(5))) struct KafkaRepliesAloneTests {
    private final class Outcomes: KafkaRepliesDelegate {
        var settled: [Int] = []

        func partition(of ticket: Int) -> Int32? { nil }

        func settle(_ outcome: KafkaReplies.Outcome) -> Bool {
            settled.append(outcome.ticket)
            return true
        }
    }

    private let outcomes = Outcomes()

    private func makeReplies(_ more: [(String, String)] = []) throws -> KafkaReplies {
        let log = KafkaLog(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, secrets: KafkaSettings())
        let replies = try KafkaReplies(
            settings: KafkaSettings([("bootstrap.servers", "127.0.0.1:1"), ("message.timeout.ms", "0")] + more),
            wake: EventFD(),
            log: log,
            statistics: KafkaClientStatistics(client: "test")
        )
        replies.delegate = outcomes
        return replies
    }

    private func send(_ replies: KafkaReplies, _ number: Int) {
        let value = ByteBuffer(text: "\(number)")
        withExtendedLifetime(value) {
            replies.send(to: "replies", key: nil, value: value.view, headers: KafkaHeaderList(), ticket: number)
        }
    }

    @Test func `what is sent waits, and the end does not wait for it`() throws {
        let replies = try makeReplies()
        #expect(replies.nextDeadline == nil && !replies.hasMore)
        for number in 0..<20 { send(replies, number) }
        let now = Clock.monotonic()
        for step in 0..<5 { replies.run(now: now + Int64(step) * 1_000_000_000) }
        #expect(outcomes.settled.isEmpty && !replies.isFailing)
        // The producer wakes the shard when there is something to do.
        #expect(replies.nextDeadline == nil)
        replies.shutDown(deadline: 0)
        // Whose answers were not sent is not told so: their requests come again.
        #expect(outcomes.settled.isEmpty)
    }

    /// librdkafka holds ten, the rest waits here: for a while, after which it is tried again.
    @Test func `a full queue is tried again in a while`() throws {
        let replies = try makeReplies([("queue.buffering.max.messages", "10")])
        for number in 0..<10 { send(replies, number) }
        #expect(replies.nextDeadline == nil)
        send(replies, 10)
        let first = try #require(replies.nextDeadline)
        // What comes later stands behind it, and does not put it off.
        for number in 11..<20 { send(replies, number) }
        #expect(replies.nextDeadline == first)
        replies.run(now: first - 1)
        #expect(replies.nextDeadline == first)
        replies.run(now: first)
        #expect(try #require(replies.nextDeadline) > first)
        #expect(outcomes.settled.isEmpty)
        replies.shutDown(deadline: 0)
        #expect(outcomes.settled.isEmpty)
    }
}
