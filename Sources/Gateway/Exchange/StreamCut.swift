/// Finds where the parts of an answer end that leave one by one: after each event, or each line; what is neither leaves as it came.
///
/// What carries nothing (comments, empty lines) goes with the part after it.
struct StreamCut {
    private let kind: StreamKind
    /// How much of the part at hand was looked at, from its front on; where its last line begins; whether it carries something.
    private var looked = 0
    private var lineStart = 0
    private var hasData = false

    init(_ kind: StreamKind) { self.kind = kind }

    /// How long the part is that these bytes begin with; nil: its end is not there yet.
    ///
    /// - Parameter bytes: the same as last time, and what has come since.
    mutating func length(of bytes: ByteView) -> Int? {
        if case .bytes = kind { return bytes.isEmpty ? nil : bytes.count }
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n"), from: looked) {
            let isEnd = takeLine(bytes[lineStart..<end])
            looked = end + 1
            lineStart = looked
            if isEnd { return looked }
        }
        looked = bytes.count
        return nil
    }

    /// The part at hand is taken.
    mutating func next() { self = StreamCut(kind) }

    /// Whether the part ends with this line.
    private mutating func takeLine(_ raw: ByteView) -> Bool {
        if case .lines = kind { return !raw.trimmed.isEmpty }
        let line = raw.hasSuffix(ByteView("\r")) ? raw.prefix(raw.count - 1) : raw
        if line.isEmpty { return hasData }
        if line.hasPrefix(ByteView("data")), line.count == 4 || line[4] == UInt8(ascii: ":") { hasData = true }
        return false
    }
}

/// What leaves as one. Borrowed: valid until the next one is taken.
struct StreamPart {
    let bytes: ByteView
    /// False: there was no room to wait for its end, and the next part goes on with it.
    let isWhole: Bool
}

@available(*, unavailable)
extension StreamPart: Sendable {}
