import Logging
import Synchronization

/// Where a Reporter tells of trouble, once when it begins and once when it ends. Called on the Reporter's thread.
typealias ReporterLog = @Sendable (Logger.Level, String) -> Void

/// A Reporter's own thread, from its start to its stop.
final class ReporterThread: Sendable {
    private let feed: any EventFeed
    private let name: String
    private let control = ReporterControl()
    private let life = LockedValue(Life.new)
    private let end: EventFD

    private enum Life {
        case new
        case running(ThreadHandle)
        case stopped
    }

    init(name: String, feed: any EventFeed) throws(SystemError) {
        self.name = name
        self.feed = feed
        end = try EventFD()
    }

    /// Starts the thread; `body` must return soon after `ReporterControl.stopDeadline` has come.
    func start(_ body: sending @escaping (ReporterControl) -> Void) throws(SystemError) {
        let (control, end) = (control, end)
        let thread = try ThreadHandle(name: "report-\(name)") {
            body(control)
            control.hasEnded.store(true, ordering: .releasing)
            end.signal()
        }
        life.withLock {
            guard case .new = $0 else { preconditionFailure("a Reporter is started once") }
            $0 = .running(thread)
        }
    }

    /// Asks for the file to be opened anew.
    func reopen() {
        control.wantsReopen.store(true, ordering: .relaxed)
        feed.wake.signal()
    }

    /// Asks the thread to end within this time, and waits for it. False where it did not (a system call that hangs).
    func stop(timeout: Duration) -> Bool {
        let before = life.withLock { life in
            defer { life = .stopped }
            return life
        }
        switch before {
        case .new:
            // No thread will look at what waits.
            feed.makeSource().close()
        case .running(let thread):
            let nanoseconds = timeout.wholeNanoseconds
            control.stop(at: Clock.monotonic() &+ nanoseconds)
            feed.wake.signal()
            // The thread keeps to the time by itself; the grace is for its last write and fsync.
            guard waitForEnd(nanoseconds: nanoseconds + 2_000_000_000) else {
                thread.detach()
                return false
            }
            thread.join()
        case .stopped: break
        }
        return true
    }

    private func waitForEnd(nanoseconds: Int64) -> Bool {
        let limit = Clock.monotonic() + nanoseconds
        while !control.hasEnded.load(ordering: .acquiring) {
            let left = limit - Clock.monotonic()
            if left <= 0 { return false }
            end.wait(nanoseconds: left)
        }
        return true
    }
}

/// What the other threads ask of a Reporter's thread.
final class ReporterControl: Sendable {
    let wantsReopen = Atomic<Bool>(false)
    fileprivate let hasEnded = Atomic<Bool>(false)
    private let deadline = Atomic<Int64>(Int64.max)

    /// When the thread must have ended, on `Clock.monotonic`; nil: not asked to stop.
    var stopDeadline: Int64? {
        let value = deadline.load(ordering: .acquiring)
        return value == Int64.max ? nil : value
    }

    fileprivate func stop(at instant: Int64) { deadline.store(instant, ordering: .releasing) }
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
