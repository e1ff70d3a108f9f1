import TestSupport
import Testing

@testable import Gateway

@Suite struct MetricsPageTests {
    private static func page(models: Int, shards: [ShardMetrics], kafka: [KafkaMetrics] = []) -> MetricsPage {
        MetricsPage(
            shards: shards,
            models: (0..<models).map { ("model-\($0)", "1") },
            reporters: [],
            spoolBytes: nil,
            isReady: { _ in true },
            kafka: kafka,
            process: ProcessSample()
        )
    }

    /// The parts of a page, as they are made.
    private static func parts(_ page: MetricsPage) -> [String] {
        let stream = page.start()
        var parts: [String] = []
        while true {
            let buffer = ByteBuffer()
            guard stream.next(into: buffer) else { return parts }
            parts.append(buffer.view.string)
        }
    }

    private static func text(_ page: MetricsPage) throws -> PrometheusText {
        try PrometheusText(parsing: parts(page).joined())
    }

    /// With 500 models that all have been asked, no part of the page is much: a shard serves others between two parts.
    @Test func `is made in small parts`() throws {
        let models = 500
        let shards = (0..<4).map { _ in ShardMetrics(modelCount: models) }
        for shard in shards {
            for model in 0..<models {
                for code in [200, 400, 502, 504] {
                    shard.countRequest(by: .rest, model: model, code: code, failure: code == 200 ? nil : .timeout)
                }
                for histogram in [shard.modelDurations, shard.failureDurations, shard.gatewayDurations] {
                    histogram[model].observe(1_000_000)
                }
            }
            for model in 0..<PredictionCounters.limit {
                let (name, version) = (ByteBuffer(text: "name-\(model)"), ByteBuffer(text: "1"))
                withExtendedLifetime((name, version)) {
                    shard.predictions.count(model: name.view, version: version.view, 1)
                }
            }
        }
        let parts = Self.parts(Self.page(models: models, shards: shards))
        #expect(parts.count > 1_500)
        #expect(parts.map(\.utf8.count).max().map { $0 < 16 << 10 } == true)
        let text = try PrometheusText(parsing: parts.joined())
        #expect(text.total("ameron_requests_total") == Double(4 * 4 * models))
        #expect(text.total("ameron_failures_total", ["cause": "timeout"]) == Double(3 * 4 * models))
        #expect(text.total("ameron_model_duration_seconds_count") == Double(4 * models))
        #expect(text.samples("ameron_model_ready").count == models)
        #expect(text.total("ameron_predictions_total") == Double(4 * PredictionCounters.limit))
    }

    /// What nobody has asked for costs a few bytes each.
    @Test func `models that nobody asks have no rows but their readiness`() throws {
        let page = Self.page(models: 500, shards: [ShardMetrics(modelCount: 500)])
        let bytes = Self.parts(page).joined().utf8.count
        #expect(bytes < 40 << 10, "\(bytes) bytes")
    }

    @Test func `a status that is none, and more statuses than have a place, count as other`() throws {
        let shard = ShardMetrics(modelCount: 1)
        for code in [0, -1, 600, 9_999] { shard.countRequest(by: .kafka, model: 0, code: code, failure: nil) }
        for code in 200..<300 { shard.countRequest(by: .rest, model: nil, code: code, failure: nil) }
        let text = try Self.text(Self.page(models: 1, shards: [shard]))
        #expect(text.total("ameron_requests_total", ["provider": "kafka", "model": "model-0", "code": "other"]) == 4)
        #expect(text.total("ameron_requests_total", ["provider": "rest", "model": ""]) == 100)
        #expect(text.total("ameron_requests_total", ["provider": "rest", "code": "262"]) == 1)
        #expect(text.total("ameron_requests_total", ["provider": "rest", "code": "other"]) == 37)
    }

    /// The shards' columns are in different orders.
    @Test func `adds up the shards`() throws {
        let shards = [ShardMetrics(modelCount: 2), ShardMetrics(modelCount: 2)]
        for code in [200, 502, 404] { shards[0].countRequest(by: .rest, model: 1, code: code, failure: nil) }
        for code in [404, 404, 200] { shards[1].countRequest(by: .rest, model: 1, code: code, failure: nil) }
        let text = try Self.text(Self.page(models: 2, shards: shards))
        let counts = text.samples("ameron_requests_total").map { "\($0.labels["code"] ?? ""): \(Int($0.value))" }
        #expect(counts == ["200: 2", "404: 3", "502: 1"])
    }

    @Test func `labels are escaped, and are text whatever a model calls itself`() throws {
        let shard = ShardMetrics(modelCount: 1)
        let names: [[UInt8]] = [Array("a\"b\\c\nd".utf8), [0xff, 0xfe]]
        for name in names { name.withByteView { shard.predictions.count(model: $0, version: .empty, 1) } }
        let page = MetricsPage(
            shards: [shard],
            models: [("q\"\\\n", "")],
            reporters: [],
            spoolBytes: nil,
            isReady: { _ in false },
            process: ProcessSample()
        )
        let text = try Self.text(page)
        #expect(text.samples("ameron_model_ready").map { $0.labels["model"] } == ["q\"\\\n"])
        let models = text.samples("ameron_predictions_total").map { $0.labels["model"] }
        #expect(Set(models) == ["a\"b\\c\nd", "\u{FFFD}\u{FFFD}"])
    }

    @Test func `a histogram rises to its count`() throws {
        let shard = ShardMetrics(modelCount: 1)
        let times: [Int64] = [
            1, 5_000, 5_001, 99_000, 100_000, 1_000_000, 7_000_000_000, 600_000_000_000, 700_000_000_000,
        ]
        for time in times { shard.modelDurations[0].observe(time) }
        let text = try Self.text(Self.page(models: 1, shards: [shard]))
        let buckets = text.samples("ameron_model_duration_seconds_bucket")
        let counts = Dictionary(uniqueKeysWithValues: buckets.map { ($0.labels["le"] ?? "", Int($0.value)) })
        #expect(counts["0.000005"] == 2)
        #expect(counts["0.00001"] == 3)
        #expect(counts["0.0001"] == 5)
        #expect(counts["10"] == 7)
        #expect(counts["600"] == 8)
        #expect(counts["+Inf"] == 9)
        #expect(text.total("ameron_model_duration_seconds_count") == 9)
        #expect(text.total("ameron_model_duration_seconds_sum") == Double(times.reduce(0, +)) / 1e9)
        for (bound, label) in zip(DurationHistogram.bounds, DurationHistogram.labels) {
            #expect(Double("\(label)") == Double(bound) / 1e9)
        }
    }
}
