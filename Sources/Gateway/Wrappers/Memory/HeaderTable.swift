/// Header lines kept as bytes, in order; emptied and filled again. Names and values are each followed by a NUL byte, as
/// the C libraries want them.
///
/// Whatever is put in, what is in it is HTTP (RFC 9110, sections 5.1 and 5.5): a name that is no token and a value with a
/// control character do not get in. So no line of one becomes two, or another, on its way out (a space ends a name for
/// some readers, a semicolon for libcurl; a NUL ends a text in C).
final class HeaderTable {
    private struct Entry {
        var name: Range<Int>
        var value: Range<Int>
    }

    private let bytes = ByteBuffer(capacity: 1024)
    /// The first `count` are the lines: forgetting them costs nothing.
    private var entries: [Entry] = []
    private(set) var count = 0

    /// How many bytes the lines take in a message, with colon, space, CR and LF.
    var wireLength: Int {
        var length = 4 * count
        for entry in entries[..<count] { length += entry.name.count + entry.value.count }
        return length
    }

    func removeAll() {
        bytes.removeAll(keepingAtMost: 16 << 10)
        count = 0
    }

    /// Forgets the lines and gives back their room.
    func shrink() {
        bytes.removeAll(keepingAtMost: 0)
        entries = []
        count = 0
    }

    /// Adds a line, without the white space around its value. False, and nothing is added, where it is not HTTP.
    @discardableResult
    func append(_ name: ByteView, _ value: ByteView) -> Bool {
        let value = value.trimmed
        guard name.isToken, value.isFieldValue else { return false }
        add(name, value)
        return true
    }

    /// Adds a line that a reader of ours has taken for HTTP, with no white space around its value.
    func append(checked name: ByteView, _ value: ByteView) {
        assert(name.isToken && value.isFieldValue && value.trimmed.count == value.count)
        add(name, value)
    }

    @discardableResult
    func append(_ name: StaticString, _ value: ByteView) -> Bool { append(ByteView(name), value) }

    /// Adds a line whose value `write` appends to the buffer it is given: what is sure to be clean.
    func append(_ name: StaticString, write: (ByteBuffer) -> Void) {
        let start = bytes.count
        bytes.append(name)
        bytes.append(0)
        let middle = bytes.count
        write(bytes)
        assert(bytes[middle..<bytes.count].isFieldValue)
        bytes.append(0)
        add(Entry(name: start..<middle - 1, value: middle..<bytes.count - 1))
    }

    private func add(_ name: ByteView, _ value: ByteView) {
        let start = bytes.count
        let middle = start + name.count + 1
        bytes.append(name, value, endedBy: 0)
        add(Entry(name: start..<middle - 1, value: middle..<bytes.count - 1))
    }

    private func add(_ entry: Entry) {
        if count < entries.count { entries[count] = entry } else { entries.append(entry) }
        count += 1
    }

    /// The views are valid until the table changes. An empty one has its NUL byte too.
    subscript(index: Int) -> (name: ByteView, value: ByteView) {
        precondition(index < count, "line index out of range")
        return (view(entries[index].name), view(entries[index].value))
    }

    private func view(_ range: Range<Int>) -> ByteView {
        ByteView(base: bytes.base + range.lowerBound, count: range.count)
    }

    /// Drops the lines of that name.
    func remove(_ name: ByteView) {
        removeAll { $0.equalsIgnoringCase(name) }
    }

    /// Drops the lines of these names, in a time that grows with the lines and the names, and not with their product.
    func remove(_ names: [ByteView]) {
        if names.count <= 4 {
            for name in names { remove(name) }
        } else {
            let names = Set(names.lazy.map { HeaderName(view: $0) })
            removeAll { names.contains(HeaderName(view: $0)) }
        }
    }

    private func removeAll(where isMeant: (_ name: ByteView) -> Bool) {
        entries.removeLast(entries.count - count)
        entries.removeAll { isMeant(bytes[$0.name]) }
        count = entries.count
    }
}

/// A name without regard to case. Hashed with the process's own seed, so that nobody can choose names that collide.
private struct HeaderName: Hashable {
    let view: ByteView

    static func == (left: HeaderName, right: HeaderName) -> Bool { left.view.equalsIgnoringCase(right.view) }

    func hash(into hasher: inout Hasher) {
        // Also makes others of what are no letters: they are told apart by ==.
        for index in 0..<view.count { hasher.combine(view[index] | 0x20) }
    }
}

@available(*, unavailable)
extension HeaderTable: Sendable {}
