import TestSupport
import Testing

@testable import Gateway

/// The rows of `/metrics` that stand for Reporters, the spool, gauges and Kafka; requests are in `MetricsPageTests`.
@Suite struct MetricsPageRowsTests {
    private static func makePage(
        shards: [ShardMetrics] = [ShardMetrics(modelCount: 1)],
        models: [(name: String, version: String)] = [("iris", "1")],
        reporters: [MetricsPage.Reporter] = [],
        spoolBytes: (@Sendable () -> Int)? = nil,
        spoolRefused: (@Sendable () -> Int)? = nil,
        isReady: @escaping @Sendable (Int) -> Bool = { _ in true },
        kafka: [KafkaMetrics] = [],
        kafkaClients: [KafkaClientStatistics] = []
    ) -> MetricsPage {
        MetricsPage(
            shards: shards,
            models: models,
            reporters: reporters,
            spoolBytes: spoolBytes,
            spoolRefused: spoolRefused,
            isReady: isReady,
            kafka: kafka,
            kafkaClients: kafkaClients,
            process: ProcessSample()
        )
    }

    private static func text(_ page: MetricsPage) throws -> PrometheusText {
        let stream = page.start()
        let buffer = ByteBuffer()
        while stream.next(into: buffer) {}
        return try PrometheusText(parsing: buffer.view.string)
    }

    private static func makeReporter(_ name: String, _ figures: Locked<[Int]>, block: String?) -> MetricsPage.Reporter {
        @Sendable func figure(_ index: Int) -> Int { figures.withLock { $0[index] } }
        return MetricsPage.Reporter(
            name: name,
            sent: { figure(0) },
            failed: { figure(1) },
            dropped: { figure(2) },
            queuedBytes: { figure(3) },
            failuresLost: { figure(4) },
            block: { block },
            deliveries: {
                let histogram = DurationHistogram()
                histogram.observe(2_000_000_000, times: figure(5))
                return histogram.read()
            }
        )
    }

