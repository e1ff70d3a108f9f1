/// One output of a model, as it stands in the Model Service's answer.
///
/// All views point into the answer's body or into the extractor's scratch space: they are valid until the extractor is
/// asked for the next one or the body changes. Text is what stood between the quotes, still escaped as JSON.
struct Prediction {
    /// The longest that a name, a version or an id may be, in bytes as sent: each goes into every event.
    static let maxNameBytes = 256
    /// The longest that a stated time may be.
    static let maxNumberBytes = 32

    /// The bytes that the model sent; what they are, `encoding` says.
    var value = ByteView.empty
    var encoding = BodyEncoding.json
    /// Whether an object in the value, which is JSON, has two members of one name.
    var hasDuplicates = false
    /// What the model called itself; empty where it did not say.
    var modelName = ByteView.empty
    /// The version that the model stated; empty where it did not say.
    var modelVersion = ByteView.empty
    /// The time in the model in milliseconds, a JSON number as sent; empty where the model did not state it.
    var timeTakenInMs = ByteView.empty
    /// The model's own id for this Prediction, visible ASCII; empty where it gave none.
    var id = ByteView.empty
    /// The members that we do not know, as `"name":value` joined by commas; empty where there are none.
    var extra = ByteView.empty
    /// How long the front of `extra` is in which no member has a name of ours.
    var ownExtra = 0
}

/// How a body, or a part of one, stands in JSON.
enum BodyEncoding {
    /// As it is.
    case json
    /// As a string.
    case text
    /// As a string of base64.
    case base64

    /// The word for it in events and native answers.
    var word: StaticString {
        switch self {
        case .json: "json"
        case .text: "text"
        case .base64: "base64"
        }
    }
}

/// Why an answer is one Prediction although it may hold several.
enum Unsplit: Int, CaseIterable {
    /// It is not what the model's protocol says it should be.
    case notUnderstood
    /// It has more Predictions than `models.N.maxPredictions`, or they would make too much of it.
    case tooMany
    /// It is compressed, or encoded in some other way.
    case encoded

    /// The word for it in events.
    var word: StaticString {
        switch self {
        case .notUnderstood: "notUnderstood"
        case .tooMany: "tooMany"
        case .encoded: "encoded"
        }
    }
}
