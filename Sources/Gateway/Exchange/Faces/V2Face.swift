/// The Open Inference Protocol (V2), to clients.
enum V2Face: FaceCodec {
    static let name: StaticString = "v2"
    static let hasIdInBody = true
    static let hasTensors = true

    static func owns(_ path: ByteView) -> Bool { path.hasPrefix(ByteView("/v2/")) || path == "/v2" }

    static func target(of path: ByteView) -> FaceTarget? {
        var segments = PathSegments(path)
        guard segments.next() == "v2" else { return nil }
        guard let kind = segments.next() else { return FaceTarget(question: .serverMetadata) }
        if kind == "health" {
            let which = segments.next()
            guard segments.next() == nil else { return nil }
            if which == "live" { return FaceTarget(question: .serverLive) }
            return which == "ready" ? FaceTarget(question: .serverReady) : nil
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
        guard let verb else { return FaceTarget(question: .modelMetadata, model: model, version: version) }
        if verb == "infer" { return FaceTarget(question: .predict, model: model, version: version) }
        return verb == "ready" ? FaceTarget(question: .modelReady, model: model, version: version) : nil
    }

    static func answer(
        _ question: FaceTarget.Question,
        _ route: ModelRoute?,
        _ catalog: ModelCatalog,
        to body: ByteBuffer
    ) -> Bool {
        switch question {
        case .serverLive: body.append("{\"live\":true}")
        case .serverReady: return catalog.writeReadiness(to: body)
        case .serverMetadata:
            body.append("{\"name\":\"ameron-sidecar\",\"version\":\"")
            body.append(string: Version.current)
            body.append("\",\"extensions\":[]}")
        case .modelReady: return catalog.writeReadiness(of: route, to: body)
        case .modelMetadata: writeMetadata(of: route, catalog, to: body)
        case .predict, .modelList: preconditionFailure("this face has no such path")
        }
        return true
    }

    private static func writeMetadata(of route: ModelRoute?, _ catalog: ModelCatalog, to body: ByteBuffer) {
        guard let route else { return }
        body.append("{\"name\":\"")
        body.append(route.nameJSON.view)
        body.append("\",\"versions\":[")
        var isFirst = true
        for other in catalog.routes where other.name.view == route.name.view && !other.version.isEmpty {
            if !isFirst { body.append(UInt8(ascii: ",")) }
            isFirst = false
            body.append(UInt8(ascii: "\""))
            body.append(other.versionJSON.view)
            body.append(UInt8(ascii: "\""))
        }
        body.append("],\"platform\":\"ameron-sidecar\",\"inputs\":[],\"outputs\":[]}")
    }
}
