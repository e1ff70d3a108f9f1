private import Glibc

/// Growable bytes that keep their room: emptied and filled again for request after request.
///
/// Owned by one object on one thread at a time. `padding` bytes past the end are always there, readable and of any
/// value, as simdjson asks of its input.
final class ByteBuffer {
    /// How far past the end a reader may look (simdjson's SIMDJSON_PADDING is 32 in 3.0; newer versions want 64).
    static let padding = 64

    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    /// How many bytes fit before the storage must grow.
    private(set) var capacity: Int

    init(capacity: Int = 512) {
        self.capacity = capacity
        guard let memory = malloc(capacity + Self.padding) else { fatalError("out of memory") }
        self.base = memory.assumingMemoryBound(to: UInt8.self)
    }

    deinit { free(base) }

    /// Forgets the bytes and keeps the room.
    func removeAll() { count = 0 }

    /// Forgets the bytes, and the room too where one large message has left more than `limit` bytes of it.
    func removeAll(keepingAtMost limit: Int) {
        count = 0
        if capacity > limit { reallocate(limit) }
    }

    /// Exchanges bytes and room with another one. Views of either are not valid any more.
    func swap(with other: ByteBuffer) {
        (base, other.base) = (other.base, base)
        (count, other.count) = (other.count, count)
        (capacity, other.capacity) = (other.capacity, capacity)
    }

    /// Forgets the first bytes; the others move to the front.
    func removeFirst(_ length: Int) {
        precondition(length >= 0 && length <= count)
        count -= length
        if count > 0 && length > 0 { memmove(base, base + length, count) }
    }

    /// Forgets all bytes from `length` on.
    func truncate(to length: Int) {
        precondition(length >= 0 && length <= count)
        count = length
    }

    /// Makes room for `more` bytes past the end.
    @inline(__always)
    func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    /// Makes room for so many bytes in all, and for no more.
    func reserve(total: Int) {
        if capacity < total { reallocate(total) }
    }

    @inline(never)
    private func grow(_ more: Int) { reallocate(max(capacity * 2, count + more)) }

    private func reallocate(_ wanted: Int) {
        guard let memory = realloc(base, wanted + Self.padding) else { fatalError("out of memory") }
        base = memory.assumingMemoryBound(to: UInt8.self)
        capacity = wanted
    }

    var isEmpty: Bool { count == 0 }

    /// All the bytes; valid until the buffer changes.
    var view: ByteView { ByteView(base: base, count: count) }

    /// The bytes between two offsets; valid until the buffer changes.
    subscript(range: Range<Int>) -> ByteView { view[range] }

    @inline(__always)
    func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    @inline(__always)
    func append(_ view: ByteView) {
        guard let source = view.base, view.count > 0 else { return }
        reserve(view.count)
        memcpy(base + count, source, view.count)
        count += view.count
    }

    /// Two texts, each followed by a byte that ends it.
    func append(_ first: ByteView, _ second: ByteView, endedBy end: UInt8) {
        let length = first.count + second.count + 2
        reserve(length)
        let place = base + count
        if let source = first.base { memcpy(place, source, first.count) }
        place[first.count] = end
        if let source = second.base { memcpy(place + first.count + 1, source, second.count) }
        place[length - 1] = end
        count += length
    }

    @inline(__always)
    func append(_ literal: StaticString) { append(ByteView(literal)) }

    /// Not for the request path.
    func append(string: String) {
        var string = string
        string.withUTF8 { append(ByteView(base: $0.baseAddress, count: $0.count)) }
    }

    func append(contentsOf bytes: [UInt8]) { bytes.withByteView { append($0) } }

    /// Overwrites one byte.
    func set(_ byte: UInt8, at index: Int) {
        precondition(index >= 0 && index < count, "byte index out of range")
        base[index] = byte
    }

    /// Appends `length` bytes that `fill` writes. For C calls that write into memory of ours.
    func append(upTo length: Int, fill: (UnsafeMutablePointer<UInt8>) -> Int) {
        reserve(length)
        count += fill(base + count)
    }
}

@available(*, unavailable)
extension ByteBuffer: Sendable {}
