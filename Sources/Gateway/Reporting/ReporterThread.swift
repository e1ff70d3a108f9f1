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

    private enum Life {
        case new
        case running(ThreadHandle)
        case stopped
    }

    init(name: String, feed: any EventFeed) {
        self.name = name
        self.feed = feed
    }

    /// Starts the thread; `body` must return soon after `ReporterControl.stopDeadline` has come.
    func start(_ body: sending @escaping (ReporterControl) -> Void) throws(SystemError) {
        let control = control
        let thread = try ThreadHandle(name: "report-\(name)") { body(control) }
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

    /// Asks the thread to end by then, on `Clock.monotonic`. Returns at once.
    func orderStop(by deadline: Int64) {
        let isNew = life.withLock { life in
            guard case .new = life else { return false }
            life = .stopped
            return true
        }
        if isNew {
            // No thread will look at what waits.
            feed.makeSource().close()
        } else {
            control.stop(at: deadline)
            feed.wake.signal()
        }
    }

    /// Waits for the end that was ordered, but not beyond that, on `Clock.monotonic`. False where it has not come: the thread
    /// hangs in a system call, and is left to it.
    func waitForEnd(until limit: Int64) -> Bool {
        let before = life.withLock { life in
            defer { life = .stopped }
            return life
        }
        guard case .running(let thread) = before else { return true }
        if thread.join(until: limit) { return true }
        thread.detach()
        return false
    }
}

/// What the other threads ask of a Reporter's thread.
final class ReporterControl: Sendable {
    let wantsReopen = Atomic<Bool>(false)
    private let deadline = Atomic<Int64>(Int64.max)

    /// When the thread must have ended, on `Clock.monotonic`; nil: not asked to stop.
    var stopDeadline: Int64? {
        let value = deadline.load(ordering: .acquiring)
        return value == Int64.max ? nil : value
    }

    fileprivate func stop(at instant: Int64) { deadline.store(instant, ordering: .releasing) }
}
