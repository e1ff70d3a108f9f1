import Logging
import Synchronization

/// The spool's own thread, for what may take long and must hold up neither a shard nor a Reporter: brings the lanes to the
/// disk at intervals (`fsync: interval`), and ends what shards have begun to drop.
final class SpoolKeeper: Sendable {
    private let wake: EventFD
    private let isStopping: StopFlag
    private let thread: ThreadHandle

    private final class StopFlag: Sendable {
        let value = Atomic<Bool>(false)
    }

    /// - Parameter interval: Between two syncs; nil: it does not sync.
    init(lanes: [StoredLane], wake: EventFD, interval: Duration?, log: @escaping ReporterLog) throws(SystemError) {
        let isStopping = StopFlag()
        self.wake = wake
        self.isStopping = isStopping
        let nanoseconds = interval?.boundedNanoseconds
        thread = try ThreadHandle(name: "spool-keeper") {
            var trouble: SystemError?
            var nextSync = Int64.min
            while true {
                let isLast = isStopping.value.load(ordering: .acquiring)
                for lane in lanes { lane.finishDrops() }
                if let nanoseconds, isLast || Clock.monotonic() >= nextSync {
                    trouble = Self.synchronize(lanes, trouble, log)
                    nextSync = Clock.monotonic() + nanoseconds
                }
                if isLast { return }
                wake.wait(nanoseconds: nanoseconds == nil ? nil : nextSync - Clock.monotonic())
            }
        }
    }

    /// Ends the thread after a last sync; false where that takes longer, on `Clock.monotonic`: the disk hangs, and the thread
    /// is left to it.
    func stop(until deadline: Int64) -> Bool {
        letEnd()
        if thread.join(until: deadline) { return true }
        thread.detach()
        return false
    }

    /// As `stop`, but nobody waits for it.
    func abandon() {
        letEnd()
        thread.detach()
    }

    private func letEnd() {
        isStopping.value.store(true, ordering: .releasing)
        wake.signal()
    }

    private static func synchronize(_ lanes: [StoredLane], _ before: SystemError?, _ log: ReporterLog) -> SystemError? {
        var trouble: SystemError?
        for lane in lanes {
            do throws(SystemError) {
                try lane.synchronize()
            } catch {
                if before == nil && trouble == nil {
                    log(
                        .error,
                        "cannot \(error.call) in \(lane.directory): \(error.reason); a power cut may lose events"
                    )
                }
                trouble = error
            }
        }
        if before != nil && trouble == nil { log(.notice, "the spool can be synced again") }
        return trouble
    }
}

extension Duration {
    /// In nanoseconds, at least a millisecond and at most a day.
    fileprivate var boundedNanoseconds: Int64 {
        let bounded = min(max(self, .milliseconds(1)), .seconds(86_400)).components
        return bounded.seconds * 1_000_000_000 + bounded.attoseconds / 1_000_000_000
    }
}
