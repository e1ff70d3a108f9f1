@testable import Gateway

/// A Prediction copied out of the extractor, as text that can be compared.
struct SeenPrediction: Equatable {
    var value: String
    var modelName = ""
    var modelVersion = ""
    var timeTakenInMs = ""
    var id = ""
    var extra = ""
    /// Nil: JSON.
    var encoding: BodyEncoding?
    var hasDuplicates = false
}

extension SeenPrediction {
    init(_ prediction: Prediction) {
        self.init(
            value: prediction.value.string,
            modelName: prediction.modelName.string,
            modelVersion: prediction.modelVersion.string,
            timeTakenInMs: prediction.timeTakenInMs.string,
            id: prediction.id.string,
            extra: prediction.extra.string,
            encoding: prediction.encoding == .json ? nil : prediction.encoding,
            hasDuplicates: prediction.hasDuplicates
        )
    }
}

/// All that the extractor says about one answer.
struct SeenAnswer: Equatable {
    var predictions: [SeenPrediction]
    var extra = ""
    var contentType = ""
    var contentEncoding = ""
    var unsplit: Unsplit?
    var reason = ""
}

extension PredictionExtractor {
    /// Reads an answer that stands in a buffer of its own, followed by bytes that must not be read.
    func see(
        _ modelProtocol: ModelProtocol,
        _ body: [UInt8],
        jsonLength: Int? = nil,
        contentType: String = "",
        contentEncoding: String? = nil,
        maxPredictions: Int = 1_000_000
    ) -> SeenAnswer {
        let buffer = ByteBuffer(capacity: body.count + 16)
        buffer.append(contentsOf: body)
        // What a longer message before it may have left behind.
        buffer.append("\"]}[{,1:\\u00e\"")
        buffer.truncate(to: body.count)
        let type = ByteBuffer()
        type.append(string: contentType)
        let encoding = ByteBuffer()
        encoding.append(string: contentEncoding ?? "")
        return withExtendedLifetime((buffer, type, encoding)) {
            let count = extract(
                Source(
                    modelProtocol: modelProtocol,
                    body: buffer.view,
                    jsonLength: jsonLength,
                    contentType: type.view,
                    contentEncoding: contentEncoding == nil ? nil : encoding.view,
                    maxPredictions: maxPredictions
                )
            )
            return SeenAnswer(
                predictions: (0..<count).map { _ in SeenPrediction(next()) },
                extra: extra.string,
                contentType: self.contentType.string,
                contentEncoding: self.contentEncoding.string,
                unsplit: unsplit,
                reason: reason
            )
        }
    }

    func see(
        _ modelProtocol: ModelProtocol,
        _ body: String,
        jsonLength: Int? = nil,
        contentType: String = "",
        contentEncoding: String? = nil,
        maxPredictions: Int = 1_000_000
    ) -> SeenAnswer {
        see(
            modelProtocol,
            Array(body.utf8),
            jsonLength: jsonLength,
            contentType: contentType,
            contentEncoding: contentEncoding,
            maxPredictions: maxPredictions
        )
    }

    /// The values alone, or why the answer was not split.
    func values(_ modelProtocol: ModelProtocol, _ body: String, jsonLength: Int? = nil) -> [String] {
        let seen = see(modelProtocol, body, jsonLength: jsonLength)
        return seen.unsplit == nil ? seen.predictions.map(\.value) : ["malformed: " + seen.reason]
    }
}

/// The id of a request whose body stands in a buffer of its own.
func requestId(in body: [UInt8], _ reader: RequestIdReader = RequestIdReader()) -> String? {
    body.withByteView { reader.find(in: $0)?.string }
}
