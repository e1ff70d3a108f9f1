import Logging
import Synchronization

/// A shard's writing end of the spool: one lane, for all Reporters.
///
/// Nothing is stored beyond `spool.maxBytes`, over all lanes: room is reserved before it is written to. What the events of a
/// turn come in, several parts where they are many, stands in one segment and is seen by the Reporters once the last part
/// is in; where one finds no room, or cannot be written, nothing of the turn stays.
final class SpoolLane: EventLane {
    /// How often it is tried whether a lane can be written again, and looked whether its segment is still there.
    private static let probeNanoseconds: Int64 = 200_000_000
    private static let lookNanoseconds: Int64 = 1_000_000_000

    private let lanes: [StoredLane]
    private let own: Int
    private let settings: SpoolSettings
    /// The segment that is being written; nil: a new one is due.
    private var open: Open?
    /// Where the next part goes.
    private var position: Int64
    private var turn: Turn
    /// The last write failed; when to try again, on `Clock.monotonic`.
    private var nextProbe: Int64?
    private var lastLook: Int64 = 0

    private struct Open {
        let segment: SpoolSegment
        let file: RandomAccessFile
    }

    /// What has come of the present turn.
    private struct Turn {
        /// Where its first part stands.
        var start: Int64
        var events = 0
        /// A part was not stored: the others are not either.
        var hasFailed = false
    }

    private enum Failure: Error {
        /// `spool.maxBytes` leaves no room.
        case noRoom
        case system(SystemError)
    }

    /// - Parameter own: Which of the lanes is the shard's. The others are only there for making room.
    init(_ own: Int, of lanes: [StoredLane], settings: SpoolSettings) {
        self.own = own
        self.lanes = lanes
        self.settings = settings
        position = lanes[own].end.load(ordering: .relaxed)
        turn = Turn(start: position)
    }

    /// While the spool cannot be written, one caller every 200 ms hears that it is not full: its request is the test.
    var isFull: Bool {
        if settings.dropsOldest { return false }
        if settings.isNearlyFull && !makeRoomOfDrained() {
            settings.reachedLimit()
            return true
        }
        guard let probe = nextProbe else { return false }
        let now = Clock.monotonic()
        if now < probe { return true }
        nextProbe = now + Self.probeNanoseconds
        return false
    }

    /// Nothing is reserved: others may be faster, and then those of a turn that finds no room are refused.
    func hasRoom(forEvents events: Int, bytes: Int) -> Bool {
        if settings.dropsOldest || settings.canReserve(bytes) || makeRoomOfDrained() && settings.canReserve(bytes) {
            return true
        }
        settings.didNotFit(bytes)
        settings.refusedEvents.add(events, ordering: .relaxed)
        return false
    }

    var maxAnswerBytes: Int { settings.dropsOldest ? .max : settings.maxBytes }

    func submit(_ batch: EventBatch, isLast: Bool) -> Bool {
        batch.seal()
        if settings.dropsOldest { return submitMakingRoom(batch) }
        defer { if isLast { turn = Turn(start: position) } }
        if !turn.hasFailed {
            do throws(Failure) {
                if batch.oversized > 0 { throw .noRoom }
                if batch.count > 0 { try append(batch) }
                turn.events += batch.count
                if isLast { try publishTurn() }
                return true
            } catch {
                rollBack(to: turn.start)
                tell(error, length: batch.bytes.count)
                turn.hasFailed = true
                settings.refusedEvents.add(turn.events, ordering: .relaxed)
            }
        }
        settings.refusedEvents.add(batch.count + batch.oversized, ordering: .relaxed)
        return false
    }

    // MARK: Refusing what finds no room

    /// Reserves room for a part of the turn and writes it behind the one before.
    private func append(_ batch: EventBatch) throws(Failure) {
        let length = batch.bytes.count
        guard settings.reserve(length) || makeRoomOfDrained() && settings.reserve(length) else { throw .noRoom }
        let isFirst = position == turn.start
        do throws(SystemError) {
            do throws(SystemError) {
                try write(batch, isFirst: isFirst)
            } catch {
                // This lane's own segment may be one in which everybody has everything.
                if isFirst { open?.segment.endUse() }
                guard error.isFullDisk, makeRoomOfDrained() else { throw error }
                try write(batch, isFirst: isFirst)
            }
        } catch {
            settings.release(length)
            throw .system(error)
        }
        position += Int64(length)
    }

    /// Lets the Reporters see what the turn has brought.
    private func publishTurn() throws(Failure) {
        guard let open, position > turn.start else { return }
        if settings.fsync == .always {
            do throws(SystemError) {
                try open.file.synchronize()
            } catch {
                throw .system(error)
            }
        }
        publish(open.segment, from: turn.start, events: turn.events)
    }

    /// Takes back what was written from there on.
    private func rollBack(to start: Int64) {
        settings.release(Int(position - start))
        position = start
        guard let open else { return }
        // (Where even that fails, the next one is written over it.)
        try? open.file.truncate(to: Int(max(0, start - open.segment.start)))
        open.segment.endUse()
    }

    private func tell(_ failure: Failure, length: Int) {
        switch failure {
        case .noRoom: settings.didNotFit(length)
        case .system(let error): fail(error)
        }
    }

