import Logging
import Synchronization

/// The thread that brings the lanes to the disk at intervals (`fsync: interval`), so that no shard waits for it.
final class SpoolSynchronizer: Sendable {
    private let wake: EventFD
    private let isStopping: StopFlag
    private let thread: ThreadHandle

    private final class StopFlag: Sendable {
        let value = Atomic<Bool>(false)
    }

    init(lanes: [StoredLane], interval: Duration, log: @escaping ReporterLog) throws(SystemError) {
        let (wake, isStopping) = (try EventFD(), StopFlag())
        self.wake = wake
        self.isStopping = isStopping
        let nanoseconds = interval.boundedNanoseconds
        thread = try ThreadHandle(name: "spool-sync") {
            var trouble: SystemError?
            while true {
                let isLast = isStopping.value.load(ordering: .acquiring)
                trouble = Self.synchronize(lanes, trouble, log)
                if isLast { return }
                wake.wait(nanoseconds: nanoseconds)
            }
        }
    }

    /// Ends the thread after a last sync.
    func stop() {
        isStopping.value.store(true, ordering: .releasing)
        wake.signal()
        thread.join()
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
