/// Reads what the models take from a JSON document. All nodes are of the document that `outline` has read last.
struct ExampleInput {
    let outline: JSONOutline

    /// As deep as the deepest numbers of any request lie.
    private static let depth = 8
    /// Beyond any measure of a flower, and far from what a product could overflow with.
    private static let largest = 1e9

    func read(_ body: ByteView) throws(MalformedAnswer) {
        do throws(JSONOutline.Fault) {
            try outline.read(body, depth: Self.depth)
        } catch {
            throw MalformedAnswer(error, offset: outline.faultOffset)
        }
        guard outline.isObject(0) else { throw MalformedAnswer("the body is not an object") }
    }

    /// The value of an object's member of this name, the first of several.
    func member(_ object: Int, _ name: StaticString) -> Int? {
        var node = object + 1
        let end = outline.after(object)
        while node < end {
            if outline.inside(node) == name { return node + 1 }
            node = outline.after(node + 1)
        }
        return nil
    }

    /// The root's member of this name, which must be an array with something in it.
    func elements(_ name: StaticString) throws(MalformedAnswer) -> Elements {
        guard let node = member(0, name), outline.isArray(node), outline.children(node) > 0 else {
            throw MalformedAnswer("there must be \"\(name)\", an array that is not empty")
        }
        return Elements(outline: outline, node: node + 1, end: outline.after(node))
    }

    /// The elements of an array, one after the other.
    struct Elements: Sequence, IteratorProtocol {
        let outline: JSONOutline
        var node: Int
        let end: Int

        mutating func next() -> Int? {
            guard node < end else { return nil }
            defer { node = outline.after(node) }
            return node
        }
    }

    // MARK: What the models take

    /// The four measures of a flower: an array of four numbers.
    func features(_ node: Int) throws(MalformedAnswer) -> SIMD4<Double> {
        guard outline.isArray(node), outline.children(node) == 4 else {
            throw MalformedAnswer("iris takes four numbers for each flower, such as [5.1,3.5,1.4,0.2]")
        }
        var numbers = Numbers(self, node)
        return try features(&numbers)
    }

    func features(_ numbers: inout Numbers) throws(MalformedAnswer) -> SIMD4<Double> {
        var features = SIMD4<Double>()
        for index in 0..<4 { features[index] = try numbers.take() }
        return features
    }

    /// A picture: five strings of `#` and `.`, or 25 numbers 0 and 1, flat or in rows.
    func image(_ node: Int) throws(MalformedAnswer) -> DigitImage {
        guard outline.isArray(node) else { throw Self.notAnImage }
        if outline.children(node) == DigitImage.side, outline.isString(node + 1) { return try drawing(node) }
        var numbers = Numbers(self, node)
        guard try numbers.count() == DigitImage.cellCount else { throw Self.notAnImage }
        return try image(&numbers)
    }

    func image(_ numbers: inout Numbers) throws(MalformedAnswer) -> DigitImage {
        var image = DigitImage()
        for cell in 0..<DigitImage.cellCount {
            let value = try numbers.take()
            if value == 1 { image.ink(cell) } else if value != 0 { throw Self.notAnImage }
        }
        return image
    }

    private func drawing(_ node: Int) throws(MalformedAnswer) -> DigitImage {
        var image = DigitImage()
        for row in 0..<DigitImage.side {
            // Strings have no children: each is one node.
            let text = node + 1 + row
            guard outline.isString(text), outline.inside(text).count == DigitImage.side else { throw Self.notAnImage }
            for column in 0..<DigitImage.side {
                switch outline.inside(text)[column] {
                case UInt8(ascii: "#"): image.ink(row * DigitImage.side + column)
                case UInt8(ascii: "."): continue
                default: throw Self.notAnImage
                }
            }
        }
        return image
    }

    private static var notAnImage: MalformedAnswer {
        MalformedAnswer("digits takes pictures of five strings of five # or . each, or of 25 numbers 0 or 1")
    }

    /// The numbers of an array, in order, however they are nested.
    struct Numbers {
        private let outline: JSONOutline
        private var next: Int
        private let end: Int

        init(_ input: ExampleInput, _ array: Int) {
            outline = input.outline
            next = array + 1
            end = input.outline.after(array)
        }

        /// How many are left.
        func count() throws(MalformedAnswer) -> Int {
            var found = 0
            for node in next..<end {
                if outline.isNumber(node) {
                    found += 1
                } else if !outline.isArray(node) {
                    throw MalformedAnswer("there is something else where a number should be")
                }
            }
            return found
        }

        mutating func take() throws(MalformedAnswer) -> Double {
            while next < end, outline.isArray(next) { next += 1 }
            guard next < end, outline.isNumber(next) else {
                throw MalformedAnswer("there is something else where a number should be")
            }
            let value = outline.bytes(next).number
            guard value.magnitude <= ExampleInput.largest else {
                throw MalformedAnswer("a number is too large")
            }
            next += 1
            return value
        }
    }
}
