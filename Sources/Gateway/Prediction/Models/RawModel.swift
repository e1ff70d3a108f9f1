/// Whatever a Model Service answers: one Prediction.
enum RawModel: ModelCodec {
    static let name: StaticString = "raw"
    static let takesAnything = true
    static let depth = 0

    static func find(in answer: PredictionExtractor) throws(MalformedAnswer) {
        preconditionFailure("a raw answer has no parts")
    }

    static func resembles(_ answer: JSONOutline) -> Bool { false }
}
