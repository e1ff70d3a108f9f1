import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What the Kafka Reporter sends, and what it does with events that are refused.
@Suite(.timeLimit(.minutes(20))) struct KafkaReporterTests {
    private let cluster: KafkaMockCluster
    private let directory = TemporaryDirectory()
    private let recorder = LogRecorder()
    private let batch = EventBatch()

    init() throws {
        cluster = try KafkaMockCluster()
        try cluster.createTopic("predictions", partitions: 4)
    }

    private func makeReporter(
        maxQueueBytes: Int = 64 << 20,
        key: Configuration.Reporter.Kafka.Key = .requestId,
        topic: String = "predictions",
        _ properties: [String: String] = [:]
    ) throws -> QueuedReporter {
        var configuration = kafkaConfiguration(
            cluster,
            topic: topic,
            failures: directory.file("failed.jsonl"),
            properties: properties
        )
        configuration.key = key
        return try QueuedReporter(maxQueueBytes: maxQueueBytes) { queue in
            KafkaReporter(configuration: configuration, feed: queue, log: recorder.log)
        }
    }

    private func failures() throws -> [FailureLine] {
        try directory.lines(of: "failed.jsonl").map { try FailureLine.parse($0) }
    }

    @Test func `an event's attributes become headers, and its data the value`() throws {
        let reporter = try makeReporter()
        try reporter.start()
        fillEvents(batch, 0..<1, key: { _ in #"a "quoted" id"# }, source: #"//host/"é""#)
        reporter.openLane().take(batch)
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 1))
        let record = try #require(try cluster.allRecords(in: "predictions", partitions: 4).first)
        #expect(record.key == Array(#"a "quoted" id"#.utf8))
        #expect(record.value == withExtendedLifetime(batch) { batch[0].data.array })
        #expect(
            record.headers == [
                "ce_specversion=1.0", "ce_type=org.ameron.prediction.v1", #"ce_source=//host/"é""#, "ce_id=event-0",
                "ce_time=2026-11-24T15:14:31.123456Z", "content-type=application/json",
            ]
        )
    }

    @Test(
        arguments: [
            (Configuration.Reporter.Kafka.Key.requestId, "request"), (.predictionId, "event-0"),
            (.modelName, "rotate"), (.none, nil),
        ] as [(Configuration.Reporter.Kafka.Key, String?)]
    )
    func `the key is the configured field`(key: Configuration.Reporter.Kafka.Key, expected: String?) throws {
        let reporter = try makeReporter(key: key)
        try reporter.start()
        fillEvents(batch, 0..<1, key: { _ in "request" }, modelName: "rotate")
        reporter.openLane().take(batch)
        reporter.stop(timeout: .seconds(10))
        let records = try cluster.allRecords(in: "predictions", partitions: 4)
        #expect(records.map(\.key) == [expected.map { Array($0.utf8) }])
    }

    @Test func `events of one key stay in order, also where the broker stumbles`() throws {
        // NOT_LEADER_FOR_PARTITION, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS, and a broken connection.
        cluster.pushErrors(apiKey: 0, [6, 7, 19, -195, 6])
        let reporter = try makeReporter(["retry.backoff.ms": "10"])
        try reporter.start()
        let lane = reporter.openLane()
        for start in stride(from: 0, to: 2_000, by: 50) {
            fillEvents(batch, start..<start + 50)
            lane.take(batch)
        }
        reporter.stop(timeout: .seconds(30))
        #expect(reporter.counters.totals == .init(sent: 2_000))
        let records = try cluster.allRecords(in: "predictions", partitions: 4)
        // The mock cluster stores a batch again that was only answered with an error.
        #expect(Set(try records.map { try eventNumber($0.text ?? "") }) == Set(0..<2_000))
        #expect(Set(records.map(\.partition)).count > 1)
        try expectOrderPerKey(records, mayRepeat: true)
    }

    @Test func `an event that is too large for the producer is kept aside, and the others pass`() throws {
        let reporter = try makeReporter(["message.max.bytes": "2000"])
        try reporter.start()
        let lane = reporter.openLane()
        fillEvents(batch, 0..<1)
        lane.take(batch)
        fillEvents(batch, 1..<2, fill: 2_000)
        let tooLarge = withExtendedLifetime(batch) { batch[0].line.string }
        lane.take(batch)
        fillEvents(batch, 2..<3)
        lane.take(batch)
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 2, failed: 1))
        #expect(reporter.counters.totalQueued == 0)
        let line = try #require(directory.lines(of: "failed.jsonl").first)
        #expect(directory.lines(of: "failed.jsonl").count == 1)
        let failure = try FailureLine.parse(line)
        #expect(failure.reporter == "kafka")
        #expect(failure.cause == "MSG_SIZE_TOO_LARGE")
        #expect(failure.message.contains("at most 2000 are allowed"))
        // The event as it was.
        #expect(line.hasSuffix(#""event":\#(tooLarge.dropLast())}"#))
        #expect(recorder.messages.filter { $0.contains("refuses") }.count == 1)
    }

    @Test func `an event that the broker refuses is kept aside, and the others pass`() throws {
        // The first of these takes the event, which is alone in its request.
        cluster.pushErrors(apiKey: 0, [10])
        let reporter = try makeReporter()
        try reporter.start()
        let lane = reporter.openLane()
        fillEvents(batch, 0..<1)
        lane.take(batch)
        #expect(eventually { reporter.counters.totals.failed == 1 })
        for number in 1..<50 {
            fillEvents(batch, number..<number + 1)
            lane.take(batch)
        }
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 49, failed: 1))
        #expect(try failures().map(\.cause) == ["MSG_SIZE_TOO_LARGE"])
        #expect(try failures().map(\.event.id) == ["event-0"])
    }

    @Test func `what is not delivered within its time has failed under best effort`() throws {
        try cluster.setBroker(1, down: true)
        let reporter = try makeReporter(["message.timeout.ms": "300", "reconnect.backoff.max.ms": "100"])
        try reporter.start()
        let lane = reporter.openLane()
        fillEvents(batch, 0..<20)
        lane.take(batch)
        #expect(eventually { reporter.counters.totals.failed == 20 })
        #expect(eventually { reporter.counters.totalQueued == 0 })
        #expect(Set(try failures().map(\.cause)) == ["_MSG_TIMED_OUT"])
        try cluster.setBroker(1, down: false)
        let isBack = eventually {
            fillEvents(batch, 20..<21)
            lane.take(batch)
            return reporter.counters.totals.sent > 0
        }
        #expect(isBack)
        reporter.stop(timeout: .seconds(10))
        let told = recorder.messages.filter { $0.contains("Kafka topic predictions") }
        #expect(told.count == 2, "\(recorder.messages)")
        #expect(told.last?.contains("takes events again") == true)
    }

    @Test func `with the broker down the queue is bounded, the count exact and the stop in time`() throws {
        try cluster.setBroker(1, down: true)
        let reporter = try makeReporter(maxQueueBytes: 1 << 20)
        try reporter.start()
        let lane = reporter.openLane()
        for start in stride(from: 0, to: 10_000, by: 100) {
            fillEvents(batch, start..<start + 100)
            lane.take(batch)
            #expect(reporter.counters.totalQueued <= 1 << 20)
        }
        #expect(reporter.counters.totals.dropped > 1_000)
        reporter.stop(timeout: .milliseconds(100))
        // The thread has ended by then: had it hung, some would be missing.
        #expect(reporter.counters.totals == .init(dropped: 10_000))
        #expect(reporter.counters.totalQueued == 0)
    }

    @Test func `an unreachable broker does not keep the Reporter from starting`() throws {
        var configuration = Configuration.Reporter.Kafka()
        configuration.brokers = "127.0.0.1:1"
        let reporter = try QueuedReporter(maxQueueBytes: 1 << 20) { queue in
            KafkaReporter(configuration: configuration, feed: queue, log: recorder.log)
        }
        try reporter.start()
        fillEvents(batch, 0..<1)
        reporter.openLane().take(batch)
        #expect(eventually { recorder.messages.contains { $0.contains("no broker can be reached") } })
        reporter.stop(timeout: .milliseconds(10))
    }

    @Test(
        arguments: [
            (["lingering.ms": "1"], "Reporter kafka: lingering.ms: librdkafka knows no setting of that name"),
            (["linger.ms": "never"], "Reporter kafka: linger.ms: its value is not allowed"),
        ]
    )
    func `a wrong property is named`(properties: [String: String], message: String) throws {
        let reporter = try makeReporter(properties)
        let error = #expect(throws: KafkaReporterError.self) { try reporter.start() }
        #expect(error?.description == message)
        reporter.stop(timeout: .seconds(1))
    }
}

/// Fails where a key's events are out of order; with `mayRepeat`, some may come again after others.
func expectOrderPerKey(_ records: [SeenRecord], mayRepeat: Bool = false) throws {
    var last: [[UInt8]: Int] = [:]
    var seen: Set<Int> = []
    for record in records {
        let number = try eventNumber(record.text ?? "")
        if !seen.insert(number).inserted && mayRepeat { continue }
        let key = record.key ?? []
        #expect(number > last[key] ?? -1, "out of order")
        last[key] = number
    }
}
