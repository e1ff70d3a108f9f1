/// The Sidecar's own face. Its answers are `{"id":...,"predictions":[...]}`: what the model stated about each Prediction, else
/// what routing and the clock say. Its failures are problem documents (RFC 9457).
enum NativeFace: FaceCodec {
    static let name: StaticString = "native"
    static let writesAnswers = true
    static let failureType: StaticString = "application/problem+json"

    static func owns(_ path: ByteView) -> Bool { path.hasPrefix(ByteView("/predictions")) }

    static func target(of path: ByteView) -> FaceTarget? {
        var segments = PathSegments(path)
        guard segments.next() == "predictions" else { return nil }
        guard let model = segments.next() else { return FaceTarget(question: .predict) }
        let version = segments.next()
        guard !model.isEmpty, version?.isEmpty != true, segments.next() == nil else { return nil }
        return FaceTarget(question: .predict, model: model, version: version ?? .empty)
    }

    static func answer(
        _ question: FaceTarget.Question,
        _ route: ModelRoute?,
        _ catalog: ModelCatalog,
        to body: ByteBuffer
    ) -> Bool {
        preconditionFailure("this face asks for predictions only")
    }

    static func write(_ failure: ExchangeFailure, of request: Request, to body: ByteBuffer) {
        body.append("{\"type\":\"about:blank\",\"title\":\"")
        body.append(failure.title)
        body.append("\",\"status\":")
        body.append(decimal: failure.status)
        body.append(",\"detail\":\"")
        ErrorAnswer.writeMessage(failure, to: body)
        body.append("\",\"cause\":\"")
        body.append(failure.word)
        body.append("\",\"requestId\":\"")
        body.appendJSON(escaping: request.id.view)
        body.append("\"}")
    }

    static func beginAnswer(_ request: Request, to body: ByteBuffer) {
        body.append("{\"id\":\"")
        body.appendJSON(escaping: request.id.view)
        body.append("\",\"predictions\":[")
    }

    static func append(
        _ prediction: Prediction,
        id: ByteView,
        of answer: PredictionExtractor,
        names: RoutedNames,
        modelTime: Int64,
        isFirst: Bool,
        to body: ByteBuffer
    ) {
        body.append(isFirst ? "{\"id\":\"" : ",{\"id\":\"")
        body.append(id)
        body.append("\",\"modelName\":\"")
        body.append(names.modelName(prediction))
        let version = names.modelVersion(prediction)
        if !version.isEmpty {
            body.append("\",\"modelVersion\":\"")
            body.append(version)
        }
        body.append("\",\"timeTakenInMs\":")
        if prediction.timeTakenInMs.isEmpty {
            body.append(milliseconds: modelTime)
        } else {
            body.append(prediction.timeTakenInMs)
        }
        body.append(",\"value\":")
        append(prediction, of: answer, to: body)
        if prediction.ownExtra > 0 {
            body.append(UInt8(ascii: ","))
            append(prediction.extra.prefix(prediction.ownExtra), of: answer, to: body)
        }
        body.append(UInt8(ascii: "}"))
    }

    static func endAnswer(_ answer: PredictionExtractor, to body: ByteBuffer) {
        body.append(UInt8(ascii: "]"))
        if !answer.extra.isEmpty {
            body.append(UInt8(ascii: ","))
            append(answer.extra, of: answer, to: body)
        }
        body.append(UInt8(ascii: "}"))
    }

    private static func append(_ prediction: Prediction, of answer: PredictionExtractor, to body: ByteBuffer) {
        // With what follows it: a buffer of many megabytes that grows for a few more bytes is copied.
        body.reserve(prediction.value.count + 1_024)
        guard prediction.encoding != .json else { return append(prediction.value, of: answer, to: body) }
        if prediction.encoding == .text {
            body.appendJSON(string: prediction.value)
        } else {
            body.append(UInt8(ascii: "\""))
            body.append(base64: prediction.value)
            body.append(UInt8(ascii: "\""))
        }
        body.appendMember(",\"valueEncoding\":", word: prediction.encoding.word)
        if !answer.contentType.isEmpty { body.appendMember(",\"contentType\":", plain: answer.contentType) }
        if !answer.contentEncoding.isEmpty { body.appendMember(",\"contentEncoding\":", plain: answer.contentEncoding) }
    }

    /// Appends JSON as the model sent it, but for NaN and Infinity, which a client could not read.
    private static func append(_ json: ByteView, of answer: PredictionExtractor, to body: ByteBuffer) {
        if answer.hasNotFinite { _ = body.append(finiteJSON: json) } else { body.append(json) }
    }
}
