/// The Open Inference Protocol (V2): `{"model_name":...,"outputs":[...]}`.
enum V2Model: ModelCodec {
    static let name: StaticString = "v2"
    static var paths: ModelPaths? {
        ModelPaths(
            models: "/v2/models/",
            versions: "/versions/",
            predict: "/infer",
            ready: "/ready",
            server: "/v2"
        )
    }
    static let hasTensors = true
    /// To the elements of the outputs' shape and data.
    static let depth = 4
    static var nameMembers: (model: StaticString, version: StaticString)? { ("model_name", "model_version") }

    static func find(in answer: PredictionExtractor) throws(MalformedAnswer) {
        answer.noteNames()
        guard let list = answer.outline.member("outputs", of: 0), answer.outline.isArray(list) else {
            throw MalformedAnswer("the answer has no `outputs` (an array)")
        }
        try answer.takeRows(of: list)
    }

    static func resembles(_ answer: JSONOutline) -> Bool {
        guard let list = answer.member("outputs", of: 0), answer.isArray(list), answer.children(list) > 0 else {
            return false
        }
        return answer.isObject(list + 1)
    }
}
