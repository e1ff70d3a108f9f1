/// What stands between the slashes of a path, one after the other. The first slash comes before the first segment.
struct PathSegments {
    private var rest: ByteView
    private var isAtEnd: Bool

    init(_ path: ByteView) {
        isAtEnd = path.isEmpty || path[0] != UInt8(ascii: "/")
        rest = isAtEnd ? .empty : path.dropFirst(1)
    }

    /// The next one, which may be empty; nil: there are no more.
    mutating func next() -> ByteView? {
        if isAtEnd { return nil }
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else {
            isAtEnd = true
            return rest
        }
        defer { rest = rest.dropFirst(slash + 1) }
        return rest.prefix(slash)
    }
}

extension Optional where Wrapped == ByteView {
    static func == (left: ByteView?, right: StaticString) -> Bool { left.map { $0 == right } ?? false }
}
