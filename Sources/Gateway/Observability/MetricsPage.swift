/// The Prometheus text of `/metrics` (exposition format 0.0.4): the counters of all shards, summed as they are read.
final class MetricsPage: Sendable {
    /// What labels a model's rows.
    struct Model: Sendable {
        var name: String
        var version: String
    }

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

    private let shards: [ShardMetrics]
    private let models: [Model]
    private let reporters: [Reporter]
    private let spoolBytes: (@Sendable () -> Int)?
    private let spoolRefused: (@Sendable () -> Int)?
    private let isReady: @Sendable (Int) -> Bool
    /// One per shard; none: no requests come over Kafka.
    private let kafka: [KafkaMetrics]
    private let kafkaClients: [KafkaClientStatistics]

    init(
        shards: [ShardMetrics],
        models: [Model],
        reporters: [Reporter],
        spoolBytes: (@Sendable () -> Int)?,
        spoolRefused: (@Sendable () -> Int)? = nil,
        isReady: @escaping @Sendable (Int) -> Bool,
        kafka: [KafkaMetrics] = [],
        kafkaClients: [KafkaClientStatistics] = []
    ) {
        self.kafka = kafka
        self.kafkaClients = kafkaClients
        self.shards = shards
        self.models = models
        self.reporters = reporters
        self.spoolBytes = spoolBytes
        self.spoolRefused = spoolRefused
        self.isReady = isReady
    }

    func write(to body: ByteBuffer) {
        writeRequests(to: body)
        writeDurations("ameron_model_duration_seconds", "Time in the Model Service.", to: body) { $0.modelDurations }
        writeDurations(
            "ameron_gateway_duration_seconds",
            "Time in the Sidecar, the Model Service's left out.",
            to: body
        ) { $0.gatewayDurations }
        writeGauges(to: body)
        writePredictions(to: body)
        writeReporters(to: body)
        if let spoolBytes {
            head("ameron_spool_bytes", "gauge", "Bytes of events that not every Reporter has acknowledged.", body)
            row("ameron_spool_bytes", [], String(spoolBytes()), body)
        }
        if let spoolRefused {
            let help = "Events that were not stored for want of room or a working disk; their clients got 503."
            head("ameron_spool_refused_events_total", "counter", help, body)
            row("ameron_spool_refused_events_total", [], String(spoolRefused()), body)
        }
        if !kafka.isEmpty { writeKafkaProvider(kafka, to: body) }
        writeKafkaClients(kafkaClients, to: body)
    }

    private func writeRequests(to body: ByteBuffer) {
        head("ameron_requests_total", "counter", "Requests for predictions by the status that the client got.", body)
        for provider in ProviderKind.allCases {
            for model in 0...models.count { writeRequests(provider, model, to: body) }
        }
    }

    private func writeRequests(_ provider: ProviderKind, _ model: Int, to body: ByteBuffer) {
        let known = model < models.count ? models[model] : Model(name: "", version: "")
        for code in 0..<ShardMetrics.codes {
            let count = shards.reduce(0) { $0 + $1.requestCount(by: provider, model: model, code: code) }
            guard count > 0 else { continue }
            let labels = [
                ("provider", "\(provider.name)"), ("model", known.name), ("version", known.version),
                ("code", String(code)),
            ]
            row("ameron_requests_total", labels, String(count), body)
        }
    }

    private func writeDurations(
        _ name: String,
        _ help: String,
        to body: ByteBuffer,
        histograms: (ShardMetrics) -> [DurationHistogram]
    ) {
        head(name, "histogram", help, body)
        for (index, model) in models.enumerated() {
            var sum = DurationHistogram.Reading()
            for shard in shards { sum.add(histograms(shard)[index].read()) }
            histogram(name, [("model", model.name), ("version", model.version)], sum, body)
        }
    }

    private func writeGauges(to body: ByteBuffer) {
        head("ameron_inflight", "gauge", "Requests whose call to the Model Service is out.", body)
        row("ameron_inflight", [], String(shards.reduce(0) { $0 + $1.inFlight }), body)
        head("ameron_connections", "gauge", "Open client connections.", body)
        row("ameron_connections", [], String(shards.reduce(0) { $0 + $1.connections }), body)
        head("ameron_model_ready", "gauge", "1 when the Model Service has answered, 0 before and when it fails.", body)
        for (index, model) in models.enumerated() {
            let labels = [("model", model.name), ("version", model.version)]
            row("ameron_model_ready", labels, isReady(index) ? "1" : "0", body)
        }
    }

