/// Turns the body of a Model Service's answer into Predictions, without copying what need not be.
///
/// Whatever a body is, it becomes Predictions: one that is not understood is one as a whole. It is read in steps, and the
/// Predictions are handed out one after another. One body at a time; what is handed out points into that body and into
/// scratch space, and is valid until the next Prediction is asked for or the next body is begun. After bodies of the usual
/// size nothing is allocated.
final class PredictionExtractor {
    /// Room that one large answer may leave behind: bytes of scratch space, and Predictions.
    private static let keptBytes = 256 << 10
    private static let keptRows = 4 << 10

    /// An answer and what is known of it.
    struct Source {
        var modelProtocol: ModelProtocol
        var body: ByteView
        /// How many bytes at the front of the body are JSON, where binary tensors follow; nil: all.
        var jsonLength: Int?
        /// The media type of the body; empty: not known.
        var contentType = ByteView.empty
        /// The value of Content-Encoding, where it has one.
        var contentEncoding: ByteView?
        /// More Predictions are one.
        var maxPredictions = Int.max
        /// A longer body that is one value is not looked into to find out what it is: nobody gets it.
        var maxWholeBytes = Int.max
    }

    private enum Parts {
        /// Of `predictions`.
        case list
        /// The elements of an array.
        case elements(ElementCursor)
        /// The rows of `tensors`.
        case rows
        /// One, `whole`.
        case one
    }

    // The rules of the protocols stand in files of their own (`ModelCodec`), so what they share is not private.
    let outline = JSONOutline()
    /// What the body does not hold as it is needed: unknown members.
    let scratch = ByteBuffer(capacity: 1024)
    // Nothing here calls back into the extractor while a list changes, and the check at run time costs as much as all
    // the rest of a row (docs/decisions/0002-json.md).

    /// Native: the Predictions, each with its own members. Else empty.
    @exclusivity(unchecked) var predictions: [Prediction] = []
    /// Where in the scratch space the unknown members of each of them end. Views of it are made when it is complete: until
    /// then it may move.
    @exclusivity(unchecked) var ends: [Int] = []
    /// What is the same for all Predictions; of one that is whole, all of it.
    var shared = Prediction()
    /// Native only: the top-level members that we do not know, as `"name":value` joined by commas; else empty.
    var extra = ByteView.empty
    let names = NameSet()
    /// Nodes of members that bear names of ours and are not what these should be.
    @exclusivity(unchecked) var misfits: [Int] = []

    private let tensors: TensorRows
    /// Looks into values for members of one name; made when first needed.
    private var checker: JSONOutline?
    private(set) var source = Source(modelProtocol: .raw, body: .empty)
    private var json = ByteView.empty
    private var isReading = false
    private var parts = Parts.one
    private var handedOut = 0

    /// How many Predictions the answer is.
    private(set) var count = 0
    /// Why it is one Prediction although it may hold several; nil: it is as its protocol says.
    private(set) var unsplit: Unsplit?
    /// What was not understood, one sentence for a person; empty: nothing.
    private(set) var reason = ""
    /// The media type of a value that is not JSON; else empty.
    private(set) var contentType = ByteView.empty
    /// How such a value is compressed, or encoded otherwise (Content-Encoding); else empty.
    private(set) var contentEncoding = ByteView.empty

    init() { tensors = TensorRows(outline, listName: "outputs") }

    /// How much all Predictions together have that is not in the answer as such.
    var addedBytes: Int { tensors.addedBytes }

    /// Whether all Predictions say of their model what `shared` says.
    var sharesNames: Bool { predictions.isEmpty }

    /// Whether values of the answer may hold NaN or Infinity, which are no JSON.
    var hasNotFinite: Bool { outline.hasNotFinite }

    // MARK: Reading

