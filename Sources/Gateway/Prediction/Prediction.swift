/// One output of a model, as it stands in the Model Service's answer.
///
/// All views point into the answer's body or into the extractor's scratch space: they are valid until the extractor is
/// used again or the body changes. Text is what stood between the quotes, still escaped as JSON.
struct Prediction {
    /// JSON, the bytes that the model sent.
    var value = ByteView.empty
    /// What the model called itself; empty where it did not say.
    var modelName = ByteView.empty
    /// The version that the model stated; empty where it did not say.
    var modelVersion = ByteView.empty
    /// The time in the model in milliseconds, a JSON number as sent; empty where the model did not state it.
    var timeTakenInMs = ByteView.empty
    /// The model's own id for this Prediction; empty where it gave none.
    var id = ByteView.empty
    /// The members that we do not know, as `"name":value` joined by commas; empty where there are none.
    var extra = ByteView.empty
    /// The media type of `value` where it is base64 (JSON string) of something that is not JSON; else empty.
    var contentType = ByteView.empty
}

/// What a Model Service speaks: how its answer is turned into Predictions.
enum ModelProtocol: String, CaseIterable, Sendable {
    case native, v1, v2, raw
}
