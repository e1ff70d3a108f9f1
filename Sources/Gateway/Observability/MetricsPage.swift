/// The Prometheus text of `/metrics` (exposition format 0.0.4): the counters of all shards, summed as they are read.
final class MetricsPage: Sendable {
    /// What is known of a Reporter.
    struct Reporter: Sendable {
        var name: String
        var sent: @Sendable () -> Int
        var failed: @Sendable () -> Int
        var dropped: @Sendable () -> Int
        var queuedBytes: @Sendable () -> Int
        /// Of the failed ones, those that the failure file has not, or not any more.
        var failuresLost: @Sendable () -> Int
        /// Why it is blocked; nil: it is not.
        var block: @Sendable () -> String?
        var deliveries: @Sendable () -> DurationHistogram.Reading
    }

    /// How many rows of a long list one part of the page has.
    static let rowsPerPart = 32

    let shards: [ShardMetrics]
    /// `model="…",version="…"` of each model, and the same of requests that name none.
    let models: [[UInt8]]
    let reporters: [Reporter]
    let spoolBytes: (@Sendable () -> Int)?
    let spoolRefused: (@Sendable () -> Int)?
    let isReady: @Sendable (Int) -> Bool
    /// One per shard; none: no requests come over Kafka.
    let kafka: [KafkaMetrics]
    let kafkaClients: [KafkaClientStatistics]
    let process: ProcessSample
    let buildInfo: [UInt8]

    init(
        shards: [ShardMetrics],
        models: [(name: String, version: String)],
        reporters: [Reporter],
        spoolBytes: (@Sendable () -> Int)?,
        spoolRefused: (@Sendable () -> Int)? = nil,
        isReady: @escaping @Sendable (Int) -> Bool,
        kafka: [KafkaMetrics] = [],
        kafkaClients: [KafkaClientStatistics] = [],
        process: ProcessSample
    ) {
        self.kafka = kafka
        self.kafkaClients = kafkaClients
        self.shards = shards
        self.models = (models + [("", "")]).map { MetricsLabels.text(["model": $0.name, "version": $0.version]) }
        self.reporters = reporters
        self.spoolBytes = spoolBytes
        self.spoolRefused = spoolRefused
        self.isReady = isReady
        self.process = process
        buildInfo = MetricsLabels.text([
            "version": Version.current, "commit": SourceCommit.name ?? "unknown", "libraries": LibraryVersions.text,
        ])
    }

    /// A page of its own for one answer. Any thread; the page stays on it.
    func start() -> MetricsStream {
        process.ask()
        var sections: [MetricsStream.Section] = [
            once(writeProcess), writeRequests, writeFailures,
            histograms("ameron_model_duration_seconds", "Time in the Model Service of calls that gave a Prediction.") {
                $0.modelDurations
            },
            histograms("ameron_model_failure_duration_seconds", "Time in the Model Service of calls that failed.") {
                $0.failureDurations
            },
            histograms(
                "ameron_gateway_duration_seconds",
                "Time in the Sidecar, the Model Service's left out, of requests that got their answer."
            ) { $0.gatewayDurations },
            once(writeGauges), writeReady, predictions(), once(writeReporters),
        ]
        if !kafka.isEmpty { sections += [lags(), once(writeKafkaProvider)] }
        sections += kafkaClientSections()
        return MetricsStream(sections)
    }

    private func once(_ write: @escaping (ByteBuffer) -> Void) -> MetricsStream.Section {
        { _, body in
            write(body)
            return false
        }
    }

    // MARK: Requests

    /// The rows of one part of a list, or none after its end.
    static func rows(_ part: Int, of count: Int) -> Range<Int> {
        min(part * rowsPerPart, count)..<min((part + 1) * rowsPerPart, count)
    }

    private var rowCount: Int { shards.first?.rowCount ?? 0 }

    private func labels(row: Int) -> [UInt8] {
        let provider = ProviderKind.allCases[row / models.count]
        return MetricsLabels.text(["provider": "\(provider.name)"]) + [UInt8(ascii: ",")] + models[row % models.count]
    }

    private func writeRequests(_ part: Int, _ body: ByteBuffer) -> Bool {
        let name: StaticString = "ameron_requests_total"
        if part == 0 { body.appendHead(name, "counter", "Requests for predictions by the status that the client got.") }
        let text = ByteBuffer(capacity: 16)
        for row in Self.rows(part, of: rowCount) {
            var counts: [Int: Int] = [:]
            for shard in shards { shard.readRequests(row: row) { counts[$0, default: 0] += $1 } }
            if counts.isEmpty { continue }
            let labels = labels(row: row)
            for (code, count) in counts.sorted(by: { $0.key < $1.key }) {
                text.removeAll()
                if code == SparseCounters.other { text.append("other") } else { text.append(decimal: code) }
                body.appendRow(name, labels, "code", text.view, count)
            }
        }
        return (part + 1) * Self.rowsPerPart < rowCount
    }

    private func writeFailures(_ part: Int, _ body: ByteBuffer) -> Bool {
        let name: StaticString = "ameron_failures_total"
        if part == 0 { body.appendHead(name, "counter", "Requests for predictions that failed, by cause.") }
        let text = ByteBuffer(capacity: 32)
        for row in Self.rows(part, of: rowCount) {
            // Two causes may have the same word.
            var counts: [String: Int] = [:]
            for shard in shards {
                shard.readFailures(row: row) {
                    counts["\(ExchangeFailure(cause: $0, message: "").word)", default: 0] += $1
                }
            }
            if counts.isEmpty { continue }
            let labels = labels(row: row)
            for (word, count) in counts.sorted(by: { $0.key < $1.key }) {
                text.removeAll()
                text.append(string: word)
                body.appendRow(name, labels, "cause", text.view, count)
            }
        }
        return (part + 1) * Self.rowsPerPart < rowCount
    }

