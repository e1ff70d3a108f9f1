/// The record of one Prediction (version 1 of the event), or of one failed call.
///
/// Views are borrowed and valid only until the event is encoded. Each field says whether it holds plain text, which the
/// encoder escapes, or JSON, which it carries over.
struct PredictionEvent {
    /// The event's id, which is this Prediction's too: unique per event; visible ASCII that needs no escape.
    var id = ByteView.empty
    /// The request's id; plain text.
    var requestId = ByteView.empty
    /// Which of how many Predictions of this answer.
    var rowIndex = 0
    var rowCount = 1
    var provider: StaticString = "rest"
    var face: StaticString = "native"
    /// The configured model that was asked. The insides of JSON strings; empty: the field is left out.
    var routedModel = ByteView.empty
    var routedVersion = ByteView.empty
    /// The insides of JSON strings; empty: the field is left out.
    var modelName = ByteView.empty
    var modelVersion = ByteView.empty
    /// Milliseconds in the model, a JSON number as the model stated it; empty: `modelTime` is used.
    var timeTakenInMs = ByteView.empty
    /// Nanoseconds in the model as measured round the call.
    var modelTime: Int64 = 0
    /// Nanoseconds in the Sidecar: all the rest.
    var gatewayTime: Int64 = 0
    /// The HTTP status that the client got, or would have got.
    var status = 200
    /// Empty: null.
    var value = Part()
    /// Whether the model gave more than there is in `value`.
    var isValueCut = false
    /// How an answer came that came in parts; nil: it came whole.
    var stream: Stream?
    /// The media type of a value that is not JSON, and how it is compressed (plain text), else empty.
    var contentType = ByteView.empty
    var contentEncoding = ByteView.empty
    var unsplit: Unsplit?
    /// Members of the model's own, as `"name":value` joined by commas, else empty.
    var extra = Part()
    var failure: Failure?
    /// This row's own part of the request; nil: it is not recorded.
    var input: Part?
    /// The whole request; nil: it is not recorded, or in another row's event.
    var request: CapturedRequest?
    /// Of the request, where all of it is in the event (plain text), else empty.
    var requestContentType = ByteView.empty
    var requestContentEncoding = ByteView.empty
    /// Nanoseconds since 1970-01-01 UTC; 0: the exchange did not get that far, and the field is left out.
    var receivedAt: Int64 = 0
    var sentAt: Int64 = 0
    var answeredAt: Int64 = 0
    var completedAt: Int64 = 0
    /// W3C trace context, plain text; empty: none was given.
    var traceparent = ByteView.empty

    /// Bytes of a message, and how they are written down.
    struct Part {
        var bytes = ByteView.empty
        var encoding = BodyEncoding.json
        /// Whether there may be NaN or Infinity in the JSON, which become null.
        var mayBeNotFinite = false
    }

    /// What failed has no value, but for the part of a stream that came before.
    var hasValue: Bool { failure == nil || stream != nil }

    struct Stream {
        var parts: Int
        /// Of all parts together.
        var bytes: Int
        /// Nanoseconds from the sending of the request to the first byte of the answer's body; nil: none came.
        var firstPartTime: Int64?
    }

    struct Failure {
        /// A stable word: `refused`, `timeout`, `reset`, ...
        var cause: StaticString
        /// Plain text for a person.
        var message: ByteView
        /// What the model said about it, plain text; empty: nothing.
        var detail = ByteView.empty
    }

    struct CapturedRequest {
        /// The body, already cut at the configured length.
        var body = Part()
        var isCut = false
    }

    /// The members that may be left out of an event that is too long, in this order.
    struct Members: OptionSet {
        let rawValue: UInt8

        static let request = Members(rawValue: 1)
        static let input = Members(rawValue: 2)
        static let value = Members(rawValue: 4)
        static let extra = Members(rawValue: 8)

        static let names: [(Members, StaticString)] = [
            (.request, "request"), (.input, "input"), (.value, "value"), (.extra, "extra"),
        ]
    }
}
