import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What a writer leaves in an empty buffer.
func written(_ write: (ByteBuffer) -> Void) -> [UInt8] {
    let buffer = ByteBuffer(capacity: 1)
    write(buffer)
    return withExtendedLifetime(buffer) { buffer.view.array }
}

func writtenText(_ write: (ByteBuffer) -> Void) -> String { String(decoding: written(write), as: UTF8.self) }

/// Random bytes of which some kinds are more likely than chance: the ones that a writer must look at.
func awkwardBytes(using generator: inout some RandomNumberGenerator) -> [UInt8] {
    let pieces: [[UInt8]] = [
        [0x22], [0x5c], [0x00], [0x0a], [0x0d], [0x1f], [0x7f], Array("plain text of some length".utf8),
        Array("é".utf8), Array("€".utf8), Array("😀".utf8), [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xff], [0x80],
        [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe0, 0x80, 0x80],
    ]
    var bytes: [UInt8] = []
    for _ in 0..<Int.random(in: 0...12, using: &generator) {
        if Bool.random(using: &generator) {
            bytes += pieces.randomElement(using: &generator) ?? []
        } else {
            bytes.append(UInt8.random(in: 0...255, using: &generator))
        }
    }
    return bytes
}

@Suite struct JSONTextTests {
    @Test(
        arguments: [
            ("", #""""#), ("plain", #""plain""#), ("a\"b", #""a\"b""#), ("a\\b", #""a\\b""#),
            ("\u{08}\t\n\u{0c}\r", #""\b\t\n\f\r""#), ("\u{00}\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
            ("twelve plain bytes, then \"", #""twelve plain bytes, then \"""#), ("Grüße 😀", #""Grüße 😀""#),
            ("a/b", #""a/b""#),
        ])
    func `text becomes a JSON string`(text: String, json: String) {
        #expect(writtenText { out in Array(text.utf8).withByteView { out.appendJSON(string: $0) } } == json)
    }

    @Test(
        arguments: [
            ([0xff], 1), ([0xc3], 1), ([0xe2, 0x82], 1), ([0xf0, 0x9f, 0x98], 1), ([0xc0, 0xaf], 2),
            ([0xed, 0xa0, 0x80], 3), ([0x80, 0x80], 2), ([0xe2, 0x28, 0xa1], 2),
        ] as [([UInt8], Int)]
    )
    func `broken UTF-8 becomes U+FFFD`(bytes: [UInt8], count: Int) {
        let text = writtenText { out in bytes.withByteView { out.appendJSON(escaping: $0) } }
        #expect(text.unicodeScalars.filter { $0 == "\u{FFFD}" }.count == count)
    }

    @Test(arguments: 0..<16 as Range<UInt64>)
    func `any bytes parse back to their text`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let bytes = awkwardBytes(using: &generator)
            let json = written { out in bytes.withByteView { out.appendJSON(string: $0) } }
            let parsed = try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed) as? String
            // Unicode scalars: String's own equality is blind to how a character is composed.
            let wanted = String(decoding: bytes, as: UTF8.self)
            #expect(parsed?.unicodeScalars.elementsEqual(wanted.unicodeScalars) == true, "\(bytes)")
        }
    }

    @Test func `every byte at every place of a long text is seen`() {
        for place in 0..<20 {
            for byte in UInt8.min...UInt8.max {
                var bytes = Array(repeating: UInt8(ascii: "x"), count: 20)
                bytes[place] = byte
                let isPlain = byte >= 0x20 && byte < 0x80 && byte != 0x22 && byte != 0x5c
                let found = bytes.withByteView { $0.firstIndexNotPlainInJSON(from: 0) }
                #expect(found == (isPlain ? 20 : place))
            }
        }
    }

    @Test(
        arguments: [
            ("{}", "{}"), ("", ""), ("{\n  \"a\": 1\r\n}", "{   \"a\": 1  }"), ("\n", " "), ("\r", " "),
            ("[1,2]", "[1,2]"),
        ])
    func `JSON is put on one line`(json: String, line: String) {
        #expect(writtenText { out in Array(json.utf8).withByteView { out.append(json: $0) } } == line)
    }

    @Test func `base64 is that of Foundation`() {
        var generator = SeededGenerator(seed: 1)
        for length in 0..<100 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = writtenText { out in bytes.withByteView { out.append(base64: $0) } }
            #expect(text == Data(bytes).base64EncodedString())
        }
    }

    @Test(
        arguments: [
            ("application/json", true), ("Application/JSON", true), ("application/json; charset=utf-8", true),
            (" application/json ;x=y", true), ("text/json", true), ("application/problem+json", true),
            ("application/vnd.x+JSON; q=1", true), ("", false), ("application/jsonl", false), ("text/plain", false),
            ("application/x-ndjson", false), ("+json", false), ("json", false), ("text/plain; x=+json", false),
        ])
    func `media types that are JSON`(mediaType: String, isJSON: Bool) {
        #expect(Array(mediaType.utf8).withByteView { $0.isJSONMediaType } == isJSON)
    }
}
