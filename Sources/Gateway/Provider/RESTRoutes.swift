/// The paths of the REST Provider.
enum RESTEndpoint {
    /// Model and version are still percent-encoded; empty where the path names none.
    case predict(Face, model: ByteView, version: ByteView)
    case v1Models
    case v1Model(ByteView)
    case v2Server, v2Live, v2Ready
    case v2Model(ByteView, version: ByteView)
    case v2ModelReady(ByteView, version: ByteView)
    case live, ready, metrics, openAPI
    case page
    /// The last Predictions after this number of theirs.
    case pagePredictions(after: Int)
}

/// Reads a method and a path.
enum RESTRoutes {
    enum Match {
        case endpoint(RESTEndpoint)
        case unknownPath
        /// The path is known; `allow` lists the methods that it answers.
        case wrongMethod(allow: StaticString)
    }

    /// The face that a path belongs to, also where nothing is found under it: errors are written in its manner.
    static func face(of path: ByteView) -> Face {
        if path.hasPrefix(ByteView("/v1/")) { return .v1 }
        if path.hasPrefix(ByteView("/v2/")) || path == "/v2" { return .v2 }
        return .native
    }

    static func match(method: ByteView, path: ByteView) -> Match {
        guard let endpoint = find(path) else { return .unknownPath }
        if case .predict = endpoint {
            return method == "POST" ? .endpoint(endpoint) : .wrongMethod(allow: "POST")
        }
        return method == "GET" || method == "HEAD" ? .endpoint(endpoint) : .wrongMethod(allow: "GET, HEAD")
    }

    private static func find(_ path: ByteView) -> RESTEndpoint? {
        var segments = PathSegments(path)
        guard let first = segments.next() else { return nil }
        switch first.count {
        case 11 where first == "predictions": return findPrediction(&segments)
        case 2 where first == "v1": return findV1(&segments)
        case 2 where first == "v2": return findV2(&segments)
        case 2 where first == "ui": return findPage(&segments)
        default:
            guard segments.next() == nil else { return nil }
            if first == "livez" { return .live }
            if first == "readyz" { return .ready }
            if first == "metrics" { return .metrics }
            if first == "openapi.json" { return .openAPI }
            return nil
        }
    }

    private static func findPage(_ segments: inout PathSegments) -> RESTEndpoint? {
        guard let part = segments.next() else { return .page }
        return part == "predictions" && segments.next() == nil ? .pagePredictions(after: 0) : nil
    }

    private static func findPrediction(_ segments: inout PathSegments) -> RESTEndpoint? {
        guard let model = segments.next() else { return .predict(.native, model: .empty, version: .empty) }
        let version = segments.next()
        guard !model.isEmpty, version?.isEmpty != true, segments.next() == nil else { return nil }
        return .predict(.native, model: model, version: version ?? .empty)
    }

    private static func findV1(_ segments: inout PathSegments) -> RESTEndpoint? {
        guard segments.next() == "models" else { return nil }
        guard let last = segments.next() else { return .v1Models }
        guard !last.isEmpty, segments.next() == nil else { return nil }
        let verb = ByteView(":predict")
        guard last.hasSuffix(verb) else { return .v1Model(last) }
        guard last.count > verb.count else { return nil }
        return .predict(.v1, model: last.prefix(last.count - verb.count), version: .empty)
    }

    private static func findV2(_ segments: inout PathSegments) -> RESTEndpoint? {
        guard let kind = segments.next() else { return .v2Server }
        if kind == "health" {
            let which = segments.next()
            guard segments.next() == nil else { return nil }
            if which == "live" { return .v2Live }
            return which == "ready" ? .v2Ready : nil
        }
        guard kind == "models", let model = segments.next(), !model.isEmpty else { return nil }
        var verb = segments.next()
        var version = ByteView.empty
        if verb == "versions" {
            guard let named = segments.next(), !named.isEmpty else { return nil }
            version = named
            verb = segments.next()
        }
        guard segments.next() == nil else { return nil }
        guard let verb else { return .v2Model(model, version: version) }
        if verb == "infer" { return .predict(.v2, model: model, version: version) }
        return verb == "ready" ? .v2ModelReady(model, version: version) : nil
    }
}

extension Optional where Wrapped == ByteView {
    fileprivate static func == (left: ByteView?, right: StaticString) -> Bool { left.map { $0 == right } ?? false }
}

/// What stands between the slashes of a path.
private struct PathSegments {
    private var rest: ByteView
    private var isAtEnd: Bool

    init(_ path: ByteView) {
        isAtEnd = path.isEmpty || path[0] != UInt8(ascii: "/")
        rest = isAtEnd ? .empty : path.dropFirst(1)
    }

    mutating func next() -> ByteView? {
        if isAtEnd { return nil }
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else {
            isAtEnd = true
            return rest
        }
        defer { rest = rest.dropFirst(slash + 1) }
        return rest.prefix(slash)
    }
}
