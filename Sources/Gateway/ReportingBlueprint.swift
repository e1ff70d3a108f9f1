import Logging

/// The Reporters, and the ways that lead to them: a queue in memory for each under best effort, one spool for all under
/// at-least-once.
struct ReportingBlueprint {
    let reporters: [any PredictionReporter]
    /// nil: best effort.
    let spool: Spool?
    private let queues: [ReportQueue]

    init(_ configuration: Configuration.Reporting, shardCount: Int, log: Logger) throws {
        let names = configuration.reporterNames
        let report: ReporterLog = { level, message in log.log(level: level, "\(message)") }
        let feeds: [any EventFeed]
        if configuration.delivery == .atLeastOnce && !names.isEmpty {
            let spool = try Spool.open(
                configuration: configuration.spool,
                laneCount: shardCount,
                reporters: zip(names, configuration.reporters).map {
                    SpoolReporter(name: $0, destination: $1.section.destination)
                },
                log: report
            )
            (self.spool, queues) = (spool, [])
            feeds = names.indices.map { spool.feed(reporter: $0) }
        } else {
            queues = try names.map { _ in try ReportQueue(maxBytes: configuration.maxQueueBytes) }
            (spool, feeds) = (nil, queues)
            SpoolInventory.warnOfUnread(configuration.spool.path, log: report)
        }
        let fsync = spool == nil ? Configuration.Spool.Fsync.never : configuration.spool.fsync
        reporters = names.indices.map { index in
            Self.makeReporter(
                configuration.reporters[index],
                name: names[index],
                feed: feeds[index],
                fsync: fsync,
                log: report
            )
        }
    }

    /// The statistics of the Kafka Reporters' clients.
    var kafkaClients: [KafkaClientStatistics] { reporters.compactMap { ($0 as? KafkaReporter)?.statistics } }

    /// The ways in for one shard.
    func openLanes(shard: Int) -> [any EventLane] {
        if let spool { [spool.lane(shard)] } else { queues.map { $0.openLane() } }
    }

    /// Ends the Reporters, all at the same time, then what they read. After the shards. All on `Clock.monotonic`.
    ///
    /// - Parameters:
    ///   - deadline: Until when they may deliver what waits.
    ///   - limit: When to give up those that have not ended by then, and a disk that hangs.
    func stop(deliveringUntil deadline: Int64, endingBy limit: Int64) {
        for reporter in reporters { reporter.orderStop(by: deadline) }
        for reporter in reporters { reporter.waitForEnd(until: limit) }
        spool?.close(until: max(limit, Clock.monotonic() + 100_000_000))
    }

    private static func makeReporter(
        _ reporter: Configuration.Reporter,
        name: String,
        feed: any EventFeed,
        fsync: Configuration.Spool.Fsync,
        log: @escaping ReporterLog
    ) -> any PredictionReporter {
        // What has left the spool for a file must be as safe there. The file of events is written all the time: it is
        // synced for those only who want nothing lost to a power cut.
        let synchronizes = fsync != .never
        return switch reporter {
        case .file(let file):
            FileReporter(name: name, configuration: file, feed: feed, synchronizes: fsync == .always, log: log)
        case .kafka(let kafka):
            KafkaReporter(name: name, configuration: kafka, feed: feed, synchronizes: synchronizes, log: log)
        case .http(let http):
            HTTPReporter(name: name, configuration: http, feed: feed, synchronizes: synchronizes, log: log)
        }
    }
    /// What the library behind a Reporter has against its settings.
    ///
    /// - Parameters:
    ///   - key: of the Reporter, such as `reporting.reporters.0`.
    ///   - withClients: Whether clients are made, and let go, to learn what only these can tell.
    static func findings(
        _ reporter: Configuration.Reporter,
        _ key: String,
        isDurable: Bool,
        withClients: Bool
    ) -> [ConfigurationFinding] {
        switch reporter {
        case .file, .http: []
        case .kafka(let kafka):
            KafkaReporterSettings.findings(kafka, key, isDurable: isDurable, withClient: withClients)
        }
    }
}
