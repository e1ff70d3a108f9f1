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
    private var entries: [Entry] = []

    var count: Int { entries.count }

    /// How many bytes the lines take in a message, with colon, space, CR and LF.
    var wireLength: Int {
        var length = 4 * entries.count
        for entry in entries { length += entry.name.count + entry.value.count }
        return length
    }

    func removeAll() {
        bytes.removeAll(keepingAtMost: 16 << 10)
        entries.removeAll(keepingCapacity: true)
    }

    /// Forgets the lines and gives back their room.
    func shrink() {
        bytes.removeAll(keepingAtMost: 0)
        entries = []
    }

    /// Adds a line, without the white space around its value. False, and nothing is added, where it is not HTTP.
    @discardableResult
    func append(_ name: ByteView, _ value: ByteView) -> Bool {
        let value = value.trimmed
        guard name.isToken, value.isFieldValue else { return false }
        add(name, value)
        return true
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
        entries.append(Entry(name: start..<middle - 1, value: middle..<bytes.count - 1))
    }

    private func add(_ name: ByteView, _ value: ByteView) {
        let start = bytes.count
        bytes.append(name)
        bytes.append(0)
        let middle = bytes.count
        bytes.append(value)
        bytes.append(0)
        entries.append(Entry(name: start..<middle - 1, value: middle..<bytes.count - 1))
    }

    /// The views are valid until the table changes. An empty one has its NUL byte too.
    subscript(index: Int) -> (name: ByteView, value: ByteView) {
        (view(entries[index].name), view(entries[index].value))
    }

    private func view(_ range: Range<Int>) -> ByteView {
        ByteView(base: bytes.base + range.lowerBound, count: range.count)
    }

    /// Drops the lines of that name.
    func remove(_ name: ByteView) {
        entries.removeAll { bytes[$0.name].equalsIgnoringCase(name) }
    }
}

@available(*, unavailable)
extension HeaderTable: Sendable {}
