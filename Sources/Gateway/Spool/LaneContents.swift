import Logging

/// What stands in a lane's directory. Reads only.
struct LaneContents {
    struct Segment {
        let start: Int64
        /// Where its events end: of the newest one, its last whole event; of others, where the next one begins at the latest.
        var end: Int64
        /// Where the file ends.
        let fileEnd: Int64
        /// Nothing was written after it: only it can be torn.
        let isNewest: Bool
        /// A frame in it that this program cannot read; nil: there is none, as far as was looked.
        var later: LaterFrame?
    }

    struct Cursor {
        /// nil: there is none in it that can be right.
        var position: Int64?
        var isDamaged: Bool
    }

    let directory: String
    /// Newest last.
    private(set) var segments: [Segment] = []
    /// By Reporter's name.
    private(set) var cursors: [String: Cursor] = [:]
    /// Where the newest segment begins, as was written down before it was written to; nil: not known, or there was none.
    private(set) var newest: Int64?

    /// - Parameter log: where to tell of what is odd.
    init(reading directory: String, log: ReporterLog) throws(SystemError) {
        self.directory = directory
        var starts: [Int64] = []
        for name in try Directory.names(in: directory) {
            if name.hasSuffix(SpoolCursor.suffix) {
                let reporter = String(name.dropLast(SpoolCursor.suffix.count))
                cursors[reporter] = try SpoolCursor.read(directory + "/" + name)
            } else if let start = SpoolSegment.start(ofName: name) {
                starts.append(start)
            } else if name.hasSuffix(SpoolSegment.suffix) {
                log(
                    .error,
                    "\(directory)/\(name) is no file of the spool, though it is named like one; it is left alone"
                )
            }
        }
        newest = try SpoolCursor.read(directory + "/" + SpoolCursor.newestName)?.position
        if newest == SpoolCursor.none { newest = nil }
        try readSegments(starts, log)
    }

    /// The newest segment, where its file is not there: nobody knows what it held.
    var missingNewest: Int64? {
        guard let newest, !segments.contains(where: { $0.start >= newest }) else { return nil }
        return newest
    }

    private mutating func readSegments(_ starts: [Int64], _ log: ReporterLog) throws(SystemError) {
        var next = Int64.max
        // From the last one back. What stands behind the beginning of the next in an older one was not meant to stay.
        for start in starts.reversed() {
            let path = directory + "/" + SpoolSegment.name(start)
            let file: RandomAccessFile
            let size: Int
            do throws(SystemError) {
                file = try RandomAccessFile(path: path, .read)
                size = try file.size
            } catch {
                // Of one that runs: everybody has it by now.
                if error.isMissingFile { continue }
                throw error
            }
            let fileEnd = start + Int64(size)
            let isNewest = segments.allSatisfy { $0.end == $0.start }
            var segment = Segment(start: start, end: min(next, fileEnd), fileEnd: fileEnd, isNewest: isNewest)
            // What cannot be read is told of when its events are.
            segment.later = try? SegmentReader.laterFrame(in: file)
            if isNewest { segment.end = Self.endOfEvents(path, segment, log) }
            segments.insert(segment, at: 0)
            next = start
        }
    }

    /// Where the last whole event ends.
    private static func endOfEvents(_ path: String, _ segment: Segment, _ log: ReporterLog) -> Int64 {
        do throws(SystemError) {
            let reader = try SegmentReader(path: path, start: segment.start, position: segment.start)
            let chunk = SpoolChunk()
            while reader.position < segment.end { try reader.read(into: chunk, end: segment.end) }
            return reader.endOfFrames
        } catch {
            // The Reporters will see how far it can be read.
            log(.error, "cannot \(error.call) \(path): \(error.reason)")
            return segment.end
        }
    }

    /// Where a Reporter goes on: behind segments that were dropped and counted, of which an empty file is left where the process
    /// died in the moment between.
    func passingDropped(_ position: Int64) -> Int64 {
        var position = position
        for (segment, next) in zip(segments, segments.dropFirst())
        where segment.end == segment.start && segment.fileEnd == segment.start && position >= segment.start {
            position = max(position, next.start)
        }
        return position
    }

    /// Of a lane without anything in it.
    init(empty directory: String) { self.directory = directory }

    /// How many bytes are stored that a Reporter has not acknowledged; all, of one without a place.
    func waiting(for reporter: String) -> Int {
        let position = cursors[reporter]?.position ?? 0
        return segments.reduce(0) { $0 + Int(max(0, $1.end - max($1.start, position))) }
    }
}
