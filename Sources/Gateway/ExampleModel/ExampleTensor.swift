/// The first input of an Open Inference Protocol request: as many rows of numbers as its shape says.
struct ExampleTensor {
    let rows: Int
    var numbers: ExampleInput.Numbers

    /// - Parameter width: how many numbers the model takes for each row.
    init(_ input: ExampleInput, width: Int) throws(MalformedAnswer) {
        let outline = input.outline
        var inputs = try input.elements("inputs")
        guard let tensor = inputs.next(), outline.isObject(tensor) else {
            throw MalformedAnswer("inputs[0] is not an object")
        }
        guard let datatype = input.member(tensor, "datatype"), Self.isNumeric(outline.bytes(datatype)) else {
            throw MalformedAnswer("the datatype of inputs[0] must be FP64, FP32 or that of an integer")
        }
        guard let data = input.member(tensor, "data"), outline.isArray(data) else {
            throw MalformedAnswer("inputs[0] has no \"data\" array (binary tensors are not supported)")
        }
        numbers = ExampleInput.Numbers(input, data)
        let count = try numbers.count()
        guard let shape = input.member(tensor, "shape"), outline.isArray(shape), outline.children(shape) == 2,
            let rows = outline.bytes(shape + 1).decimal, rows > 0, outline.bytes(shape + 2).decimal == width
        else { throw MalformedAnswer("the shape of inputs[0] must be [n,\(width)]") }
        guard count % width == 0, count / width == rows else {
            throw MalformedAnswer("inputs[0] has \(count) numbers, which is not what its shape says")
        }
        self.rows = rows
    }

    private static func isNumeric(_ datatype: ByteView) -> Bool {
        switch datatype.count {
        case 6: datatype == "\"FP64\"" || datatype == "\"FP32\"" || datatype == "\"INT8\""
        case 7:
            datatype == "\"INT64\"" || datatype == "\"INT32\"" || datatype == "\"INT16\"" || datatype == "\"UINT8\""
        case 8: datatype == "\"UINT64\"" || datatype == "\"UINT32\"" || datatype == "\"UINT16\""
        default: false
        }
    }
}
