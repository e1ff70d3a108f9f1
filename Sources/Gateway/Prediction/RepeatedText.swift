/// The parts of an event that are the same in the next one of the same answer: copied, they cost a tenth.
///
/// One per encoder, which knows where the parts begin and end.
final class RepeatedText {
    private let text = ByteBuffer(capacity: 1 << 10)
    private var front = 0..<0
    private var middle = 0..<0
    private var end = 0..<0
    /// All parts are kept.
    private(set) var isKnown = false
    /// Where the parts of the frame stand, counted from the start of the front, and of the middle: as the frame's header has
    /// it, so that moving one is an addition. No time: 0.
    private var time: UInt64 = 0
    private var data: UInt64 = 0
    private var requestId: UInt64 = 0
    @EventFrame.Place private var modelName = 0..<0
    /// What the middle says of the model, besides its name.
    private var modelVersion = 0..<0
    private var timeTakenInMs = 0..<0

    func forget() {
        text.removeAll(keepingAtMost: 16 << 10)
        isKnown = false
    }

    private func keep(_ out: ByteBuffer, from start: Int) -> Range<Int> {
        let kept = text.count
        text.append(out[start..<out.count])
        return kept..<text.count
    }

    func keepFront(_ out: ByteBuffer, from start: Int, since lineStart: Int, _ parts: EventFrame.Parts) {
        forget()
        front = keep(out, from: start)
        let offset = UInt64(start - lineStart)
        time = parts.time.isEmpty ? 0 : parts.$time - offset
        data = parts.$data - offset
        requestId = parts.$requestId - offset
    }

    @inline(__always)
    func appendFront(to out: ByteBuffer, since lineStart: Int, _ parts: inout EventFrame.Parts) {
        let offset = UInt64(out.count - lineStart)
        out.append(text[front])
        parts.$time = time == 0 ? 0 : time &+ offset
        parts.$data = data &+ offset
        parts.$requestId = requestId &+ offset
    }

    func keepMiddle(
        _ out: ByteBuffer,
        from start: Int,
        since lineStart: Int,
        _ parts: EventFrame.Parts,
        _ event: PredictionEvent
    ) {
        // One that says something else of its model is not worth keeping.
        guard !isKnown else { return }
        middle = keep(out, from: start)
        $modelName = parts.$modelName - UInt64(start - lineStart)
        let versionStart = text.count
        text.append(event.modelVersion)
        modelVersion = versionStart..<text.count
        text.append(event.timeTakenInMs)
        timeTakenInMs = modelVersion.upperBound..<text.count
    }

    /// Whether the middle that is kept says of the model what this event says.
    @inline(__always)
    func hasNames(of event: PredictionEvent) -> Bool {
        text[middle.lowerBound + modelName.lowerBound..<middle.lowerBound + modelName.upperBound] == event.modelName
            && text[modelVersion] == event.modelVersion && text[timeTakenInMs] == event.timeTakenInMs
    }

    @inline(__always)
    func appendMiddle(to out: ByteBuffer, since lineStart: Int, _ parts: inout EventFrame.Parts) {
        let offset = UInt64(out.count - lineStart)
        out.append(text[middle])
        parts.$modelName = $modelName &+ offset
    }

    func keepEnd(_ out: ByteBuffer, from start: Int) {
        guard !isKnown else { return }
        end = keep(out, from: start)
        isKnown = true
    }

    @inline(__always)
    func appendEnd(to out: ByteBuffer) { out.append(text[end]) }
}

@available(*, unavailable)
extension RepeatedText: Sendable {}
