import Testing

@testable import Gateway

/// What may stand in a header line, and what never gets into a table of them.
@Suite struct HeaderLineTests {
    /// Straight from RFC 9110, section 5.6.2.
    private static let token = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8
    )

    private static func isValueByte(_ byte: UInt8) -> Bool {
        byte == 0x09 || (0x20...0x7e).contains(byte) || byte >= 0x80
    }

    private func isToken(_ bytes: [UInt8]) -> Bool { bytes.withByteView { $0.isToken } }
    private func isValue(_ bytes: [UInt8]) -> Bool { bytes.withByteView { $0.isFieldValue } }

    /// Each byte at each place of texts of each length up to three words: the words are looked at as a whole.
    @Test(arguments: 1...25) func `every byte at every place`(_ length: Int) {
        for place in 0..<length {
            for byte in UInt8.min ... .max {
                for filling in [UInt8(ascii: "a"), UInt8(ascii: "7")] {
                    var bytes = [UInt8](repeating: filling, count: length)
                    bytes[place] = byte
                    if isToken(bytes) != Self.token.contains(byte) { Issue.record("token: \(byte) at \(place)") }
                    if isValue(bytes) != Self.isValueByte(byte) { Issue.record("value: \(byte) at \(place)") }
                }
            }
        }
    }

    @Test func `two bad bytes beside each other`() {
        for first in UInt8.min ... .max {
            for second in UInt8.min ... .max {
                let bytes = Array("aaa".utf8) + [first, second] + Array("aaaa".utf8)
                let isToken = Self.token.contains(first) && Self.token.contains(second)
                if self.isToken(bytes) != isToken { Issue.record("token: \(first) \(second)") }
                let isValue = Self.isValueByte(first) && Self.isValueByte(second)
                if self.isValue(bytes) != isValue { Issue.record("value: \(first) \(second)") }
            }
        }
    }

    @Test func `nothing is a value and no token`() {
        #expect(!ByteView.empty.isToken)
        #expect(!ByteView("").isToken)
        #expect(ByteView.empty.isFieldValue)
    }

    @Test func `a table takes only what is HTTP`() {
        let table = HeaderTable()
        func add(_ name: [UInt8], _ value: [UInt8]) -> Bool {
            name.withByteView { name in value.withByteView { table.append(name, $0) } }
        }
        for (name, value) in Hostile.lines { #expect(!add(name, value), "\(name) \(value)") }
        #expect(table.count == 0)
        #expect(add(Array("X-Good".utf8), Array("\t a \u{e9} b ".utf8)))
        #expect(add(Array("X-Empty".utf8), Array(" \t ".utf8)))
        #expect(table.count == 2)
        #expect(table[0].value.array == Array("a \u{e9} b".utf8))
        // Empty, and still a text to a C library: the byte after it is NUL.
        #expect(table[1].value.isEmpty)
        #expect(table[1].value.base != nil)
        table.append("X-Ours", ByteView("a\r\nb: c"))
        #expect(table.count == 2)
    }
}

/// Header lines that are not HTTP, each the beginning of an attack.
enum Hostile {
    /// The raw lines of names and values.
    static let lines: [(name: [UInt8], value: [UInt8])] =
        [
            "X Y", "X\tY", " X", "\tX", "X ", "X\t", "", "X:", "X:Y", "Content-Length;x", "Host;x", "Content-Length;",
            "Content-Length ", "Transfer-Encoding ", "\u{b}X", "X\r", "X\n", "\r\nX", "X\0", "\0X", "X\u{7f}", "X(",
            "X\"",
            "X/", "X[", "X\\", "X{", "X@", "X,", "X=", "X?", "N\u{e9}", "GET / HTTP/1.1\r\nX",
        ].map { (Array($0.utf8), Array("1".utf8)) }
        + [[0x80], [0xff], Array("X".utf8) + [0xe9]].map { ($0, Array("1".utf8)) }
        + [
            "a\r\nContent-Length: 0", "a\nb: c", "a\rb", "a\r\n\r\nGET / HTTP/1.1", "\u{1}", "a\0b", "a\u{7f}",
            "a\u{b}b",
            "a\u{c}b", "\r", "\n", "\0", "aaaaaaaaaaaaaaaaaaaaaaaaaaa\u{1f}", "aaaaaaaa\n", "aaaaaaa\r",
        ].map { (Array("X-Value".utf8), Array($0.utf8)) }
}
