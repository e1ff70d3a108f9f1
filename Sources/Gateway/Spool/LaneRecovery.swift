import Logging
import Synchronization

/// Finds what an earlier run has left in a lane's directory, and puts in order what a crash has left undone.
struct LaneRecovery {
    private let directory: String
    private let settings: SpoolSettings
    /// Newest last; each ends where the next one begins, or before.
    private var segments: [SpoolSegment] = []

    /// - Parameter hasWriter: Whether a shard of this run goes on with the lane.
    /// - Returns: nil where there was nothing in it, and nobody will write: the directory is gone.
    static func open(_ directory: String, hasWriter: Bool, settings: SpoolSettings) throws(SpoolError) -> StoredLane? {
        var recovery = LaneRecovery(directory: directory, settings: settings)
        do {
            if hasWriter { try Directory.make(directory) }
            try recovery.findSegments()
            return try recovery.makeLane(hasWriter: hasWriter)
        } catch {
            throw .failed(path: directory, error: error)
        }
    }

    private init(directory: String, settings: SpoolSettings) {
        self.directory = directory
        self.settings = settings
    }

    private mutating func findSegments() throws(SystemError) {
        var next = Int64.max
        // From the last one back: only it can be torn. What stands behind it in an older one was not meant to stay.
        for start in try Directory.names(in: directory).compactMap(SpoolSegment.start(ofName:)).reversed() {
            let segment = SpoolSegment(directory: directory, start: start, end: start, isCounted: false)
            let size = try RandomAccessFile(path: segment.path, .read).size
            var end = min(next, start + Int64(size))
            if segments.isEmpty { end = try cutTail(of: segment, end: end) }
            if end == start {
                try FileSystem.remove(segment.path)
                continue
            }
            segment.end.store(end, ordering: .relaxed)
            segments.insert(segment, at: 0)
            next = start
        }
    }

    /// Cuts off what a writer did not bring to its end, and returns where the last whole event ends.
    private func cutTail(of segment: SpoolSegment, end: Int64) throws(SystemError) -> Int64 {
        let whole: Int64
        do throws(SystemError) {
            let reader = try SegmentReader(path: segment.path, start: segment.start, position: segment.start)
            let chunk = SpoolChunk()
            while reader.position < end { try reader.read(into: chunk, end: end) }
            whole = reader.endOfFrames
        } catch {
            // The Reporters will see how far it can be read.
            settings.log(.error, "cannot \(error.call) \(segment.path): \(error.reason)")
            return end
        }
        if whole < end {
            let length = Int(whole - segment.start)
            try RandomAccessFile(path: segment.path, .update).truncate(to: length)
            settings.log(.notice, "\(segment.path): cut off \(end - whole) bytes of events not written to their end")
        }
        return whole
    }

    private func makeLane(hasWriter: Bool) throws(SystemError) -> StoredLane? {
        try removeForeignCursors()
        if segments.isEmpty && !hasWriter {
            for reporter in settings.reporters {
                try FileSystem.remove(directory + "/" + reporter.name + SpoolCursor.suffix)
            }
            try Directory.remove(directory)
            return nil
        }

        var cursors: [(cursor: SpoolCursor, stored: Int64?)] = []
        for reporter in settings.reporters {
            let cursor = try SpoolCursor(directory: directory, reporter: reporter.name)
            let (stored, isDamaged) = try cursor.load()
            if isDamaged { settings.log(.warning, "\(cursor.path) is damaged; events will come twice") }
            cursors.append((cursor, stored))
        }
        // A power cut may have spared the cursor and not the events: what comes now must not fall behind it.
        let dataEnd = segments.last?.end.load(ordering: .relaxed) ?? 0
        let end = cursors.reduce(dataEnd) { max($0, $1.stored ?? 0) }
        let oldest = segments.first?.start ?? end
        var readers: [LaneState.Reader] = []
        for (cursor, stored) in cursors {
            // One that is new gets all that is there.
            let reader = LaneState.Reader(cursor: cursor, acknowledged: stored ?? oldest)
            if stored == nil { try cursor.store(reader.acknowledged) }
            readers.append(reader)
        }

        var state = LaneState(
            segments: segments,
            gaps: [],
            readers: readers,
            hasWriter: hasWriter,
            synchronizedEnd: end
        )
        for segment in state.removeSpent() { try FileSystem.remove(segment.path) }
        state.gaps = findGaps(in: state, end: end)
        return StoredLane(directory: directory, settings: settings, state: state, end: end)
    }

    private func removeForeignCursors() throws(SystemError) {
        let known = settings.reporters.map { $0.name + SpoolCursor.suffix }
        for name in try Directory.names(in: directory) where name.hasSuffix(SpoolCursor.suffix) && !known.contains(name)
        {
            settings.log(.notice, "\(directory)/\(name): no such Reporter any more; its place is forgotten")
            try FileSystem.remove(directory + "/" + name)
        }
    }

    private func findGaps(in state: LaneState, end: Int64) -> [Range<Int64>] {
        var gaps: [Range<Int64>] = []
        var position = state.acknowledgedByAll
        func pass(to start: Int64) {
            guard start > position else { return }
            gaps.append(position..<start)
            settings.log(
                .error,
                "\(directory): \(start - position) bytes of events, from position \(position) to \(start), are not there: "
                    + "their files were removed, or a power cut came before they were on the disk"
            )
        }
        for segment in state.segments {
            pass(to: segment.start)
            position = max(position, segment.end.load(ordering: .relaxed))
        }
        pass(to: end)
        return gaps
    }
}
