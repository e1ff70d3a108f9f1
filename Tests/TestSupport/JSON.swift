/// A JSON value. Numbers keep the text that they stood as, so that a test can see whether bytes were carried over.
package enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    /// Members in order, as they stood.
    case object([Member])

    package struct Member: Sendable, Equatable {
        package var name: String
        package var value: JSON
    }

    package struct ParseError: Error, CustomStringConvertible {
        package var description: String
    }

    /// Strict (RFC 8259): throws at anything that is not JSON, and at a name that stands twice in an object.
    package init(parsing bytes: [UInt8]) throws {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }

    package init(parsing text: String) throws { try self.init(parsing: Array(text.utf8)) }

    package subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    package subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    package var names: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.name)
    }

    package var elements: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var bool: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// The text of a number.
    package var numberText: String? {
        guard case .number(let text) = self else { return nil }
        return text
    }

    package var int: Int? { numberText.flatMap { Int($0) } }

    package var double: Double? { numberText.flatMap { Double($0) } }

    package var isNull: Bool { self == .null }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number("\(value)") }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension JSON: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral members: (String, JSON)...) {
        self = .object(members.map { Member(name: $0, value: $1) })
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func failure(_ what: String) -> JSON.ParseError {
        let text = String(decoding: bytes.prefix(2_000), as: UTF8.self)
        return JSON.ParseError(description: "not JSON at byte \(position): \(what), in: \(text)")
    }

    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func document() throws -> JSON {
        let value = try value(depth: 0)
        skipSpace()
        guard current == nil else { throw failure("more after the value") }
        return value
    }

    mutating func take(_ byte: Character) throws {
        skipSpace()
        guard current == byte.asciiValue else { throw failure("expected \(byte)") }
        position += 1
    }

    mutating func takes(_ byte: Character) -> Bool {
        skipSpace()
        guard current == byte.asciiValue else { return false }
        position += 1
        return true
    }

    mutating func value(depth: Int) throws -> JSON {
        guard depth < 512 else { throw failure("too deep") }
        skipSpace()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    mutating func word(_ word: String, _ value: JSON) throws -> JSON {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("expected \(word)") }
        position += word.utf8.count
        return value
    }

    mutating func object(depth: Int) throws -> JSON {
        try take("{")
        var members: [JSON.Member] = []
        if takes("}") { return .object(members) }
        var seen: Set<String> = []
        repeat {
            skipSpace()
            let name = try string()
            guard seen.insert(name).inserted else { throw failure("\(name) stands twice") }
            try take(":")
            members.append(JSON.Member(name: name, value: try value(depth: depth + 1)))
        } while takes(",")
        try take("}")
        return .object(members)
    }

    mutating func array(depth: Int) throws -> JSON {
        try take("[")
        var elements: [JSON] = []
        if takes("]") { return .array(elements) }
        repeat { elements.append(try value(depth: depth + 1)) } while takes(",")
        try take("]")
        return .array(elements)
    }

    mutating func digits() throws {
        guard let first = current, (0x30...0x39).contains(first) else { throw failure("expected a digit") }
        while let byte = current, (0x30...0x39).contains(byte) { position += 1 }
    }

    mutating func number() throws -> String {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") { position += 1 } else { try digits() }
        if current == UInt8(ascii: ".") {
            position += 1
            try digits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func string() throws -> String {
        guard current == UInt8(ascii: "\"") else { throw failure("expected a string") }
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else { throw failure("not UTF-8") }
                return valid
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw failure("a control character in a string")
            default: text.append(byte)
            }
        }
        throw failure("the string does not end")
    }

    mutating func escape(into text: inout [UInt8]) throws {
        guard let byte = current else { throw failure("the escape does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            var units = [try hex()]
            if (0xD800..<0xDC00).contains(units[0]) {
                guard bytes[position...].starts(with: "\\u".utf8) else { throw failure("half a surrogate pair") }
                position += 2
                units.append(try hex())
            }
            guard let character = String(validating: units, as: UTF16.self) else {
                throw failure("half a surrogate pair")
            }
            text += Array(character.utf8)
        default: throw failure("unknown escape")
        }
    }

    mutating func hex() throws -> UInt16 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, let value = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw failure("expected four hexadecimal digits")
        }
        position += 4
        return value
    }
}
