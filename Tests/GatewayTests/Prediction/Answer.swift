@testable import Gateway

/// A Prediction copied out of the extractor, as text that can be compared.
struct SeenPrediction: Equatable {
    var value: String
    var modelName = ""
    var modelVersion = ""
    var timeTakenInMs = ""
    var id = ""
    var extra = ""
    var contentType = ""
}

extension SeenPrediction {
    init(_ prediction: Prediction) {
        self.init(
            value: prediction.value.string, modelName: prediction.modelName.string,
            modelVersion: prediction.modelVersion.string, timeTakenInMs: prediction.timeTakenInMs.string,
            id: prediction.id.string, extra: prediction.extra.string, contentType: prediction.contentType.string)
    }
}

/// All that the extractor says about one answer.
struct SeenAnswer: Equatable {
    var predictions: [SeenPrediction]
    var extra = ""
}

extension PredictionExtractor {
    /// Reads an answer that stands in a buffer of its own, followed by bytes that must not be read.
    func see(
        _ modelProtocol: ModelProtocol, _ body: [UInt8], jsonLength: Int? = nil, contentType: String = ""
    ) throws(MalformedAnswer) -> SeenAnswer {
        let buffer = ByteBuffer(capacity: body.count + 16)
        buffer.append(contentsOf: body)
        // What a longer message before it may have left behind.
        buffer.append("\"]}[{,1:\\u00e\"")
        buffer.truncate(to: body.count)
        let type = ByteBuffer()
        type.append(string: contentType)
        let count = try extract(modelProtocol, body: buffer, jsonLength: jsonLength, contentType: type.view)
        return SeenAnswer(predictions: (0..<count).map { SeenPrediction(self[$0]) }, extra: extra.string)
    }

    func see(
        _ modelProtocol: ModelProtocol, _ body: String, jsonLength: Int? = nil, contentType: String = ""
    ) throws(MalformedAnswer) -> SeenAnswer {
        try see(modelProtocol, Array(body.utf8), jsonLength: jsonLength, contentType: contentType)
    }

    /// The values alone, or the reason of the refusal.
    func values(_ modelProtocol: ModelProtocol, _ body: String, jsonLength: Int? = nil) -> [String] {
        do throws(MalformedAnswer) {
            return try see(modelProtocol, body, jsonLength: jsonLength).predictions.map(\.value)
        } catch {
            return ["malformed: " + error.reason]
        }
    }

    func id(in body: [UInt8], length: Int? = nil) throws(MalformedAnswer) -> String? {
        let buffer = ByteBuffer()
        buffer.append(contentsOf: body)
        return try requestId(in: buffer, length: length ?? body.count)?.string
    }
}
