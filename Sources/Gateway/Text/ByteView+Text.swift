extension ByteView {
    /// The number that these digits write; nil where there is anything else, or too much of it.
    var decimal: Int? {
        guard count > 0, count <= 18 else { return nil }
        var value = 0
        for index in 0..<count {
            let digit = self[index] &- UInt8(ascii: "0")
            guard digit <= 9 else { return nil }
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// Whether every byte is a visible ASCII character: what may be echoed in a header line as an id.
    var isVisibleASCII: Bool {
        for index in 0..<count where self[index] <= 0x20 || self[index] >= 0x7F { return false }
        return true
    }
}

extension ByteBuffer {
    /// Appends text with its `%2F` and the like decoded (RFC 3986, section 2.1); what is no escape stays as it is.
    func append(percentDecoding text: ByteView) {
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "%"), index + 2 < text.count,
                let high = Self.hexValue(text[index + 1]), let low = Self.hexValue(text[index + 2])
            {
                append(high << 4 | low)
                index += 3
            } else {
                append(text[index])
                index += 1
            }
        }
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension ByteBuffer {
    /// Appends a query (RFC 3986, section 3.4) behind a path, which may have one: what no target of a request may hold is
    /// percent-encoded. Nothing where the query is empty.
    func append(query: ByteView, afterQuery hasQuery: Bool) {
        guard !query.isEmpty else { return }
        append(UInt8(ascii: hasQuery ? "&" : "?"))
        if query.isVisibleASCII, query.firstIndex(of: UInt8(ascii: "#")) == nil { return append(query) }
        for index in 0..<query.count {
            switch query[index] {
            case UInt8(ascii: "#"), ...0x20, 0x7f...:
                append(UInt8(ascii: "%"))
                appendHexadecimal(query[index])
            default: append(query[index])
            }
        }
    }

    /// Appends text in which each byte beyond ASCII is percent-encoded (RFC 3986, section 2.1), as a URL must have it.
    func append(percentEncodingBeyondASCII text: ByteView) {
        for index in 0..<text.count {
            let byte = text[index]
            if byte < 0x80 {
                append(byte)
            } else {
                append(UInt8(ascii: "%"))
                appendHexadecimal(byte)
            }
        }
    }
}

extension ByteView {
    /// In the query of a target: what stands behind `name=`, as it came; nil: there is no such member.
    func queryValue(_ name: StaticString) -> ByteView? {
        var rest = self
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.count
            let member = rest.prefix(end)
            rest = rest.dropFirst(end + 1)
            let equals = member.firstIndex(of: UInt8(ascii: "=")) ?? member.count
            if member.prefix(equals) == name { return member.dropFirst(equals + 1) }
        }
        return nil
    }
}
