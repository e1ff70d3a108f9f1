import Logging
import Synchronization

/// Puts in order what a crash has left undone in a lane's directory, and makes the lane of what an earlier run has left.
struct LaneRecovery {
    private let contents: LaneContents
    private var directory: String { contents.directory }
    private let settings: SpoolSettings
    /// Newest last; each ends where the next one begins, or before.
    private var segments: [SpoolSegment] = []

    /// - Parameter hasWriter: Whether a shard of this run goes on with the lane.
    /// - Returns: nil where there was nothing in it, and nobody will write: the directory is gone.
    static func open(
        _ contents: LaneContents,
        hasWriter: Bool,
        settings: SpoolSettings
    ) throws(SpoolError) -> StoredLane? {
        var recovery = LaneRecovery(contents: contents, settings: settings)
        do {
            if hasWriter { try Directory.make(contents.directory) }
            try recovery.takeSegments()
            return try recovery.makeLane(hasWriter: hasWriter)
        } catch {
            throw .failed(path: contents.directory, error: error)
        }
    }

    private init(contents: LaneContents, settings: SpoolSettings) {
        self.contents = contents
        self.settings = settings
    }

    private mutating func takeSegments() throws(SystemError) {
        for found in contents.segments where found.end > found.start {
            segments.append(SpoolSegment(directory: directory, start: found.start, end: found.end, isCounted: false))
        }
    }

    /// Cuts off what was not written to its end, and removes files without anything in them.
    private func tidy() throws(SystemError) {
        for found in contents.segments {
            let path = directory + "/" + SpoolSegment.name(found.start)
            if found.isNewest, found.end < found.fileEnd {
                try RandomAccessFile(path: path, .update).truncate(to: Int(found.end - found.start))
                let length = found.fileEnd - found.end
                settings.log(.notice, "\(path): cut off \(length) bytes of events not written to their end")
            }
            if found.end == found.start { try FileSystem.remove(path) }
        }
    }

    private func makeLane(hasWriter: Bool) throws(SystemError) -> StoredLane? {
        try removeForeignCursors()
        tellOfMissingNewest()
        let newestPath = directory + "/" + SpoolCursor.newestName
        if segments.isEmpty && !hasWriter {
            try FileSystem.remove(newestPath)
            try tidy()
            for reporter in settings.reporters {
                try FileSystem.remove(SpoolCursor.path(directory: directory, reporter: reporter.name))
            }
            try Directory.remove(directory)
            return nil
        }

        var cursors: [(cursor: SpoolCursor, stored: Int64?)] = []
        for reporter in settings.reporters {
            let cursor = try SpoolCursor(path: SpoolCursor.path(directory: directory, reporter: reporter.name))
            let stored = contents.cursors[reporter.name]
            if stored?.isDamaged == true {
                settings.log(.warning, "\(cursor.path) is damaged; events will come twice")
            }
            cursors.append((cursor, stored?.position))
        }
        // A power cut may have spared the cursor and not the events, and a place may be behind files without any: what comes now
        // must not fall behind it.
        let dataEnd = max(segments.last?.end.load(ordering: .relaxed) ?? 0, contents.missingNewest ?? 0)
        // A Reporter that is new gets all that is there.
        let oldest = segments.first?.start ?? cursors.reduce(dataEnd) { max($0, $1.stored ?? 0) }
        let readers = cursors.map { LaneState.Reader(acknowledged: contents.passingDropped($0.stored ?? oldest)) }
        let end = readers.reduce(dataEnd) { max($0, $1.acknowledged) }
        for (place, reader) in zip(cursors, readers) where place.stored != reader.acknowledged {
            try place.cursor.store(reader.acknowledged)
        }

        var state = LaneState(
            segments: segments,
            gaps: [],
            readers: readers,
            hasWriter: hasWriter,
            synchronizedEnd: end
        )
        let spent = state.removeSpent()
        // Before any file goes: one that goes without is missed.
        let newest = try SpoolCursor(path: newestPath)
        do throws(SystemError) {
            try newest.store(state.segments.last?.start ?? SpoolCursor.none)
        } catch {
            // A full disk keeps nobody from delivering what is there, which makes room.
            settings.cursorTrouble(error, newest.path)
        }
        try tidy()
        for segment in spent { try FileSystem.remove(segment.path) }
        state.gaps = findGaps(in: state, end: end)
        return StoredLane(
            directory: directory,
            settings: settings,
            state: state,
            cursors: cursors.map(\.cursor),
            newest: newest,
            end: end
        )
    }

    /// Nobody can read what was in a file that is not there, and nobody would come by the place where it was.
    private func tellOfMissingNewest() {
        guard let start = contents.missingNewest else { return }
        let path = directory + "/" + SpoolSegment.name(start)
        settings.log(.error, "\(path) is missing: what it held that was not delivered is lost, nobody knows how much")
        for reporter in settings.reporters { reporter.counters.dropped.add(1, ordering: .relaxed) }
    }

    /// Of those for whom nothing waits any more, or whom nobody has written down.
    private func removeForeignCursors() throws(SystemError) {
        for name in contents.cursors.keys.sorted() where !settings.reporters.contains(where: { $0.name == name }) {
            let file = SpoolCursor.path(directory: directory, reporter: name)
            settings.log(.notice, "\(file): no such Reporter any more; its place is forgotten")
            try FileSystem.remove(file)
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
