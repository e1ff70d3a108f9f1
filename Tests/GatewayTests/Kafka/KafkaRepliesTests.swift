import Logging
import TestSupport
import Testing

@testable import Gateway

/// The producer's side with the mock cluster: nothing that was handed over is given up.
@Suite(.timeLimit(.minutes(10))) struct KafkaRepliesTests {
    private final class Outcomes: KafkaRepliesDelegate {
        var settled: [Int] = []
        var errors: [Int: KafkaError] = [:]
        /// Whether a message that fails is to be sent again.
        var isPatient = true

        /// Where messages are to go, by ticket.
        var partitions: [Int: Int32] = [:]
        /// Where they are.
        var places: [Int: Int32] = [:]

        func partition(of ticket: Int) -> Int32? { partitions[ticket] }

        func settle(_ outcome: KafkaReplies.Outcome) -> Bool {
            if let error = outcome.error {
                errors[outcome.ticket] = error
                if isPatient, !error.isMessageTooLarge { return false }
            }
            settled.append(outcome.ticket)
            places[outcome.ticket] = outcome.partition
            return true
        }
    }

    private let cluster: KafkaMockCluster
    private let outcomes = Outcomes()

    init() throws {
        cluster = try KafkaMockCluster()
        try cluster.createTopic("replies", partitions: 1)
    }

    private func makeReplies(_ more: [(String, String)] = []) throws -> KafkaReplies {
        let own = [("linger.ms", "0"), ("acks", "all"), ("enable.idempotence", "true"), ("retry.backoff.ms", "10")]
        let log = KafkaLog(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, secrets: KafkaSettings())
        let replies = try KafkaReplies(
            settings: cluster.settings(own + more),
            wake: EventFD(),
            log: log,
            statistics: KafkaClientStatistics(client: "test")
        )
        replies.delegate = outcomes
        return replies
    }

    private func send(
        _ replies: KafkaReplies,
        _ number: Int,
        to topic: String = "replies",
        bytes: Int = 1,
        ticket: Int? = nil
    ) {
        let headers = KafkaHeaderList()
        headers.append("number", ByteView("n"))
        let value = ByteBuffer(text: "\(number)" + String(repeating: " ", count: bytes - 1))
        withExtendedLifetime(value) {
            replies.send(
                to: topic,
                key: ByteView("key"),
                value: value.view,
                headers: headers,
                ticket: ticket ?? number
            )
        }
    }

    private func settles(_ replies: KafkaReplies, _ count: Int) -> Bool {
        eventually {
            replies.run(now: Clock.monotonic())
            return outcomes.settled.count >= count
        }
    }

    private func stored(_ count: Int) throws -> [SeenRecord] {
        let consumer = try cluster.consumer()
        try consumer.assignFromBeginning("replies")
        return consumer.records(count)
    }

    /// All records up to the one with this number.
    private func stored(through last: Int) throws -> [SeenRecord] {
        let consumer = try cluster.consumer()
        try consumer.assignFromBeginning("replies")
        var records: [SeenRecord] = []
        _ = eventually {
            consumer.turn({ records.append(SeenRecord($0)) })
            return records.last?.text == "\(last)"
        }
        return records
    }

    @Test func `each message is acknowledged once`() throws {
        let replies = try makeReplies()
        for number in 0..<100 { send(replies, number) }
        #expect(settles(replies, 100))
        #expect(outcomes.settled == Array(0..<100))
        #expect(outcomes.errors.isEmpty)
        let records = try stored(100)
        #expect(records.map(\.text) == (0..<100).map { "\($0)" })
        #expect(records.allSatisfy { $0.headers == ["number=n"] && $0.key == Array("key".utf8) })
    }

    @Test func `after a fatal error all is sent again in order`() throws {
        let replies = try makeReplies()
        let first = replies.producer
        for number in 0..<10 { send(replies, number) }
        #expect(settles(replies, 10))
        // What is under way now will not be acknowledged before the end of this producer.
        try cluster.setBroker(1, rttMilliseconds: 300)
        for number in 10..<50 { send(replies, number) }
        first.failFatally()
        for number in 50..<60 { send(replies, number) }
        #expect(replies.isFailing)
        for number in 60..<70 { send(replies, number) }
        try cluster.setBroker(1, rttMilliseconds: 0)
        #expect(settles(replies, 70))
        #expect(!replies.isFailing && replies.producer !== first)
        #expect(outcomes.errors.isEmpty)
        #expect(outcomes.settled == Array(0..<70))
        // What was under way may be stored twice: once by each producer, and the second time all of it in order.
        let records = try stored(through: 69)
        let numbers = records.compactMap(\.text).compactMap { Int($0) }
        #expect(Set(numbers) == Set(0..<70))
        #expect(Array(numbers.suffix(20)) == Array(50..<70))
        #expect(records.allSatisfy { $0.headers == ["number=n"] && $0.key == Array("key".utf8) })
    }

    /// OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID: fatal or not, as librdkafka sees it.
    @Test(arguments: [45, 47, 59]) func `what a broker lost count of keeps its place`(code: Int32) throws {
        let replies = try makeReplies([("max.in.flight.requests.per.connection", "1")])
        for number in 0..<5 { send(replies, number) }
        #expect(settles(replies, 5))
        cluster.pushErrors(apiKey: 0, [code])
        send(replies, 5)
        let isKnown = eventually {
            replies.run(now: Clock.monotonic())
            return replies.isFailing || !outcomes.errors.isEmpty || outcomes.settled.count > 5
        }
        #expect(isKnown)
        for number in 6..<30 { send(replies, number) }
        #expect(settles(replies, 30))
        for number in 30..<60 { send(replies, number) }
        #expect(settles(replies, 60))
        var seen: Set<Int> = []
        let numbers = try stored(through: 59).compactMap(\.text).compactMap { Int($0) }
        #expect(numbers.filter { seen.insert($0).inserted } == Array(0..<60))
    }

    /// Several messages of one ticket are told apart all the same: by their places.
    @Test func `one ticket may stand for several messages`() throws {
        let replies = try makeReplies()
        send(replies, 7)
        #expect(settles(replies, 1))
        try cluster.setBroker(1, rttMilliseconds: 300)
        for number in 10..<20 { send(replies, number, ticket: 7) }
        replies.producer.failFatally()
        for number in 20..<30 { send(replies, number, ticket: 7) }
        try cluster.setBroker(1, rttMilliseconds: 0)
        #expect(settles(replies, 21))
        #expect(outcomes.settled == Array(repeating: 7, count: 21))
        let numbers = try stored(through: 29).compactMap(\.text).compactMap { Int($0) }
        #expect(Array(numbers.suffix(20)) == Array(10..<30))
    }

    /// Also where it is sent again by the next producer.
    @Test func `a message goes to its partition`() throws {
        try cluster.createTopic("many", partitions: 8)
        let replies = try makeReplies()
        for number in 0..<8 { outcomes.partitions[number] = Int32(7 - number) }
        try cluster.setBroker(1, rttMilliseconds: 300)
        for number in 0..<4 { send(replies, number, to: "many") }
        replies.producer.failFatally()
        for number in 4..<8 { send(replies, number, to: "many") }
        try cluster.setBroker(1, rttMilliseconds: 0)
        #expect(settles(replies, 8))
        #expect(outcomes.places == outcomes.partitions)
    }

    @Test func `a message that is too large does not hold up the others`() throws {
        let replies = try makeReplies([("message.max.bytes", "2000")])
        send(replies, 0)
        send(replies, 1, bytes: 5_000)
        send(replies, 2)
        #expect(settles(replies, 3))
        #expect(outcomes.errors.mapValues(\.name) == [1: "MSG_SIZE_TOO_LARGE"])
    }

    @Test func `a message for which there is no topic waits until there is one`() throws {
        cluster.setTopicError("missing", KafkaError.unknownTopicOrPartition.code)
        let replies = try makeReplies([("topic.metadata.propagation.max.ms", "0")])
        send(replies, 0, to: "missing")
        send(replies, 1)
        #expect(settles(replies, 1))
        #expect(outcomes.settled == [1])
        #expect(
            eventually {
                replies.run(now: Clock.monotonic())
                return outcomes.errors[0] != nil
            }
        )
        cluster.setTopicError("missing", 0)
        #expect(settles(replies, 2))
        #expect(outcomes.settled == [1, 0])
    }

    @Test func `a full queue holds messages back and loses none`() throws {
        let replies = try makeReplies([("queue.buffering.max.messages", "10")])
        for number in 0..<100 { send(replies, number) }
        #expect(settles(replies, 100))
        #expect(outcomes.settled == Array(0..<100))
        #expect(try stored(100).map(\.text) == (0..<100).map { "\($0)" })
    }
}
