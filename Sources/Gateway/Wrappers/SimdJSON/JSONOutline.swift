private import CSimdJSON

/// The values of one JSON document as slices of it: what simdjson's reader leaves, with checked access.
///
/// A document is read in one pass that checks all of it (RFC 8259, UTF-8), and is noted as a flat table of nodes down
/// to the depth asked for: a container is followed by its contents, the name of a member by its value. The memory is
/// kept from document to document, so that a reader which has seen a few allocates nothing.
///
/// Owned by one object on one thread. Nodes are valid until the next `read`, and while the bytes stay as they are.
final class JSONOutline {
    /// In the order of the constants in CSimdJSON.h.
    enum Kind: UInt32 {
        case object, array, string, number, literal, notFinite
    }

    /// Why a document was refused.
    enum Fault: Error {
        case empty, tooLong, tooDeep, notUTF8, controlCharacter, openString, badString, badNumber, unexpected
        case endsEarly, trailing, outOfMemory
    }

    /// How a document is read.
    struct Options {
        /// Values are noted down to so many containers deep; 0: the root alone.
        var depth: Int
        /// Whether NaN, Infinity and -Infinity are values, as Python's json writes them.
        var takesNotFinite = false
        /// Whether scalars that are elements of arrays at the deepest level are left to `ElementCursor`: there may be very
        /// many of them, and a node takes 20 bytes.
        var skipsScalars = false
    }

    /// So many nodes at most, 20 MiB of them.
    static let maxNodes = 1 << 20

    private let reader: OpaquePointer
    private var nodes: UnsafePointer<CSimdJSON_node>
    private var document = ByteView.empty
    /// How many nodes there are; the root is number 0.
    private(set) var count = 0
    /// Whether there is a value that is not finite.
    private(set) var hasNotFinite = false
    /// Whether an object, however deep, has two members of one name; also where that was too much to find out.
    private(set) var hasDuplicates = false
    /// Whether the document has more than `maxNodes` values that were to be noted. It was checked all the same, and only
    /// the root's node is of use.
    private(set) var isOverfull = false
    /// About where the last document stopped being JSON; 0 where the reader does not know.
    private(set) var faultOffset = 0

    init() {
        guard let reader = CSimdJSON_create() else { fatalError("out of memory") }
        self.reader = reader
        self.nodes = CSimdJSON_nodes(reader)
    }

    deinit { CSimdJSON_destroy(reader) }

    /// Reads a whole document and notes its values down to `depth` containers deep (0: the root alone).
    ///
    /// No byte past the end of `document` is looked at.
    func read(_ document: ByteView, depth: Int) throws(Fault) { try read(document, Options(depth: depth)) }

    /// Reads a whole document at once.
    @inline(__always)
    func read(_ document: ByteView, _ options: Options) throws(Fault) {
        try begin(document, options)
        while try !readOn() {}
    }

    /// Begins to read a document, which must stay as it is until `readOn` has returned true or thrown.
    func begin(_ document: ByteView, _ options: Options) throws(Fault) {
        forget()
        self.document = document
        let code = CSimdJSON_begin(
            reader,
            document.base,
            document.count,
            CSimdJSON_options(
                depth: UInt32(truncatingIfNeeded: options.depth),
                max_nodes: UInt32(Self.maxNodes),
                takes_not_finite: options.takesNotFinite,
                skips_scalars: options.skipsScalars
            )
        )
        if code != Int32(CSimdJSON_MORE) { throw fault(code) }
    }

    /// Forgets the document, and lets go of the memory that a large one has left; how many bytes that were.
    func letGo() -> Int {
        forget()
        return CSimdJSON_forget(reader)
    }

    /// As if nothing had been read.
    func forget() {
        document = .empty
        count = 0
        hasNotFinite = false
        hasDuplicates = false
        isOverfull = false
        faultOffset = 0
    }

    /// Reads on, some 128 KiB or to the end of a longer string; true at the end of the document. Until then the nodes are
    /// those of what has been read, and containers that are still open have no end.
    func readOn() throws(Fault) -> Bool {
        let code = CSimdJSON_read(reader)
        guard code == Int32(CSimdJSON_OK) || code == Int32(CSimdJSON_MORE) else {
            count = 0
            throw fault(code)
        }
        let summary = CSimdJSON_summarize(reader)
        nodes = CSimdJSON_nodes(reader)
        count = summary.nodes
        guard code == Int32(CSimdJSON_OK) else { return false }
        hasNotFinite = summary.not_finite > 0
        hasDuplicates = summary.has_duplicates
        isOverfull = summary.is_overfull
        return true
    }

    private func fault(_ code: Int32) -> Fault {
        faultOffset = CSimdJSON_summarize(reader).offset
        return Fault(code)
    }

    func kind(_ node: Int) -> Kind { Kind(rawValue: self[node].kind).unsafelyUnwrapped }

