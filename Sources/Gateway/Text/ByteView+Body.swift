extension ByteView {
    /// Without the byte order mark of UTF-8, which some put before JSON and which is no part of it (RFC 8259, section 8.1).
    var withoutByteOrderMark: ByteView {
        guard count >= 3, self[0] == 0xEF, self[1] == 0xBB, self[2] == 0xBF else { return self }
        return dropFirst(3)
    }

    /// Whether these bytes can be shown as text: UTF-8 without control characters but tabs, line breaks and form feeds, so
    /// that as a JSON string they are at most twice as long.
    var isText: Bool {
        var index = 0
        while true {
            index = firstIndexNotPlainInJSON(from: index)
            guard index < count else { return true }
            switch self[index] {
            case 0x09, 0x0A, 0x0C, 0x0D, UInt8(ascii: "\""), UInt8(ascii: "\\"): index += 1
            case ..<0x80: return false
            default:
                let sequence = utf8Sequence(at: index)
                guard sequence.isValid else { return false }
                index += sequence.length
            }
        }
    }

    /// The longest front of these bytes that has at most so many of them and ends with a whole character of UTF-8.
    func prefixOfText(_ length: Int) -> ByteView {
        guard count > length else { return self }
        var end = length
        while end > 0, self[end] & 0xC0 == 0x80 { end -= 1 }
        return prefix(end)
    }
}
