import Logging

/// Appends events to a file, one JSON object per line.
///
/// Each append consists of whole lines, so several Sidecars can share a file. (A pipe keeps lines whole only up to 4 KiB
/// each, PIPE_BUF.) Under best effort, an event that the file refuses is counted as failed and not tried again; under
/// at-least-once the file is tried until it takes it.
///
/// `sent`, `failed` and `dropped` together are the number of events submitted, exactly, once `stop` has returned; only
/// where the system call itself hangs past the timeout (a dead disk) does the rest follow when it comes back.
final class FileReporter: PredictionReporter {
    let name: String
    var counters: ReporterCounters { feed.counters }

    private let configuration: Configuration.Reporter.File
    private let feed: any EventFeed
    private let synchronizes: Bool
    private let log: ReporterLog
    private let thread: ReporterThread

    /// - Parameter synchronizes: Whether events are on the disk (fdatasync) before they are acknowledged.
    init(
        name: String = "file",
        configuration: Configuration.Reporter.File,
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

    func start() throws {
        let file = try RotatingFile(
            path: configuration.path,
            maxBytes: configuration.maxBytes,
            keep: configuration.keep
        )
        try startThread(file)
    }

    private func startThread(_ file: sending RotatingFile) throws(SystemError) {
        let (feed, synchronizes, log) = (feed, synchronizes, log)
        try thread.start { control in
            FileReporterThread(feed: feed, control: control, file: file, synchronizes: synchronizes, log: log).run()
        }
    }

    func reopen() { thread.reopen() }

    func orderStop(by deadline: Int64) { thread.orderStop(by: deadline) }

    func waitForEnd(until limit: Int64) {
        if !thread.waitForEnd(until: limit) {
            log(.error, "\(configuration.path) does not answer; its last events may be lost")
        }
    }
}
