/// Header lines kept as bytes, in order; emptied and filled again. Names and values are each followed by a NUL byte, as
/// the C libraries want them.
final class HeaderTable {
    private struct Entry {
        var name: Range<Int>
        var value: Range<Int>
    }

    private let bytes = ByteBuffer(capacity: 1024)
    private var entries: [Entry] = []

    var count: Int { entries.count }

    func removeAll() {
        bytes.removeAll(keepingAtMost: 16 << 10)
        entries.removeAll(keepingCapacity: true)
    }

    /// Forgets the lines and gives back their room.
    func shrink() {
        bytes.removeAll(keepingAtMost: 0)
        entries = []
    }

    func append(_ name: ByteView, _ value: ByteView) {
        let start = bytes.count
        bytes.append(name)
        bytes.append(0)
        let middle = bytes.count
        bytes.append(value)
        bytes.append(0)
        entries.append(Entry(name: start..<middle - 1, value: middle..<bytes.count - 1))
    }

    func append(_ name: StaticString, _ value: ByteView) { append(ByteView(name), value) }

    /// Adds a line whose value `write` appends to the buffer it is given.
    func append(_ name: StaticString, write: (ByteBuffer) -> Void) {
        let start = bytes.count
        bytes.append(name)
        bytes.append(0)
        let middle = bytes.count
        write(bytes)
        bytes.append(0)
        entries.append(Entry(name: start..<middle - 1, value: middle..<bytes.count - 1))
    }

    /// The views are valid until the table changes.
    subscript(index: Int) -> (name: ByteView, value: ByteView) {
        (bytes[entries[index].name], bytes[entries[index].value])
    }

    /// Drops the lines of that name.
    func remove(_ name: ByteView) {
        entries.removeAll { bytes[$0.name].equalsIgnoringCase(name) }
    }
}

@available(*, unavailable)
extension HeaderTable: Sendable {}
