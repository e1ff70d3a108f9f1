/// How a client speaks: it decides what answers and errors look like. A new one is a case here, a codec, and a word in the
/// configuration of the Kafka Provider.
enum Face: CaseIterable {
    case native, v1, v2

    /// What the face is.
    var codec: any FaceCodec.Type {
        switch self {
        case .native: NativeFace.self
        case .v1: V1Face.self
        case .v2: V2Face.self
        }
    }

    private static let all = allCases

    /// The one that a path belongs to, also where nothing is found under it: errors are written in its manner. Native where it
    /// belongs to none.
    static func of(path: ByteView) -> Face {
        for face in all where face.codec.owns(path) { return face }
        return .native
    }

    /// The one of this name; nil: there is none.
    static func named(_ name: ByteView) -> Face? {
        for face in all where name == face.codec.name { return face }
        return nil
    }

    /// The names of all, for people.
    static var names: String { all.map { "\($0.codec.name)" }.joined(separator: ", ") }
}

/// A face: its paths, how a request's id is found, how answers and failures are written.
///
/// A face either passes on what the Model Service answers, byte for byte, or writes answers of its own from the Predictions.
protocol FaceCodec: SendableMetatype {
    /// The word for it in events, in `ameron-face`, and in the configuration.
    static var name: StaticString { get }
    /// Whether a path is of this face, whatever is there.
    static func owns(_ path: ByteView) -> Bool
    /// What a path of its own asks for; nil: nothing is there.
    static func target(of path: ByteView) -> FaceTarget?
    /// Whether `id` in a request's body is its id, if it has none in a header.
    static var hasIdInBody: Bool { get }
    /// Whether its requests are made of tensors.
    static var hasTensors: Bool { get }

    /// Whether it writes answers of its own, by the next three; else they are not called.
    static var writesAnswers: Bool { get }
    static func beginAnswer(_ request: Request, to body: ByteBuffer)
    /// Appends a Prediction of an answer that is read.
    ///
    /// - Parameters:
    ///   - names: What the model is called where it does not say.
    ///   - modelTime: Nanoseconds.
    static func append(
        _ prediction: Prediction,
        id: ByteView,
        of answer: PredictionExtractor,
        names: RoutedNames,
        modelTime: Int64,
        isFirst: Bool,
        to body: ByteBuffer
    )
    static func endAnswer(_ answer: PredictionExtractor, to body: ByteBuffer)

    /// The media type of a failure.
    static var failureType: StaticString { get }
    /// Appends a failure as a JSON object.
    static func write(_ failure: ExchangeFailure, of request: Request, to body: ByteBuffer)
    /// Appends what the Sidecar itself says to a question that no Model Service answers; false: it is that something is not ready.
    ///
    /// - Parameter route: the model that is asked about, where it is one.
    static func answer(
        _ question: FaceTarget.Question,
        _ route: ModelRoute?,
        _ catalog: ModelCatalog,
        to body: ByteBuffer
    ) -> Bool
}

extension FaceCodec {
    static var hasIdInBody: Bool { false }
    static var hasTensors: Bool { false }
    static var writesAnswers: Bool { false }

    static func beginAnswer(_ request: Request, to body: ByteBuffer) {
        preconditionFailure("this face passes answers on")
    }

    static func append(
        _ prediction: Prediction,
        id: ByteView,
        of answer: PredictionExtractor,
        names: RoutedNames,
        modelTime: Int64,
        isFirst: Bool,
        to body: ByteBuffer
    ) {
        preconditionFailure("this face passes answers on")
    }

    static func endAnswer(_ answer: PredictionExtractor, to body: ByteBuffer) {
        preconditionFailure("this face passes answers on")
    }

    static var failureType: StaticString { "application/json" }

    static func write(_ failure: ExchangeFailure, of request: Request, to body: ByteBuffer) {
        ErrorAnswer.writeObject(failure, to: body)
    }
}

/// What a path of a face asks for.
struct FaceTarget {
    enum Question {
        case predict
        case modelMetadata, modelReady, modelList
        case serverMetadata, serverLive, serverReady
    }

    var question: Question
    /// Still percent-encoded; empty where the path names none.
    var model = ByteView.empty
    var version = ByteView.empty
}
