/// What may stand in a header line (RFC 9110): the one place that knows.
extension ByteView {
    /// Whether this can be the name of a header line: a token (section 5.6.2).
    var isToken: Bool {
        guard let base, count > 0 else { return false }
        guard count >= 8 else {
            for index in 0..<count where !Self.isTokenByte(base[index]) { return false }
            return true
        }
        let raw = UnsafeRawPointer(base)
        var index = 0
        while true {
            if !Self.isPlain(raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)) {
                for place in index..<index + 8 where !Self.isTokenByte(base[place]) { return false }
            }
            if index == count - 8 { return true }
            // The last eight may overlap those before.
            index = min(index + 8, count - 8)
        }
    }

    /// Whether this can be the value of a header line (section 5.5): no control characters but the tab. Bytes of 0x80 and
    /// more may be there (obs-text).
    var isFieldValue: Bool {
        guard let base else { return true }
        let raw = UnsafeRawPointer(base)
        var index = 0
        while count - index >= 8 {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            // The high bit of a byte is set by x - 0x20 for controls, by (x ^ 0x7f) - 1 for DEL. A borrow can flag a good
            // byte above a bad one, never hide one: what is flagged is looked at closely.
            let flagged =
                ((word &- 0x2020_2020_2020_2020) | ((word ^ 0x7f7f_7f7f_7f7f_7f7f) &- 0x0101_0101_0101_0101))
                & ~word & 0x8080_8080_8080_8080
            if flagged != 0 {
                for place in index..<index + 8 where !Self.isValueByte(base[place]) { return false }
            }
            index += 8
        }
        while index < count {
            if !Self.isValueByte(base[index]) { return false }
            index += 1
        }
        return true
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

    /// Whether these are eight letters or hyphens, as nearly all are.
    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        let high: UInt64 = 0x8080_8080_8080_8080
        guard word & high == 0 else { return false }
        // Below 0x80 no sum carries into the next byte. The high bit is set by x + 0x1f from `a` on, by x + 0x05 after `z`.
        let lower = word | 0x2020_2020_2020_2020
        let letters = (lower &+ 0x1f1f_1f1f_1f1f_1f1f) & ~(lower &+ 0x0505_0505_0505_0505)
        let hyphens = ~((word ^ 0x2d2d_2d2d_2d2d_2d2d) &+ 0x7f7f_7f7f_7f7f_7f7f)
        return (letters | hyphens) & high == high
    }
}
