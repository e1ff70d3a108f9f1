/// The V1 protocol of TensorFlow Serving and KServe, to clients.
enum V1Face: FaceCodec {
    static let name: StaticString = "v1"

    static func owns(_ path: ByteView) -> Bool { path.hasPrefix(ByteView("/v1/")) }

    static func target(of path: ByteView) -> FaceTarget? {
        var segments = PathSegments(path)
        guard segments.next() == "v1", segments.next() == "models" else { return nil }
        guard let last = segments.next() else { return FaceTarget(question: .modelList) }
        guard !last.isEmpty, segments.next() == nil else { return nil }
        let verb = ByteView(":predict")
        guard last.hasSuffix(verb) else { return FaceTarget(question: .modelMetadata, model: last) }
        guard last.count > verb.count else { return nil }
        return FaceTarget(question: .predict, model: last.prefix(last.count - verb.count))
    }

    static func answer(
        _ question: FaceTarget.Question,
        _ route: ModelRoute?,
        _ catalog: ModelCatalog,
        to body: ByteBuffer
    ) -> Bool {
        guard question == .modelList else { return catalog.writeReadiness(of: route, to: body) }
        body.append("{\"models\":[")
        for (index, route) in catalog.names.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body.append(UInt8(ascii: "\""))
            body.append(route.nameJSON.view)
            body.append(UInt8(ascii: "\""))
        }
        body.append("]}")
        return true
    }
}