    func isString(_ node: Int) -> Bool { self[node].kind == Kind.string.rawValue }
    func isNumber(_ node: Int) -> Bool { self[node].kind == Kind.number.rawValue }
    func isArray(_ node: Int) -> Bool { self[node].kind == Kind.array.rawValue }
    func isObject(_ node: Int) -> Bool { self[node].kind == Kind.object.rawValue }
    func isNull(_ node: Int) -> Bool { self[node].kind == Kind.literal.rawValue && bytes(node) == "null" }
    func isScalar(_ node: Int) -> Bool { self[node].kind > Kind.array.rawValue }

    /// The number of the first node that is not part of this one: its next sibling, where there is one.
    @inline(__always)
    func after(_ node: Int) -> Int { Int(self[node].next) }

    /// How many elements an array has, or members an object.
    func children(_ node: Int) -> Int { Int(self[node].count) }

    /// Whether a string contains escapes.
    func hasEscapes(_ node: Int) -> Bool { self[node].count != 0 }

    /// The bytes of a value as they stand in the document.
    @inline(__always)
    func bytes(_ node: Int) -> ByteView {
        let node = self[node]
        return slice(from: node.start, to: node.end)
    }

    /// The inside of a string or name, still escaped.
    @inline(__always)
    func inside(_ node: Int) -> ByteView {
        let node = self[node]
        precondition(node.kind == Kind.string.rawValue, "not a string")
        return slice(from: node.start + 1, to: node.end - 1)
    }

    /// The bytes from the start of one value to the end of another.
    @inline(__always)
    func bytes(from first: Int, through last: Int) -> ByteView {
        slice(from: self[first].start, to: self[last].end)
    }

    // MARK: Elements

    /// Whether no element of the array is noted: all are scalars, of a document whose scalars are skipped.
    func hasOnlyScalars(_ array: Int) -> Bool { after(array) == array + 1 }

    /// Where the first element of an array stands, one of the deepest level in a document whose scalars are skipped.
    @inline(__always)
    func elements(of array: Int) -> ElementCursor {
        ElementCursor(offset: skipSpace(Int(self[array].start) + 1), node: array + 1)
    }

    /// The element at the cursor, which then stands at the next one. There must be one.
    @inline(__always)
    func next(_ cursor: inout ElementCursor) -> Range<Int> {
        let start = cursor.offset
        let end: Int
        switch document[start] {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            end = Int(self[cursor.node].end)
            cursor.node = after(cursor.node)
        case UInt8(ascii: "\""): end = document.endOfString(at: start)
        default: end = endOfWord(start)
        }
        // Behind the comma, or the bracket that ends the array.
        cursor.offset = skipSpace(skipSpace(end) + 1)
        return start..<end
    }

    /// The bytes between two offsets.
    func bytes(_ range: Range<Int>) -> ByteView { document[range] }

    @inline(__always)
    private func skipSpace(_ start: Int) -> Int {
        var index = start
        while index < document.count, document[unchecked: index] <= 0x20 { index += 1 }
        return index
    }

    /// The end of a number or literal. Behind it there is always something: it stands in an array.
    @inline(__always)
    private func endOfWord(_ start: Int) -> Int {
        var index = start
        while index < document.count {
            let byte = document[unchecked: index]
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") || byte <= 0x20 { break }
            index += 1
        }
        return index
    }

    @inline(__always)
    private func slice(from start: UInt32, to end: UInt32) -> ByteView {
        precondition(start <= end && Int(end) <= document.count, "offset outside of the document")
        return ByteView(base: document.base.unsafelyUnwrapped + Int(start), count: Int(end - start))
    }

    @inline(__always)
    private subscript(node: Int) -> CSimdJSON_node {
        precondition(node >= 0 && node < count, "no such node")
        return nodes[node]
    }
}

@available(*, unavailable)
extension JSONOutline: Sendable {}

/// A place between the elements of an array. Valid as long as the outline.
struct ElementCursor {
    /// Of the next element's first byte.
    var offset = 0
    /// The node of the next element that is a container.
    var node = 0
}

extension JSONOutline.Fault {
    fileprivate init(_ code: Int32) {
        switch Int(code) {
        case CSimdJSON_EMPTY: self = .empty
        case CSimdJSON_TOO_LONG: self = .tooLong
        case CSimdJSON_TOO_DEEP: self = .tooDeep
        case CSimdJSON_NOT_UTF8: self = .notUTF8
        case CSimdJSON_CONTROL_CHARACTER: self = .controlCharacter
        case CSimdJSON_OPEN_STRING: self = .openString
        case CSimdJSON_BAD_STRING: self = .badString
        case CSimdJSON_BAD_NUMBER: self = .badNumber
        case CSimdJSON_ENDS_EARLY: self = .endsEarly
        case CSimdJSON_TRAILING: self = .trailing
        case CSimdJSON_NO_MEMORY: self = .outOfMemory
        default: self = .unexpected
        }
    }
}
