import Logging
import Synchronization

/// One lane on disk: its segments, in a directory of their own, and how far each Reporter has come.
///
/// The shard appends (`SpoolLane`), the Reporters' threads read (`SpoolSource`). They share `end`, and under a lock, for
/// moments, what is below; the shard takes that lock only for a new segment.
final class StoredLane: Sendable {
    let directory: String
    /// Where the next batch begins. Written by the shard.
    let end: Atomic<Int64>
    /// Up to where every Reporter has acknowledged.
    let acknowledged: Atomic<Int64>

    private let settings: SpoolSettings
    private let state: LockedValue<LaneState>

    init(directory: String, settings: SpoolSettings, state: LaneState, end: Int64) {
        self.directory = directory
        self.settings = settings
        self.end = Atomic(end)
        acknowledged = Atomic(state.acknowledgedByAll)
        self.state = LockedValue(state)
    }

    // MARK: The shard

    /// Adds the segment that the shard writes from now on; the one before is complete.
    func begin(_ segment: SpoolSegment, _ file: RandomAccessFile) {
        let spent = state.withLock { state in
            // The one before may have failed before it held anything, and has the same name.
            if let last = state.segments.last, last.start == segment.start { state.segments.removeLast() }
            state.segments.append(segment)
            state.isLastOpen = true
            if settings.fsync == .interval {
                state.unsynchronized.append((segment, file))
                state.hasNewName = true
            }
            return state.removeSpent()
        }
        remove(spent)
    }

    /// The shard writes no more to the segment that it has begun last.
    func complete() { state.withLock { $0.isLastOpen = false } }

    /// Lets go of the files in which every Reporter has acknowledged everything, the one being written included, though its
    /// shard has it open: it will begin a new one. From any shard. False where there are none.
    func letGoOfDrained() -> Bool {
        let drained = state.withLock { state -> [SpoolSegment] in
            guard state.isLastOpen, let last = state.segments.last, last.letGo() else { return state.removeSpent() }
            // Nobody adds to it from here on.
            let end = last.end.load(ordering: .acquiring)
            guard end > last.start, state.acknowledgedByAll >= end else {
                last.takeBack()
                return state.removeSpent()
            }
            state.isLastOpen = false
            return state.removeSpent()
        }
        remove(drained)
        return !drained.isEmpty
    }

    /// Drops the oldest segment, unless it is being written; false where there is none.
    func dropOldest() -> Bool {
        let dropped = state.withLock { state -> SpoolSegment? in
            guard let segment = state.segments.first, state.segments.count > 1 || !state.isLastOpen else { return nil }
            for index in state.readers.indices { drop(segment, for: index, &state) }
            state.segments.removeFirst()
            state.forget(1)
            settle(&state)
            return segment
        }
        guard let dropped else { return false }
        remove([dropped])
        return true
    }

    private func drop(_ segment: SpoolSegment, for index: Int, _ state: inout LaneState) {
        let end = segment.end.load(ordering: .acquiring)
        let reader = state.readers[index]
        let counters = settings.reporters[index].counters
        if reader.claimed < end {
            counters.dropped.add(unread(of: segment, by: reader), ordering: .relaxed)
            state.readers[index].claimed = end
        }
        if reader.acknowledged < end {
            let length = state.length(from: reader.acknowledged, to: end)
            counters.queuedBytes.subtract(length, ordering: .relaxed)
            state.readers[index].acknowledged = end
            store(state.readers[index])
        }
    }

    private func unread(of segment: SpoolSegment, by reader: LaneState.Reader) -> Int {
        if segment.isCounted {
            return segment.events.load(ordering: .acquiring) - reader.claimedEvents(in: segment)
        }
        return (try? segment.countEvents(from: max(reader.claimed, segment.start))) ?? 0
    }

    // MARK: The Reporters' threads

    /// Where a Reporter reads on, from `position`: behind what was dropped meanwhile, in the first segment that has more.
    func next(for reader: Int, after position: Int64) -> (position: Int64, segment: SpoolSegment?) {
        state.withLock { state in
            let position = max(position, state.readers[reader].claimed)
            return (position, state.segments.first { $0.end.load(ordering: .acquiring) > position })
        }
    }