    /// Begins with an answer, whose bytes must stay as they are; true where there is nothing more to read.
    func begin(_ source: Source) -> Bool {
        reset()
        self.source = source
        if let contentEncoding = source.contentEncoding {
            takeWhole(.encoded)
            self.contentEncoding = contentEncoding
            return true
        }
        let length = source.jsonLength ?? source.body.count
        guard length >= 0, length <= source.body.count else {
            let reason = "the answer announces \(length) bytes of JSON and has \(source.body.count) bytes in all"
            takeWhole(.notUnderstood, reason)
            return true
        }
        let codec = source.modelProtocol.codec
        if codec.takesAnything, !isWorthReading {
            takeWhole(nil)
            return true
        }
        json = source.body[0..<length].withoutByteOrderMark
        do throws(JSONOutline.Fault) {
            try outline.begin(json, JSONOutline.Options(depth: codec.depth, takesNotFinite: true, skipsScalars: true))
        } catch {
            refuse(error)
            return true
        }
        isReading = true
        return readOn()
    }

    /// A raw body of another type is not JSON, whatever it looks like.
    private var isWorthReading: Bool {
        (source.contentType.isEmpty || source.contentType.isJSONMediaType) && source.body.count <= source.maxWholeBytes
    }

    /// Reads on, some 128 KiB; true when the answer is read, and `count` and the rest tell what it is.
    func readOn() -> Bool {
        guard isReading else { return true }
        do throws(JSONOutline.Fault) {
            guard try outline.readOn() else { return false }
        } catch {
            isReading = false
            refuse(error)
            return true
        }
        isReading = false
        do throws(MalformedAnswer) {
            try find()
        } catch {
            takeWhole(error.unsplit, error.reason)
        }
        return true
    }

    /// Reads a whole answer at once; returns how many Predictions it is.
    func extract(_ source: Source) -> Int {
        if !begin(source) { while !readOn() {} }
        return count
    }

    private func find() throws(MalformedAnswer) {
        let codec = source.modelProtocol.codec
        guard !codec.takesAnything else { return takeWhole(nil) }
        guard !outline.isOverfull else { throw MalformedAnswer("the answer has too many parts", .tooMany) }
        guard outline.isObject(0) else { throw MalformedAnswer("the answer is not a JSON object") }
        try codec.find(in: self)
    }

    /// The body is not JSON.
    private func refuse(_ fault: JSONOutline.Fault) {
        json = .empty
        let reason = MalformedAnswer(fault, offset: outline.faultOffset).reason
        if source.modelProtocol.codec.takesAnything { takeWhole(nil) } else { takeWhole(.notUnderstood, reason) }
    }

    /// Lets go of what a large answer has left behind; how many bytes that were. Its Predictions are gone.
    func letGo() -> Int {
        let before = scratch.capacity + predictions.capacity * MemoryLayout<Prediction>.stride
        reset()
        return before - scratch.capacity - predictions.capacity * MemoryLayout<Prediction>.stride + outline.letGo()
    }

    private func reset() {
        scratch.removeAll(keepingAtMost: Self.keptBytes)
        removePredictions()
        tensors.removeAll()
        shared = Prediction()
        extra = .empty
        json = .empty
        parts = .one
        handedOut = 0
        count = 0
        unsplit = nil
        reason = ""
        contentType = .empty
        contentEncoding = .empty
        outline.forget()
    }

    /// Both lists together: an answer that turns out to be one as a whole may have begun them.
    private func removePredictions() {
        guard !predictions.isEmpty else { return }
        predictions.removeAll(keepingCapacity: predictions.capacity <= Self.keptRows)
        ends.removeAll(keepingCapacity: ends.capacity <= Self.keptRows)
    }

    // MARK: Predictions

    /// The next Prediction: `count` of them, one after the other.
    @inline(__always)
    func next() -> Prediction {
        precondition(handedOut < count, "no more Predictions")
        handedOut += 1
        var prediction = shared
        switch parts {
        case .list: prediction = predictions[handedOut - 1]
        case .elements(var cursor):
            prediction.value = outline.bytes(outline.next(&cursor))
            parts = .elements(cursor)
        case .rows: prediction.value = tensors.next()
        case .one: break
        }
        if outline.hasDuplicates, prediction.encoding == .json {
            prediction.hasDuplicates = hasDuplicates(prediction.value)
        }
        return prediction
    }

