/// Writes events as JSON, one line each (CloudEvents 1.0, structured mode; "Events" in docs/api.md).
///
/// One per shard. Allocates nothing once the batch has its room.
final class PredictionEventEncoder {
    /// Room for everything that is not carried over from somewhere else: names, numbers, stamps.
    private static let fixedRoom = 1_024

    /// `{"specversion":…,"source":"…","id":"`: the same in every event of this process.
    private let opening = ByteBuffer()
    private let timestamps = TimestampWriter()
    /// What is the same in every event of an answer with many Predictions.
    private let repeated = RepeatedText()

    /// An encoder for events from `source`, a URI reference: `//host/ameron-sidecar`.
    init(source: String) {
        Array(source.utf8).withByteView { EventEnvelope.open(.prediction, source: $0, to: opening) }
    }

    /// Forgets the answer whose events were encoded last. Until the next call all events with a `rowCount` above 1 are of one
    /// answer: they differ in nothing but their row, and what the model says of it.
    func begin() { repeated.forget() }

    /// Appends one event to the batch.
    func encode(_ event: PredictionEvent, _ policy: EventPolicy = EventPolicy(), into batch: EventBatch) {
        let maxEventBytes = policy.maxEventBytes
        var leftOut: PredictionEvent.Members = []
        var length = Self.fixedRoom + opening.count
        length += event.value.bytes.count + event.extra.bytes.count
        if let input = event.input { length += input.bytes.count }
        if let request = event.request { length += request.body.bytes.count }
        if length > maxEventBytes { leftOut = shorten(event, &length, to: maxEventBytes) }
        batch.bytes.reserve(length)
        batch.append { out in
            let start = out.count
            var parts = append(event, without: leftOut, to: out)
            // What had to be escaped or encoded has grown.
            while out.count - start > maxEventBytes, let next = nextToLeaveOut(of: event, after: leftOut) {
                leftOut.insert(next)
                out.truncate(to: start)
                parts = append(event, without: leftOut, to: out)
            }
            return parts
        }
    }

    /// What must be left out in any case, as nothing gets shorter than it is.
    private func shorten(
        _ event: PredictionEvent,
        _ length: inout Int,
        to maxEventBytes: Int
    ) -> PredictionEvent.Members {
        var leftOut: PredictionEvent.Members = []
        while length > maxEventBytes, let next = nextToLeaveOut(of: event, after: leftOut) {
            leftOut.insert(next)
            length -= size(of: next, event)
        }
        return leftOut
    }

    private func nextToLeaveOut(
        of event: PredictionEvent,
        after leftOut: PredictionEvent.Members
    ) -> PredictionEvent.Members? {
        for (member, _) in PredictionEvent.Members.names where !leftOut.contains(member) && size(of: member, event) > 0
        {
            return member
        }
        return nil
    }

    private func size(of member: PredictionEvent.Members, _ event: PredictionEvent) -> Int {
        switch member {
        case .request: event.request?.body.bytes.count ?? 0
        case .input: event.input?.bytes.count ?? 0
        case .value: event.hasValue ? event.value.bytes.count : 0
        case .extra: event.extra.bytes.count
        default: 0
        }
    }

    // MARK: The line