    private func writePredictions(to body: ByteBuffer) {
        head("ameron_predictions_total", "counter", "Predictions by what the models call themselves.", body)
        var pairs: [(key: PredictionCounters.Key, count: Int)] = []
        var other = 0
        for shard in shards {
            let read = shard.predictions.read()
            other += read.other
            for pair in read.pairs {
                if let known = pairs.firstIndex(where: { $0.key == pair.key }) {
                    pairs[known].count += pair.count
                } else {
                    pairs.append(pair)
                }
            }
        }
        for pair in pairs {
            let labels = [
                ("model", String(decoding: pair.key.model, as: UTF8.self)),
                ("version", String(decoding: pair.key.version, as: UTF8.self)),
            ]
            row("ameron_predictions_total", labels, String(pair.count), body)
        }
        if other > 0 {
            row("ameron_predictions_total", [("model", "other"), ("version", "")], String(other), body)
        }
    }

    private func writeReporters(to body: ByteBuffer) {
        head("ameron_report_events_total", "counter", "Prediction events by what became of them.", body)
        for reporter in reporters {
            let results = [("sent", reporter.sent()), ("failed", reporter.failed()), ("dropped", reporter.dropped())]
            for (result, count) in results {
                let labels = [("reporter", reporter.name), ("result", result)]
                row("ameron_report_events_total", labels, String(count), body)
            }
        }
        head("ameron_report_queue_bytes", "gauge", "Bytes of events that wait for the Reporter.", body)
        for reporter in reporters {
            row("ameron_report_queue_bytes", [("reporter", reporter.name)], String(reporter.queuedBytes()), body)
        }
        head(
            "ameron_report_failures_lost_total",
            "counter",
            "Failed events that are not, or not any more, in the failure file.",
            body
        )
        for reporter in reporters {
            let labels = [("reporter", reporter.name)]
            row("ameron_report_failures_lost_total", labels, String(reporter.failuresLost()), body)
        }
        head(
            "ameron_reporter_blocked",
            "gauge",
            "1 while no event gets through until somebody mends the cause; an empty cause and 0 otherwise.",
            body
        )
        for reporter in reporters {
            let cause = reporter.block()
            let labels = [("reporter", reporter.name), ("cause", cause ?? "")]
            row("ameron_reporter_blocked", labels, cause == nil ? "0" : "1", body)
        }
        head(
            "ameron_report_delivery_seconds",
            "histogram",
            "From an event's way into the queue to its delivery; each event counts as the oldest of its append.",
            body
        )
        for reporter in reporters {
            histogram("ameron_report_delivery_seconds", [("reporter", reporter.name)], reporter.deliveries(), body)
        }
    }

    private func histogram(
        _ name: String,
        _ labels: [(String, String)],
        _ reading: DurationHistogram.Reading,
        _ body: ByteBuffer
    ) {
        var total = 0
        for (bound, count) in zip(DurationHistogram.labels, reading.buckets) {
            total += count
            row(name + "_bucket", labels + [("le", bound)], String(total), body)
        }
        row(name + "_sum", labels, Self.seconds(reading.sumNanoseconds), body)
        row(name + "_count", labels, String(total), body)
    }

    func head(_ name: String, _ type: String, _ help: String, _ body: ByteBuffer) {
        body.append(string: "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n")
    }

    func row(_ name: String, _ labels: [(String, String)], _ value: String, _ body: ByteBuffer) {
        var line = name
        if !labels.isEmpty {
            line += "{" + labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",") + "}"
        }
        body.append(string: line + " " + value + "\n")
    }

    /// A label's value may hold anything; quotes, backslashes and line ends are escaped.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    private static func seconds(_ nanoseconds: Int) -> String {
        let fraction = String(nanoseconds % 1_000_000_000)
        return String(nanoseconds / 1_000_000_000) + "." + String(repeating: "0", count: 9 - fraction.count) + fraction
    }
}
