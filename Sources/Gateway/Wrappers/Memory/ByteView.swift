private import Glibc

/// Bytes that somebody else owns: a pooled buffer, a C library, the program's own constants.
///
/// A view is two words, is copied freely and owns nothing. It is valid until its owner changes or frees the bytes; who
/// that is and when, the function that hands out the view says. A view never leaves its thread and is never stored
/// longer than the request it belongs to.
struct ByteView {
    let base: UnsafePointer<UInt8>?
    let count: Int

    init(base: UnsafePointer<UInt8>?, count: Int) {
        self.base = base
        self.count = count
    }

    /// No bytes.
    static var empty: ByteView { ByteView(base: nil, count: 0) }

    /// The bytes of a literal: valid for as long as the program runs.
    init(_ literal: StaticString) {
        if literal.hasPointerRepresentation {
            self.init(base: literal.utf8Start, count: literal.utf8CodeUnitCount)
        } else {
            self = .empty
        }
    }

    /// The bytes of a NUL-terminated C string.
    init(cString: UnsafePointer<CChar>?) {
        guard let cString else {
            self = .empty
            return
        }
        let length = strlen(cString)
        self.init(base: UnsafeRawPointer(cString).assumingMemoryBound(to: UInt8.self), count: length)
    }

    var isEmpty: Bool { count == 0 }

    subscript(index: Int) -> UInt8 {
        precondition(index >= 0 && index < count, "byte index out of range")
        return base.unsafelyUnwrapped[index]
    }

    /// The part between two offsets.
    subscript(range: Range<Int>) -> ByteView {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "byte range out of range")
        guard let base, !range.isEmpty else { return .empty }
        return ByteView(base: base + range.lowerBound, count: range.count)
    }

    func dropFirst(_ length: Int) -> ByteView { self[min(length, count)..<count] }
    func prefix(_ length: Int) -> ByteView { self[0..<min(length, count)] }

    /// The offset of the first such byte at or after `start`.
    func firstIndex(of byte: UInt8, from start: Int = 0) -> Int? {
        guard let base, start < count else { return nil }
        guard let found = memchr(base + start, Int32(byte), count - start) else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    func hasPrefix(_ other: ByteView) -> Bool { count >= other.count && prefix(other.count) == other }
    func hasSuffix(_ other: ByteView) -> Bool { count >= other.count && dropFirst(count - other.count) == other }

    /// Equality of ASCII text without regard to case, as for header names (RFC 9110, section 5.1).
    func equalsIgnoringCase(_ other: ByteView) -> Bool {
        guard count == other.count else { return false }
        guard let base, let otherBase = other.base else { return true }
        return strncasecmp(
            UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(otherBase).assumingMemoryBound(to: CChar.self),
            count
        ) == 0
    }

    /// Without the spaces and tabs at either end (OWS in RFC 9110, section 5.6.3).
    var trimmed: ByteView {
        guard let base else { return self }
        var start = 0
        var end = count
        while start < end, base[start] == 0x20 || base[start] == 0x09 { start += 1 }
        while end > start, base[end - 1] == 0x20 || base[end - 1] == 0x09 { end -= 1 }
        return ByteView(base: base + start, count: end - start)
    }

    /// A copy as text; bytes that are not UTF-8 are replaced. Not for the request path.
    var string: String { String(decoding: UnsafeBufferPointer(start: base, count: count), as: UTF8.self) }

    /// A copy. Not for the request path.
    var array: [UInt8] { Array(UnsafeBufferPointer(start: base, count: count)) }
}

extension ByteView: Equatable {
    static func == (left: ByteView, right: ByteView) -> Bool {
        guard left.count == right.count else { return false }
        guard let leftBase = left.base, let rightBase = right.base else { return true }
        return memcmp(leftBase, rightBase, left.count) == 0
    }

    static func == (left: ByteView, right: StaticString) -> Bool { left == ByteView(right) }
}

extension ByteView: Comparable {
    /// Order by bytes, the shorter first where one begins the other.
    static func < (left: ByteView, right: ByteView) -> Bool {
        let common = min(left.count, right.count)
        guard common > 0, let leftBase = left.base, let rightBase = right.base else { return left.count < right.count }
        let order = memcmp(leftBase, rightBase, common)
        return order == 0 ? left.count < right.count : order < 0
    }
}

@available(*, unavailable)
extension ByteView: Sendable {}

extension Array where Element == UInt8 {
    /// Runs `body` with a view of these bytes, valid until it returns.
    func withByteView<Result, Failure: Error>(_ body: (ByteView) throws(Failure) -> Result) throws(Failure) -> Result {
        let outcome: Swift.Result<Result, Failure> = self.withUnsafeBufferPointer { buffer in
            do throws(Failure) {
                return .success(try body(ByteView(base: buffer.baseAddress, count: buffer.count)))
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }
}