    private func append(
        _ event: PredictionEvent,
        without leftOut: PredictionEvent.Members,
        to out: ByteBuffer
    ) -> EventFrame.Parts {
        let start = out.count
        var parts = EventFrame.Parts()
        out.append(opening.view)
        parts.id = out.part(since: start) { $0.append(event.id) }
        let isRepeated = event.rowCount > 1
        if isRepeated, repeated.isKnown {
            repeated.appendFront(to: out, since: start, &parts)
        } else {
            let frontStart = out.count
            appendFront(of: event, to: out, since: start, &parts)
            if isRepeated { repeated.keepFront(out, from: frontStart, since: start, parts) }
        }
        parts.predictionId = out.part(since: start) { $0.append(event.id) }
        out.append(#"","rowIndex":"#)
        out.append(decimal: event.rowIndex)
        if isRepeated, repeated.isKnown, repeated.hasNames(of: event) {
            repeated.appendMiddle(to: out, since: start, &parts)
        } else {
            let middleStart = out.count
            appendMiddle(of: event, to: out, since: start, &parts)
            if isRepeated { repeated.keepMiddle(out, from: middleStart, since: start, parts, event) }
        }
        appendOutcome(of: event, without: leftOut, to: out, since: start, &parts)
        if isRepeated, repeated.isKnown {
            repeated.appendEnd(to: out)
        } else {
            let endStart = out.count
            appendStamps(of: event, time: parts.time.lowerBound + start..<parts.time.upperBound + start, to: out)
            out.append(UInt8(ascii: "}"))
            if isRepeated { repeated.keepEnd(out, from: endStart) }
        }
        parts.data = parts.data.lowerBound..<out.count - start
        EventEnvelope.close(out)
        out.append("\n")
        return parts
    }

    /// Between the id and the Prediction's id.
    private func appendFront(
        of event: PredictionEvent,
        to out: ByteBuffer,
        since start: Int,
        _ parts: inout EventFrame.Parts
    ) {
        if event.completedAt != 0 {
            EventEnvelope.appendBeforeTime(to: out)
            parts.time = out.part(since: start) { timestamps.append(event.completedAt, to: $0) }
        }
        EventEnvelope.appendBeforeData(to: out)
        parts.data = out.count - start..<out.count - start
        out.append(#"{"requestId":""#)
        parts.requestId = out.part(since: start) { $0.appendJSON(escaping: event.requestId) }
        out.append(#"","predictionId":""#)
    }

    /// Between the row's index and its value.
    private func appendMiddle(
        of event: PredictionEvent,
        to out: ByteBuffer,
        since start: Int,
        _ parts: inout EventFrame.Parts
    ) {
        out.append(#","rowCount":"#)
        out.append(decimal: event.rowCount)
        out.append(#","provider":""#)
        out.append(event.provider)
        out.append(#"","face":""#)
        out.append(event.face)
        append(#"","routedModel":""#, event.routedModel, to: out)
        append(#"","routedVersion":""#, event.routedVersion, to: out)
        out.append(#"","modelName":""#)
        parts.modelName = out.part(since: start) { $0.append(event.modelName) }
        append(#"","modelVersion":""#, event.modelVersion, to: out)
        out.append(#"","timeTakenInMs":"#)
        if event.timeTakenInMs.isEmpty {
            out.append(milliseconds: event.modelTime)
        } else {
            out.append(event.timeTakenInMs)
        }
        out.append(#","gatewayTimeInMs":"#)
        out.append(milliseconds: event.gatewayTime)
        out.append(#","status":"#)
        out.append(decimal: event.status)
    }

    /// Appends a member whose string the next one closes, unless it is empty.
    @inline(__always)
    private func append(_ name: StaticString, _ text: ByteView, to out: ByteBuffer) {
        guard !text.isEmpty else { return }
        out.append(name)
        out.append(text)
    }

    /// - Parameter time: where the text of `completedAt` stands already.
    private func appendStamps(of event: PredictionEvent, time: Range<Int>, to out: ByteBuffer) {
        append(#","receivedAt":""#, event.receivedAt, to: out)
        append(#","sentAt":""#, event.sentAt, to: out)
        append(#","answeredAt":""#, event.answeredAt, to: out)
        if event.completedAt != 0 {
            out.append(#","completedAt":""#)
            out.append(part: time)
            out.append(UInt8(ascii: "\""))
        }
        if !event.traceparent.isEmpty { out.appendMember(#","traceparent":"#, plain: event.traceparent) }
    }

    @inline(__always)
    private func append(_ name: StaticString, _ instant: Int64, to out: ByteBuffer) {
        guard instant != 0 else { return }
        out.append(name)
        timestamps.append(instant, to: out)
        out.append(UInt8(ascii: "\""))
    }
}

@available(*, unavailable)
extension PredictionEventEncoder: Sendable {}

extension ByteBuffer {
    /// What `write` appends, as a part of a line.
    @inline(__always)
    func part(since start: Int, _ write: (ByteBuffer) -> Void) -> Range<Int> {
        let partStart = count - start
        write(self)
        return partStart..<count - start
    }
}
