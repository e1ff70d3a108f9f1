/// Writes the answer of the native face.
enum NativeAnswer {
    /// `{"id":...,"predictions":[...]}`: what the model stated about a Prediction, else what routing and the clock say.
    static func write(
        to body: ByteBuffer, exchange: Exchange, extractor: PredictionExtractor, count: Int, ids: PredictionIds
    ) {
        body.append("{\"id\":\"")
        body.appendJSON(escaping: exchange.requestId.view)
        body.append("\",\"predictions\":[")
        for index in 0..<count {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            write(extractor[index], id: ids.predictionId(index, extractor[index]), to: body, exchange)
        }
        body.append(UInt8(ascii: "]"))
        if !extractor.extra.isEmpty {
            body.append(UInt8(ascii: ","))
            body.append(extractor.extra)
        }
        body.append(UInt8(ascii: "}"))
    }

    private static func write(_ prediction: Prediction, id: ByteView, to body: ByteBuffer, _ exchange: Exchange) {
        body.append("{\"id\":\"")
        body.append(id)
        body.append("\",\"modelName\":\"")
        body.append(prediction.modelName.isEmpty ? exchange.route?.nameJSON.view ?? .empty : prediction.modelName)
        body.append("\",\"modelVersion\":\"")
        body.append(
            prediction.modelVersion.isEmpty ? exchange.route?.versionJSON.view ?? .empty : prediction.modelVersion)
        body.append("\",\"timeTakenInMs\":")
        if prediction.timeTakenInMs.isEmpty {
            body.append(milliseconds: exchange.answeredAt - exchange.sentAt)
        } else {
            body.append(prediction.timeTakenInMs)
        }
        body.append(",\"value\":")
        body.append(prediction.value)
        if !prediction.contentType.isEmpty {
            body.append(",\"contentType\":\"")
            body.appendJSON(escaping: prediction.contentType)
            body.append(UInt8(ascii: "\""))
        }
        if !prediction.extra.isEmpty {
            body.append(UInt8(ascii: ","))
            body.append(prediction.extra)
        }
        body.append(UInt8(ascii: "}"))
    }
}
