import Logging
import Synchronization

/// A Reporter's reading end of the spool: all lanes. For one thread.
final class SpoolSource: EventSource {
    /// How often, and at what distance, it is tried to read what cannot be read. After that it counts as lost, where it
    /// is the disk's fault; for want of descriptors and the like, it is tried for ever.
    private static let maxFailures = 10
    private static let retryNanoseconds: Int64 = 200_000_000

    private let lanes: [StoredLane]
    /// Which of the Reporters reads.
    private let reader: Int
    private let settings: SpoolSettings
    private var places: [Place] = []
    /// The lane that comes first next time, so that a busy one does not starve the others.
    private var first = 0
    /// Chunks whose frames have been handed out, and chunks to be filled.
    private var spent: [SpoolChunk] = []
    private var spare: [SpoolChunk] = []

    /// How far a lane has been read.
    private struct Place {
        var segment: SpoolSegment?
        var file: SegmentReader?
        /// What is read next.
        var position: Int64
        /// The end of the last event that was handed out, and up to where such have been acknowledged.
        var handedOut: Int64
        var acknowledged: Int64
        /// How often what comes next could not be read.
        var failures = 0
        /// Read, and not yet handed out, in part at least.
        var chunk: SpoolChunk?
        /// Under drop-oldest, where the events end that were handed out and are not acknowledged: from `firstOnTheWay` on.
        var onTheWay: [Int64] = []
        var firstOnTheWay = 0

        mutating func left(_ end: Int64) { onTheWay.append(end) }

        mutating func arrived(through position: Int64) {
            while firstOnTheWay < onTheWay.count, onTheWay[firstOnTheWay] <= position { firstOnTheWay += 1 }
            guard firstOnTheWay == onTheWay.count || firstOnTheWay > 10_000 else { return }
            onTheWay.removeFirst(firstOnTheWay)
            firstOnTheWay = 0
        }

        /// How many of them end there or before.
        func onTheWay(through position: Int64) -> Int { onTheWay[firstOnTheWay...].prefix { $0 <= position }.count }
    }

    init(lanes: [StoredLane], reader: Int, settings: SpoolSettings) {
        self.lanes = lanes
        self.reader = reader
        self.settings = settings
        places = lanes.map { lane in
            let position = lane.acknowledged(by: reader)
            return Place(position: position, handedOut: position, acknowledged: position)
        }
    }

    var isDurable: Bool { true }
    var laneCount: Int { lanes.count }

    var hasEvents: Bool {
        for index in places.indices {
            if places[index].chunk != nil { return true }
            if places[index].position < lanes[index].end.load(ordering: .sequentiallyConsistent) { return true }
        }
        return false
    }

    /// More than can be read at once.
    var isBehind: Bool {
        var length: Int64 = 0
        for index in places.indices { length += lanes[index].end.load(ordering: .relaxed) - places[index].handedOut }
        return length > 1 << 20
    }

    func gather(into events: inout [WaitingEvent], limit: Int) {
        var rest = limit
        for number in places.indices where rest > 0 {
            gather(from: (first + number) % places.count, into: &events, &rest)
        }
        if !places.isEmpty { first = (first + 1) % places.count }
    }

    private func gather(from lane: Int, into events: inout [WaitingEvent], _ rest: inout Int) {
        while rest > 0 {
            if let chunk = places[lane].chunk {
                handOut(chunk, of: lane, into: &events, &rest)
            } else if !readOn(lane) {
                return
            }
        }
    }

    private func handOut(_ chunk: SpoolChunk, of lane: Int, into events: inout [WaitingEvent], _ rest: inout Int) {
        let view = chunk.buffer.view
        while chunk.taken < chunk.frames.count {
            if rest <= 0 { return }
            let range = chunk.frames[chunk.taken]
            guard let frame = EventFrame(in: view, at: range.lowerBound) else {
                preconditionFailure("a chunk's frames were checked")
            }
            chunk.taken += 1
            rest -= range.count
            let end = chunk.start + Int64(range.upperBound)
            events.append(WaitingEvent(frame: frame, lane: lane, end: end))
            places[lane].handedOut = end
            if settings.dropsOldest { places[lane].left(end) }
        }
        spent.append(chunk)
        places[lane].chunk = nil
    }

