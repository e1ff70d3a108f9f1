import Foundation
import TestSupport
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
        let large = Array(("[" + Array(repeating: "1", count: 900_000).joined(separator: ",") + "]").utf8)
        for _ in 0..<2 {
            try large.withByteView { view throws(JSONOutline.Fault) in try outline.read(view, depth: 1) }
            #expect(outline.count == 900_001)
            try Array("[1]".utf8).withByteView { view throws(JSONOutline.Fault) in try outline.read(view, depth: 1) }
            #expect(outline.count == 2)
        }
    }

    @Test(arguments: [
        (#"{"a":1,"b":2}"#, false), (#"{"a":1,"a":2}"#, true), (#"{"a":1,"\u0061":2}"#, true),
        (#"{"\u00e9":1,"é":2}"#, true), (#"{"\ud83d\ude00":1,"😀":2}"#, true), (#"{"\/":1,"/":2}"#, true),
        (#"{"\\":1,"\\\\":2}"#, false), (#"[{"a":1},{"a":1}]"#, false), (#"{"a":{"a":{"a":1}}}"#, false),
        (#"{"a":1,"x":{"a":1},"b":{"a":2,"b":3}}"#, false), (#"[[[{"x":[{"q":1,"q":1}]}]]]"#, true),
        (#"{"":1,"":2}"#, true), (#"{"ab":1,"ba":1,"aab":1,"aba":1,"baa":1}"#, false),
        (#"{"a longer name than that, 1":1,"a longer name than that, 2":1}"#, false),
        (#"{"a longer name than that, 1":1,"b":2,"a longer name than that, 1":1}"#, true),
        (#"{"a":{"b":1},"c":2,"a":3}"#, true), (#"{"a":"a","b":"a"}"#, false),
    ])
    func findsMembersOfOneName(text: String, hasDuplicates: Bool) throws {
        try Array(text.utf8).withByteView { view throws(JSONOutline.Fault) in
            let outline = JSONOutline()
            for depth in [0, 1, 8] {
                try outline.read(view, depth: depth)
                #expect(outline.hasDuplicates == hasDuplicates)
            }
        }
    }

    /// Objects of any size, with and without a name that comes twice; one reader for all.
    @Test(arguments: [2, 15, 16, 17, 18, 100, 5_000, 40_000])
    func findsMembersOfOneNameAmongMany(count: Int) throws {
        let outline = JSONOutline()
        func hasDuplicates(_ names: [String]) throws -> Bool {
            let object = "{" + names.map { "\"\($0)\":{\"x\":1}" }.joined(separator: ",") + "}"
            // Others of the same names beside it.
            try Array("[{\"name 0\":1},\(object),{\"name 0\":1}]".utf8).withByteView { view throws(JSONOutline.Fault) in
                try outline.read(view, depth: 1)
            }
            return outline.hasDuplicates
        }
        let names = (0..<count).map { "name \($0)" }
        #expect(try !hasDuplicates(names))
        for place in [0, (count - 1) / 2, count - 2] {
            #expect(try hasDuplicates(names.dropLast() + [names[place]]), "\(place)")
        }
        #expect(try !hasDuplicates(names))
    }

    @Test(arguments: ["NaN", "Infinity", "-Infinity", "[NaN]", #"{"a":-Infinity,"b":[1,Infinity , NaN ]}"#])
    func takesWhatIsNotFiniteWhereAskedTo(text: String) throws {
        try Array(text.utf8).withByteView { view throws(JSONOutline.Fault) in
            let outline = JSONOutline()
            try outline.read(view, JSONOutline.Options(depth: 8, takesNotFinite: true))
            #expect(outline.hasNotFinite)
            #expect(throws: JSONOutline.Fault.self) { try outline.read(view, depth: 8) }
            try outline.read(ByteView("[1]"), JSONOutline.Options(depth: 8, takesNotFinite: true))
            #expect(!outline.hasNotFinite)
        }
    }

    @Test(arguments: [
        "nan", "NAN", "inf", "+Infinity", "- Infinity", "-NaN", "Infinit", "NaNs", "[Infinity1]", #"{NaN:1}"#,
    ])
    func refusesWhatOnlyLooksLikeIt(text: String) {
        let isRead = Array(text.utf8).withByteView { view in
            (try? JSONOutline().read(view, JSONOutline.Options(depth: 8, takesNotFinite: true))) != nil
        }
        #expect(!isRead)
    }

    @Test func leavesScalarsToTheCursor() throws {
        let text = #"{"a":[ 1 , "two,]\"\\" ,[3],{"b":4}, true,-5.5e1 ],"c":[],"d":"e"}"#
        try Array(text.utf8).withByteView { view throws(JSONOutline.Fault) in
            let outline = JSONOutline()
            try outline.read(view, JSONOutline.Options(depth: 2, skipsScalars: true))
            let seen = (0..<outline.count).map { outline.bytes($0).string }.dropFirst()
            #expect(seen.filter { $0.count < 20 } == [#""a""#, "[3]", #"{"b":4}"#, #""c""#, "[]", #""d""#, #""e""#])
            #expect(outline.children(2) == 6 && !outline.hasOnlyScalars(2))
            var cursor = outline.elements(of: 2)
            let elements = (0..<6).map { _ in outline.bytes(outline.next(&cursor)).string }
            #expect(elements == ["1", #""two,]\"\\""#, "[3]", #"{"b":4}"#, "true", "-5.5e1"])
            #expect(outline.children(6) == 0 && outline.hasOnlyScalars(6))
        }
    }

    /// Documents that are longer than a window, with strings that are and windows that end anywhere in them.
    @Test(arguments: 0..<6 as Range<UInt64>)
    func readsLongDocumentsInSteps(seed: UInt64) throws {
        var random = RandomJSON(seed: seed)
        var elements: [String] = []
        var length = 0
        while length < 700_000 {
            var element = random.value(depth: 4)
            if random.generator.chance(1) {
                let part = random.generator.pick(["x", #"\\"#, #"\""#, "é", "😀", #"\u00e9"#])
                element = "\"" + String(repeating: part, count: 20_000 + random.generator.below(200_000)) + "\""
            }
            elements.append(element)
            length += element.utf8.count
        }
        let document = Array(random.array(elements).utf8)
        try document.withByteView { view throws(JSONOutline.Fault) in
            let outline = JSONOutline()
            try outline.begin(view, JSONOutline.Options(depth: 1, skipsScalars: seed % 2 == 0))
            var steps = 1
            while try !outline.readOn() { steps += 1 }
            #expect(steps > 3)
            #expect(outline.children(0) == elements.count)
            if seed % 2 == 0 {
                var cursor = outline.elements(of: 0)
                for element in elements { #expect(outline.bytes(outline.next(&cursor)).string == element) }
            } else {
                var node = 1
                for element in elements {
                    #expect(outline.bytes(node).string == element)
                    node = outline.after(node)
                }
            }
        }
        // Damaged anywhere, it is refused.
        for _ in 0..<20 {
            var damaged = document
            damaged[random.generator.below(document.count)] = random.generator.pick([0x00, 0xFF])
            let isRead = damaged.withByteView { view in (try? JSONOutline().read(view, depth: 1)) != nil }
            #expect(!isRead)
        }
    }

    @Test func boundsNodes() throws {
        let large = Array(("[" + Array(repeating: "[]", count: JSONOutline.maxNodes).joined(separator: ",") + "]").utf8)
        try large.withByteView { view throws(JSONOutline.Fault) in
            let outline = JSONOutline()
            try outline.read(view, depth: 1)
            #expect(outline.isOverfull)
            #expect(outline.count <= JSONOutline.maxNodes)
            #expect(outline.bytes(0) == view, "the root is known all the same")
            try outline.read(ByteView("[]"), depth: 1)
            #expect(!outline.isOverfull && outline.count == 1)
        }
        // Checked to its end.
        let broken = Array(large.dropLast())
        #expect(!broken.withByteView { view in (try? JSONOutline().read(view, depth: 1)) != nil })
    }
}
