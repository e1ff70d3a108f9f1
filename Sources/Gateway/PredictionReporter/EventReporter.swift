import Logging

/// A Reporter: the events of a feed, in a format, to a destination, on a thread of its own.
///
/// `sent`, `failed` and `dropped` together are the number of events submitted, exactly, once `stop` has returned; only where
/// a system call or a name lookup hangs past the timeout does the rest follow when it comes back.
final class EventReporter<Destination: EventDestination>: PredictionReporter {
    let name: String
    let configuration: Destination.Settings
    var counters: ReporterCounters { feed.counters }

    private let feed: any EventFeed
    private let format: EventFormatName
    private let synchronizes: Bool
    private let log: ReporterLog
    private let thread: ReporterThread

    /// - Parameter synchronizes: Whether what leaves the feed for a file of ours is on the disk (fdatasync) before it is
    ///   acknowledged: events, or those that a destination has refused.
    init(
        name: String = Destination.word,
        configuration: Destination.Settings,
        feed: any EventFeed,
        format: EventFormatName = .json,
        synchronizes: Bool = false,
        log: @escaping ReporterLog
    ) {
        self.name = name
        self.configuration = configuration
        self.feed = feed
        self.format = format
        self.synchronizes = synchronizes
        self.log = log
        thread = ReporterThread(name: name, feed: feed)
    }

    /// Throws where the destination cannot be used as it is set up. That it does not answer is no error: it is tried until it
    /// does.
    func start() throws { try startThread(Destination.open(configuration, reporter: name, feed: feed)) }

    private func startThread(_ opened: sending Destination.Opened) throws(SystemError) {
        let (name, configuration, feed, format) = (name, configuration, feed, format)
        let (synchronizes, log) = (synchronizes, log)
        try thread.start { control in
            let context = ReporterContext(
                name: name,
                feed: feed,
                control: control,
                format: format.make(),
                synchronizes: synchronizes,
                log: log
            )
            Destination(configuration, opened, context).run(context)
        }
    }

    func reopen() { thread.reopen() }

    func orderStop(by deadline: Int64) { thread.orderStop(by: deadline) }

    func waitForEnd(until limit: Int64) {
        if !thread.waitForEnd(until: limit) { log(.error, Destination.hang(configuration)) }
    }
}
