import Foundation
import Testing

@testable import Gateway

@Suite struct JSONOutlineTests {
    private static func isAccepted(_ bytes: [UInt8], depth: Int = 8) -> Bool {
        bytes.withByteView { view in (try? JSONOutline().read(view, depth: depth)) != nil }
    }

    @Test(arguments: [
        "0", "-0", "1.5e+10", "0E0", "-0.0e-1", "true", "false", "null", "[]", "{}", " [ ] ", "[1,2]", "[[],{}]",
        "\"\"", #"{"":0}"#, #"{"a":{"b":[1]},"a":2}"#, #""\"\\\/\b\f\n\r\t\u00Af""#, #""\ud83d\ude00""#,
        "\"\u{7f}\u{80}😀\"", "\t\n\r 1 \t\n\r", #"[""]"#, #"["\\"]"#, #"["\\\""]"#, #"{"a":"}"}"#,
    ])
    func accepts(text: String) {
        #expect(Self.isAccepted(Array(text.utf8)))
    }

    @Test(arguments: [
        // Words and numbers.
        "nope", "tru", "truex", "nul", "falsee", "True", "NaN", "Infinity", "-Infinity", "+1", "01", "-", "-a", "1.",
        ".5", "1.e1", "1e", "1e+", "0x1", "1a",
        // Structure.
        "", " ", "1 2", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,]", "[,1]", "[1 2]", "[1}", "[]]", "{}{}", "[]x",
        ":", ",", "[:]", "{:1}", "{,}", "{1:2}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{"a":1"#, #"{"a" 1}"#,
        #"{"a":1]"#, #"{"a":1 "b":2}"#, #"["a":1]"#,
        // Strings.
        #""a"#, #""a" b"#, #""a"b"#, #""a""b""#, #"1"a""#, #"[1"a"]"#, #""\x""#, #""\u12""#, #""\u12g4""#, #""\"#,
        #""\""#, #""\ud800""#, #""\ud800\u0041""#, #""\udc00""#, #""\ud83dx""#, "\"\n\"", "\"\u{0}\"", "'a'",
        // What is no token at all.
        "// x\n1", "[1]//", "\u{FEFF}1", "1\u{0}", "\u{0}", "[\u{A0}1]", "\\", "[\\]",
    ])
    func refuses(text: String) {
        #expect(!Self.isAccepted(Array(text.utf8)))
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0xFF], [0x31, 0x80],
        ] as [[UInt8]]
    )
    func refusesWrongUTF8(bytes: [UInt8]) {
        #expect(!Self.isAccepted(bytes))
    }

    @Test func boundsDepth() {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        #expect(Self.isAccepted(nested(500), depth: 0))
        #expect(Self.isAccepted(nested(500), depth: 1_000))
        #expect(!Self.isAccepted(nested(501), depth: 0))
        #expect(!Self.isAccepted(nested(100_000)))
        #expect(!Self.isAccepted([UInt8](repeating: UInt8(ascii: "["), count: 100_000)))
        #expect(!Self.isAccepted(Array(String(repeating: #"{"a":"#, count: 100_000).utf8)))
        #expect((try? JSONSerialization.jsonObject(with: Data(nested(500)))) != nil, "others follow as deep")
    }

    @Test func notesDownToTheDepth() throws {
        let text = #"{"a":[1,[2,3]],"b":"x\n"}"#
        try Array(text.utf8).withByteView { view throws(JSONOutline.Fault) in
            let outline = JSONOutline()
            try outline.read(view, depth: 2)
            let seen = (0..<outline.count).map { outline.bytes($0).string }
            #expect(seen == [text, #""a""#, "[1,[2,3]]", "1", "[2,3]", #""b""#, #""x\n""#])
            #expect((0..<outline.count).map(outline.after) == [7, 2, 5, 4, 5, 6, 7])
            #expect([0, 2, 4].map(outline.children) == [2, 2, 2])
            #expect(outline.kind(0) == .object && outline.kind(3) == .number && outline.kind(4) == .array)
            #expect(outline.hasEscapes(6) && !outline.hasEscapes(5))
            try outline.read(view, depth: 0)
            #expect(outline.count == 1)
        }
    }

    @Test func keepsWorkingAfterALargeDocument() throws {
        let outline = JSONOutline()
        let large = Array(("[" + Array(repeating: "1", count: 3_000_000).joined(separator: ",") + "]").utf8)
        for _ in 0..<2 {
            try large.withByteView { view throws(JSONOutline.Fault) in try outline.read(view, depth: 1) }
            #expect(outline.count == 3_000_001)
            try Array("[1]".utf8).withByteView { view throws(JSONOutline.Fault) in try outline.read(view, depth: 1) }
            #expect(outline.count == 2)
        }
    }
}
