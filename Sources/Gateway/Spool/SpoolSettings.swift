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
    /// Wakes the keeper.
    let keeperWake: EventFD
    let log: ReporterLog

    struct Reporter: Sendable {
        let name: String
        let counters = ReporterCounters()
        let wake: ReaderWake
    }

    /// Bytes that not every Reporter has acknowledged, over all lanes.
    let storedBytes = Atomic<Int>(0)
    /// Bytes of all files of events, and of what is about to be written to them: at most `maxBytes`, unless an earlier run
    /// has left more.
    let usedBytes = Atomic<Int>(0)
    /// Events that were not stored, and whose clients were refused for it.
    let refusedEvents = Atomic<Int>(0)
    /// With less room than this, requests are refused before their model is called: those in flight still need some.
    private let margin: Int
    /// When events were last told of that did not fit, on `Clock.monotonic`.
    private let lastMisfit = Atomic<Int64>(Int64.min)
    private static let misfitInterval: Int64 = 60_000_000_000
    /// It has been logged that the spool is full.
    private let isFullLogged = Atomic<Bool>(false)
    /// How many lanes cannot be written.
    private let failingLanes = Atomic<Int>(0)
    private let hasCursorTrouble = Atomic<Bool>(false)

    init(
        _ configuration: Configuration.Spool,
        segmentSize: Int,
        reporters: [String],
        log: @escaping ReporterLog
    ) throws(SystemError) {
        path = configuration.path
        maxBytes = configuration.maxBytes
        fsync = configuration.fsync
        dropsOldest = configuration.whenFull == .dropOldest
        self.segmentSize = segmentSize
        margin = min(1 << 20, configuration.maxBytes / 16)
        var all: [Reporter] = []
        for name in reporters { all.append(Reporter(name: name, wake: try ReaderWake())) }
        self.reporters = all
        keeperWake = try EventFD()
        self.log = log
    }

    // MARK: Any thread

    var isNearlyFull: Bool { usedBytes.load(ordering: .relaxed) > maxBytes - margin }

    /// Whether there is room for so many bytes now.
    func canReserve(_ length: Int) -> Bool { usedBytes.load(ordering: .relaxed) <= maxBytes - length }

    /// Takes room for so many bytes; false where there is not so much. Added first and taken back where it was too much: lanes
    /// can never pass the bound together.
    func reserve(_ length: Int) -> Bool {
        if usedBytes.add(length, ordering: .relaxed).newValue <= maxBytes { return true }
        usedBytes.subtract(length, ordering: .relaxed)
        return false
    }

    /// Gives room back, and tells if there is some again: well below the limit, lest it be told all the time.
    func release(_ length: Int) {
        let used = usedBytes.subtract(length, ordering: .relaxed).newValue
        guard isFullLogged.load(ordering: .relaxed), used < maxBytes / 4 * 3 else { return }
        if isFullLogged.exchange(false, ordering: .relaxed) { log(.notice, "the spool \(path) has room again") }
    }

    /// Tells, now and then, of events that found no room.
    func didNotFit(_ length: Int) {
        if isNearlyFull { return reachedLimit() }
        let now = Clock.monotonic()
        let last = lastMisfit.load(ordering: .relaxed)
        guard last == Int64.min || now - last >= Self.misfitInterval else { return }
        guard lastMisfit.compareExchange(expected: last, desired: now, ordering: .relaxed).exchanged else { return }
        let consequence = dropsOldest ? "they are dropped" : "their clients get \(length > maxBytes ? 502 : 503)"
        log(
            .error,
            "\(length) bytes of events that came together do not fit into the spool \(path) (reporting.spool.maxBytes, "
                + "\(maxBytes) bytes); \(consequence)"
        )
    }

    /// Tells, once, that there is no more room.
    func reachedLimit() {
        guard !isFullLogged.load(ordering: .relaxed), !isFullLogged.exchange(true, ordering: .relaxed) else { return }
        let consequence = dropsOldest ? "the oldest events are dropped" : "requests are refused"
        log(.error, "the spool \(path) is full (reporting.spool.maxBytes, \(maxBytes) bytes); \(consequence)")
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
