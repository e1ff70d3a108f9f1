/// What the example Model Service can speak. A new one is a case here and a codec.
enum ExampleSpeech: String, CaseIterable {
    case native, v1, v2

    var codec: any ExampleCodec.Type {
        switch self {
        case .native: ExampleNative.self
        case .v1: ExampleV1.self
        case .v2: ExampleV2.self
        }
    }

    /// Native for a protocol that it does not speak: a service that speaks raw answers with anything.
    init(_ word: Configuration.Model.ServiceProtocol) { self = ExampleSpeech(rawValue: word.rawValue) ?? .native }
}

extension ExampleModelOptions {
    /// What `protocol` may be.
    public static var protocols: [Configuration.Model.ServiceProtocol] {
        ExampleSpeech.allCases.compactMap { Configuration.Model.ServiceProtocol(rawValue: $0.rawValue) }
    }
}

/// One protocol of the example Model Service: its paths, and how answers are written.
protocol ExampleCodec: SendableMetatype {
    /// Its paths, for people.
    static var help: String { get }
    static func find(_ path: ByteView) -> ExampleRoutes.Match
    /// Answers the request that `responder.input` has read.
    ///
    /// - Parameter heldFor: nanoseconds.
    static func predict(
        _ model: ExampleModelName,
        _ responder: ExampleResponder,
        heldFor: Int64,
        to out: ByteBuffer
    ) throws(MalformedAnswer)
}

private enum ExampleNative: ExampleCodec {
    static let help = "(native: POST /predict/iris, POST /predict/digits)"

    static func find(_ path: ByteView) -> ExampleRoutes.Match {
        if path == "/predict" || path == "/predict/iris" { return .endpoint(.predict(.iris)) }
        if path == "/predict/digits" { return .endpoint(.predict(.digits)) }
        return ExampleRoutes.unknownPath
    }

    static func predict(
        _ model: ExampleModelName,
        _ responder: ExampleResponder,
        heldFor: Int64,
        to out: ByteBuffer
    ) throws(MalformedAnswer) {
        switch model {
        case .iris: try responder.writeNativeIris(heldFor: heldFor, to: out)
        case .digits: try responder.writeNativeDigits(heldFor: heldFor, to: out)
        }
    }
}

private enum ExampleV1: ExampleCodec {
    static let help = "(v1: POST /v1/models/{iris,digits}:predict)"

    static func find(_ path: ByteView) -> ExampleRoutes.Match {
        if path == "/v1/models" { return .endpoint(.modelList) }
        let root = ByteView("/v1/models/")
        let verb = ByteView(":predict")
        guard path.hasPrefix(root) else { return ExampleRoutes.unknownPath }
        let name = path.dropFirst(root.count)
        guard name.hasSuffix(verb) else { return ExampleRoutes.find(name) { .modelReady($0) } }
        return ExampleRoutes.find(name.prefix(name.count - verb.count)) { .predict($0) }
    }

    static func predict(
        _ model: ExampleModelName,
        _ responder: ExampleResponder,
        heldFor: Int64,
        to out: ByteBuffer
    ) throws(MalformedAnswer) {
        switch model {
        case .iris: try responder.writeV1Iris(to: out)
        case .digits: try responder.writeV1Digits(to: out)
        }
    }
}

private enum ExampleV2: ExampleCodec {
    static let help = "(v2: POST /v2/models/{iris,digits}/infer)"

    static func find(_ path: ByteView) -> ExampleRoutes.Match {
        if path == "/v2" { return .endpoint(.serverMetadata) }
        if path == "/v2/health/live" { return .endpoint(.live) }
        if path == "/v2/health/ready" { return .endpoint(.ready) }
        let root = ByteView("/v2/models/")
        guard path.hasPrefix(root) else { return ExampleRoutes.unknownPath }
        var (name, rest) = ExampleRoutes.firstSegment(path.dropFirst(root.count))
        var version = ByteView.empty
        let versions = ByteView("versions/")
        if rest.hasPrefix(versions) {
            (version, rest) = ExampleRoutes.firstSegment(rest.dropFirst(versions.count))
            if version.isEmpty { return ExampleRoutes.unknownPath }
        }
        if rest.isEmpty, !path.hasSuffix(ByteView("/")) {
            return ExampleRoutes.find(name, version) { .modelMetadata($0) }
        }
        if rest == "ready" { return ExampleRoutes.find(name, version) { .modelReady($0) } }
        return rest == "infer"
            ? ExampleRoutes.find(name, version) { .predict($0) } : ExampleRoutes.unknownPath
    }

    static func predict(
        _ model: ExampleModelName,
        _ responder: ExampleResponder,
        heldFor: Int64,
        to out: ByteBuffer
    ) throws(MalformedAnswer) {
        switch model {
        case .iris: try responder.writeV2Iris(to: out)
        case .digits: try responder.writeV2Digits(to: out)
        }
    }
}
