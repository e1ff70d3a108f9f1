/// What a request to the example Model Service is for.
enum ExampleEndpoint: Equatable {
    case predict(ModelProtocol, ExampleModelName)
    case live, ready
    case v1Models
    case v1Model(ExampleModelName)
    case v2Server
    case v2Model(ExampleModelName)
    case v2ModelReady(ExampleModelName)
}

/// The paths of the example Model Service: those of one protocol, and `/livez` and `/readyz`.
///
/// Only one protocol's, as with most real Model Services: a Sidecar that is told the wrong protocol shall get a 404, not
/// an answer that hides the mistake.
struct ExampleRoutes {
    enum Match: Equatable {
        case endpoint(ExampleEndpoint)
        case notFound(StaticString)
        /// The path is known; `allow` lists the methods that it answers.
        case wrongMethod(allow: StaticString)

        static func == (left: Match, right: Match) -> Bool {
            switch (left, right) {
            case (.endpoint(let one), .endpoint(let other)): one == other
            case (.notFound(let one), .notFound(let other)), (.wrongMethod(let one), .wrongMethod(let other)):
                ByteView(one) == ByteView(other)
            default: false
            }
        }
    }

    let modelProtocol: ModelProtocol

    func match(method: ByteView, path: ByteView) -> Match {
        let match = find(path)
        guard case .endpoint(let endpoint) = match else { return match }
        if case .predict = endpoint { return method == "POST" ? match : .wrongMethod(allow: "POST") }
        return method == "GET" || method == "HEAD" ? match : .wrongMethod(allow: "GET, HEAD")
    }

    private func find(_ path: ByteView) -> Match {
        if path == "/livez" { return .endpoint(.live) }
        if path == "/readyz" { return .endpoint(.ready) }
        return switch modelProtocol {
        case .native, .raw: Self.findNative(path)
        case .v1: Self.findV1(path)
        case .v2: Self.findV2(path)
        }
    }

    private static func findNative(_ path: ByteView) -> Match {
        if path == "/predict" || path == "/predict/iris" { return .endpoint(.predict(.native, .iris)) }
        if path == "/predict/digits" { return .endpoint(.predict(.native, .digits)) }
        return unknownPath
    }

    private static func findV1(_ path: ByteView) -> Match {
        if path == "/v1/models" { return .endpoint(.v1Models) }
        let root = ByteView("/v1/models/")
        let verb = ByteView(":predict")
        guard path.hasPrefix(root) else { return unknownPath }
        let name = path.dropFirst(root.count)
        guard name.hasSuffix(verb) else { return find(name) { .v1Model($0) } }
        return find(name.prefix(name.count - verb.count)) { .predict(.v1, $0) }
    }

    private static func findV2(_ path: ByteView) -> Match {
        if path == "/v2" { return .endpoint(.v2Server) }
        if path == "/v2/health/live" { return .endpoint(.live) }
        if path == "/v2/health/ready" { return .endpoint(.ready) }
        let root = ByteView("/v2/models/")
        guard path.hasPrefix(root) else { return unknownPath }
        var (name, rest) = firstSegment(path.dropFirst(root.count))
        var version = ByteView.empty
        let versions = ByteView("versions/")
        if rest.hasPrefix(versions) {
            (version, rest) = firstSegment(rest.dropFirst(versions.count))
            if version.isEmpty { return unknownPath }
        }
        if rest.isEmpty, !path.hasSuffix(ByteView("/")) { return find(name, version) { .v2Model($0) } }
        if rest == "ready" { return find(name, version) { .v2ModelReady($0) } }
        return rest == "infer" ? find(name, version) { .predict(.v2, $0) } : unknownPath
    }

    /// What stands before the first slash, and what behind it.
    private static func firstSegment(_ path: ByteView) -> (first: ByteView, rest: ByteView) {
        guard let slash = path.firstIndex(of: UInt8(ascii: "/")) else { return (path, .empty) }
        return (path.prefix(slash), path.dropFirst(slash + 1))
    }

    private static func find(
        _ model: ByteView,
        _ version: ByteView = .empty,
        endpoint: (ExampleModelName) -> ExampleEndpoint
    ) -> Match {
        guard let name = ExampleModelName(model) else {
            return .notFound("there is no such model; there are iris and digits")
        }
        guard version.isEmpty || version == name.version else {
            return .notFound("there is no such version; iris has 1, digits has 7")
        }
        return .endpoint(endpoint(name))
    }

    private static var unknownPath: Match { .notFound("there is nothing at this path") }
}

extension ExampleRoutes {
    init(_ serviceProtocol: Configuration.Model.ServiceProtocol) {
        switch serviceProtocol {
        case .native: modelProtocol = .native
        case .v1: modelProtocol = .v1
        case .v2: modelProtocol = .v2
        case .raw: modelProtocol = .raw
        }
    }
}
