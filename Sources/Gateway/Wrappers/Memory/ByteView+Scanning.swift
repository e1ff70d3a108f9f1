extension ByteView {
    /// A byte without the bounds check of `self[index]`, for loops that have checked their bounds once.
    @inline(__always)
    subscript(unchecked index: Int) -> UInt8 {
        assert(index >= 0 && index < count, "byte index out of range")
        return base.unsafelyUnwrapped[index]
    }

    /// The offset of the first byte at or after `start` that cannot simply be copied into a JSON string, else `count`.
    ///
    /// Such are `"`, `\`, the controls below 0x20, and all that is not ASCII (it may be broken UTF-8).
    func firstIndexNotPlainInJSON(from start: Int) -> Int {
        guard let base else { return count }
        let raw = UnsafeRawPointer(base)
        var index = start
        // Eight at a time. Per byte, the high bit is set in: x - 0x20 for controls, (x ^ c) - 1 for x = c, x itself for
        // what is not ASCII. A borrow can flag a plain byte above a flagged one, never hide one: so the first is right.
        while count - index >= 8 {
            let word = raw.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            let quote = word ^ 0x2222_2222_2222_2222
            let backslash = word ^ 0x5c5c_5c5c_5c5c_5c5c
            let flagged =
                (word | (word &- 0x2020_2020_2020_2020) | (quote &- 0x0101_0101_0101_0101)
                    | (backslash &- 0x0101_0101_0101_0101)) & 0x8080_8080_8080_8080
            if flagged != 0 { return index + flagged.trailingZeroBitCount / 8 }
            index += 8
        }
        while index < count {
            let byte = base[index]
            if byte < 0x20 || byte >= 0x80 || byte == 0x22 || byte == 0x5c { return index }
            index += 1
        }
        return count
    }

    /// The offset of the first byte between two offsets that may not stand in a request's target, else `end`: white space, a
    /// control, the `#` of a fragment (RFC 9112, section 3.2).
    func firstIndexNotInTarget(from start: Int, to end: Int) -> Int {
        precondition(start >= 0 && start <= end && end <= count, "byte range out of range")
        guard let base else { return end }
        var index = start
        while index < end {
            let byte = base[index]
            if byte <= 0x20 || byte == 0x7F || byte == UInt8(ascii: "#") { return index }
            index += 1
        }
        return end
    }

    /// The offset behind the JSON string whose first quote is at `start`, in JSON that has been checked.
    func endOfString(at start: Int) -> Int {
        var index = start + 1
        while let quote = firstIndex(of: UInt8(ascii: "\""), from: index) {
            var first = quote
            while self[first - 1] == UInt8(ascii: "\\") { first -= 1 }
            if (quote - first) % 2 == 0 { return quote + 1 }
            index = quote + 1
        }
        return count
    }

    /// How often a byte occurs.
    func occurrences(of byte: UInt8) -> Int {
        guard let base else { return 0 }
        var found = 0
        for index in 0..<count where base[index] == byte { found += 1 }
        return found
    }

    /// Four bytes as a number, the lowest first.
    @inline(__always)
    func littleEndianWord(at index: Int) -> UInt32 {
        precondition(index >= 0 && index + 4 <= count, "byte index out of range")
        return UInt32(
            littleEndian: UnsafeRawPointer(base.unsafelyUnwrapped + index).loadUnaligned(as: UInt32.self)
        )
    }
}
