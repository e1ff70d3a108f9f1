import Foundation
import TestSupport
import Testing

@testable import Gateway

/// That the Kafka Reporter loses and reorders nothing when brokers, messages or the whole producer fail.
@Suite(.timeLimit(.minutes(20))) struct KafkaRecoveryTests {
    private let cluster: KafkaMockCluster
    private let directory = TemporaryDirectory()
    private let recorder = LogRecorder()
    private let batch = EventBatch()

    init() throws {
        cluster = try KafkaMockCluster()
        try cluster.createTopic("predictions", partitions: 4)
    }

    private func makeReporter(_ feed: any EventFeed, _ properties: [String: String] = [:]) throws -> KafkaReporter {
        let configuration = kafkaConfiguration(
            cluster,
            failures: directory.file("failed.jsonl"),
            properties: ["reconnect.backoff.max.ms": "100", "retry.backoff.ms": "10"]
                .merging(properties) { $1 }
        )
        return KafkaReporter(configuration: configuration, feed: feed, log: recorder.log)
    }

    private func expectAll(_ count: Int, inOrder: Bool = true) throws {
        let records = try cluster.allRecords(in: "predictions", partitions: 4)
        #expect(Set(try records.map { try eventNumber($0.text ?? "") }) == Set(0..<count))
        // Whole, headers and all, however often they were sent.
        for record in records {
            let number = try eventNumber(record.text ?? "")
            #expect(record.headers.count == 6 && record.headers.contains("ce_id=event-\(number)"))
        }
        if inOrder { try expectOrderPerKey(records, mayRepeat: true) }
    }

    @Test func `under at-least-once everything arrives when the broker is back`() throws {
        try cluster.setBroker(1, down: true)
        let feed = try DurableFeed()
        let reporter = try makeReporter(feed)
        try reporter.start()
        for start in stride(from: 0, to: 1_000, by: 100) {
            fillEvents(batch, start..<start + 100)
            feed.append(batch, lane: start / 100 % 2)
        }
        #expect(eventually { recorder.messages.contains { $0.contains("no broker can be reached") } })
        #expect(feed.acknowledged == [0, 0])
        try cluster.setBroker(1, down: false)
        #expect(eventually { feed.acknowledged == [500, 500] })
        reporter.stop(timeout: .seconds(10))
        #expect(feed.counters.totals == .init(sent: 1_000))
        let records = try cluster.allRecords(in: "predictions", partitions: 4)
        #expect(records.count == 1_000)
        #expect(recorder.messages.filter { $0.contains("Kafka topic predictions") }.count == 2, "\(recorder.messages)")
    }

    /// The user's limit on each message's time only makes it be tried anew.
    /// Not in order: librdkafka may have sent later messages by the time that it tells of earlier ones which timed out unsent.
    @Test func `under at-least-once messages that time out are sent again`() throws {
        try cluster.setBroker(1, down: true)
        let feed = try DurableFeed()
        let reporter = try makeReporter(feed, ["message.timeout.ms": "100"])
        try reporter.start()
        fillEvents(batch, 0..<500)
        feed.append(batch)
        #expect(eventually { recorder.messages.contains { $0.contains("takes over after _MSG_TIMED_OUT") } })
        fillEvents(batch, 500..<1_000)
        feed.append(batch)
        #expect(feed.acknowledged == [0, 0])
        try cluster.setBroker(1, down: false)
        #expect(eventually { feed.acknowledged == [1_000, 0] })
        reporter.stop(timeout: .seconds(10))
        #expect(feed.counters.totals == .init(sent: 1_000))
        try expectAll(1_000, inOrder: false)
    }

    /// OUT_OF_ORDER_SEQUENCE_NUMBER, for the oldest batch, is fatal to librdkafka's idempotent producer.
    @Test(arguments: [true, false])
    func `a fatal error of the producer loses nothing`(isDurable: Bool) throws {
        let durable = try DurableFeed()
        let queue = try ReportQueue(maxBytes: 64 << 20)
        let lane = queue.openLane()
        let reporter = try makeReporter(isDurable ? durable : queue)
        try reporter.start()
        cluster.pushErrors(apiKey: 0, [45])
        for start in stride(from: 0, to: 3_000, by: 100) {
            fillEvents(batch, start..<start + 100)
            if isDurable { durable.append(batch) } else { lane.take(batch) }
        }
        #expect(eventually { reporter.counters.totals.sent >= 3_000 })
        #expect(recorder.messages.contains { $0.contains("the producer must be replaced") }, "\(recorder.messages)")
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 3_000))
        if isDurable { #expect(durable.acknowledged == [3_000, 0]) } else { #expect(queue.counters.totalQueued == 0) }
        try expectAll(3_000)
    }

    @Test func `under at-least-once a stop leaves what is not delivered unacknowledged`() throws {
        try cluster.setBroker(1, down: true)
        let feed = try DurableFeed()
        let reporter = try makeReporter(feed)
        try reporter.start()
        fillEvents(batch, 0..<100)
        feed.append(batch)
        reporter.stop(timeout: .milliseconds(50))
        #expect(feed.counters.totals == .init())
        #expect(feed.acknowledged == [0, 0])
    }

    /// TOPIC_AUTHORIZATION_FAILED, CLUSTER_AUTHORIZATION_FAILED, UNKNOWN_TOPIC_OR_PART: of the topic, and of some requests.
    @Test(arguments: [29, 31, 3] as [Int32], [true, false])
    func `what somebody must mend is waited for`(code: Int32, isDurable: Bool) throws {
        let durable = try DurableFeed()
        let queue = try ReportQueue(maxBytes: 64 << 20)
        let lane = queue.openLane()
        cluster.setTopicError("predictions", code)
        let reporter = try makeReporter(isDurable ? durable : queue, ["topic.metadata.propagation.max.ms": "100"])
        try reporter.start()
        func submit(_ numbers: Range<Int>) {
            fillEvents(batch, numbers)
            if isDurable { durable.append(batch) } else { lane.take(batch) }
        }
        submit(0..<100)
        #expect(eventually { reporter.counters.block.cause != nil })
        submit(100..<200)
        cluster.setTopicError("predictions", 0)
        #expect(eventually { reporter.counters.totals.sent == 200 })
        #expect(reporter.counters.block.cause == nil)
        cluster.setTopicError("predictions", code)
        cluster.pushErrors(apiKey: 0, [Int32](repeating: code, count: 1_000))
        submit(200..<300)
        #expect(eventually { reporter.counters.block.cause != nil })
        cluster.clearErrors(apiKey: 0)
        cluster.setTopicError("predictions", 0)
        #expect(eventually { reporter.counters.totals.sent == 300 })
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 300))
        #expect(reporter.counters.block.cause == nil)
        if isDurable { #expect(durable.acknowledged == [300, 0]) } else { #expect(queue.counters.totalQueued == 0) }
        try expectAll(300)
        #expect(directory.lines(of: "failed.jsonl").isEmpty)
        // Once for each beginning, and once for each end.
        let told = recorder.messages.filter { $0.contains("Kafka topic predictions:") && $0.contains("is mended") }
        #expect(told.count <= 4, "\(recorder.messages)")
    }

    /// What answers without TLS stands for a broker that does not let us in.
    @Test func `a broker that lets nobody in is told of`() throws {
        let service = try FakeModelService { _ in .close }
        guard case .tcp(let port) = service.endpoint else { return }
        var configuration = kafkaConfiguration(cluster, properties: ["security.protocol": "ssl"])
        configuration.brokers = "127.0.0.1:\(port)"
        let feed = try DurableFeed()
        let reporter = KafkaReporter(configuration: configuration, feed: feed, log: recorder.log)
        try reporter.start()
        fillEvents(batch, 0..<10)
        feed.append(batch)
        #expect(eventually { reporter.counters.block.cause == "_SSL" }, "\(recorder.messages)")
        #expect(feed.acknowledged == [0, 0])
        reporter.stop(timeout: .milliseconds(50))
        #expect(feed.counters.totals == .init())
    }

    /// librdkafka waits for a leader without a word.
    @Test func `a partition without a leader is told of`() throws {
        for partition in 0..<4 {
            try cluster.setPartitionLeader(topic: "predictions", partition: Int32(partition), broker: -1)
        }
        let feed = try DurableFeed()
        let reporter = try makeReporter(feed)
        try reporter.start()
        fillEvents(batch, 0..<10)
        feed.append(batch)
        #expect(eventually { recorder.messages.contains { $0.contains("no event was delivered for") } })
        #expect(reporter.counters.block.cause == nil)
        for partition in 0..<4 {
            try cluster.setPartitionLeader(topic: "predictions", partition: Int32(partition), broker: 1)
        }
        #expect(eventually { feed.acknowledged == [10, 0] })
        reporter.stop(timeout: .seconds(10))
    }

    /// A broker refuses a batch as a whole, be it for one record or for its size.
    @Test(arguments: [10, 87] as [Int32], [true, false])
    func `of a batch that is refused only the event at fault goes aside`(code: Int32, isDurable: Bool) throws {
        let durable = try DurableFeed()
        let queue = try ReportQueue(maxBytes: 64 << 20)
        let lane = queue.openLane()
        // One for the batch, and one for an event that is alone in its request.
        cluster.pushErrors(apiKey: 0, [code])
        let reporter = try makeReporter(isDurable ? durable : queue, ["linger.ms": "300"])
        fillEvents(batch, 0..<200, key: { _ in "one" })
        if isDurable { durable.append(batch) } else { lane.take(batch) }
        try reporter.start()
        #expect(eventually { reporter.counters.totals.all == 200 })
        cluster.pushErrors(apiKey: 0, [code])
        fillEvents(batch, 200..<201, key: { _ in "one" })
        if isDurable { durable.append(batch) } else { lane.take(batch) }
        #expect(eventually { reporter.counters.totals.all == 201 })
        fillEvents(batch, 201..<300, key: { _ in "one" })
        if isDurable { durable.append(batch) } else { lane.take(batch) }
        #expect(eventually { reporter.counters.totals.all == 300 })
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 299, failed: 1))
        let failed = try directory.lines(of: "failed.jsonl").map { try FailureLine.parse($0).event.id }
        #expect(failed == ["event-200"])
        let records = try cluster.allRecords(in: "predictions", partitions: 4)
        #expect(Set(try records.map { try eventNumber($0.text ?? "") }) == Set(0..<300).subtracting([200]))
        try expectOrderPerKey(records, mayRepeat: true)
    }

    @Test func `under best effort what nobody mends is given up after its time`() throws {
        let queue = try ReportQueue(maxBytes: 64 << 20)
        cluster.setTopicError("predictions", 29)
        let reporter = try makeReporter(queue, ["message.timeout.ms": "300"])
        try reporter.start()
        fillEvents(batch, 0..<20)
        queue.openLane().take(batch)
        #expect(eventually { reporter.counters.totals == .init(failed: 20) })
        #expect(eventually { queue.counters.totalQueued == 0 })
        #expect(directory.lines(of: "failed.jsonl").count == 20)
        reporter.stop(timeout: .seconds(10))
    }

    @Test func `under at-least-once a refused event is in its file before it is acknowledged`() throws {
        let feed = try DurableFeed()
        // MSG_SIZE_TOO_LARGE
        cluster.pushErrors(apiKey: 0, [10])
        let reporter = try makeReporter(feed)
        try reporter.start()
        fillEvents(batch, 0..<1)
        feed.append(batch)
        #expect(eventually { feed.acknowledged == [1, 0] })
        #expect(try directory.lines(of: "failed.jsonl").map { try FailureLine.parse($0).event.id } == ["event-0"])
        reporter.stop(timeout: .seconds(10))
        #expect(feed.counters.totals == .init(failed: 1))
    }
}
