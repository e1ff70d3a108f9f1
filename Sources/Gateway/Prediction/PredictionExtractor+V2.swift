/// The Open Inference Protocol: a Prediction per row of the outputs.
extension PredictionExtractor {
    /// One output of an answer, and how far its rows have been handed out.
    struct Tensor {
        enum Layout {
            /// The elements of `data` are the rows as sent: a vector, or a nested tensor.
            case elements
            /// The rows' scalars follow one another in `data`, so many a row.
            case flat(Int)
            /// Rows that are not in the JSON: their description stands between these offsets of the scratch space.
            case described(start: Int, end: Int)
            /// All of it is one row.
            case whole
        }

        /// The inside of a JSON string.
        var name = ByteView.empty
        /// The node of `shape`, and its length.
        var shape = 0
        var rank = 0
        /// Dimension 0; 1 where there is none.
        var rows = 1
        /// Elements in each row.
        var rowLength = 1
        /// The node of `data`, nil where the tensor is not in the JSON.
        var data: Int?
        /// Whether the answer says that the tensor is behind the JSON, or in shared memory.
        var isElsewhere = false
        /// The inside of a JSON string.
        var datatype = ByteView.empty
        /// The bytes of the tensor behind the JSON, where it is there.
        var binarySize: Int?
        var layout = Layout.whole
        /// The node of the next element of `data`.
        var next = 0
    }

    /// - Parameters:
    ///   - bodyLength: The bytes of the answer.
    ///   - binaryLength: How many of them stand behind the JSON.
    func extractV2(bodyLength: Int, binaryLength: Int) throws(MalformedAnswer) {
        if let name = member("model_name", of: 0), outline.isString(name) { shared.modelName = outline.inside(name) }
        if let version = member("model_version", of: 0) {
            if outline.isString(version) {
                shared.modelVersion = outline.inside(version)
            } else if outline.isNumber(version) {
                shared.modelVersion = outline.bytes(version)
            }
        }
        guard let list = member("outputs", of: 0), outline.isArray(list) else {
            throw MalformedAnswer("the answer has no `outputs` (an array)")
        }
        try readOutputs(list, binaryLength: binaryLength)
        guard let rows = outputs.first?.rows else { return }
        // Rows that take no bytes of the answer cost nothing to announce, so there may be no more than it has bytes.
        let areRows = rows <= bodyLength && outputs.allSatisfy { $0.rank > 0 && $0.rows == rows }
        if rows > 0 || !areRows { composeValues(rows: areRows ? rows : nil) }
    }

    private func readOutputs(_ list: Int, binaryLength: Int) throws(MalformedAnswer) {
        var binaryLeft = binaryLength
        let end = outline.after(list)
        var node = list + 1
        while node < end {
            let index = outputs.count
            guard outline.isObject(node) else { throw MalformedAnswer("`outputs[\(index)]` is not an object") }
            var tensor = readTensor(node)
            guard readShape(&tensor) else { throw misfit(tensor, index, "has no `shape`, or none that is possible") }
            if let data = tensor.data {
                guard arrange(&tensor, data) else {
                    throw misfit(tensor, index, "has `data` that does not fit its `shape`")
                }
            } else {
                guard tensor.isElsewhere else {
                    throw misfit(tensor, index, "has neither `data` nor `parameters.binary_data_size`")
                }
                let size = tensor.binarySize ?? 0
                guard size <= binaryLeft else {
                    throw misfit(tensor, index, "announces more binary data than the answer has")
                }
                binaryLeft -= size
                tensor.layout = .described(start: 0, end: 0)
            }
            outputs.append(tensor)
            node = outline.after(node)
        }
    }

    private func misfit(_ tensor: Tensor, _ index: Int, _ what: String) -> MalformedAnswer {
        MalformedAnswer("`outputs[\(index)]` (`\(tensor.name.prefix(80).string)`) \(what)")
    }

    private func readTensor(_ object: Int) -> Tensor {
        var tensor = Tensor()
        if let name = member("name", of: object), outline.isString(name) { tensor.name = outline.inside(name) }
        if let type = member("datatype", of: object), outline.isString(type) { tensor.datatype = outline.inside(type) }
        if let shape = member("shape", of: object), outline.isArray(shape) { tensor.shape = shape }
        tensor.data = member("data", of: object)
        guard tensor.data == nil, let parameters = member("parameters", of: object), outline.isObject(parameters) else {
            return tensor
        }
        tensor.binarySize = member("binary_data_size", of: parameters).flatMap(integer)
        // Triton leaves out `data` also where it has put the tensor into shared memory.
        tensor.isElsewhere = tensor.binarySize != nil || member("shared_memory_region", of: parameters) != nil
        return tensor
    }

    /// Takes rank, rows and row length from the shape; false where it is not a list of whole numbers, or overflows.
    private func readShape(_ tensor: inout Tensor) -> Bool {
        guard tensor.shape > 0 else { return false }
        tensor.rank = outline.children(tensor.shape)
        for index in 0..<tensor.rank {
            guard let length = integer(tensor.shape + 1 + index) else { return false }
            if index == 0 {
                tensor.rows = length
            } else {
                let (product, overflow) = tensor.rowLength.multipliedReportingOverflow(by: length)
                guard !overflow else { return false }
                tensor.rowLength = product
            }
        }
        return true
    }

    /// Finds out how the rows stand in `data`; false where it is not as long as the shape says.
    private func arrange(_ tensor: inout Tensor, _ data: Int) -> Bool {
        guard tensor.rank > 0 else { return true }
        guard outline.isArray(data) else { return false }
        let count = outline.children(data)
        let end = outline.after(data)
        var element = data + 1
        tensor.next = element
        tensor.layout = .elements
        // What the elements of a vector are is the model's affair.
        guard tensor.rank > 1 else { return count == tensor.rows }
        if count > 0, outline.isArray(element) {
            guard count == tensor.rows, let width = integer(tensor.shape + 2) else { return false }
            while element < end {
                guard outline.isArray(element) else { return false }
                // A row may itself be nested or flat.
                let length = outline.children(element)
                guard length == width || length == tensor.rowLength else { return false }
                element = outline.after(element)
            }
            return true
        }
        let (product, overflow) = tensor.rows.multipliedReportingOverflow(by: tensor.rowLength)
        guard !overflow, count == product else { return false }
        while element < end {
            guard !outline.isArray(element) else { return false }
            element = outline.after(element)
        }
        tensor.layout = .flat(tensor.rowLength)
        return true
    }

    /// The value of a number that is a whole one and not negative.
    private func integer(_ node: Int) -> Int? {
        guard outline.isNumber(node) else { return nil }
        let text = outline.bytes(node)
        var value = 0
        for index in 0..<text.count {
            let byte = text[index]
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }
}
