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
        _ modelProtocol: ModelProtocol,
        _ model: ExampleModelName,
        body: ByteView,
        heldFor: Int64,
        to out: ByteBuffer
    ) -> Int {
        do throws(MalformedAnswer) {
            try input.read(body)
            switch (modelProtocol, model) {
            case (.native, .iris), (.raw, .iris): try writeNativeIris(heldFor: heldFor, to: out)
            case (.native, .digits), (.raw, .digits): try writeNativeDigits(heldFor: heldFor, to: out)
            case (.v1, .iris): try writeV1Iris(to: out)
            case (.v1, .digits): try writeV1Digits(to: out)
            case (.v2, .iris): try writeV2Iris(to: out)
            case (.v2, .digits): try writeV2Digits(to: out)
            }
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
        case .v1Models: out.append("{\"models\":[\"iris\",\"digits\"]}")
        case .v1Model(let model), .v2ModelReady(let model):
            out.append("{\"name\":\"")
            out.append(model.text)
            out.append("\",\"ready\":true}")
        case .v2Server:
            out.append("{\"name\":\"ameron-example-model\",\"version\":\"")
            out.append(string: Version.current)
            out.append("\",\"extensions\":[]}")
        case .v2Model(let model): writeMetadata(model, to: out)
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
