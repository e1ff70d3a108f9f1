import Synchronization

/// A shard's writing end of the spool: one lane, for all Reporters.
final class SpoolLane: EventLane {
    /// How often it is tried whether a lane can be written again.
    private static let probeNanoseconds: Int64 = 200_000_000

    private let lanes: [StoredLane]
    private let own: Int
    private let settings: SpoolSettings
    /// The segment that is being written; nil: a new one is due.
    private var open: Open?
    private var position: Int64
    /// The last write failed; when to try again, on `Clock.monotonic`.
    private var nextProbe: Int64?

    private struct Open {
        let segment: SpoolSegment
        let file: RandomAccessFile
    }

    /// - Parameter own: Which of the lanes is the shard's. The others are only there for making room.
    init(_ own: Int, of lanes: [StoredLane], settings: SpoolSettings) {
        self.own = own
        self.lanes = lanes
        self.settings = settings
        position = lanes[own].end.load(ordering: .relaxed)
    }

    /// While the spool cannot be written, one caller every 200 ms hears that it is not full: its request is the test.
    var isFull: Bool {
        if settings.dropsOldest { return false }
        if settings.isFull {
            settings.reachedLimit()
            return true
        }
        guard let probe = nextProbe else { return false }
        let now = Clock.monotonic()
        if now < probe { return true }
        nextProbe = now + Self.probeNanoseconds
        return false
    }

    func submit(_ batch: EventBatch) -> Bool {
        if batch.isEmpty { return true }
        batch.seal()
        do {
            try storeMakingRoom(batch)
        } catch {
            fail(error)
            guard settings.dropsOldest else { return false }
            for reporter in settings.reporters { reporter.counters.dropped.add(batch.count, ordering: .relaxed) }
            return true
        }
        if nextProbe != nil {
            nextProbe = nil
            settings.endedFailing()
        }
        return true
    }

    private func fail(_ error: SystemError) {
        if nextProbe == nil { settings.beganFailing(error, in: lanes[own].directory) }
        nextProbe = Clock.monotonic() + Self.probeNanoseconds
    }

    private func storeMakingRoom(_ batch: EventBatch) throws(SystemError) {
        guard settings.dropsOldest else { return try store(batch) }
        while settings.storedBytes.load(ordering: .relaxed) + batch.bytes.count > settings.maxBytes {
            settings.reachedLimit()
            if !dropOldest() { break }
        }
        while true {
            do throws(SystemError) {
                return try store(batch)
            } catch {
                guard error.isFullDisk, dropOldest() else { throw error }
            }
        }
    }

    /// Of this lane, else of the next one that has a segment to drop.
    private func dropOldest() -> Bool {
        for number in lanes.indices where lanes[(own + number) % lanes.count].dropOldest() { return true }
        return false
    }

    private func store(_ batch: EventBatch) throws(SystemError) {
        let length = batch.bytes.count
        let (segment, file) = try segment(for: length)
        let offset = Int(position - segment.start)
        do throws(SystemError) {
            try file.write(batch.bytes.view, at: offset)
            if settings.fsync == .always { try file.synchronize() }
        } catch {
            // No part of a batch may stay before the next one. (Where even that fails, the next one is written over it.)
            try? file.truncate(to: offset)
            // After a failed sync, nobody knows what the disk has of this file: no more is entrusted to it.
            if error.call == "fdatasync" { open = nil }
            throw error
        }
        publish(batch, segment)
    }

    private func publish(_ batch: EventBatch, _ segment: SpoolSegment) {
        let length = batch.bytes.count
        position += Int64(length)
        // Added before anybody can take it away.
        settings.storedBytes.add(length, ordering: .relaxed)
        for reporter in settings.reporters { reporter.counters.queuedBytes.add(length, ordering: .relaxed) }
        segment.events.add(batch.count, ordering: .relaxed)
        segment.end.store(position, ordering: .releasing)
        // Sequentially consistent, for it is then asked whether the readers sleep (see `ReaderWake`).
        lanes[own].end.store(position, ordering: .sequentiallyConsistent)
        for reporter in settings.reporters { reporter.wake.eventsCame() }
    }

    private func segment(for length: Int) throws(SystemError) -> (SpoolSegment, RandomAccessFile) {
        if let open, !isNewSegmentDue(open.segment, for: length) { return (open.segment, open.file) }
        let lane = lanes[own]
        let segment = SpoolSegment(directory: lane.directory, start: position, end: position, isCounted: true)
        let file = try RandomAccessFile(path: segment.path, .create)
        if settings.fsync == .always { try Directory.synchronize(lane.directory) }
        lane.begin(segment, file)
        open = Open(segment: segment, file: file)
        return (segment, file)
    }

    /// Where it would grow too large; and where it is all acknowledged and large enough for a new one to be worth it, so
    /// that its file can go.
    private func isNewSegmentDue(_ segment: SpoolSegment, for length: Int) -> Bool {
        let size = Int(position - segment.start)
        if size > 0 && size + length > settings.segmentSize { return true }
        return size > settings.segmentSize / 4 && lanes[own].acknowledged.load(ordering: .acquiring) == position
    }
}

@available(*, unavailable)
extension SpoolLane: Sendable {}
