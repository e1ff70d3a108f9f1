/// What a Model Service speaks. A new one is a case here, a codec, and a word in the configuration.
enum ModelProtocol: CaseIterable {
    case native, v1, v2, raw

    /// What the protocol is.
    var codec: any ModelCodec.Type {
        switch self {
        case .native: NativeModel.self
        case .v1: V1Model.self
        case .v2: V2Model.self
        case .raw: RawModel.self
        }
    }

    /// The one of this name; nil: there is none. Not for the request path.
    static func named(_ name: String) -> ModelProtocol? { allCases.first { "\($0.codec.name)" == name } }
}

/// A protocol of Model Services: where its resources are, and what its answers mean.
protocol ModelCodec: SendableMetatype {
    /// The word for it in the configuration and the log.
    static var name: StaticString { get }
    /// Where the resources of a model stand by its rules; nil: it has none.
    static var paths: ModelPaths? { get }
    /// Whether its messages are made of tensors, which may follow their JSON in binary form.
    static var hasTensors: Bool { get }
    /// Whether an answer is one Prediction whatever it is, and `find` is not called.
    static var takesAnything: Bool { get }
    /// How many containers deep `find` looks into an answer.
    static var depth: Int { get }
    /// The members of an answer that name the model and its version.
    static var nameMembers: (model: StaticString, version: StaticString)? { get }
    /// Says of an answer, which is read and is a JSON object, what its Predictions are: by one of the extractor's `take` functions.
    static func find(in answer: PredictionExtractor) throws(MalformedAnswer)
    /// Whether a JSON object looks like an answer of this protocol.
    static func resembles(_ answer: JSONOutline) -> Bool
}

extension ModelCodec {
    static var paths: ModelPaths? { nil }
    static var hasTensors: Bool { false }
    static var takesAnything: Bool { false }
    static var nameMembers: (model: StaticString, version: StaticString)? { nil }
}

/// Where the resources of a model stand on its Model Service.
struct ModelPaths {
    /// What comes before the model's name. The name ends the stem, from which the rest hangs.
    var models: StaticString
    /// What a version follows in the stem; nil: a path names none, and the service answers with the one that it has.
    var versions: StaticString?
    /// Behind the stem: where requests for predictions go.
    var predict: StaticString
    /// Behind the stem: whether the model is ready; nil: the stem itself tells.
    var ready: StaticString?
    /// Metadata of the server; nil: there is none.
    var server: StaticString?
}
