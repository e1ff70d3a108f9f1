/// The encoded events of one turn of a shard's loop, in order. Emptied and filled again each turn.
final class EventBatch {
    /// Frames, one after the other.
    let bytes = ByteBuffer(capacity: 64 << 10)
    /// Where each frame stands in `bytes`.
    private(set) var frames: [Range<Int>] = []
    /// How many events were too large to be events (`EventFrame.maxLineLength`): they are not in the batch, and whoever takes it
    /// must count them as lost.
    private(set) var oversized = 0
    private let maxLineLength: Int

    init(maxLineLength: Int = EventFrame.maxLineLength) { self.maxLineLength = maxLineLength }

    /// Whether nothing has come since it was emptied.
    var isEmpty: Bool { frames.isEmpty && oversized == 0 }
    /// How many events it holds.
    var count: Int { frames.count }

    /// An event of the batch; valid until the batch changes.
    subscript(index: Int) -> EventFrame {
        guard let frame = EventFrame(in: bytes.view, at: frames[index].lowerBound) else {
            preconditionFailure("a batch consists of frames")
        }
        return frame
    }

    /// Appends an event: `write` appends its line to `bytes` and returns where its parts stand in that line.
    @inline(__always)
    func append(_ kind: EventKind = .prediction, _ write: (ByteBuffer) -> EventFrame.Parts) {
        let start = bytes.count
        bytes.append(upTo: EventFrame.headerLength) { _ in EventFrame.headerLength }
        let lineStart = bytes.count
        let parts = write(bytes)
        let length = bytes.count - lineStart
        guard length <= maxLineLength else {
            oversized += 1
            bytes.truncate(to: start)
            return
        }
        EventFrame.write(parts, of: kind, lineLength: length, over: bytes.overwrite(start..<lineStart))
        frames.append(start..<bytes.count)
    }

    func removeAll() {
        bytes.removeAll(keepingAtMost: 4 << 20)
        frames.removeAll(keepingCapacity: true)
        oversized = 0
    }
}
