/// What may stand in a header line (RFC 9110): the one place that knows. Eight bytes are looked at together, the last eight
/// over again where that saves looking at each of the rest.
extension ByteView {
    /// Whether this can be the name of a header line: a token (section 5.6.2).
    var isToken: Bool {
        guard let base, count > 0 else { return false }
        let raw = UnsafeRawPointer(base)
        switch count {
        case 8...:
            var index = 0
            while index < count - 8 {
                if !Self.isToken(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) { return false }
                index += 8
            }
            return Self.isToken(raw.loadUnaligned(fromByteOffset: count - 8, as: UInt64.self))
        case 4...: return Self.isToken(Self.shortWord(raw, count))
        default:
            for index in 0..<count where !Self.isTokenByte(base[index]) { return false }
            return true
        }
    }

    /// Where the token ends that begins with a range, at the latest with the range.
    func endOfToken(in range: Range<Int>) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "byte range out of range")
        guard let base else { return range.upperBound }
        let raw = UnsafeRawPointer(base)
        var index = range.lowerBound
        let last = range.upperBound &- 8
        while index <= last {
            let others = Self.othersThanLetters(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian)
            guard others != 0 else {
                index &+= 8
                continue
            }
            index &+= others.trailingZeroBitCount / 8
            guard Self.isTokenByte(base[index]) else { return index }
            index &+= 1
        }
        while index < range.upperBound, Self.isTokenByte(base[index]) { index += 1 }
        return index
    }

    /// The offset of the first control character at or after `start` that is not a tab, else `count`.
    func firstControl(from start: Int) -> Int {
        precondition(start >= 0 && start <= count, "byte index out of range")
        guard let base else { return count }
        let raw = UnsafeRawPointer(base)
        var index = start
        let last = count &- 16
        while index <= last {
            let first = Self.controls(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian)
            let second = Self.controls(raw.loadUnaligned(fromByteOffset: index &+ 8, as: UInt64.self).littleEndian)
            guard first | second != 0 else {
                index &+= 16
                continue
            }
            index &+= first != 0 ? first.trailingZeroBitCount / 8 : 8 &+ second.trailingZeroBitCount / 8
            if base[index] != 0x09 { return index }
            index &+= 1
        }
        while index < count, Self.isValueByte(base[index]) { index += 1 }
        return index
    }

    /// Whether this token is a header's name, which is given in lower case, in any case and with `_` for `-`.
    func isName(_ name: StaticString) -> Bool {
        guard let base, count == name.utf8CodeUnitCount else { return false }
        for index in 0..<count {
            let byte = base[index]
            // Of a token's bytes, only capital letters lack this bit, and `^`, `_`.
            let lower = byte == UInt8(ascii: "_") ? UInt8(ascii: "-") : byte | 0x20
            if lower != name.utf8Start[index] { return false }
        }
        return true
    }

    /// Whether this can be the value of a header line (section 5.5): no control characters but the tab. Bytes of 0x80 and
    /// more may be there (obs-text).
    var isFieldValue: Bool {
        guard let base else { return true }
        let raw = UnsafeRawPointer(base)
        switch count {
        case 8...:
            let last = count - 8
            var index = 0
            while index < last {
                if !Self.isValue(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) { return false }
                index += 8
            }
            return Self.isValue(raw.loadUnaligned(fromByteOffset: last, as: UInt64.self))
        case 4...: return Self.isValue(Self.shortWord(raw, count))
        default:
            for index in 0..<count where !Self.isValueByte(base[index]) { return false }
            return true
        }
    }

    /// Whether this is a host with or without a port (RFC 3986, section 3.2.2), or nothing at all, as a Host line may be.
    ///
    /// A comma, which that section has, is not taken: it looks like two lines joined.
    var isAuthority: Bool {
        guard let base, count > 0 else { return true }
        var index = 0
        if base[0] == UInt8(ascii: "[") {
            index = 1
            while index < count, Self.isHostByte(base[index]) || base[index] == UInt8(ascii: ":") { index += 1 }
            guard index > 1, index < count, base[index] == UInt8(ascii: "]") else { return false }
            index += 1
        } else {
            while index < count, base[index] != UInt8(ascii: ":") {
                if Self.isHostByte(base[index]) {
                    index += 1
                } else {
                    guard base[index] == UInt8(ascii: "%"), index + 2 < count, Self.isHexDigit(base[index + 1]),
                        Self.isHexDigit(base[index + 2])
                    else { return false }
                    index += 3
                }
            }
            guard index > 0 else { return false }
        }
        guard index < count else { return true }
        guard base[index] == UInt8(ascii: ":") else { return false }
        for place in index + 1..<count where base[place] &- UInt8(ascii: "0") > 9 { return false }
        return true
    }

    /// unreserved and sub-delims but the comma; a bit for each.
    @inline(__always)
    private static func isHostByte(_ byte: UInt8) -> Bool {
        let bits: UInt64 = byte < 64 ? 0x2bff_6fd2_0000_0000 : 0x47ff_fffe_87ff_fffe
        return byte < 128 && (bits >> UInt64(byte & 63)) & 1 != 0
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") <= 9 || (byte | 0x20) &- UInt8(ascii: "a") <= 5
    }

    /// tchar: the letters, the digits, and ``!#$%&'*+-.^_`|~``; a bit for each.
    @inline(__always)
    static func isTokenByte(_ byte: UInt8) -> Bool {
        let bits: UInt64 = byte < 64 ? 0x03ff_6cfa_0000_0000 : 0x57ff_ffff_c7ff_fffe
        return byte < 128 && (bits >> UInt64(byte & 63)) & 1 != 0
    }

    /// VCHAR, obs-text, the space and the tab.
    @inline(__always)
    private static func isValueByte(_ byte: UInt8) -> Bool { byte >= 0x20 ? byte != 0x7f : byte == 0x09 }

    private static var high: UInt64 { 0x8080_8080_8080_8080 }
    private static var ones: UInt64 { 0x0101_0101_0101_0101 }

    /// Four to seven bytes, the middle ones twice.
    @inline(__always)
    private static func shortWord(_ raw: UnsafeRawPointer, _ count: Int) -> UInt64 {
        UInt64(raw.loadUnaligned(as: UInt32.self))
            | UInt64(raw.loadUnaligned(fromByteOffset: count - 4, as: UInt32.self)) << 32
    }

    /// Eight letters and hyphens, as nearly all names have, are seen at once.
    @inline(__always)
    private static func isToken(_ word: UInt64) -> Bool {
        othersThanLetters(word) == 0 || holdsForAll(word) { isTokenByte($0) }
    }

    /// The high bit of each byte that is neither a letter nor a hyphen; right up to the first that is none.
    @inline(__always)
    private static func othersThanLetters(_ word: UInt64) -> UInt64 {
        // Below 0x80 no sum carries into the next byte. The high bit is set by x + 0x1f from `a` on, by x + 0x05 after `z`.
        let lower = word | ones &* 0x20
        let letters = (lower &+ ones &* 0x1f) & ~(lower &+ ones &* 0x05)
        let hyphens = ~((word ^ ones &* 0x2d) &+ ones &* 0x7f)
        return ~((letters | hyphens) & ~word) & high
    }

    @inline(__always)
    private static func isValue(_ word: UInt64) -> Bool {
        controls(word) == 0 || holdsForAll(word) { isValueByte($0) }
    }

    /// The high bit of each byte that is a control character, a tab too; right up to the first.
    @inline(__always)
    private static func controls(_ word: UInt64) -> UInt64 {
        // The high bit of a byte is set by x - 0x20 for controls, by (x ^ 0x7f) - 1 for DEL. A borrow can flag a good byte
        // above a bad one, never hide one.
        ((word &- ones &* 0x20) | ((word ^ ones &* 0x7f) &- ones)) & ~word & high
    }

    @inline(never)
    private static func holdsForAll(_ word: UInt64, _ condition: (UInt8) -> Bool) -> Bool {
        for shift in stride(from: UInt64(0), to: 64, by: 8) where !condition(UInt8(truncatingIfNeeded: word >> shift)) {
            return false
        }
        return true
    }
}
