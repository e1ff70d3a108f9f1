import Synchronization

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
    /// A segment that was dropped, is counted by the keeper, and is on the disk until then.
    var uncounted: Uncounted?
    /// Segments that were dropped, counted and emptied, whose names the keeper removes.
    var dropped: [SpoolSegment] = []

    struct Reader {
        var acknowledged: Int64
        /// What of that is written down.
        var stored: Int64
        /// How far it has read.
        var claimed: Int64
        /// In which segment that is, and how many events of it have been read.
        private var claimedStart: Int64 = -1
        private var claimedCount = 0

        init(acknowledged: Int64) {
            self.acknowledged = acknowledged
            stored = acknowledged
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

    struct Uncounted {
        let segment: SpoolSegment
        /// Which Reporters had not read it to its end, and from where on.
        var readers: [(index: Int, from: Int64)] = []
    }

    var acknowledgedByAll: Int64 { readers.reduce(Int64.max) { min($0, $1.acknowledged) } }
    /// The same, as far as it is written down.
    var storedByAll: Int64 { readers.reduce(Int64.max) { min($0, $1.stored) } }

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
        let through = storedByAll
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
