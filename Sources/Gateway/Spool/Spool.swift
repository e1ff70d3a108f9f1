import Logging
import Synchronization

/// Events on disk, from before their clients are answered until every Reporter has acknowledged them.
///
/// The spool is the queue: nothing waits in memory. Each shard appends to a lane of its own; each Reporter reads all lanes.
/// See docs/decisions/0006-spool.md.
final class Spool: Sendable {
    private let settings: SpoolSettings
    private let lanes: [StoredLane]
    private let feeds: [SpoolFeed]
    private let lock: RandomAccessFile
    private let keeper: SpoolKeeper?
    private let hasEnded = Atomic<Bool>(false)
    /// What earlier runs have left; nil: nothing.
    let replay: SpoolReplay?

    /// Opens the directory, and finds what earlier runs have left there.
    ///
    /// - Parameters:
    ///   - laneCount: How many shards will write. Lanes of earlier runs beyond that are read to their end.
    ///   - reporters: Their names name files too.
    ///   - segmentSize: Of how many bytes segments are; nil: as `maxBytes` and the disk suggest.
    static func open(
        configuration: Configuration.Spool,
        laneCount: Int,
        reporters: [SpoolReporter],
        segmentSize: Int? = nil,
        log: @escaping ReporterLog
    ) throws(SpoolError) -> Spool {
        precondition(!reporters.isEmpty, "without a Reporter nothing would ever leave the spool")
        let lock = try takeDirectory(configuration)
        let inventory = try SpoolInventory(path: configuration.path, log: log)
        try inventory.check(reporters)
        remember(reporters, inventory, configuration, log)
        let space = try SpoolSpace(
            configuration,
            laneCount: laneCount,
            used: inventory.fileBytes,
            space: FileSystem.space(at: configuration.path),
            log: log
        )
        let settings: SpoolSettings
        do {
            settings = try SpoolSettings(
                configuration,
                segmentSize: segmentSize ?? space.segmentSize,
                reporters: reporters.map(\.name),
                log: log
            )
        } catch {
            throw .system(error)
        }
        var lanes: [StoredLane] = []
        // Those of the shards, then those that are only read.
        let older = inventory.lanes.map(\.number).filter { $0 >= laneCount }
        for number in Array(0..<laneCount) + older {
            let contents = inventory.contents(ofLane: number)
            if let lane = try LaneRecovery.open(contents, hasWriter: number < laneCount, settings: settings) {
                lanes.append(lane)
            }
        }
        return try Spool(settings, lanes, lock, interval: configuration.fsyncInterval)
    }

    /// Writes down for whom events will be stored, before any is.
    private static func remember(
        _ reporters: [SpoolReporter],
        _ inventory: SpoolInventory,
        _ configuration: Configuration.Spool,
        _ log: ReporterLog
    ) {
        let roster = SpoolRoster(of: reporters)
        guard roster != inventory.roster else { return }
        for reporter in reporters {
            guard let before = inventory.roster.destination(of: reporter.name), before != reporter.destination else {
                continue
            }
            log(.notice, "Reporter \(reporter.name) led to \(before), and now to \(reporter.destination)")
        }
        do throws(SystemError) {
            try roster.write(configuration.path, synced: configuration.fsync != .never)
        } catch {
            // No reason not to deliver, which may be what makes room. What is there is wrong now, so it goes.
            log(
                .error,
                "cannot \(error.call) in \(configuration.path): \(error.reason); the spool does not remember the Reporters"
            )
            try? SpoolRoster.remove(configuration.path)
        }
    }

    private init(
        _ settings: SpoolSettings,
        _ lanes: [StoredLane],
        _ lock: RandomAccessFile,
        interval: Duration
    ) throws(SpoolError) {
        self.settings = settings
        self.lanes = lanes
        self.lock = lock
        settings.storedBytes.store(lanes.reduce(0) { $0 + $1.storedBytes }, ordering: .relaxed)
        settings.usedBytes.store(lanes.reduce(0) { $0 + $1.fileBytes }, ordering: .relaxed)
        replay = SpoolReplay(lanes, settings, now: Clock.monotonic())
        feeds = settings.reporters.indices.map { SpoolFeed(lanes: lanes, reader: $0, settings: settings) }
        do {
            if settings.fsync != .never { try Directory.synchronize(settings.path) }
            let interval = settings.fsync == .interval ? interval : nil
            keeper =
                interval != nil || settings.dropsOldest
                ? try SpoolKeeper(lanes: lanes, wake: settings.keeperWake, interval: interval, log: settings.log) : nil
        } catch {
            throw .system(error)
        }
    }

    /// Events whose clients were refused because they were not stored.
    var refusedEvents: Int { settings.refusedEvents.load(ordering: .relaxed) }

    /// Bytes that not every Reporter has acknowledged. The files may have up to one segment more per lane; together they
    /// have no more than `spool.maxBytes`.
    var storedBytes: Int { settings.storedBytes.load(ordering: .relaxed) }

    /// A shard's end, for its thread. Once for each.
    func lane(_ index: Int) -> SpoolLane { SpoolLane(index, of: lanes, settings: settings) }

    /// A Reporter's end.
    func feed(reporter index: Int) -> SpoolFeed { feeds[index] }

    deinit {
        if !hasEnded.load(ordering: .relaxed) { keeper?.abandon() }
    }

    /// What was dropped has not all been counted and removed.
    var isDropping: Bool { lanes.contains(where: \.isDropping) }

    /// After the shards and the Reporters have ended: leaves everything on the disk, and no file without need.
    ///
    /// - Parameter deadline: When to give up a disk that hangs, on `Clock.monotonic`.
    func close(until deadline: Int64 = .max) {
        hasEnded.store(true, ordering: .relaxed)
        guard keeper?.stop(until: deadline) ?? true else {
            settings.log(
                .error,
                "the disk of \(settings.path) does not answer; its last events may be lost to a power cut"
            )
            return
        }
        for lane in lanes { lane.close() }
    }

    private static func takeDirectory(_ configuration: Configuration.Spool) throws(SpoolError) -> RandomAccessFile {
        let path = configuration.path
        do throws(SystemError) {
            if try Directory.make(path), configuration.fsync != .never { try Directory.synchronize(path + "/..") }
        } catch {
            if error.isMissingFile { throw .missingParent(path: path) }
            if FileSystem.exists(path) { throw .notADirectory(path: path) }
            throw .failed(path: path, error: error)
        }
        return try lock(path)
    }

    /// Makes this process the only one that writes to the directory, for as long as the file is open.
    static func lock(_ path: String) throws(SpoolError) -> RandomAccessFile {
        let lockPath = path + "/lock"
        let isOurs: Bool
        let lock: RandomAccessFile
        do throws(SystemError) {
            lock = try RandomAccessFile(path: lockPath, .update)
            isOurs = try lock.tryLock()
        } catch {
            throw .failed(path: lockPath, error: error)
        }
        if !isOurs { throw .inUse(path: path) }
        return lock
    }

    /// How many lanes a spool there would have: those of the shards, and those that earlier runs have left.
    static func laneCount(_ path: String, shards: Int) -> Int {
        let older = (try? SpoolInventory.laneNumbers(in: path))?.count { $0 >= shards }
        return shards + (older ?? 0)
    }
}
