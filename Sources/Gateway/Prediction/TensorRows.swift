/// The tensors of an Open Inference Protocol message, cut into rows: outputs of an answer, inputs of a request.
///
/// The message has been read into the outline, four containers deep and without the scalars at the deepest level. Rows are
/// put together one after another, as they are asked for, so that they take no more room than one of them does.
final class TensorRows {
    /// How much all rows together may have that is not in the message as such: names, descriptions, brackets.
    static let maxAddedBytes = 16 << 20
    /// Room that a large message may leave behind.
    private static let keptTensors = 1 << 10
    private static let keptBytes = 256 << 10

    /// One tensor of a message, and how far its rows have been handed out.
    struct Tensor {
        enum Layout {
            /// The elements of `data` are the rows as sent: a vector, or a nested tensor.
            case elements
            /// The rows' scalars follow one another in `data`, so many a row.
            case flat(Int)
            /// Rows that are not in the JSON: their description stands between these offsets of `texts`.
            case described(start: Int, end: Int)
            /// All of it is one row.
            case whole
        }

        /// The inside of a JSON string.
        var name = ByteView.empty
        var nameHasEscapes = false
        /// The node of `shape`, and its length.
        var shape = 0
        var rank = 0
        /// Dimension 0; 1 where there is none.
        var rows = 1
        /// Dimension 1, where there is one.
        var width = 1
        /// Elements in each row.
        var rowLength = 1
        /// The node of `data`, nil where the tensor is not in the JSON.
        var data: Int?
        /// Whether the message says that the tensor is behind the JSON, or in shared memory.
        var isElsewhere = false
        /// The inside of a JSON string.
        var datatype = ByteView.empty
        /// The bytes of the tensor behind the JSON, where it is there.
        var binarySize: Int?
        var layout = Layout.whole
        /// Where the next row begins in `data`.
        var next = ElementCursor()
    }

    let outline: JSONOutline
    /// `outputs` or `inputs`, for what is said of a tensor.
    let listName: String
    // Nothing here calls back into this object while the list changes, and the check at run time costs as much as all the
    // rest of a row (docs/decisions/0002-json.md).
    @exclusivity(unchecked) private var tensors: [Tensor] = []
    private let names = NameSet()
    /// Descriptions of tensors that are not in the JSON.
    private let texts = ByteBuffer(capacity: 256)
    /// The row at hand.
    private let row = ByteBuffer(capacity: 1 << 10)

    init(_ outline: JSONOutline, listName: String) {
        self.outline = outline
        self.listName = listName
    }

    func removeAll() {
        if !tensors.isEmpty { tensors.removeAll(keepingCapacity: tensors.capacity <= Self.keptTensors) }
        texts.removeAll(keepingAtMost: Self.keptBytes)
        row.removeAll(keepingAtMost: Self.keptBytes)
    }

    /// Reads the tensors of a list; returns how many rows they have together.
    ///
    /// - Parameters:
    ///   - bodyLength: The bytes of the message.
    ///   - binaryLength: How many of them stand behind the JSON.
    ///   - maxRows: More are refused as too many.
    func read(
        _ list: Int,
        bodyLength: Int,
        binaryLength: Int,
        maxRows: Int
    ) throws(MalformedAnswer) -> Int {
        removeAll()
        try readTensors(list, binaryLength: binaryLength)
        guard let rows = tensors.first?.rows else { return 0 }
        // Rows that take no bytes of the message cost nothing to announce, so there may be no more than it has bytes.
        let areRows = rows <= bodyLength && tensors.allSatisfy { $0.rank > 0 && $0.rows == rows }
        guard areRows else {
            try arrange(rows: nil)
            return 1
        }
        guard rows <= maxRows else { throw MalformedAnswer("`\(listName)` have \(rows) rows", .tooMany) }
        if rows > 0 { try arrange(rows: rows) }
        return rows
    }

    /// The next row, JSON: the row itself of a single tensor, else an object of the rows of all. Valid until the next call.
    @inline(__always)
    func next() -> ByteView {
        if tensors.count == 1 {
            switch tensors[0].layout {
            case .elements, .whole: return slice(of: &tensors[0])
            case .described(let start, let end): return texts[start..<end]
            case .flat: break
            }
        }
        row.removeAll()
        if tensors.count == 1 { appendRow(of: &tensors[0]) } else { appendRows() }
        return row.view
    }

