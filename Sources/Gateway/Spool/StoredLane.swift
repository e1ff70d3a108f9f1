import Logging
import Synchronization

/// One lane on disk: its segments, in a directory of their own, and how far each Reporter has come.
///
/// The shard appends (`SpoolLane`), the Reporters' threads read (`SpoolSource`), the keeper does what may take long. They
/// share `end`, and under a lock, for moments, what is in `LaneState`: no file is read or written while it is held.
final class StoredLane: Sendable {
    let directory: String
    /// Where the next batch begins. Written by the shard.
    let end: Atomic<Int64>
    /// Up to where every Reporter has acknowledged.
    let acknowledged: Atomic<Int64>

    private let settings: SpoolSettings
    private let state: LockedValue<LaneState>
    /// The Reporters' places, and the start of the newest segment, in files. Each is held while it is written, with `state`
    /// inside of it for a moment, never the other way round.
    private let cursors: [LockedValue<SpoolCursor>]
    private let newest: LockedValue<SpoolCursor>

    init(
        directory: String,
        settings: SpoolSettings,
        state: LaneState,
        cursors: [SpoolCursor],
        newest: SpoolCursor,
        end: Int64
    ) {
        self.directory = directory
        self.settings = settings
        self.end = Atomic(end)
        acknowledged = Atomic(state.acknowledgedByAll)
        self.state = LockedValue(state)
        self.cursors = cursors.map { LockedValue($0) }
        self.newest = LockedValue(newest)
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
        storeNewest()
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
            guard end > last.start, state.storedByAll >= end else {
                last.takeBack()
                return state.removeSpent()
            }
            state.isLastOpen = false
            return state.removeSpent()
        }
        if drained.isEmpty { return false }
        storeNewest()
        remove(drained)
        return true
    }

    /// Drops the oldest segment, unless it is being written; false where there is none, or where one that was dropped must
    /// still be counted. From any shard. Room is there at once where the segment is of this run; else the keeper makes it.
    func dropOldest() -> Bool {
        let dropped = state.withLock { state -> (segment: SpoolSegment, isCounted: Bool)? in
            guard state.uncounted == nil, let segment = state.segments.first,
                state.segments.count > 1 || !state.isLastOpen
            else { return nil }
            var uncounted = LaneState.Uncounted(segment: segment)
            for index in state.readers.indices { drop(segment, for: index, &state, &uncounted) }
            state.segments.removeFirst()
            state.forget(1)
            settle(&state)
            if uncounted.readers.isEmpty { state.dropped.append(segment) } else { state.uncounted = uncounted }
            return (segment, uncounted.readers.isEmpty)
        }
        guard let dropped else { return false }
        // Emptied, it says to a restart that it was dropped and counted; its name goes when the Reporters' places are stored.
        if dropped.isCounted { empty(dropped.segment) }
        settings.keeperWake.signal()
        return true
    }

    private func drop(
        _ segment: SpoolSegment,
        for index: Int,
        _ state: inout LaneState,
        _ uncounted: inout LaneState.Uncounted
    ) {
        let end = segment.end.load(ordering: .acquiring)
        let reader = state.readers[index]
        let counters = settings.reporters[index].counters
        if reader.claimed < end {
            if segment.isCounted {
                let unread = segment.events.load(ordering: .acquiring) - reader.claimedEvents(in: segment)
                counters.dropped.add(unread, ordering: .relaxed)
            } else {
                uncounted.readers.append((index, max(reader.claimed, segment.start)))
            }
            state.readers[index].claimed = end
        }
        if reader.acknowledged < end {
            let length = state.length(from: reader.acknowledged, to: end)
            counters.queuedBytes.subtract(length, ordering: .relaxed)
            state.readers[index].acknowledged = end
        }
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

    /// How many events of a segment a Reporter has not read, where that is known.
    func unread(of segment: SpoolSegment, by reader: Int) -> Int? {
        guard segment.isCounted else { return nil }
        let claimed = state.withLock { $0.readers[reader].claimedEvents(in: segment) }
        return segment.events.load(ordering: .acquiring) - claimed
    }

    func acknowledge(for reader: Int, through position: Int64) {
        let isNews = state.withLock { state in
            let before = state.readers[reader].acknowledged
            guard position > before else { return false }
            let length = state.length(from: before, to: position)
            settings.reporters[reader].counters.queuedBytes.subtract(length, ordering: .relaxed)
            state.readers[reader].acknowledged = position
            settle(&state)
            return true
        }
        if isNews { storeCursor(of: reader) }
    }

    /// Takes what all have acknowledged out of the sum. Under the lock.
    private func settle(_ state: inout LaneState) {
        let before = acknowledged.load(ordering: .relaxed)
        let now = state.acknowledgedByAll
        guard now > before else { return }
        acknowledged.store(now, ordering: .releasing)
        settings.storedBytes.subtract(state.length(from: before, to: now), ordering: .relaxed)
    }

    // MARK: The files

    /// Writes down how far a Reporter is by now, then removes what nobody needs any more: in this order, lest a restart
    /// between the two misses a file.
    private func storeCursor(of reader: Int) {
        let isDrained = cursors[reader].withLock { cursor -> Bool in
            let position = state.withLock { $0.readers[reader].acknowledged }
            do throws(SystemError) {
                try cursor.store(position)
                settings.cursorTrouble(nil, cursor.path)
            } catch {
                settings.cursorTrouble(error, cursor.path)
            }
            let (spent, isDrained) = state.withLock { state in
                state.readers[reader].stored = position
                let spent = state.removeSpent()
                return (spent, !state.hasWriter && state.segments.isEmpty && !spent.isEmpty)
            }
            if !spent.isEmpty {
                storeNewest()
                remove(spent)
            }
            return isDrained
        }
        if isDrained { removeDirectory() }
    }

    /// Writes down which segment must be there, before one is written to or removed.
    private func storeNewest() {
        newest.withLock { file in
            let start = state.withLock { $0.segments.last?.start ?? SpoolCursor.none }
            if file.stored == start { return }
            do throws(SystemError) {
                try file.store(start)
                settings.cursorTrouble(nil, file.path)
            } catch {
                settings.cursorTrouble(error, file.path)
            }
        }
    }

    private func remove(_ segments: [SpoolSegment]) {
        for segment in segments {
            // A Reporter that has read it to its end, or a shard, may have it open: that must not take up the disk.
            empty(segment)
            removeName(segment)
        }
    }

    /// Gives its room back.
    private func empty(_ segment: SpoolSegment) {
        do {
            try FileSystem.empty(segment.path)
        } catch {
            settings.log(.error, "cannot \(error.call) \(segment.path): \(error.reason)")
        }
        settings.release(Int(segment.end.load(ordering: .acquiring) - segment.start))
    }

    private func removeName(_ segment: SpoolSegment) {
        do {
            try FileSystem.remove(segment.path)
        } catch {
            settings.log(.error, "cannot remove \(segment.path): \(error.reason)")
        }
    }

    private func removeDirectory() {
        let paths = (cursors + [newest]).map { $0.withLock { $0.path } }
        do throws(SystemError) {
            for path in paths { try FileSystem.remove(path) }
            try Directory.remove(directory)
        } catch {
            settings.log(.warning, "cannot remove \(directory), which is read to its end: \(error.reason)")
        }
    }

    // MARK: The keeper, and the end

    /// Ends what a drop has begun: writes down the Reporters' new places, counts the events of a segment of an earlier run,
    /// and removes it.
    func finishDrops() {
        let (uncounted, dropped) = state.withLock { ($0.uncounted, $0.dropped) }
        if let uncounted {
            for (reader, position) in uncounted.readers {
                // One that cannot be read counts as one event, as damage does.
                let count = (try? uncounted.segment.countEvents(from: position)) ?? 1
                settings.reporters[reader].counters.dropped.add(count, ordering: .relaxed)
            }
        }
        for reader in cursors.indices
        where state.withLock({ $0.readers[reader].acknowledged > $0.readers[reader].stored }) {
            storeCursor(of: reader)
        }
        guard uncounted != nil || !dropped.isEmpty else { return }
        storeNewest()
        for segment in dropped { removeName(segment) }
        if let uncounted { remove([uncounted.segment]) }
        state.withLock {
            // A shard may have begun to drop another one meanwhile.
            if uncounted != nil { $0.uncounted = nil }
            $0.dropped.removeFirst(dropped.count)
        }
    }

    /// What was dropped has not all been counted and removed.
    var isDropping: Bool { state.withLock { $0.uncounted != nil || !$0.dropped.isEmpty } }

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
        finishDrops()
        let spent = state.withLock { state in
            state.isLastOpen = false
            state.unsynchronized = []
            return state.removeSpent()
        }
        if spent.isEmpty { return }
        storeNewest()
        remove(spent)
    }
}
