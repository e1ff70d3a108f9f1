import Logging

/// Produces events to a topic of Kafka (CloudEvents Kafka protocol binding, binary content mode).
///
/// Order holds per key: librdkafka's idempotent producer keeps it, and where that one fails for good, a new producer gets
/// what was not delivered, in the old order, before anything else. An event whose report was lost with a connection may
/// then be in the topic twice, under the same `ce_id`.
///
/// `sent`, `failed` and `dropped` together are the number of events submitted, exactly, once `stop` has returned.
final class KafkaReporter: PredictionReporter {
    let name: String
    var counters: ReporterCounters { feed.counters }
    /// What the client tells of itself.
    let statistics: KafkaClientStatistics

    private let configuration: Configuration.Reporter.Kafka
    private let feed: any EventFeed
    private let synchronizes: Bool
    private let log: ReporterLog
    private let thread: ReporterThread

    /// - Parameter synchronizes: Whether refused events are on the disk before they are acknowledged; at least once only.
    init(
        name: String = "kafka",
        configuration: Configuration.Reporter.Kafka,
        feed: any EventFeed,
        synchronizes: Bool = false,
        log: @escaping ReporterLog
    ) throws(SystemError) {
        self.name = name
        self.configuration = configuration
        self.feed = feed
        self.synchronizes = synchronizes
        self.log = log
        statistics = KafkaClientStatistics(client: "reporter-\(name)")
        thread = ReporterThread(name: name, feed: feed)
    }

    /// Throws where a setting is wrong. That no broker answers is no error: they are tried until one does.
    func start() throws {
        let settings = KafkaReporterSettings(configuration, isDurable: feed.isDurable)
        let outlet: KafkaOutlet
        do {
            outlet = try KafkaOutlet(settings: settings.settings, topic: configuration.topic, wake: feed.wake.event)
        } catch {
            throw KafkaReporterError(reporter: name, reason: "\(error)")
        }
        try startThread(settings, outlet)
    }

    private func startThread(_ settings: KafkaReporterSettings, _ outlet: sending KafkaOutlet) throws(SystemError) {
        let (feed, log, configuration, name, statistics) = (feed, log, configuration, name, statistics)
        let keeping = FailureFile.Keeping(isDurable: feed.isDurable, synced: synchronizes)
        try thread.start { control in
            let failures = FailureFile(
                path: configuration.failurePath,
                reporter: name,
                keeping: keeping,
                log: log
            )
            KafkaReporterThread(
                feed: feed,
                control: control,
                configuration: configuration,
                settings: settings,
                outlet: outlet,
                failures: failures,
                statistics: statistics,
                log: log
            )
            .run()
        }
    }

    /// Opens the file of refused events anew.
    func reopen() { thread.reopen() }

    func orderStop(by deadline: Int64) { thread.orderStop(by: deadline) }

    func waitForEnd(until limit: Int64) {
        if !thread.waitForEnd(until: limit) {
            log(.error, "Kafka does not let go of topic \(configuration.topic); its last events may be lost")
        }
    }
}

/// A Kafka Reporter that cannot start. Names the setting, never its value.
struct KafkaReporterError: Error, CustomStringConvertible {
    let reporter: String
    let reason: String

    var description: String { "Reporter \(reporter): \(reason)" }
}