    private func appendRows() {
        for index in tensors.indices {
            row.append(index == 0 ? "{\"" : ",\"")
            row.append(tensors[index].name)
            row.append("\":")
            appendRow(of: &tensors[index])
        }
        row.append(UInt8(ascii: "}"))
    }

    /// The next row, where it is a part of the message as sent.
    @inline(__always)
    private func slice(of tensor: inout Tensor) -> ByteView {
        if case .whole = tensor.layout, let data = tensor.data { return outline.bytes(data) }
        return outline.bytes(outline.next(&tensor.next))
    }

    private func appendRow(of tensor: inout Tensor) {
        switch tensor.layout {
        case .elements, .whole: row.append(slice(of: &tensor))
        case .described(let start, let end): row.append(texts[start..<end])
        case .flat(let length):
            row.append(UInt8(ascii: "["))
            if length > 0 {
                let first = outline.next(&tensor.next)
                var last = first
                for _ in 1..<length { last = outline.next(&tensor.next) }
                row.append(outline.bytes(first.lowerBound..<last.upperBound))
            }
            row.append(UInt8(ascii: "]"))
        }
    }

    // MARK: Reading

    private func readTensors(_ list: Int, binaryLength: Int) throws(MalformedAnswer) {
        var binaryLeft = binaryLength
        let end = outline.after(list)
        var node = list + 1
        while node < end {
            let index = tensors.count
            guard outline.isObject(node) else { throw MalformedAnswer("`\(listName)[\(index)]` is not an object") }
            var tensor = readTensor(node)
            guard readShape(&tensor) else { throw misfit(tensor, index, "has no `shape`, or none that is possible") }
            if let data = tensor.data {
                guard layOut(&tensor, data) else {
                    throw misfit(tensor, index, "has `data` that does not fit its `shape`")
                }
            } else {
                guard tensor.isElsewhere else {
                    throw misfit(tensor, index, "has neither `data` nor `parameters.binary_data_size`")
                }
                let size = tensor.binarySize ?? 0
                guard size <= binaryLeft else {
                    throw misfit(tensor, index, "announces more binary data than there is")
                }
                binaryLeft -= size
                tensor.layout = .described(start: 0, end: 0)
            }
            tensors.append(tensor)
            node = outline.after(node)
        }
        try checkNames()
    }

    private func misfit(_ tensor: Tensor, _ index: Int, _ what: String) -> MalformedAnswer {
        MalformedAnswer("`\(listName)[\(index)]` (`\(tensor.name.prefix(80).string)`) \(what)")
    }

    /// Two tensors of one name would be two members of one name.
    private func checkNames() throws(MalformedAnswer) {
        guard tensors.count > 1 else { return }
        names.removeAll()
        for (index, tensor) in tensors.enumerated() where !names.insert(tensor.name, hasEscapes: tensor.nameHasEscapes)
        {
            throw misfit(tensor, index, "has the name of another one")
        }
    }

    private func readTensor(_ object: Int) -> Tensor {
        var tensor = Tensor()
        if let name = outline.member("name", of: object), outline.isString(name) {
            tensor.name = outline.inside(name)
            tensor.nameHasEscapes = outline.hasEscapes(name)
        }
        if let type = outline.member("datatype", of: object), outline.isString(type) {
            tensor.datatype = outline.inside(type)
        }
        if let shape = outline.member("shape", of: object), outline.isArray(shape) { tensor.shape = shape }
        tensor.data = outline.member("data", of: object)
        guard tensor.data == nil, let parameters = outline.member("parameters", of: object),
            outline.isObject(parameters)
        else { return tensor }
        tensor.binarySize = outline.member("binary_data_size", of: parameters).flatMap {
            outline.isNumber($0) ? outline.bytes($0).decimal : nil
        }
        // Triton leaves out `data` also where it has put the tensor into shared memory.
        tensor.isElsewhere =
            tensor.binarySize != nil || outline.member("shared_memory_region", of: parameters) != nil
        return tensor
    }

