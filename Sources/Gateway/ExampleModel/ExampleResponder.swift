/// Answers requests with the models. One per server; confined to its thread.
final class ExampleResponder {
    let input = ExampleInput(outline: JSONOutline())
    let iris = IrisModel()
    let rotate = RotateModel()
    let digits = DigitModel()
    // The rows of a batch, kept for their room: a tensor of all labels comes before one of all probabilities.
    var irisRows: [IrisModel.Answer] = []
    var digitRows: [(degrees: Int, digit: Int)] = []

    /// Writes the answer to a request for predictions.
    ///
    /// - Parameter heldFor: nanoseconds that the request was made to wait, which count as the model's own.
    /// - Returns: the HTTP status.
    func predict(
        _ speech: ExampleSpeech,
        _ model: ExampleModelName,
        body: ByteView,
        heldFor: Int64,
        to out: ByteBuffer
    ) -> Int {
        do throws(MalformedAnswer) {
            try input.read(body)
            try speech.codec.predict(model, self, heldFor: heldFor, to: out)
            return 200
        } catch {
            Self.write(error: error.reason, to: out)
            return 400
        }
    }

    /// Writes an error in place of whatever stands in the buffer.
    static func write(error message: String, to out: ByteBuffer) {
        out.removeAll()
        out.append("{\"error\":")
        Array(message.utf8).withByteView { out.appendJSON(string: $0) }
        out.append("}")
    }

    /// Writes the answer to a request about the service or a model.
    func describe(_ endpoint: ExampleEndpoint, to out: ByteBuffer) {
        switch endpoint {
        case .predict: preconditionFailure("predictions are not answered here")
        case .live: out.append("{\"live\":true}")
        case .ready: out.append("{\"ready\":true}")
        case .modelList: out.append("{\"models\":[\"iris\",\"digits\"]}")
        case .modelReady(let model):
            out.append("{\"name\":\"")
            out.append(model.text)
            out.append("\",\"ready\":true}")
        case .serverMetadata:
            out.append("{\"name\":\"ameron-example-model\",\"version\":\"")
            out.append(string: Version.current)
            out.append("\",\"extensions\":[]}")
        case .modelMetadata(let model): writeMetadata(model, to: out)
        }
    }

    private func writeMetadata(_ model: ExampleModelName, to out: ByteBuffer) {
        out.append("{\"name\":\"")
        out.append(model.text)
        out.append("\",\"versions\":[\"")
        out.append(model.version)
        out.append("\"],\"platform\":\"ameron-example-model\",")
        switch model {
        case .iris:
            out.append(
                """
                "inputs":[{"name":"features","datatype":"FP64","shape":[-1,4]}],\
                "outputs":[{"name":"label","datatype":"BYTES","shape":[-1]},\
                {"name":"probabilities","datatype":"FP64","shape":[-1,3]}]}
                """
            )
        case .digits:
            out.append(
                """
                "inputs":[{"name":"image","datatype":"FP64","shape":[-1,25]}],\
                "outputs":[{"name":"rotation","datatype":"INT64","shape":[-1]},\
                {"name":"label","datatype":"BYTES","shape":[-1]}]}
                """
            )
        }
    }
}

@available(*, unavailable)
extension ExampleResponder: Sendable {}