    /// One model a part. A model that nobody has asked has no rows.
    private func histograms(
        _ name: StaticString,
        _ help: StaticString,
        _ histograms: @escaping (ShardMetrics) -> [DurationHistogram]
    ) -> MetricsStream.Section {
        { [self] part, body in
            if part == 0 { body.appendHead(name, "histogram", help) }
            guard part < models.count - 1 else { return false }
            let asked = shards.map { histograms($0)[part] }.filter { !$0.isEmpty }
            if !asked.isEmpty {
                var sum = DurationHistogram.Reading()
                for histogram in asked { histogram.add(to: &sum) }
                body.appendHistogram(name, models[part], sum)
            }
            return part + 2 < models.count
        }
    }

    private func writeGauges(to body: ByteBuffer) {
        body.appendHead("ameron_inflight", "gauge", "Requests whose call to the Model Service is out.")
        body.appendRow("ameron_inflight", shards.reduce(0) { $0 + $1.inFlight })
        body.appendHead("ameron_connections", "gauge", "Open client connections.")
        body.appendRow("ameron_connections", shards.reduce(0) { $0 + $1.connections })
    }

    private func writeReady(_ part: Int, _ body: ByteBuffer) -> Bool {
        let name: StaticString = "ameron_model_ready"
        if part == 0 {
            body.appendHead(name, "gauge", "1 when the Model Service is ready, 0 before and when it fails.")
        }
        for model in Self.rows(part, of: models.count - 1) {
            body.appendRow(name, models[model], isReady(model) ? 1 : 0)
        }
        return (part + 1) * Self.rowsPerPart < models.count - 1
    }

    /// First the shards' counts are added up, one shard a part; then they are written.
    private func predictions() -> MetricsStream.Section {
        let name: StaticString = "ameron_predictions_total"
        var sums: [[UInt8]: Int] = [:]
        var rows: [(labels: [UInt8], count: Int)] = []
        var other = 0
        return { [self] part, body in
            if part < shards.count {
                let read = shards[part].predictions.read()
                other += read.other
                for pair in read.pairs {
                    var labels: [UInt8] = []
                    MetricsLabels.append("model", pair.key.model, to: &labels)
                    MetricsLabels.append("version", pair.key.version, to: &labels)
                    sums[labels, default: 0] += pair.count
                }
                return true
            }
            let part = part - shards.count
            if part == 0 {
                body.appendHead(name, "counter", "Predictions by what the models call themselves.")
                rows = sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { ($0.key, $0.value) }
                if other > 0 { rows.append((MetricsLabels.text(["model": "other", "version": ""]), other)) }
            }
            for row in Self.rows(part, of: rows.count) { body.appendRow(name, rows[row].labels, rows[row].count) }
            return (part + 1) * Self.rowsPerPart < rows.count
        }
    }

    // MARK: Reporters

    private func writeReporters(to body: ByteBuffer) {
        let named = reporters.map { ($0, MetricsLabels.text(["reporter": $0.name])) }
        body.appendHead("ameron_report_events_total", "counter", "Prediction events by what became of them.")
        for (reporter, labels) in named {
            let results: [(StaticString, Int)] = [
                ("sent", reporter.sent()), ("failed", reporter.failed()), ("dropped", reporter.dropped()),
            ]
            for (result, count) in results {
                body.appendRow("ameron_report_events_total", labels, "result", ByteView(result), count)
            }
        }
        body.appendHead("ameron_report_queue_bytes", "gauge", "Bytes of events that wait for the Reporter.")
        for (reporter, labels) in named { body.appendRow("ameron_report_queue_bytes", labels, reporter.queuedBytes()) }
        body.appendHead(
            "ameron_report_failures_lost_total",
            "counter",
            "Failed events that are not, or not any more, in the failure file."
        )
        for (reporter, labels) in named {
            body.appendRow("ameron_report_failures_lost_total", labels, reporter.failuresLost())
        }
        body.appendHead(
            "ameron_reporter_blocked",
            "gauge",
            "1 while no event gets through until somebody mends the cause; an empty cause and 0 otherwise."
        )
        for (reporter, labels) in named {
            let cause = reporter.block()
            let text = MetricsLabels.text(["cause": cause ?? ""])
            body.appendRow("ameron_reporter_blocked", labels + [UInt8(ascii: ",")] + text, cause == nil ? 0 : 1)
        }
        body.appendHead(
            "ameron_report_delivery_seconds",
            "histogram",
            "From an event's way into the queue to its delivery; each event counts as the oldest of its append."
        )
        for (reporter, labels) in named {
            body.appendHistogram("ameron_report_delivery_seconds", labels, reporter.deliveries())
        }
        if let spoolBytes {
            body.appendHead(
                "ameron_spool_bytes",
                "gauge",
                "Bytes of events that not every Reporter has acknowledged."
            )
            body.appendRow("ameron_spool_bytes", spoolBytes())
        }
        if let spoolRefused {
            body.appendHead(
                "ameron_spool_refused_events_total",
                "counter",
                "Events that were not stored for want of room or a working disk; their clients got 503."
            )
            body.appendRow("ameron_spool_refused_events_total", spoolRefused())
        }
    }
}
