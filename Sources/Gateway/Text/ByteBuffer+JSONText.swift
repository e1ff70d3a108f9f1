extension ByteBuffer {
    /// Appends the inside of a JSON string as plain text. The escapes must have been checked.
    func append(unescaping text: ByteView) {
        var index = 0
        while index < text.count {
            guard let backslash = text.firstIndex(of: UInt8(ascii: "\\"), from: index) else {
                append(text[index..<text.count])
                return
            }
            append(text[index..<backslash])
            index = backslash + 2
            switch text[backslash + 1] {
            case UInt8(ascii: "b"): append(UInt8(0x08))
            case UInt8(ascii: "f"): append(UInt8(0x0C))
            case UInt8(ascii: "n"): append(UInt8(0x0A))
            case UInt8(ascii: "r"): append(UInt8(0x0D))
            case UInt8(ascii: "t"): append(UInt8(0x09))
            case UInt8(ascii: "u"):
                var code = Self.hexQuad(text, at: index)
                index += 4
                if code & 0xFC00 == 0xD800 {
                    // The other half of the surrogate pair, behind its own `\u`.
                    code = 0x10000 + (code & 0x3FF) << 10 + (Self.hexQuad(text, at: index + 2) & 0x3FF)
                    index += 6
                }
                append(codePoint: code)
            case let itself: append(itself)
            }
        }
    }

    /// Appends a Unicode scalar value as UTF-8.
    private func append(codePoint code: UInt32) {
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: code >> shift & 0x3F) }
        switch code {
        case ..<0x80:
            append(UInt8(truncatingIfNeeded: code))
        case ..<0x800:
            append(0xC0 | UInt8(truncatingIfNeeded: code >> 6))
            append(tail(0))
        case ..<0x10000:
            append(0xE0 | UInt8(truncatingIfNeeded: code >> 12))
            append(tail(6))
            append(tail(0))
        default:
            append(0xF0 | UInt8(truncatingIfNeeded: code >> 18))
            append(tail(12))
            append(tail(6))
            append(tail(0))
        }
    }

    private static func hexQuad(_ text: ByteView, at start: Int) -> UInt32 {
        var code: UInt32 = 0
        for index in start..<start + 4 {
            let byte = text[index]
            let isDigit = byte <= UInt8(ascii: "9")
            code = code << 4 | UInt32(isDigit ? byte - UInt8(ascii: "0") : (byte | 0x20) - UInt8(ascii: "a") + 10)
        }
        return code
    }
}
