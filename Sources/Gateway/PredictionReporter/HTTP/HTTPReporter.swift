import Logging

/// Posts events to a URL (CloudEvents HTTP protocol binding, batched or binary content mode).
///
/// With several requests out at once, and with tries that are repeated, events may arrive in another order than they came;
/// with `maxInFlight` 1, those of a shard arrive in order unless a batch had to be split. An event whose answer was lost
/// is posted again, under the same id.
///
/// A batch that is answered 400, 413 or 422 is halved, down to single events: one that the receiver does not take must not
/// take the others with it.
///
/// `sent`, `failed` and `dropped` together are the number of events submitted, exactly, once `stop` has returned; only
/// where a name lookup hangs past the timeout does the rest follow when it comes back.
final class HTTPReporter: PredictionReporter {
    let name: String
    var counters: ReporterCounters { feed.counters }

    private let configuration: Configuration.Reporter.HTTP
    private let feed: any EventFeed
    private let synchronizes: Bool
    private let log: ReporterLog
    private let thread: ReporterThread

    /// - Parameter synchronizes: Whether refused events are on the disk before they are acknowledged; at least once only.
    init(
        name: String = "http",
        configuration: Configuration.Reporter.HTTP,
        feed: any EventFeed,
        synchronizes: Bool = false,
        log: @escaping ReporterLog
    ) throws(SystemError) {
        self.name = name
        self.configuration = configuration
        self.feed = feed
        self.synchronizes = synchronizes
        self.log = log
        thread = ReporterThread(name: name, feed: feed)
    }

    /// That the receiver does not answer is no error: it is tried until it does.
    func start() throws {
        try startThread(HTTPReporterLoop(wake: feed.wake, maxConnections: configuration.maxInFlight))
    }

    private func startThread(_ loop: sending HTTPReporterLoop) throws(SystemError) {
        let (feed, log, configuration, name) = (feed, log, configuration, name)
        let keeping = FailureFile.Keeping(isDurable: feed.isDurable, synced: synchronizes)
        try thread.start { control in
            let failures = FailureFile(
                path: configuration.failurePath,
                reporter: name,
                keeping: keeping,
                log: log
            )
            HTTPReporterThread(
                feed: feed,
                control: control,
                configuration: configuration,
                loop: loop,
                failures: failures,
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
            log(.error, "\(configuration.destination) does not let go; its last events may be lost")
        }
    }
}

extension Configuration.Reporter.HTTP {
    /// The URL for the log: without its query, which may hold a key.
    var destination: String { String(url.prefix { $0 != "?" }) }
}