    /// Whether an object in this JSON has two members of one name.
    func hasDuplicates(_ value: ByteView) -> Bool {
        let outline = checker ?? JSONOutline()
        checker = outline
        do throws(JSONOutline.Fault) {
            try outline.read(value, JSONOutline.Options(depth: 0, takesNotFinite: true))
        } catch {
            return false
        }
        return outline.hasDuplicates
    }

    // MARK: What a protocol finds

    /// The Predictions are those of `predictions`.
    func takeList() {
        parts = .list
        count = predictions.count
    }

    /// The Predictions are the elements of an array; of what is none, all of it.
    func takeElements(of node: Int) throws(MalformedAnswer) {
        guard outline.isArray(node) else {
            shared.value = outline.bytes(node)
            count = 1
            return
        }
        let count = outline.children(node)
        guard count <= source.maxPredictions else { throw MalformedAnswer("it has \(count) predictions", .tooMany) }
        self.count = count
        parts = .elements(outline.elements(of: node))
    }

    /// The Predictions are the rows of these tensors.
    func takeRows(of list: Int) throws(MalformedAnswer) {
        let binaryLength = source.body.count - (source.jsonLength ?? source.body.count)
        count = try tensors.read(
            list,
            bodyLength: source.body.count,
            binaryLength: binaryLength,
            maxRows: source.maxPredictions
        )
        parts = .rows
    }

    /// Takes what the answer's top level says about the model.
    func noteNames() {
        guard let members = source.modelProtocol.codec.nameMembers else { return }
        if let name = outline.member(members.model, of: 0) { shared.modelName = outline.modelName(name) ?? .empty }
        if let version = outline.member(members.version, of: 0) {
            shared.modelVersion = outline.modelVersion(version) ?? .empty
        }
    }

    /// What the answer looks like, although it was read as something else; nil: nothing that is known.
    var likelyProtocol: ModelProtocol? {
        guard !json.isEmpty, outline.count > 0, !outline.isOverfull, outline.isObject(0) else { return nil }
        // The later ones ask for more.
        return ModelProtocol.allCases.last { $0.codec.resembles(outline) }
    }

    // MARK: Whole answers

    /// Makes one Prediction of all of the body.
    ///
    /// - Parameters:
    ///   - reason: What was not understood; empty where nothing was to be.
    private func takeWhole(_ unsplit: Unsplit?, _ reason: String = "") {
        let isJSON = !json.isEmpty && (source.jsonLength ?? source.body.count) == source.body.count
        if unsplit != nil, isJSON, outline.isObject(0), !outline.isOverfull { noteNames() }
        self.unsplit = unsplit
        self.reason = reason
        removePredictions()
        extra = .empty
        parts = .one
        count = 1
        let body = source.body
        if body.isEmpty {
            shared.value = ByteView("null")
        } else if isJSON {
            shared.value = outline.bytes(0)
        } else {
            shared.value = body
            shared.encoding = encoding(of: body)
            contentType = source.contentType
            if contentType.isEmpty, shared.encoding == .base64 { contentType = ByteView("application/octet-stream") }
        }
    }

    private func encoding(of body: ByteView) -> BodyEncoding {
        guard source.contentEncoding == nil, body.count <= source.maxWholeBytes else { return .base64 }
        return source.contentType.mayBeTextMediaType && body.isText ? .text : .base64
    }
}

extension JSONOutline {
    /// What a model's name may be: a string that is not too long.
    func modelName(_ node: Int) -> ByteView? {
        guard isString(node) else { return nil }
        let name = inside(node)
        return name.count <= Prediction.maxNameBytes ? name : nil
    }

    /// What a model's version may be: a string, or a number as sent.
    func modelVersion(_ node: Int) -> ByteView? {
        guard isNumber(node) else { return modelName(node) }
        let number = bytes(node)
        return number.count <= Prediction.maxNameBytes ? number : nil
    }
}

@available(*, unavailable)
extension PredictionExtractor: Sendable {}
