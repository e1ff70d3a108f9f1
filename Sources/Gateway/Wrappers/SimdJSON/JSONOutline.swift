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
        case object, array, string, number, literal
    }

    /// Why a document was refused.
    enum Fault: Error {
        case empty, tooLong, tooDeep, notUTF8, controlCharacter, openString, badString, badNumber, unexpected
        case endsEarly, trailing, outOfMemory
    }

    private let reader: OpaquePointer
    private var nodes: UnsafePointer<CSimdJSON_node>
    private var document = ByteView.empty
    /// How many nodes there are; the root is number 0.
    private(set) var count = 0

    init() {
        guard let reader = CSimdJSON_create() else { fatalError("out of memory") }
        self.reader = reader
        self.nodes = CSimdJSON_nodes(reader)
    }

    deinit { CSimdJSON_destroy(reader) }

    /// Reads a whole document and notes its values down to `depth` containers deep (0: the root alone).
    ///
    /// No byte past the end of `document` is looked at.
    func read(_ document: ByteView, depth: Int) throws(Fault) {
        let code = CSimdJSON_read(reader, document.base, document.count, UInt32(truncatingIfNeeded: depth))
        self.document = document
        count = CSimdJSON_count(reader)
        nodes = CSimdJSON_nodes(reader)
        if code != Int32(CSimdJSON_OK) { throw Fault(code) }
    }

    /// About where the last document stopped being JSON; 0 where the reader does not know.
    var faultOffset: Int { CSimdJSON_offset(reader) }

    func kind(_ node: Int) -> Kind { Kind(rawValue: self[node].kind).unsafelyUnwrapped }

    func isString(_ node: Int) -> Bool { self[node].kind == Kind.string.rawValue }
    func isNumber(_ node: Int) -> Bool { self[node].kind == Kind.number.rawValue }
    func isArray(_ node: Int) -> Bool { self[node].kind == Kind.array.rawValue }
    func isObject(_ node: Int) -> Bool { self[node].kind == Kind.object.rawValue }

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
