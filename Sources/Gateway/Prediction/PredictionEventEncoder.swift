/// Writes events as JSON, one line each (CloudEvents 1.0, structured mode; "PredictionEvent (version 1)" in the docs).
///
/// One per shard. Allocates nothing once the batch has its room.
final class PredictionEventEncoder {
    /// Room for everything that is not carried over from somewhere else: names, numbers, stamps.
    private static let fixedRoom = 1_024

    /// `{"specversion":…,"source":"…","id":"`: the same in every event of this process.
    private let opening = ByteBuffer()
    private let timestamps = TimestampWriter()
    /// The instants of the answer with many Predictions that was encoded last, and their text: the same in each event.
    private var stamps = Stamps()
    private let stampText = ByteBuffer(capacity: 256)

    private struct Stamps {
        var receivedAt: Int64 = 0
        var sentAt: Int64 = 0
        var answeredAt: Int64 = 0
        var completedAt: Int64 = 0
    }

    /// An encoder for events from `source`, a URI reference: `//host/ameron-sidecar`.
    init(source: String) {
        Array(source.utf8).withByteView { EventEnvelope.open(source: $0, to: opening) }
    }

    /// Appends one event to the batch.
    ///
    /// `isValidJSON` is asked, at most once, about a captured request body that claims to be JSON and is complete: only
    /// valid JSON may be carried over as it is.
    func encode(_ event: PredictionEvent, into batch: EventBatch, isValidJSON: (ByteView) -> Bool) {
        batch.bytes.reserve(
            Self.fixedRoom + opening.count + event.value.count + event.extra.count + (event.request?.body.count ?? 0)
        )
        batch.append { out in append(event, to: out, isValidJSON: isValidJSON) }
    }

    private func append(
        _ event: PredictionEvent,
        to out: ByteBuffer,
        isValidJSON: (ByteView) -> Bool
    ) -> EventFrame.Parts {
        let start = out.count
        var parts = EventFrame.Parts()
        /// What `write` appends, as a part of the line.
        func part(_ write: () -> Void) -> Range<Int> {
            let partStart = out.count - start
            write()
            return partStart..<out.count - start
        }

        out.append(opening.view)
        parts.id = part { out.append(event.id) }
        if event.completedAt != 0 {
            EventEnvelope.appendBeforeTime(to: out)
            parts.time = part { appendTime(of: event, to: out) }
        }
        EventEnvelope.appendBeforeData(to: out)
        parts.data = part {
            out.append(#"{"requestId":""#)
            parts.requestId = part { out.appendJSON(escaping: event.requestId) }
            out.append(#"","predictionId":""#)
            parts.predictionId = part { out.append(event.predictionId) }
            appendPlace(of: event, to: out)
            out.append(#"","modelName":""#)
            parts.modelName = part { out.append(event.modelName) }
            appendMeasures(of: event, to: out)
            appendOutcome(of: event, to: out)
            if let request = event.request { append(request, to: out, isValidJSON: isValidJSON) }
            appendStamps(of: event, to: out)
            out.append(UInt8(ascii: "}"))
        }
        EventEnvelope.close(out)
        out.append("\n")
        return parts
    }

    private func appendTime(of event: PredictionEvent, to out: ByteBuffer) {
        if event.rowIndex > 0 && hasText(of: event) {
            // The last of the stamps, without the quotation mark behind it.
            let text = stampText.view
            out.append(text.dropFirst(text.count - TimestampWriter.length - 1).prefix(TimestampWriter.length))
        } else {
            timestamps.append(event.completedAt, to: out)
        }
    }

    private func appendPlace(of event: PredictionEvent, to out: ByteBuffer) {
        out.append(#"","rowIndex":"#)
        out.append(decimal: event.rowIndex)
        out.append(#","rowCount":"#)
        out.append(decimal: event.rowCount)
        out.append(#","provider":""#)
        out.append(event.provider)
        out.append(#"","face":""#)
        out.append(event.face)
    }

    private func appendMeasures(of event: PredictionEvent, to out: ByteBuffer) {
        out.append(#"","modelVersion":""#)
        out.append(event.modelVersion)
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

    private func appendOutcome(of event: PredictionEvent, to out: ByteBuffer) {
        if event.failure != nil || event.value.isEmpty {
            out.append(#","value":null"#)
        } else {
            out.append(#","value":"#)
            out.append(json: event.value)
            if !event.contentType.isEmpty {
                out.append(#","contentType":""#)
                out.appendJSON(escaping: event.contentType)
                out.append(UInt8(ascii: "\""))
            }
        }
        if !event.extra.isEmpty {
            // Beyond the contract: a model's unknown members live on, apart from ours so that no name can clash.
            out.append(#","extra":{"#)
            out.append(json: event.extra)
            out.append(UInt8(ascii: "}"))
        }
        if let failure = event.failure {
            out.append(#","error":{"cause":""#)
            out.append(failure.cause)
            out.append(#"","message":""#)
            out.appendJSON(escaping: failure.message)
            out.append(#""}"#)
        }
    }

    private func append(
        _ request: PredictionEvent.CapturedRequest,
        to out: ByteBuffer,
        isValidJSON: (ByteView) -> Bool
    ) {
        if !request.truncated && request.contentType.isJSONMediaType && isValidJSON(request.body) {
            out.append(#","request":"#)
            out.append(json: request.body)
        } else {
            out.append(#","request":""#)
            out.append(base64: request.body)
            out.append(UInt8(ascii: "\""))
        }
        if !request.contentType.isEmpty {
            out.append(#","requestContentType":""#)
            out.appendJSON(escaping: request.contentType)
            out.append(UInt8(ascii: "\""))
        }
        if request.truncated {
            out.append(#","requestTruncated":true"#)
        } else {
            out.append(#","requestTruncated":false"#)
        }
    }

    private func appendStamps(of event: PredictionEvent, to out: ByteBuffer) {
        if event.rowIndex > 0 && hasText(of: event) {
            out.append(stampText.view)
        } else {
            let start = out.count
            append(#","receivedAt":""#, event.receivedAt, to: out)
            append(#","sentAt":""#, event.sentAt, to: out)
            append(#","answeredAt":""#, event.answeredAt, to: out)
            append(#","completedAt":""#, event.completedAt, to: out)
            if event.rowCount > 1 { keepText(out[start..<out.count], of: event) }
        }
        if !event.traceparent.isEmpty {
            out.append(#","traceparent":""#)
            out.appendJSON(escaping: event.traceparent)
            out.append(UInt8(ascii: "\""))
        }
    }

    private func hasText(of event: PredictionEvent) -> Bool {
        stamps.completedAt == event.completedAt && stamps.answeredAt == event.answeredAt
            && stamps.sentAt == event.sentAt && stamps.receivedAt == event.receivedAt
    }

    private func keepText(_ text: ByteView, of event: PredictionEvent) {
        stampText.removeAll()
        stampText.append(text)
        stamps = Stamps(
            receivedAt: event.receivedAt,
            sentAt: event.sentAt,
            answeredAt: event.answeredAt,
            completedAt: event.completedAt
        )
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
