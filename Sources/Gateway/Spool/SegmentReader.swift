/// Frames that were read from a segment and stand in memory.
final class SpoolChunk {
    let buffer = ByteBuffer(capacity: SegmentReader.chunkSize)
    /// The position of the buffer's first byte.
    fileprivate(set) var start: Int64 = 0
    /// Where each whole frame stands in the buffer.
    fileprivate(set) var frames: [Range<Int>] = []
    /// How many of the frames have been taken out.
    var taken = 0

    fileprivate func reset(start: Int64) {
        buffer.removeAll(keepingAtMost: SegmentReader.chunkSize)
        frames.removeAll(keepingCapacity: true)
        taken = 0
        self.start = start
    }
}

/// Reads a segment forward in chunks, checks every frame, and passes over what is none.
final class SegmentReader {
    /// How much is read at once; more for a frame that is larger.
    static let chunkSize = 256 << 10

    private let start: Int64
    private let file: RandomAccessFile
    /// How far the segment has been read.
    private(set) var position: Int64
    /// Where the last whole frame ends.
    private(set) var endOfFrames: Int64
    /// How much must be read at least, for one more frame.
    private var needed = 0
    /// Where the bytes begin that are no frame, up to `position` at least.
    private var lostFrom: Int64?
    /// Stretches that were no frames, since last asked.
    private(set) var lost: [Range<Int64>] = []
    /// Whole frames that this program cannot read, likewise.
    private var later: [(range: Range<Int64>, frame: LaterFrame)] = []

    init(path: String, start: Int64, position: Int64) throws(SystemError) {
        self.start = start
        self.position = position
        endOfFrames = position
        file = try RandomAccessFile(path: path, .read)
    }

    func takeLost() -> [Range<Int64>] {
        if lost.isEmpty { return [] }
        defer { lost = [] }
        return lost
    }

    func takeLater() -> [(range: Range<Int64>, frame: LaterFrame)] {
        if later.isEmpty { return [] }
        defer { later = [] }
        return later
    }

    /// Reads on, but not past `end`. Moves `position`, or learns that it must read more at once next time.
    func read(into chunk: SpoolChunk, end: Int64) throws(SystemError) {
        chunk.reset(start: position)
        let length = Int(min(end - position, Int64(max(Self.chunkSize, needed))))
        try file.read(into: chunk.buffer, at: Int(position - start), upTo: length)
        let view = chunk.buffer.view
        // The file is shorter than it was: what is not there is lost.
        let isShort = view.count < length
        let rest = isShort ? view.count : Int(end - position)
        needed = 0
        var offset = 0
        parsing: while offset < view.count {
            switch Self.look(at: view, offset, rest: rest - offset) {
            case .frame(let length):
                endLost(at: position + Int64(offset))
                chunk.frames.append(offset..<offset + length)
                offset += length
                endOfFrames = position + Int64(offset)
            case .later(let frame, let length):
                let start = position + Int64(offset)
                endLost(at: start)
                later.append((start..<start + Int64(length), frame))
                offset += length
                endOfFrames = start + Int64(length)
            case .beginning(let length):
                needed = length
                break parsing
            case .nothing:
                if lostFrom == nil { lostFrom = position + Int64(offset) }
                offset = Self.nextMark(in: view, from: offset + 1, isLast: view.count == rest)
            }
        }
        if isShort && lostFrom == nil { lostFrom = position + Int64(offset) }
        position = isShort ? end : position + Int64(offset)
        if position == end { endLost(at: end) }
    }

    private func endLost(at end: Int64) {
        guard let from = lostFrom else { return }
        if from < end { lost.append(from..<end) }
        lostFrom = nil
    }

    private enum Look {
        case frame(length: Int)
        /// A whole one that this program cannot read.
        case later(LaterFrame, length: Int)
        /// It may be a frame, of this length at least.
        case beginning(length: Int)
        case nothing
    }

    /// - Parameter rest: How many bytes the segment has from the offset on; the view may have fewer.
    private static func look(at view: ByteView, _ offset: Int, rest: Int) -> Look {
        guard rest >= EventFrame.prefixLength else { return .nothing }
        guard view.count - offset >= EventFrame.prefixLength else { return .beginning(length: EventFrame.prefixLength) }
        guard let length = EventFrame.length(in: view, at: offset), length >= EventFrame.prefixLength, length <= rest
        else { return .nothing }
        guard view.count - offset >= length else { return .beginning(length: length) }
        if let frame = EventFrame(in: view, at: offset) {
            return frame.isSealed && frame.isWellFormed ? .frame(length: length) : .nothing
        }
        let bytes = view[offset..<offset + length]
        guard let later = LaterFrame(bytes), EventFrame.isSealed(bytes) else { return .nothing }
        return .later(later, length: length)
    }

    /// What the first frame of a segment says of itself where this program cannot read it; nil: there is no such frame, or it
    /// is damaged. Of the frames behind it nothing is said, but a segment is written by one program.
    static func laterFrame(in file: RandomAccessFile) throws(SystemError) -> LaterFrame? {
        let bytes = ByteBuffer(capacity: EventFrame.prefixLength)
        try file.read(into: bytes, at: 0, upTo: EventFrame.prefixLength)
        guard bytes.count == EventFrame.prefixLength, let later = LaterFrame(bytes.view),
            let length = EventFrame.length(in: bytes.view, at: 0), length >= EventFrame.prefixLength,
            try length <= file.size
        else { return nil }
        try file.read(into: bytes, at: bytes.count, upTo: length - bytes.count)
        return withExtendedLifetime(bytes) { bytes.count == length && EventFrame.isSealed(bytes.view) } ? later : nil
    }

    /// The next place where a frame may begin: its mark, or what may be the beginning of one at the end of the view.
    private static func nextMark(in view: ByteView, from start: Int, isLast: Bool) -> Int {
        // The same of both marks.
        let firstByte = UInt8(truncatingIfNeeded: EventFrame.mark)
        var index = start
        while let found = view.firstIndex(of: firstByte, from: index) {
            guard view.count - found >= 4 else { return isLast ? view.count : found }
            if EventFrame.isMark(view.littleEndianWord(at: found)) { return found }
            index = found + 1
        }
        return view.count
    }
}

@available(*, unavailable)
extension SpoolChunk: Sendable {}
@available(*, unavailable)
extension SegmentReader: Sendable {}
