import TestSupport
import Testing

@testable import Gateway

/// Producing to the mock cluster.
@Suite(.timeLimit(.minutes(10))) struct KafkaProducerTests {
    private let cluster: KafkaMockCluster

    init() throws { cluster = try KafkaMockCluster() }

    @Test func tellsOfEachMessageByItsTicket() throws {
        let producer = try cluster.producer()
        for ticket in 0..<100 { try producer.produce(to: "events", key: "k", "\(ticket)", ticket: ticket) }
        let seen = producer.deliveries(100)
        #expect(Set(seen.keys) == Set(0..<100))
        #expect(seen.values.allSatisfy { $0 == nil })
        #expect(producer.pendingCount == 0)
    }

    @Test func givesTheMessageBackWithItsDelivery() throws {
        try cluster.createTopic("events", partitions: 1)
        let producer = try cluster.producer()
        let headers = KafkaHeaderList()
        headers.append("content-type", ByteView("text/plain"))
        try producer.produce(to: "events", key: "key", "value", headers: headers, ticket: -1)
        var seen: [String] = []
        #expect(
            eventually {
                _ = producer.poll(timeoutMilliseconds: 50) { event in
                    guard case .delivered(let delivery) = event else { return }
                    seen = [delivery.topic, delivery.key ?? .empty, delivery.value ?? .empty].map(\.string)
                    seen += ["\(delivery.ticket)", "\(delivery.partition)", "\(delivery.offset)"]
                    seen.append(delivery.headers.last(named: ByteView("Content-Type"))?.string ?? "none")
                }
                return !seen.isEmpty
            }
        )
        #expect(seen == ["events", "key", "value", "-1", "0", "0", "text/plain"])
    }

    /// A thread that polls when woken, and only then, must hear of all messages: what `poll` returns is to be relied on.
    @Test func wakesForAllDeliveries() throws {
        let wake = try EventFD()
        let producer = try cluster.producer(wake: wake)
        var count = 0
        var produced = 0
        let deadline = Deadline()
        while count < 5_000 && !deadline.hasPassed {
            for _ in 0..<min(500, 5_000 - produced) {
                try producer.produce(to: "events", "x")
                produced += 1
            }
            if produced < 5_000 && count < produced - 1_000 { continue }
            wake.wait(nanoseconds: 1_000_000_000 * Int64(Deadline.standardSeconds))
            while producer.poll({ if case .delivered = $0 { count += 1 } }) {}
        }
        #expect(count == 5_000)
    }

    @Test func refusesAMessageThatIsTooLarge() throws {
        let producer = try cluster.producer([("message.max.bytes", "1000")])
        let headers = KafkaHeaderList()
        headers.append("a", ByteView("b"))
        let error = #expect(throws: KafkaError.self) {
            try producer.produce(
                to: "events",
                key: nil,
                String(repeating: "x", count: 1_001),
                headers: headers,
                ticket: 7
            )
        }
        #expect(error == .messageTooLarge)
        // Nothing will be told of it.
        #expect(producer.pendingCount == 0)
    }

    @Test func tellsWhatTheBrokerRefuses() throws {
        let producer = try cluster.producer()
        cluster.pushErrors(apiKey: 0, [KafkaError.messageTooLarge.code])
        try producer.produce(to: "events", "x", ticket: 3)
        #expect(producer.deliveries(1) == [3: .messageTooLarge])
    }

    @Test func delaysAndFailsOneBroker() throws {
        let producer = try cluster.producer([("retries", "0")])
        try cluster.pushErrors(apiKey: 0, broker: 1, [(error: KafkaError.topicAuthorizationFailed.code, rttMs: 10)])
        try producer.produce(to: "events", "x", ticket: 4)
        #expect(producer.deliveries(1) == [4: .topicAuthorizationFailed])
    }

    @Test func saysWhenItsQueueIsFull() throws {
        let producer = try cluster.producer([("queue.buffering.max.messages", "2"), ("linger.ms", "10000")])
        try producer.produce(to: "events", "1", ticket: 1)
        try producer.produce(to: "events", "2", ticket: 2)
        let headers = KafkaHeaderList()
        headers.append("a", ByteView("b"))
        let error = #expect(throws: KafkaError.self) {
            try producer.produce(to: "events", key: nil, "3", headers: headers, ticket: 3)
        }
        #expect(error == .queueFull)
        producer.purge()
        let seen = producer.deliveries(2)
        #expect(Set(seen.keys) == [1, 2])
        #expect(seen.values.allSatisfy { $0?.isPurged == true })
    }

    @Test func closingTellsOfWhatIsLeft() throws {
        try cluster.setBroker(1, down: true)
        let producer = try cluster.producer()
        try producer.produce(to: "events", "1", ticket: 1)
        var seen: [Int: Bool] = [:]
        var hasHeardOfBroker = false
        producer.close(timeoutMilliseconds: 200) { event in
            switch event {
            case .delivered(let delivery): seen[delivery.ticket] = delivery.error?.isPurged == true
            case .error(let error, isFatal: false): hasHeardOfBroker = hasHeardOfBroker || error.isRetriable
            default: break
            }
        }
        #expect(seen == [1: true])
        #expect(hasHeardOfBroker)
        #expect(producer.pendingCount == 0)
    }

    @Test func deliversWhenTheBrokerIsBack() throws {
        let producer = try cluster.producer([("reconnect.backoff.ms", "10"), ("reconnect.backoff.max.ms", "50")])
        try producer.produce(to: "events", "1", ticket: 1)
        #expect(producer.deliveries(1) == [1: delivered])
        try cluster.setBroker(1, down: true)
        try producer.produce(to: "events", "2", ticket: 2)
        #expect(
            producer.poll(timeoutMilliseconds: 100) { if case .delivered = $0 { Issue.record("delivered") } } == false
        )
        try cluster.setBroker(1, down: false)
        #expect(producer.deliveries(1) == [2: delivered])
    }

    @Test func tellsThatItCanDoNoMore() throws {
        let producer = try cluster.producer([("enable.idempotence", "true")])
        #expect(producer.fatalError() == nil)
        let outOfOrder = KafkaError(code: 45)
        producer.failFatallyForTest(outOfOrder)
        #expect(producer.fatalError() == outOfOrder)
        let error = #expect(throws: KafkaError.self) { try producer.produce(to: "events", "1") }
        #expect(error == outOfOrder || error == .fatal, "\(String(describing: error))")
        var fatal: KafkaError?
        #expect(
            eventually {
                _ = producer.poll { if case .error(let error, isFatal: true) = $0 { fatal = error } }
                return fatal != nil
            }
        )
        #expect(fatal == outOfOrder)
    }

    @Test func tellsStatisticsAndLog() throws {
        let producer = try cluster.producer([("statistics.interval.ms", "20"), ("debug", "broker")])
        var statistics: String?
        var line: String?
        #expect(
            eventually {
                _ = producer.poll(timeoutMilliseconds: 20) { event in
                    if case .statistics(let json) = event { statistics = json.string }
                    if case .log(let level, let facility, let message) = event {
                        line = "\(level) \(facility) \(message)"
                    }
                }
                return statistics != nil && line != nil
            }
        )
        #expect(statistics?.hasPrefix("{") == true)
        #expect(line?.hasPrefix("7 ") == true)
    }
}
