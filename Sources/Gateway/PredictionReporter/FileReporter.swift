import Logging
import Synchronization

/// Appends events to a file, one JSON object per line.
///
/// Best effort: an event that the file refuses is counted as failed and not tried again. Each append consists of whole
/// lines, so several Sidecars can share a file. (A pipe keeps lines whole only up to 4 KiB each, PIPE_BUF.)
///
/// `sent`, `failed` and `dropped` together are the number of events submitted, exactly, once `stop` has returned; only
/// where the system call itself hangs past the timeout (a dead disk) does the rest follow when it comes back.
final class FileReporter: PredictionReporter {
    typealias Log = @Sendable (Logger.Level, String) -> Void

    let name: String
    let counters = ReporterCounters()

    private let configuration: Configuration.Reporter.File
    private let log: Log
    private let queue: ReportQueue
    private let control: FileReporterControl
    private let life = LockedValue(Life.new)

    private enum Life {
        case new
        case running(ThreadHandle)
        case stopped
    }

    /// - Parameters:
    ///   - maxQueueBytes: The bound of what waits, over all lanes.
    ///   - log: Called on the Reporter's thread, once when trouble begins and once when it ends.
    init(
        name: String = "file",
        configuration: Configuration.Reporter.File,
        maxQueueBytes: Int,
        log: @escaping Log
    ) throws(SystemError) {
        self.name = name
        self.configuration = configuration
        self.log = log
        queue = try ReportQueue(maxBytes: maxQueueBytes, counters: counters)
        control = try FileReporterControl()
    }

    func start() throws {
        let file = try RotatingFile(
            path: configuration.path,
            maxBytes: configuration.maxBytes,
            keep: configuration.keep
        )
        let thread = try startThread(file)
        life.withLock {
            guard case .new = $0 else { preconditionFailure("a Reporter is started once") }
            $0 = .running(thread)
        }
    }

    private func startThread(_ file: sending RotatingFile) throws(SystemError) -> ThreadHandle {
        let (queue, control, log) = (queue, control, log)
        return try ThreadHandle(name: "report-\(name)") {
            FileReporterThread(queue: queue, control: control, file: file, log: log).run()
        }
    }

    func openLane() -> any ReporterLane { queue.openLane() }

    func reopen() {
        control.wantsReopen.store(true, ordering: .relaxed)
        queue.wake()
    }

    func stop(timeout: Duration) {
        let before = life.withLock { life in
            defer { life = .stopped }
            return life
        }
        switch before {
        case .new:
            // No thread will look at what waits.
            ReportQueueReader(queue: queue).close()
        case .running(let thread):
            let nanoseconds = timeout.wholeNanoseconds
            control.stop(at: Clock.monotonic() &+ nanoseconds)
            queue.wake()
            // The thread keeps to the time by itself; the grace is for its last write and fsync.
            if control.waitForEnd(nanoseconds: nanoseconds + 2_000_000_000) {
                thread.join()
            } else {
                thread.detach()
                log(.error, "\(configuration.path) does not answer; its last events may be lost")
            }
        case .stopped: break
        }
    }
}

/// What the other threads ask of the Reporter's thread.
final class FileReporterControl: Sendable {
    let wantsReopen = Atomic<Bool>(false)
    private let deadline = Atomic<Int64>(Int64.max)
    private let hasEnded = Atomic<Bool>(false)
    private let end: EventFD

    init() throws(SystemError) { end = try EventFD() }

    /// On `Clock.monotonic`; nil: not asked to stop.
    var stopDeadline: Int64? {
        let value = deadline.load(ordering: .acquiring)
        return value == Int64.max ? nil : value
    }

    func stop(at instant: Int64) { deadline.store(instant, ordering: .releasing) }

    func signalEnd() {
        hasEnded.store(true, ordering: .releasing)
        end.signal()
    }

    /// False where the time was too short.
    func waitForEnd(nanoseconds: Int64) -> Bool {
        let limit = Clock.monotonic() + nanoseconds
        while !hasEnded.load(ordering: .acquiring) {
            let left = limit - Clock.monotonic()
            if left <= 0 { return false }
            end.wait(nanoseconds: left)
        }
        return true
    }
}

extension Duration {
    /// In nanoseconds, at most a year, so that sums with the clock do not overflow; never negative.
    fileprivate var wholeNanoseconds: Int64 {
        let year: Int64 = 365 * 86_400
        let (seconds, attoseconds) = components
        if seconds >= year { return year * 1_000_000_000 }
        return max(0, seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