    @Test func `each Reporter has its rows, read anew for each page`() throws {
        let figures = [Locked([1, 2, 3, 4, 5, 6]), Locked([7, 8, 9, 10, 0, 0])]
        let page = Self.makePage(
            reporters: [
                Self.makeReporter("file", figures[0], block: nil),
                Self.makeReporter("a \"b\"\n", figures[1], block: "status401"),
            ]
        )
        for round in 0..<2 {
            let text = try Self.text(page)
            for (name, figures) in [("file", figures[0]), ("a \"b\"\n", figures[1])] {
                let wanted = figures.withLock { $0 }
                let events = ["sent", "failed", "dropped"].map {
                    text.samples("ameron_report_events_total", ["reporter": name, "result": $0]).map(\.value)
                }
                #expect(events == wanted.prefix(3).map { [Double($0)] }, "round \(round)")
                let label = ["reporter": name]
                #expect(text.samples("ameron_report_queue_bytes", label).map(\.value) == [Double(wanted[3])])
                #expect(text.samples("ameron_report_failures_lost_total", label).map(\.value) == [Double(wanted[4])])
                #expect(
                    text.samples("ameron_report_delivery_seconds_count", label).map(\.value) == [Double(wanted[5])]
                )
                #expect(
                    text.samples("ameron_report_delivery_seconds_sum", label).map(\.value) == [2 * Double(wanted[5])]
                )
                figures.withLock { $0 = $0.map { $0 + 100 } }
            }
            let blocked = text.samples("ameron_reporter_blocked")
            #expect(
                blocked.map(\.labels) == [
                    ["reporter": "file", "cause": ""], ["reporter": "a \"b\"\n", "cause": "status401"],
                ]
            )
            #expect(blocked.map(\.value) == [0, 1])
        }
    }

    @Test func `the spool has rows where there is one`() throws {
        let without = try Self.text(Self.makePage())
        #expect(without.types["ameron_spool_bytes"] == nil)
        #expect(without.types["ameron_spool_refused_events_total"] == nil)
        let with = try Self.text(Self.makePage(spoolBytes: { 12_345 }, spoolRefused: { 6 }))
        #expect(with.samples("ameron_spool_bytes").map(\.value) == [12_345])
        #expect(with.samples("ameron_spool_refused_events_total").map(\.value) == [6])
        #expect(with.types["ameron_spool_bytes"] == "gauge")
        #expect(with.types["ameron_spool_refused_events_total"] == "counter")
    }

    @Test func `gauges are sums over the shards, which go down again`() throws {
        let shards = [ShardMetrics(modelCount: 1), ShardMetrics(modelCount: 1)]
        let page = Self.makePage(shards: shards)
        shards[0].addInFlight(5)
        shards[1].addInFlight(2)
        shards[1].addConnections(9)
        shards[0].addInFlight(-4)
        let text = try Self.text(page)
        #expect(text.samples("ameron_inflight").map(\.value) == [3])
        #expect(text.samples("ameron_connections").map(\.value) == [9])
        #expect(text.types["ameron_inflight"] == "gauge")
    }

    @Test func `each model says whether it is ready`() throws {
        let models = (0..<70).map { ("m\($0)", "\($0)") }
        let page = Self.makePage(
            shards: [ShardMetrics(modelCount: 70)],
            models: models,
            isReady: { $0.isMultiple(of: 3) }
        )
        let samples = try Self.text(page).samples("ameron_model_ready")
        #expect(samples.map(\.labels) == models.map { ["model": $0.0, "version": $0.1] })
        #expect(samples.map(\.value) == (0..<70).map { $0.isMultiple(of: 3) ? 1 : 0 })
    }

    /// Two causes of one word are one row; each Provider and model has its own.
    @Test func `failures are counted by word, Provider and model`() throws {
        let shards = [ShardMetrics(modelCount: 2), ShardMetrics(modelCount: 2)]
        shards[0].countRequest(by: .rest, model: 0, code: 431, failure: .headersTooLarge)
        shards[1].countRequest(by: .rest, model: 0, code: 502, failure: .answerHeadersTooLarge)
        shards[1].countRequest(by: .kafka, model: 0, code: 502, failure: .reset)
        shards[0].countRequest(by: .rest, model: 1, code: 504, failure: .timeout)
        shards[0].countRequest(by: .rest, model: nil, code: 404, failure: .unknownModel)
        shards[0].countRequest(by: .rest, model: 1, code: 200, failure: nil)
        let text = try Self.text(Self.makePage(shards: shards, models: [("a", "1"), ("b", "")]))
        let rows = text.samples("ameron_failures_total").map { sample in
            ["provider", "model", "version", "cause"].map { sample.labels[$0] ?? "?" }.joined(separator: "/")
                + " \(Int(sample.value))"
        }
        #expect(
            Set(rows) == [
                "rest/a/1/headersTooLarge 2", "kafka/a/1/reset 1", "rest/b//timeout 1", "rest///unknownModel 1",
            ]
        )
        #expect(text.total("ameron_requests_total") == 6)
        #expect(text.total("ameron_requests_total", ["model": "b", "code": "200"]) == 1)
    }

    /// Every cause has a place of its own: none is counted as another.
    @Test func `all causes are counted`() throws {
        let shard = ShardMetrics(modelCount: 1)
        let causes = ExchangeFailure.Cause.allCases
        for (index, cause) in causes.enumerated() {
            for _ in 0...index { shard.countRequest(by: .rest, model: 0, code: 500, failure: cause) }
        }
        var wanted: [String: Double] = [:]
        for (index, cause) in causes.enumerated() {
            wanted["\(ExchangeFailure(cause: cause, message: "").word)", default: 0] += Double(index + 1)
        }
        let samples = try Self.text(Self.makePage(shards: [shard])).samples("ameron_failures_total")
        #expect(Dictionary(uniqueKeysWithValues: samples.map { ($0.labels["cause"] ?? "", $0.value) }) == wanted)
    }

    // MARK: Kafka

    @Test func `without Kafka there is no row of it`() throws {
        let text = try Self.text(Self.makePage())
        #expect(text.types.keys.filter { $0.hasPrefix("ameron_kafka") } == [])
    }

    @Test func `lags are those published last, of all shards`() throws {
        let kafka = [KafkaMetrics(shard: 0), KafkaMetrics(shard: 1)]
        let page = Self.makePage(kafka: kafka)
        #expect(try Self.text(page).samples("ameron_kafka_consumer_lag") == [])
        kafka[0].publish([.init(topic: "old", partition: 0, records: 9)])
        // More than one part of the page.
        kafka[0].publish((0..<40).map { .init(topic: "t", partition: $0, records: Int64($0) * 10) })
        kafka[1].publish([.init(topic: "t", partition: 40, records: 1 << 40)])
        let samples = try Self.text(page).samples("ameron_kafka_consumer_lag")
        #expect(samples.map { $0.labels["partition"] } == (0...40).map { "\($0)" })
        #expect(samples.allSatisfy { $0.labels["topic"] == "t" })
        var records: [Int64] = (0..<40).map { $0 * 10 }
        records.append(1 << 40)
        #expect(samples.map { Int64($0.value) } == records)
        kafka[0].publish([])
        #expect(try Self.text(page).samples("ameron_kafka_consumer_lag").count == 1)
    }

    @Test func `dead letters and retries are sums over the shards`() throws {
        let kafka = [KafkaMetrics(shard: 0), KafkaMetrics(shard: 1)]
        for _ in 0..<3 { kafka[0].countDeadLetter() }
        kafka[1].countDeadLetter()
        for _ in 0..<2 { kafka[1].countRetry() }
        let text = try Self.text(Self.makePage(kafka: kafka))
        #expect(text.samples("ameron_kafka_dead_letters_total").map(\.value) == [4])
        #expect(text.samples("ameron_kafka_retries_total").map(\.value) == [2])
    }

    /// A client has none before librdkafka's first.
    @Test(arguments: [[], [0], [1], [0, 1]]) func `clients that have statistics have rows`(_ known: [Int]) throws {
        let clients = (0..<2).map { KafkaClientStatistics(client: "client-\($0)") }
        let statistics = #"""
            {"msg_cnt":1,"msg_size":2,"txmsgs":3,"txmsg_bytes":4,"rxmsgs":5,"rxmsg_bytes":6,"brokers":{}}
            """#
        for index in known { Array(statistics.utf8).withByteView { clients[index].note($0) } }
        let text = try Self.text(Self.makePage(kafkaClients: clients))
        for (name, value) in [
            ("queue_messages", 1), ("queue_bytes", 2), ("sent_messages_total", 3), ("sent_bytes_total", 4),
            ("received_messages_total", 5), ("received_bytes_total", 6),
        ] {
            let samples = text.samples("ameron_kafka_client_\(name)")
            #expect(samples.map { $0.labels["client"] } == known.map { "client-\($0)" })
            #expect(samples.allSatisfy { $0.value == Double(value) })
            #expect((text.types["ameron_kafka_client_\(name)"] == nil) == known.isEmpty)
        }
    }
}