    /// Takes rank, rows and row length from the shape; false where it is not a list of whole numbers, or overflows.
    private func readShape(_ tensor: inout Tensor) -> Bool {
        guard tensor.shape > 0, outline.hasOnlyScalars(tensor.shape) else { return false }
        tensor.rank = outline.children(tensor.shape)
        var dimension = outline.elements(of: tensor.shape)
        for index in 0..<tensor.rank {
            guard let length = outline.bytes(outline.next(&dimension)).decimal else { return false }
            if index == 0 {
                tensor.rows = length
            } else {
                if index == 1 { tensor.width = length }
                let (product, overflow) = tensor.rowLength.multipliedReportingOverflow(by: length)
                guard !overflow else { return false }
                tensor.rowLength = product
            }
        }
        return true
    }

    /// Finds out how the rows stand in `data`; false where it is not as long as the shape says.
    private func layOut(_ tensor: inout Tensor, _ data: Int) -> Bool {
        guard tensor.rank > 0 else { return true }
        guard outline.isArray(data) else { return false }
        let count = outline.children(data)
        tensor.next = outline.elements(of: data)
        tensor.layout = .elements
        // What the elements of a vector are is the model's affair.
        guard tensor.rank > 1 else { return count == tensor.rows }
        guard outline.hasOnlyScalars(data) else { return count == tensor.rows && isNested(tensor, data) }
        let (product, overflow) = tensor.rows.multipliedReportingOverflow(by: tensor.rowLength)
        guard !overflow, count == product else { return false }
        tensor.layout = .flat(tensor.rowLength)
        return true
    }

    /// Whether all elements of `data` are arrays of a row's length, each nested or flat itself.
    private func isNested(_ tensor: Tensor, _ data: Int) -> Bool {
        var rows = 0
        var element = data + 1
        while element < outline.after(data) {
            guard outline.isArray(element) else { return false }
            let length = outline.children(element)
            guard length == tensor.width || length == tensor.rowLength else { return false }
            rows += 1
            element = outline.after(element)
        }
        return rows == tensor.rows
    }

    // MARK: Arranging

    /// Prepares the rows.
    ///
    /// - Parameter rows: How many rows each tensor has, at least one; nil where the tensors do not share rows, so that all
    ///   there is becomes one.
    private func arrange(rows: Int?) throws(MalformedAnswer) {
        var added = 0
        for index in tensors.indices {
            if tensors[index].data == nil {
                let start = texts.count
                describe(tensors[index], rows: rows)
                tensors[index].layout = .described(start: start, end: texts.count)
                added += texts.count - start
            } else if rows == nil {
                tensors[index].layout = .whole
            }
            // Quotes, colon, comma; and the brackets.
            added += (tensors.count > 1 ? tensors[index].name.count + 4 : 0) + 2
        }
        guard added <= Self.maxAddedBytes / (rows ?? 1) else {
            throw MalformedAnswer("the rows of `\(listName)` would be much longer than the message", .tooMany)
        }
    }

    /// Appends what is known of a tensor whose data is not in the JSON.
    ///
    /// - Parameter rows: How many rows it is cut into; nil: it is described as a whole.
    private func describe(_ tensor: Tensor, rows: Int?) {
        texts.append("{\"datatype\":\"")
        texts.append(tensor.datatype)
        texts.append("\",\"shape\":[")
        var dimension = outline.elements(of: tensor.shape)
        var isFirst = true
        for index in 0..<tensor.rank {
            let length = outline.bytes(outline.next(&dimension))
            if index == 0 && rows != nil { continue }
            if !isFirst { texts.append(UInt8(ascii: ",")) }
            isFirst = false
            texts.append(length)
        }
        texts.append("]")
        // The rows of BYTES differ in length.
        if let size = tensor.binarySize, rows == nil || (!(tensor.datatype == "BYTES") && size % (rows ?? 1) == 0) {
            texts.append(",\"binaryDataSize\":")
            texts.append(decimal: size / (rows ?? 1))
        }
        texts.append("}")
    }
}

@available(*, unavailable)
extension TensorRows: Sendable {}
