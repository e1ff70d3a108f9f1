/// A JSON document read the slow way, straight from RFC 8259: by recursion, a byte after the other.
///
/// Shares no code with the outline that it judges.
struct ReferenceJSON: Equatable {
    enum Kind: Equatable { case object, array, string, number, literal }

    let kind: Kind
    /// Where it stands in the document, with its quotes or brackets.
    let range: Range<Int>
    /// The elements of an array; of an object, name, value, name, value.
    var children: [ReferenceJSON] = []
    /// Of a string.
    var hasEscapes = false

    /// nil: it is no JSON document, or deeper than 500 containers.
    static func read(_ bytes: [UInt8]) -> ReferenceJSON? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var reader = Reader(bytes: bytes)
        reader.skipSpace()
        guard let value = reader.value(depth: 0) else { return nil }
        reader.skipSpace()
        return reader.position == bytes.count ? value : nil
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var next: UInt8? { position < bytes.count ? bytes[position] : nil }

        mutating func skipSpace() {
            while let next, [0x20, 0x09, 0x0a, 0x0d].contains(next) { position += 1 }
        }

        mutating func take(_ byte: UInt8) -> Bool {
            guard next == byte else { return false }
            position += 1
            return true
        }

        mutating func take(_ text: String) -> Bool {
            guard bytes[position...].starts(with: text.utf8) else { return false }
            position += text.utf8.count
            return true
        }

        /// - Parameter depth: how many containers it stands in.
        mutating func value(depth: Int) -> ReferenceJSON? {
            let start = position
            switch next {
            case UInt8(ascii: "{"), UInt8(ascii: "["): return depth < 500 ? container(depth: depth) : nil
            case UInt8(ascii: "\""): return string()
            case UInt8(ascii: "t"): guard take("true") else { return nil }
            case UInt8(ascii: "f"): guard take("false") else { return nil }
            case UInt8(ascii: "n"): guard take("null") else { return nil }
            default: return number()
            }
            return ReferenceJSON(kind: .literal, range: start..<position)
        }

        mutating func container(depth: Int) -> ReferenceJSON? {
            let start = position
            let isObject = next == UInt8(ascii: "{")
            let end = UInt8(ascii: isObject ? "}" : "]")
            position += 1
            var children: [ReferenceJSON] = []
            skipSpace()
            var isOver = take(end)
            while !isOver {
                skipSpace()
                if isObject {
                    guard let name = string() else { return nil }
                    children.append(name)
                    skipSpace()
                    guard take(UInt8(ascii: ":")) else { return nil }
                    skipSpace()
                }
                guard let value = value(depth: depth + 1) else { return nil }
                children.append(value)
                skipSpace()
                isOver = take(end)
                guard isOver || take(UInt8(ascii: ",")) else { return nil }
            }
            return ReferenceJSON(kind: isObject ? .object : .array, range: start..<position, children: children)
        }

        mutating func string() -> ReferenceJSON? {
            let start = position
            guard take(UInt8(ascii: "\"")) else { return nil }
            var hasEscapes = false
            while let byte = next {
                position += 1
                if byte == UInt8(ascii: "\"") {
                    return ReferenceJSON(kind: .string, range: start..<position, hasEscapes: hasEscapes)
                }
                if byte < 0x20 { return nil }
                guard byte == UInt8(ascii: "\\") else { continue }
                hasEscapes = true
                guard let kind = next else { return nil }
                position += 1
                if "\"\\/bfnrt".utf8.contains(kind) { continue }
                guard kind == UInt8(ascii: "u"), let unit = unit() else { return nil }
                // Half a surrogate pair is no text.
                if (0xdc00...0xdfff).contains(unit) { return nil }
                if (0xd800...0xdbff).contains(unit) {
                    guard take("\\u"), let low = self.unit(), (0xdc00...0xdfff).contains(low) else { return nil }
                }
            }
            return nil
        }

        mutating func unit() -> Int? {
            let digits = bytes[position...].prefix(4)
            let text = String(decoding: digits, as: UTF8.self)
            guard digits.count == 4, text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
            position += 4
            return Int(text, radix: 16)
        }

        mutating func digits() -> Bool {
            let start = position
            while let next, (0x30...0x39).contains(next) { position += 1 }
            return position > start
        }

        mutating func number() -> ReferenceJSON? {
            let start = position
            _ = take(UInt8(ascii: "-"))
            if !take(UInt8(ascii: "0")) {
                guard digits() else { return nil }
            }
            if take(UInt8(ascii: ".")) {
                guard digits() else { return nil }
            }
            if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
                if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
                guard digits() else { return nil }
            }
            return ReferenceJSON(kind: .number, range: start..<position)
        }
    }
}