    /// Makes a Reporter answerable for the events that it has read from a segment, up to a position. False where they have
    /// been dropped, and counted, before: the Reporter must not have them.
    func claim(_ segment: SpoolSegment, for reader: Int, from: Int64, through position: Int64, events: Int) -> Bool {
        state.withLock { state in
            guard state.readers[reader].claimed <= from else { return false }
            state.readers[reader].claim(segment, through: position, events: events)
            return true
        }
    }

    func acknowledge(for reader: Int, through position: Int64) {
        let (spent, isDrained) = state.withLock { state in
            let before = state.readers[reader].acknowledged
            guard position > before else { return ([SpoolSegment](), false) }
            let length = state.length(from: before, to: position)
            settings.reporters[reader].counters.queuedBytes.subtract(length, ordering: .relaxed)
            state.readers[reader].acknowledged = position
            store(state.readers[reader])
            settle(&state)
            let spent = state.removeSpent()
            return (spent, !state.hasWriter && state.segments.isEmpty)
        }
        remove(spent)
        if isDrained { removeDirectory() }
    }

    /// Under the lock.
    private func store(_ reader: LaneState.Reader) {
        do {
            try reader.cursor.store(reader.acknowledged)
            settings.cursorTrouble(nil, reader.cursor.path)
        } catch {
            settings.cursorTrouble(error, reader.cursor.path)
        }
    }

    /// Takes what all have acknowledged out of the sum. Under the lock.
    private func settle(_ state: inout LaneState) {
        let before = acknowledged.load(ordering: .relaxed)
        let now = state.acknowledgedByAll
        guard now > before else { return }
        acknowledged.store(now, ordering: .releasing)
        settings.storedBytes.subtract(state.length(from: before, to: now), ordering: .relaxed)
    }

    private func remove(_ segments: [SpoolSegment]) {
        for segment in segments {
            do {
                // A Reporter that has read it to its end, or a shard, may have it open: that must not take up the disk.
                try FileSystem.empty(segment.path)
                try FileSystem.remove(segment.path)
            } catch {
                settings.log(.error, "cannot remove \(segment.path): \(error.reason)")
            }
            settings.release(Int(segment.end.load(ordering: .acquiring) - segment.start))
        }
    }

    private func removeDirectory() {
        let paths = state.withLock { $0.readers.map(\.cursor.path) }
        do {
            for path in paths { try FileSystem.remove(path) }
            try Directory.remove(directory)
        } catch {
            settings.log(.warning, "cannot remove \(directory), which is read to its end: \(error.reason)")
        }
    }

    // MARK: The thread that syncs, and the end

    /// Waits until all that was written is on the disk, but for what every Reporter has by now. Not for `fsync: always`,
    /// where the shard does it.
    func synchronize() throws(SystemError) {
        let end = end.load(ordering: .acquiring)
        let work = state.withLock { state -> (files: [RandomAccessFile], hasNewName: Bool)? in
            guard end != state.synchronizedEnd, end > state.acknowledgedByAll else { return nil }
            state.synchronizedEnd = end
            let work = (state.unsynchronized.map(\.file), state.hasNewName)
            // To the last one, more will be written.
            state.unsynchronized.removeFirst(max(0, state.unsynchronized.count - 1))
            state.hasNewName = false
            return work
        }
        guard let work else { return }
        var failure: SystemError?
        for file in work.files {
            do throws(SystemError) { try file.synchronize() } catch { failure = error }
        }
        if work.hasNewName { try Directory.synchronize(directory) }
        if let failure { throw failure }
    }

