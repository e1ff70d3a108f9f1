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

    /// - Parameter log: where to tell of what is odd.
    init(reading directory: String, log: ReporterLog) throws(SystemError) {
        self.directory = directory
        var starts: [Int64] = []
        for name in try Directory.names(in: directory) {
            if name.hasSuffix(SpoolCursor.suffix) {
                let reporter = String(name.dropLast(SpoolCursor.suffix.count))
                cursors[reporter] = try SpoolCursor.read(directory: directory, reporter: reporter)
            } else if let start = SpoolSegment.start(ofName: name) {
                starts.append(start)
            } else if name.hasSuffix(SpoolSegment.suffix) {
                log(
                    .error,
                    "\(directory)/\(name) is no file of the spool, though it is named like one; it is left alone"
                )
            }
        }
        try readSegments(starts, log)
    }

    private mutating func readSegments(_ starts: [Int64], _ log: ReporterLog) throws(SystemError) {
        var next = Int64.max
        // From the last one back. What stands behind the beginning of the next in an older one was not meant to stay.
        for start in starts.reversed() {
            let path = directory + "/" + SpoolSegment.name(start)
            let size: Int
            do throws(SystemError) {
                size = try RandomAccessFile(path: path, .read).size
            } catch {
                // Of one that runs: everybody has it by now.
                if error.isMissingFile { continue }
                throw error
            }
            let fileEnd = start + Int64(size)
            let isNewest = segments.allSatisfy { $0.end == $0.start }
            var segment = Segment(start: start, end: min(next, fileEnd), fileEnd: fileEnd, isNewest: isNewest)
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

    /// Of a lane without anything in it.
    init(empty directory: String) { self.directory = directory }

    /// How many bytes are stored that a Reporter has not acknowledged; all, of one without a place.
    func waiting(for reporter: String) -> Int {
        let position = cursors[reporter]?.position ?? 0
        return segments.reduce(0) { $0 + Int(max(0, $1.end - max($1.start, position))) }
    }
}
