/// Turns the body of a Model Service's answer into Predictions, in one pass and without copying what need not be.
///
/// One per shard, used for one body at a time. What it hands out points into that body and into its own scratch space,
/// and is valid until the next call of `extract` or `requestId`. Once it has met bodies of the usual size it allocates
/// nothing.
final class PredictionExtractor {
    /// Room that one large answer may leave behind: bytes of scratch space, and Predictions.
    private static let keptBytes = 1 << 20
    private static let keptRows = 64 << 10

    // The rules of each protocol stand in a file of their own, so what they share is not private.
    let outline = JSONOutline()
    /// What the body does not hold as it is needed: rows of tensors, unknown members, base64.
    let scratch = ByteBuffer(capacity: 4096)
    /// Native: the Predictions, each with its own members. Else empty.
    var predictions: [Prediction] = []
    /// The other protocols: the value of each Prediction; all else is the same for all of them.
    var values: [ByteView] = []
    var shared = Prediction()
    /// Native only: the top-level members that we do not know, as `"name":value` joined by commas; else empty.
    var extra = ByteView.empty
    /// V2 only: the outputs of the answer at hand.
    var outputs: [Tensor] = []
    /// Where in the scratch space the rows end that are composed there, or the unknown members of the Predictions.
    ///
    /// Views of the scratch space are made when it is complete: until then it may move.
    var ends: [Int] = []

    init() {}

    /// Reads an answer; returns how many Predictions it holds.
    ///
    /// - Parameters:
    ///   - jsonLength: How many bytes at the front of the body are JSON, where binary tensors follow; nil: all.
    ///   - contentType: The media type of the body; only `raw` asks for it.
    func extract(
        _ modelProtocol: ModelProtocol, body: ByteBuffer, jsonLength: Int?, contentType: ByteView
    ) throws(MalformedAnswer) -> Int {
        reset()
        guard modelProtocol != .raw else {
            extractRaw(body.view, contentType: contentType)
            return values.count
        }
        let length = jsonLength ?? body.count
        guard length >= 0, length <= body.count else {
            throw MalformedAnswer("the answer announces \(length) bytes of JSON and has \(body.count) bytes in all")
        }
        // How far down the rules look: native to the members of `predictions`' elements, v2 to the elements of the
        // outputs' shape and data.
        let depth =
            switch modelProtocol {
            case .native: 3
            case .v1: 2
            case .v2: 4
            case .raw: 0
            }
        try read(body[0..<length], depth: depth)
        guard outline.isObject(0) else { throw MalformedAnswer("the answer is not a JSON object") }
        switch modelProtocol {
        case .native: try extractNative()
        case .v1: try extractV1()
        case .v2: try extractV2(bodyLength: body.count, binaryLength: body.count - length)
        case .raw: break
        }
        return predictions.count + values.count
    }

    /// One Prediction of the answer last extracted.
    subscript(index: Int) -> Prediction {
        guard predictions.isEmpty else { return predictions[index] }
        var prediction = shared
        prediction.value = values[index]
        return prediction
    }

    /// The `id` of an Open Inference Protocol request as plain text, which may hold any character; nil when the
    /// request has none or it is not a string.
    ///
    /// - Parameter length: How many bytes at the front of the body are JSON.
    func requestId(in body: ByteBuffer, length: Int) throws(MalformedAnswer) -> ByteView? {
        reset()
        guard length >= 0, length <= body.count else {
            throw MalformedAnswer("the request announces \(length) bytes of JSON and has \(body.count) bytes in all")
        }
        try read(body[0..<length], depth: 1)
        guard outline.isObject(0) else { throw MalformedAnswer("the request is not a JSON object") }
        guard let id = member("id", of: 0), outline.isString(id) else { return nil }
        guard outline.hasEscapes(id) else { return outline.inside(id) }
        scratch.append(unescaping: outline.inside(id))
        return scratch.view
    }

    /// Whether these bytes are one JSON document and nothing else. At least `ByteBuffer.padding` bytes must follow them.
    func isJSON(_ bytes: ByteView) -> Bool {
        reset()
        return (try? outline.read(bytes, depth: 0)) != nil
    }

    private func reset() {
        scratch.removeAll(keepingAtMost: Self.keptBytes)
        predictions.removeAll(keepingCapacity: predictions.capacity <= Self.keptRows)
        values.removeAll(keepingCapacity: values.capacity <= Self.keptRows)
        ends.removeAll(keepingCapacity: ends.capacity <= Self.keptRows)
        outputs.removeAll(keepingCapacity: outputs.capacity <= Self.keptRows)
        shared = Prediction()
        extra = .empty
    }

    private func read(_ json: ByteView, depth: Int) throws(MalformedAnswer) {
        do throws(JSONOutline.Fault) {
            try outline.read(json, depth: depth)
        } catch {
            throw MalformedAnswer(error, offset: outline.faultOffset)
        }
    }

    /// The value of the first member of that name.
    func member(_ name: StaticString, of object: Int) -> Int? {
        let end = outline.after(object)
        var node = object + 1
        while node < end {
            if outline.inside(node) == name { return node + 1 }
            node = outline.after(node + 1)
        }
        return nil
    }

    private func extractV1() throws(MalformedAnswer) {
        guard let node = member("predictions", of: 0) else {
            throw MalformedAnswer("the answer has no `predictions`")
        }
        guard outline.isArray(node) else {
            values.append(outline.bytes(node))
            return
        }
        let end = outline.after(node)
        var element = node + 1
        while element < end {
            values.append(outline.bytes(element))
            element = outline.after(element)
        }
    }

    private func extractRaw(_ body: ByteView, contentType: ByteView) {
        if body.isEmpty {
            values.append(ByteView("null"))
        } else if contentType.isJSONMediaType, (try? outline.read(body, depth: 0)) != nil {
            values.append(outline.bytes(0))
        } else {
            scratch.append(UInt8(ascii: "\""))
            scratch.append(base64: body)
            scratch.append(UInt8(ascii: "\""))
            values.append(scratch.view)
            shared.contentType = contentType.isEmpty ? ByteView("application/octet-stream") : contentType
        }
    }
}

@available(*, unavailable)
extension PredictionExtractor: Sendable {}
