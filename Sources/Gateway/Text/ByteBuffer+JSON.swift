extension ByteBuffer {
    /// Appends plain text as a JSON string, quotes and all.
    func appendJSON(string text: ByteView) {
        append(UInt8(ascii: "\""))
        appendJSON(escaping: text)
        append(UInt8(ascii: "\""))
    }

    /// The same with a text of ours. Not for the request path.
    func appendJSON(text: String) { Array(text.utf8).withByteView { appendJSON(string: $0) } }

    /// Appends plain text as the inside of a JSON string (RFC 8259, section 7).
    ///
    /// The text may be any bytes: what is not UTF-8 becomes U+FFFD, one for each maximal part of a sequence that breaks
    /// off, as `String(decoding:as:)` does it.
    @inline(__always)
    func appendJSON(escaping text: ByteView) {
        let plain = text.firstIndexNotPlainInJSON(from: 0)
        if plain == text.count {
            append(text)
        } else {
            appendJSON(escaping: text, from: plain)
        }
    }

    /// The slow path: text whose first byte to look at stands at `special`.
    @inline(never)
    private func appendJSON(escaping text: ByteView, from special: Int) {
        var copied = 0
        var special = special
        while special < text.count {
            let byte = text[special]
            if byte < 0x80 {
                append(text[copied..<special])
                appendJSON(escape: byte)
                special += 1
                copied = special
            } else {
                let sequence = text.utf8Sequence(at: special)
                if !sequence.isValid {
                    append(text[copied..<special])
                    append("\u{FFFD}")
                    copied = special + sequence.length
                }
                special += sequence.length
            }
            special = text.firstIndexNotPlainInJSON(from: special)
        }
        append(text[copied..<text.count])
    }

    private func appendJSON(escape byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): append("\\\"")
        case UInt8(ascii: "\\"): append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0a: append("\\n")
        case 0x0c: append("\\f")
        case 0x0d: append("\\r")
        default:
            append("\\u00")
            appendHexadecimal(byte)
        }
    }

    /// Appends valid JSON on one line: the line breaks that stand between its tokens become spaces.
    ///
    /// Valid JSON has no raw line break inside a string, so the value stays the same.
    func append(json: ByteView) {
        if json.firstIndex(of: 0x0a) == nil && json.firstIndex(of: 0x0d) == nil {
            append(json)
        } else {
            appendWithoutLineBreaks(json)
        }
    }

    /// Appends JSON on one line in which NaN, Infinity and -Infinity may stand as values, with null in their places; whether
    /// there were any.
    func append(finiteJSON json: ByteView) -> Bool {
        var hasNotFinite = false
        var copied = 0
        var index = 0
        while index < json.count {
            let length: Int
            switch json[index] {
            case UInt8(ascii: "\""):
                index = json.endOfString(at: index)
                continue
            case UInt8(ascii: "N"): length = 3
            case UInt8(ascii: "I"): length = 8
            case UInt8(ascii: "-") where index + 1 < json.count && json[index + 1] == UInt8(ascii: "I"): length = 9
            default:
                index += 1
                continue
            }
            append(json: json[copied..<index])
            append("null")
            index = min(index + length, json.count)
            copied = index
            hasNotFinite = true
        }
        append(json: json[copied..<json.count])
        return hasNotFinite
    }
}

extension ByteView {
    /// The UTF-8 sequence that begins at an offset, or how many bytes of a broken one to replace together (The Unicode
    /// Standard, table 3-7 and "maximal subparts").
    func utf8Sequence(at start: Int) -> (length: Int, isValid: Bool) {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch self[start] {
        case 0x00...0x7f: return (1, true)
        case 0xc2...0xdf: length = 2
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: length = 3
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: length = 4
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return (1, false)
        }
        guard start + 1 < count, second.contains(self[start + 1]) else { return (1, false) }
        for offset in 2..<max(length, 2) {
            guard start + offset < count, self[start + offset] & 0xc0 == 0x80 else { return (offset, false) }
        }
        return (length, true)
    }
}
