/// What of a request goes into the events of its answer: nothing, each row's own part, or the whole body once.
///
/// The request is looked into once for an answer, in steps. Rows are then handed out one after another. Views are valid until
/// the next row is asked for, or the next request is begun, and while the request stays as it is.
final class RequestCapture {
    /// A request as it came.
    struct Source {
        var body: ByteView
        /// The media type; empty: the client named none.
        var contentType: ByteView
        /// How many bytes of the body are JSON, where binary tensors follow; nil: all.
        var jsonLength: Int?
        /// The value of Content-Encoding, where it is compressed, or encoded otherwise.
        var contentEncoding: ByteView?
        /// Whether its rows are those of tensors (the Open Inference Protocol), else the elements of `instances`.
        var hasTensors: Bool
    }

    private enum Rows {
        case none
        case elements(ElementCursor)
        case tensors
    }

    /// Of the request that was begun last.
    private var policy = EventPolicy()
    private let outline = JSONOutline()
    private let tensors: TensorRows
    private var source = Source(body: .empty, contentType: .empty, hasTensors: false)
    private var isReading = false
    /// Whether the JSON was read to its end.
    private var isJSON = false
    private var rows = Rows.none
    private var rowCount = 0
    private var isSplit = false
    private var whole = PredictionEvent.Part()
    /// Looks into rows for members of one name; made when first needed.
    private var checker: JSONOutline?

    init() { tensors = TensorRows(outline, listName: "inputs") }

    // MARK: Reading

    /// Begins with a request of which nothing is recorded.
    func beginNothing() { policy.capture = .none }

    /// Begins with a request; true where there is nothing more to read.
    ///
    /// - Parameter reads: Whether there is time to look into it; else it is what its type says, as a whole.
    func begin(_ source: Source, _ policy: EventPolicy, reads: Bool = true) -> Bool {
        self.source = source
        self.policy = policy
        rows = .none
        rowCount = 0
        isSplit = false
        isReading = false
        isJSON = false
        whole = PredictionEvent.Part()
        tensors.removeAll()
        outline.forget()
        guard reads else { return true }
        let depth: Int
        switch policy.capture {
        case .none: return true
        case .input: depth = source.hasTensors ? 4 : 2
        case .body:
            guard source.body.count <= policy.maxCaptureBytes, mayBeJSON else { return true }
            depth = 0
        }
        guard source.contentEncoding == nil else { return true }
        let json = source.body.prefix(source.jsonLength ?? source.body.count).withoutByteOrderMark
        do throws(JSONOutline.Fault) {
            try outline.begin(json, JSONOutline.Options(depth: depth, takesNotFinite: true, skipsScalars: true))
        } catch {
            return true
        }
        isReading = true
        return readOn()
    }

    /// Reads on, some 128 KiB; true when the request is read.
    func readOn() -> Bool {
        guard isReading else { return true }
        do throws(JSONOutline.Fault) {
            guard try outline.readOn() else { return false }
            isJSON = true
        } catch {
            // Then it is something else.
        }
        isReading = false
        return true
    }

    /// Finds out what is recorded beside an answer of so many rows.
    func arrange(rowCount: Int) {
        self.rowCount = rowCount
        switch policy.capture {
        case .none: return
        case .input:
            isSplit = split()
            if !isSplit, rowCount == 1 { whole = wholePart(of: source.body) }
        case .body: whole = wholePart(of: source.body.prefix(policy.maxCaptureBytes))
        }
    }

    /// Whether the request has as many rows as its answer; then they stand in `rows`.
    private func split() -> Bool {
        guard isJSON, !outline.isOverfull, outline.isObject(0) else { return false }
        guard source.hasTensors else {
            guard let list = outline.member("instances", of: 0), outline.isArray(list) else { return false }
            guard outline.children(list) == rowCount else { return false }
            rows = .elements(outline.elements(of: list))
            return true
        }
        guard let list = outline.member("inputs", of: 0), outline.isArray(list) else { return false }
        rows = .tensors
        do throws(MalformedAnswer) {
            let count = try tensors.read(
                list,
                bodyLength: source.body.count,
                binaryLength: source.body.count - (source.jsonLength ?? source.body.count),
                maxRows: rowCount
            )
            return count == rowCount && rowCount > 0
        } catch {
            return false
        }
    }

    /// Lets go of what a large request has left behind; how many bytes that were.
    func letGo() -> Int {
        tensors.removeAll()
        return outline.letGo()
    }

    // MARK: Parts

    /// Puts what is to be recorded of the request into the event of the next row: all rows, one after the other.
    func add(to event: inout PredictionEvent) {
        switch policy.capture {
        case .none: return
        case .input where isSplit: event.input = nextRow()
        case .input:
            guard rowCount == 1 else { return }
            event.input = whole
            addNature(to: &event)
        case .body where event.rowIndex == 0:
            let isCut = source.body.count > policy.maxCaptureBytes
            event.request = PredictionEvent.CapturedRequest(body: whole, isCut: isCut)
            addNature(to: &event)
        case .body:
            event.request = nil
            event.requestContentType = .empty
            event.requestContentEncoding = .empty
        }
    }

    /// How a whole body is to be read.
    private func addNature(to event: inout PredictionEvent) {
        event.requestContentType = source.contentType
        event.requestContentEncoding = source.contentEncoding ?? .empty
    }

    private func nextRow() -> PredictionEvent.Part {
        let value: ByteView
        switch rows {
        case .none: return PredictionEvent.Part()
        case .elements(var cursor):
            value = outline.bytes(outline.next(&cursor))
            rows = .elements(cursor)
        case .tensors: value = tensors.next()
        }
        if outline.hasDuplicates, hasDuplicates(value) { return PredictionEvent.Part(bytes: value, encoding: .text) }
        return PredictionEvent.Part(bytes: value, mayBeNotFinite: outline.hasNotFinite)
    }

    private func hasDuplicates(_ value: ByteView) -> Bool {
        let outline = checker ?? JSONOutline()
        checker = outline
        do throws(JSONOutline.Fault) {
            try outline.read(value, JSONOutline.Options(depth: 0, takesNotFinite: true))
        } catch {
            return false
        }
        return outline.hasDuplicates
    }

    /// Types under which a body that can be read as JSON is JSON. `curl -d` says of everything that it is a form.
    private var mayBeJSON: Bool {
        let type = source.contentType
        return type.isEmpty || type.isJSONMediaType || type.isFormMediaType
    }

    private func wholePart(of body: ByteView) -> PredictionEvent.Part {
        let isComplete = body.count == source.body.count
        if isComplete, isJSON, mayBeJSON, source.jsonLength ?? body.count == body.count {
            if outline.hasDuplicates { return PredictionEvent.Part(bytes: body, encoding: .text) }
            return PredictionEvent.Part(bytes: outline.bytes(0), mayBeNotFinite: outline.hasNotFinite)
        }
        let isText =
            isComplete && source.contentEncoding == nil && body.count <= policy.maxEventBytes
            && source.contentType.mayBeTextMediaType && body.isText
        return PredictionEvent.Part(bytes: body, encoding: isText ? .text : .base64)
    }
}

@available(*, unavailable)
extension RequestCapture: Sendable {}
