import Logging
import Synchronization

/// What the parts of the spool share: its limits, its sums, and the Reporters that it serves.
final class SpoolSettings: Sendable {
    let path: String
    let maxBytes: Int
    let fsync: Configuration.Spool.Fsync
    let dropsOldest: Bool
    /// A segment that holds so much is followed by a new one.
    let segmentSize: Int
    let reporters: [Reporter]
    let log: ReporterLog

    struct Reporter: Sendable {
        let name: String
        let counters = ReporterCounters()
        let wake: ReaderWake
    }

    /// Bytes that not every Reporter has acknowledged, over all lanes.
    let storedBytes = Atomic<Int>(0)
    /// It has been logged that the spool is full.
    private let isFullLogged = Atomic<Bool>(false)
    /// How many lanes cannot be written.
    private let failingLanes = Atomic<Int>(0)
    private let hasCursorTrouble = Atomic<Bool>(false)

    init(
        _ configuration: Configuration.Spool,
        laneCount: Int,
        reporters: [String],
        log: @escaping ReporterLog
    ) throws(SystemError) {
        path = configuration.path
        maxBytes = configuration.maxBytes
        fsync = configuration.fsync
        dropsOldest = configuration.whenFull == .dropOldest
        // Of each lane, one segment may stay on the disk though it is acknowledged in part.
        segmentSize = max(64 << 10, min(16 << 20, configuration.maxBytes / (8 * max(1, laneCount))))
        var all: [Reporter] = []
        for name in reporters { all.append(Reporter(name: name, wake: try ReaderWake())) }
        self.reporters = all
        self.log = log
    }

    // MARK: Any thread

    var isFull: Bool { storedBytes.load(ordering: .relaxed) >= maxBytes }

    /// Tells, once, that there is no more room.
    func reachedLimit() {
        guard !isFullLogged.load(ordering: .relaxed), !isFullLogged.exchange(true, ordering: .relaxed) else { return }
        let consequence = dropsOldest ? "the oldest events are dropped" : "requests are refused"
        log(.error, "the spool \(path) is full (reporting.spool.maxBytes, \(maxBytes) bytes); \(consequence)")
    }

    /// Takes bytes out of the sum, and tells if there is room again: well below the limit, lest it be told all the time.
    func removed(_ length: Int) {
        let left = storedBytes.subtract(length, ordering: .relaxed).newValue
        guard isFullLogged.load(ordering: .relaxed), left < maxBytes / 4 * 3 else { return }
        if isFullLogged.exchange(false, ordering: .relaxed) { log(.notice, "the spool \(path) has room again") }
    }

    func beganFailing(_ error: SystemError, in directory: String) {
        guard failingLanes.add(1, ordering: .relaxed).oldValue == 0 else { return }
        let consequence = dropsOldest ? "events are dropped" : "requests are refused"
        log(.error, "cannot \(error.call) in \(directory): \(error.reason); \(consequence) until it can be written")
    }

    func endedFailing() {
        if failingLanes.subtract(1, ordering: .relaxed).newValue == 0 {
            log(.notice, "the spool \(path) can be written again")
        }
    }

    /// A cursor could not be stored, or could again (nil).
    func cursorTrouble(_ error: SystemError?, _ path: String) {
        guard hasCursorTrouble.load(ordering: .relaxed) != (error != nil) else { return }
        guard hasCursorTrouble.exchange(error != nil, ordering: .relaxed) != (error != nil) else { return }
        if let error {
            log(.error, "cannot \(error.call) \(path): \(error.reason); after a restart, events will come twice")
        } else {
            log(.notice, "\(path) can be written again")
        }
    }
}
