/// What a path of the REST Provider leads to.
enum RESTEndpoint {
    /// Something that a face has.
    case face(FaceTarget)
    case live, ready, metrics, openAPI
    /// Whether the Sidecar is ready, without the models.
    case readyInBrief
    case page
    /// The last Predictions after this number of theirs.
    case pagePredictions(after: Int)
}

/// Reads a method and a path: the faces', and those of the Sidecar's own operations.
enum RESTRoutes {
    enum Match {
        case endpoint(RESTEndpoint)
        case unknownPath
        /// The path is known; `allow` lists the methods that it answers.
        case wrongMethod(allow: StaticString)
    }

    /// - Parameter face: the one that the path belongs to.
    static func match(method: ByteView, path: ByteView, face: Face) -> Match {
        guard let endpoint = find(path, face) else { return .unknownPath }
        if case .face(let target) = endpoint, target.question == .predict {
            return method == "POST" ? .endpoint(endpoint) : .wrongMethod(allow: "POST")
        }
        return method == "GET" || method == "HEAD" ? .endpoint(endpoint) : .wrongMethod(allow: "GET, HEAD")
    }

    private static func find(_ path: ByteView, _ face: Face) -> RESTEndpoint? {
        if let target = face.codec.target(of: path) { return .face(target) }
        var segments = PathSegments(path)
        guard let first = segments.next() else { return nil }
        if first == "ui" { return findPage(&segments) }
        guard segments.next() == nil else { return nil }
        if first == "livez" { return .live }
        if first == "readyz" { return .ready }
        if first == "metrics" { return .metrics }
        if first == "openapi.json" { return .openAPI }
        return nil
    }

    private static func findPage(_ segments: inout PathSegments) -> RESTEndpoint? {
        guard let part = segments.next() else { return .page }
        return part == "predictions" && segments.next() == nil ? .pagePredictions(after: 0) : nil
    }
}