    private func fail(_ error: SystemError) {
        if nextProbe == nil { settings.beganFailing(error, in: lanes[own].directory) }
        nextProbe = Clock.monotonic() + Self.probeNanoseconds
        // After a failed sync, nobody knows what the disk has of this file: no more is entrusted to it.
        if error.call == "fdatasync" { open = nil }
    }

    // MARK: Dropping the oldest

    /// Each part by itself: nobody is refused for it.
    private func submitMakingRoom(_ batch: EventBatch) -> Bool {
        var dropped = batch.oversized
        if batch.count > 0 {
            do throws(Failure) {
                try storeMakingRoom(batch)
            } catch {
                tell(error, length: batch.bytes.count)
                dropped += batch.count
            }
        }
        if dropped > 0 {
            for reporter in settings.reporters { reporter.counters.dropped.add(dropped, ordering: .relaxed) }
        }
        return true
    }

    private func storeMakingRoom(_ batch: EventBatch) throws(Failure) {
        let length = batch.bytes.count
        // For what can never fit, nothing else has to go.
        guard length <= settings.maxBytes else { throw .noRoom }
        while !settings.reserve(length) {
            if makeRoomOfDrained() { continue }
            settings.reachedLimit()
            guard dropOldest() else { throw .noRoom }
        }
        while true {
            do throws(SystemError) {
                try write(batch, isFirst: true)
                if settings.fsync == .always { try open?.file.synchronize() }
                break
            } catch {
                rollBack(to: position)
                if error.isFullDisk, makeRoomOfDrained() || dropOldest() { continue }
                settings.release(length)
                throw .system(error)
            }
        }
        position += Int64(length)
        if let open { publish(open.segment, from: position - Int64(length), events: batch.count) }
    }

    /// Of this lane, else of the next one that has a segment to drop; at last what this lane itself is writing.
    private func dropOldest() -> Bool {
        for number in lanes.indices where lanes[(own + number) % lanes.count].dropOldest() { return true }
        guard let written = open?.segment, written.end.load(ordering: .relaxed) > written.start else { return false }
        open = nil
        lanes[own].complete()
        return lanes[own].dropOldest()
    }

    // MARK: Either way

    /// Lets go of files in which everybody has everything; false where there are none.
    private func makeRoomOfDrained() -> Bool {
        var hasMadeRoom = false
        for lane in lanes where lane.letGoOfDrained() { hasMadeRoom = true }
        return hasMadeRoom
    }

    private func write(_ batch: EventBatch, isFirst: Bool) throws(SystemError) {
        let open = try openSegment(for: batch.bytes.count, isFirst: isFirst)
        try open.file.write(batch.bytes.view, at: Int(position - open.segment.start))
    }

    private func publish(_ segment: SpoolSegment, from start: Int64, events: Int) {
        let length = Int(position - start)
        // Added before anybody can take it away.
        settings.storedBytes.add(length, ordering: .relaxed)
        for reporter in settings.reporters { reporter.counters.queuedBytes.add(length, ordering: .relaxed) }
        segment.events.add(events, ordering: .relaxed)
        segment.end.store(position, ordering: .releasing)
        segment.endUse()
        // Sequentially consistent, for it is then asked whether the readers sleep (see `ReaderWake`).
        lanes[own].end.store(position, ordering: .sequentiallyConsistent)
        for reporter in settings.reporters { reporter.wake.eventsCame() }
        guard nextProbe != nil else { return }
        nextProbe = nil
        settings.endedFailing()
    }

    /// The segment for the next part, in use from now on.
    ///
    /// - Parameter isFirst: Whether another one may be begun: a turn stands in one, however large that gets.
    private func openSegment(for length: Int, isFirst: Bool) throws(SystemError) -> Open {
        if let open {
            if !isFirst { return open }
            if !isNewSegmentDue(open, for: length), open.segment.beginUse() { return open }
        }
        let lane = lanes[own]
        let segment = SpoolSegment(directory: lane.directory, start: position, end: position, isCounted: true)
        let file = try RandomAccessFile(path: segment.path, .create)
        if settings.fsync == .always { try Directory.synchronize(lane.directory) }
        _ = segment.beginUse()
        lane.begin(segment, file)
        let new = Open(segment: segment, file: file)
        open = new
        return new
    }

    /// Where it would grow too large; where it is all acknowledged and large enough for a new one to be worth it, so that its
    /// file can go; and where somebody has removed it.
    private func isNewSegmentDue(_ open: Open, for length: Int) -> Bool {
        let size = Int(position - open.segment.start)
        if size > 0 && size + length > settings.segmentSize { return true }
        if size > settings.segmentSize / 4 && lanes[own].acknowledged.load(ordering: .acquiring) == position {
            return true
        }
        let now = Clock.monotonic()
        guard now - lastLook >= Self.lookNanoseconds else { return false }
        lastLook = now
        guard open.file.isRemoved else { return false }
        settings.log(
            .error,
            "\(open.segment.path) was removed while it was written; what nobody has read of it is lost"
        )
        return true
    }
}

@available(*, unavailable)
extension SpoolLane: Sendable {}