    /// Reads the next chunk of a lane, or goes on to its next segment. False where there is nothing more.
    private func readOn(_ lane: Int) -> Bool {
        let end = lanes[lane].end.load(ordering: .acquiring)
        guard places[lane].position < end else { return false }
        guard let segment = places[lane].segment, let file = places[lane].file,
            places[lane].position < segment.end.load(ordering: .acquiring)
        else {
            return goOn(lane, end: end)
        }
        let chunk = spare.popLast() ?? SpoolChunk()
        let from = places[lane].position
        let segmentEnd = segment.end.load(ordering: .acquiring)
        do throws(SystemError) {
            try file.read(into: chunk, end: segmentEnd)
        } catch {
            spare.append(chunk)
            return failed(lane, segment, error)
        }
        places[lane].failures = 0
        let isOurs = lanes[lane].claim(
            segment,
            for: reader,
            from: from,
            through: file.position,
            events: chunk.frames.count
        )
        guard isOurs else {
            // The segment was dropped while it was read.
            spare.append(chunk)
            return goOn(lane, end: end)
        }
        for range in file.takeLost() {
            lost("\(segment.path) is damaged at byte \(range.lowerBound - segment.start)", range)
        }
        for later in file.takeLater() {
            let what = "a later version wrote an event that this one cannot read (\(later.frame))"
            lost("\(segment.path): \(what)", later.range)
        }
        move(lane, to: file.position)
        if chunk.frames.isEmpty {
            spare.append(chunk)
            passOver(lane)
        } else {
            places[lane].chunk = chunk
        }
        return true
    }

    /// To the next segment that holds something, or to the end. False where it cannot be opened yet.
    private func goOn(_ lane: Int, end: Int64) -> Bool {
        close(lane)
        let (position, segment) = lanes[lane].next(for: reader, after: places[lane].position)
        let start = max(position, segment?.start ?? end)
        if start > position { lost("\(lanes[lane].directory) has a gap", position..<start) }
        move(lane, to: start)
        passOver(lane)
        guard let segment else { return true }
        do throws(SystemError) {
            places[lane].file = try SegmentReader(path: segment.path, start: segment.start, position: start)
            places[lane].segment = segment
            return true
        } catch {
            // Where it was dropped just now, it is passed over next time.
            if lanes[lane].next(for: reader, after: start).position > start { return true }
            return failed(lane, segment, error)
        }
    }

    /// Waits, and lets the reading be tried again (false), or gives it up (true).
    private func failed(_ lane: Int, _ segment: SpoolSegment, _ error: SystemError) -> Bool {
        close(lane)
        let reason = "cannot \(error.call) \(segment.path): \(error.reason)"
        places[lane].failures += 1
        if error.isMissingFile || error.isUnreadable && places[lane].failures > Self.maxFailures {
            places[lane].failures = 0
            let end = segment.end.load(ordering: .acquiring)
            lost(reason, places[lane].position..<end, events: lanes[lane].unread(of: segment, by: reader))
            move(lane, to: end)
            passOver(lane)
            return true
        }
        if places[lane].failures == 1 { settings.log(.error, reason + "; trying again") }
        settings.reporters[reader].wake.pause(nanoseconds: Self.retryNanoseconds)
        return false
    }

    private func move(_ lane: Int, to position: Int64) { places[lane].position = position }

    private func close(_ lane: Int) {
        places[lane].segment = nil
        places[lane].file = nil
    }

    /// - Parameter events: nil: nobody knows how many, and they count as one.
    private func lost(_ what: String, _ range: Range<Int64>, events: Int? = nil) {
        settings.reporters[reader].counters.dropped.add(events ?? 1, ordering: .relaxed)
        settings.log(.error, "\(what): \(range.count) bytes are lost to Reporter \(settings.reporters[reader].name)")
    }

    /// Nobody acknowledges what was passed over without an event: it goes with the event before it.
    private func passOver(_ lane: Int) {
        let place = places[lane]
        guard place.chunk == nil, place.acknowledged == place.handedOut, place.position > place.handedOut else {
            return
        }
        places[lane].handedOut = place.position
        places[lane].acknowledged = place.position
        lanes[lane].acknowledge(for: reader, through: place.position)
    }

    func release() {
        spare.append(contentsOf: spent)
        spent.removeAll(keepingCapacity: true)
    }

    func acknowledge(lane: Int, through position: Int64) {
        let place = places[lane]
        precondition(
            position >= place.acknowledged && position <= place.handedOut,
            "acknowledged in order, once gathered"
        )
        places[lane].acknowledged = position
        if settings.dropsOldest { places[lane].arrived(through: position) }
        lanes[lane].acknowledge(for: reader, through: position)
        passOver(lane)
    }

    /// What was not acknowledged stays, but for what the spool has dropped after it was read: that is lost now.
    func close() {
        for lane in places.indices {
            close(lane)
            let kept = lanes[lane].acknowledged(by: reader)
            var dropped = places[lane].onTheWay(through: kept)
            if let chunk = places[lane].chunk {
                if kept > places[lane].handedOut { dropped += chunk.frames.count - chunk.taken }
                places[lane].chunk = nil
            }
            if dropped > 0 { settings.reporters[reader].counters.dropped.add(dropped, ordering: .relaxed) }
        }
        release()
        spare = []
    }
}

@available(*, unavailable)
extension SpoolSource: Sendable {}