    /// How far a Reporter has acknowledged, and how many bytes are stored behind that.
    func acknowledged(by reader: Int) -> Int64 { state.withLock { $0.readers[reader].acknowledged } }
    func waiting(for reader: Int) -> Int { waiting(for: reader, before: end.load(ordering: .acquiring)) }
    func waiting(for reader: Int, before position: Int64) -> Int {
        state.withLock { $0.length(from: $0.readers[reader].acknowledged, to: position) }
    }
    /// How many bytes the files of events have.
    var fileBytes: Int {
        state.withLock { $0.segments.reduce(0) { $0 + Int($1.end.load(ordering: .acquiring) - $1.start) } }
    }
    /// How many bytes are stored that not every Reporter has acknowledged.
    var storedBytes: Int {
        state.withLock { $0.length(from: $0.acknowledgedByAll, to: end.load(ordering: .acquiring)) }
    }

    /// After the shard and the Reporters have ended: leaves no segment that everybody has acknowledged.
    func close() {
        let spent = state.withLock { state in
            state.isLastOpen = false
            state.unsynchronized = []
            return state.removeSpent()
        }
        remove(spent)
    }
}

/// What a lane's lock guards.
struct LaneState {
    /// In order of their positions, without those that every Reporter has acknowledged.
    var segments: [SpoolSegment]
    /// Ranges of positions that no segment holds; rare.
    var gaps: [Range<Int64>]
    var readers: [Reader]
    /// A shard of this run writes the lane.
    var hasWriter: Bool
    /// The last segment is being written.
    var isLastOpen = false
    /// Segments that may be newer in memory than on the disk, under `fsync: interval`; the last is the open one.
    var unsynchronized: [(segment: SpoolSegment, file: RandomAccessFile)] = []
    /// A segment has been added whose name may be in memory only.
    var hasNewName = false
    /// Up to where the lane has been synced.
    var synchronizedEnd: Int64

    struct Reader {
        let cursor: SpoolCursor
        var acknowledged: Int64
        /// How far it has read.
        var claimed: Int64
        /// In which segment that is, and how many events of it have been read.
        private var claimedStart: Int64 = -1
        private var claimedCount = 0

        init(cursor: SpoolCursor, acknowledged: Int64) {
            self.cursor = cursor
            self.acknowledged = acknowledged
            claimed = acknowledged
        }

        mutating func claim(_ segment: SpoolSegment, through position: Int64, events: Int) {
            if claimedStart != segment.start { claimedCount = 0 }
            claimedStart = segment.start
            claimedCount += events
            claimed = position
        }

        func claimedEvents(in segment: SpoolSegment) -> Int { claimedStart == segment.start ? claimedCount : 0 }
    }

    var acknowledgedByAll: Int64 { readers.reduce(Int64.max) { min($0, $1.acknowledged) } }

    /// How many bytes are stored between two positions: gaps hold none.
    func length(from: Int64, to: Int64) -> Int {
        var length = max(0, to - from)
        for gap in gaps { length -= max(0, min(to, gap.upperBound) - max(from, gap.lowerBound)) }
        return Int(length)
    }

    /// After segments have been taken out: they need not come to the disk any more.
    mutating func forget(_ count: Int) {
        guard count > 0, !unsynchronized.isEmpty else { return }
        let oldest = segments.first?.start ?? Int64.max
        unsynchronized.removeAll { $0.segment.start < oldest }
    }

    /// Takes out the segments that every Reporter has acknowledged, but not the one that is being written.
    mutating func removeSpent() -> [SpoolSegment] {
        let through = acknowledgedByAll
        let complete = isLastOpen ? segments.dropLast() : segments[...]
        let spent = Array(complete.prefix { $0.end.load(ordering: .acquiring) <= through })
        segments.removeFirst(spent.count)
        forget(spent.count)
        return spent
    }
}

extension SpoolSegment {
    /// How many whole events stand in it from a position on.
    func countEvents(from position: Int64) throws(SystemError) -> Int {
        let reader = try SegmentReader(path: path, start: start, position: position)
        let chunk = SpoolChunk()
        let end = end.load(ordering: .acquiring)
        var count = 0
        while reader.position < end {
            try reader.read(into: chunk, end: end)
            count += chunk.frames.count
        }
        return count
    }
}
