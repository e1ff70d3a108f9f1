import Logging

/// The Reporters, and the ways that lead to them: queues in memory, one per Reporter.
struct ReportingBlueprint {
    let reporters: [any PredictionReporter]
    private let queues: [ReportQueue]

    init(_ configuration: Configuration.Reporting, log: Logger) throws {
        let names = Self.names(configuration.reporters)
        queues = try names.map { _ in try ReportQueue(maxBytes: configuration.maxQueueBytes) }
        reporters = try zip(zip(configuration.reporters, names), queues).map { reporter, queue in
            try Self.makeReporter(reporter.0, name: reporter.1, feed: queue) { level, message in
                log.log(level: level, "\(message)")
            }
        }
    }

    /// The ways in for one shard.
    func openLanes(shard: Int) -> [any EventLane] { queues.map { $0.openLane() } }

    private static func makeReporter(
        _ reporter: Configuration.Reporter,
        name: String,
        feed: any EventFeed,
        log: @escaping ReporterLog
    ) throws -> any PredictionReporter {
        switch reporter {
        case .file(let file): return try FileReporter(name: name, configuration: file, feed: feed, log: log)
        case .kafka, .http: preconditionFailure("not in this version")
        }
    }

    /// By type, and by place where there are several: the label `reporter` in the metrics.
    private static func names(_ reporters: [Configuration.Reporter]) -> [String] {
        reporters.enumerated().map { index, reporter in
            let type =
                switch reporter {
                case .file: "file"
                case .kafka: "kafka"
                case .http: "http"
                }
            return index == 0 ? type : "\(type)-\(index + 1)"
        }
    }
}
