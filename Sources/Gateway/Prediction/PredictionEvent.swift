/// The record of one Prediction (version 1 of the event), or of one failed call.
///
/// Views are borrowed and valid only until the event is encoded. Each field says whether it holds plain text, which the
/// encoder escapes, or JSON, which it carries over.
struct PredictionEvent {
    /// Unique per event; plain ASCII.
    var id = ByteView.empty
    /// The request's id; plain text.
    var requestId = ByteView.empty
    /// This Prediction's id; the inside of a JSON string.
    var predictionId = ByteView.empty
    /// Which of how many Predictions of this answer.
    var rowIndex = 0
    var rowCount = 1
    var provider: StaticString = "rest"
    var face: StaticString = "native"
    /// The insides of JSON strings.
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
    /// JSON; empty: null.
    var value = ByteView.empty
    /// The media type of a base64 value (plain text), else empty.
    var contentType = ByteView.empty
    /// Members of the model's own, as `"name":value` joined by commas, else empty.
    var extra = ByteView.empty
    var failure: Failure?
    var request: CapturedRequest?
    /// Nanoseconds since 1970-01-01 UTC; 0: the exchange did not get that far, and the field is left out.
    var receivedAt: Int64 = 0
    var sentAt: Int64 = 0
    var answeredAt: Int64 = 0
    var completedAt: Int64 = 0
    /// W3C trace context, plain text; empty: none was given.
    var traceparent = ByteView.empty

    struct Failure {
        /// A stable word: `refused`, `timeout`, `reset`, ...
        var cause: StaticString
        /// Plain text for a person.
        var message: ByteView
    }

    struct CapturedRequest {
        /// The body, already cut at the configured length.
        var body: ByteView
        /// Plain text, empty where the client named none.
        var contentType: ByteView
        var truncated: Bool
    }
}
