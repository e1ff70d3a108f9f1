/// The V1 protocol of TensorFlow Serving and KServe: `{"predictions":[...]}`.
enum V1Model: ModelCodec {
    static let name: StaticString = "v1"
    static var paths: ModelPaths? { ModelPaths(models: "/v1/models/", predict: ":predict") }
    static let depth = 2

    static func find(in answer: PredictionExtractor) throws(MalformedAnswer) {
        guard let node = answer.outline.member("predictions", of: 0) else {
            throw MalformedAnswer("the answer has no `predictions`")
        }
        try answer.takeElements(of: node)
    }

    static func resembles(_ answer: JSONOutline) -> Bool { answer.member("predictions", of: 0) != nil }
}
