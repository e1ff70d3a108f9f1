import TestSupport
import Testing

@testable import Gateway

/// Where the parts of a stream end that leave one by one.
@Suite struct StreamCutTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var kind: StreamKind
        /// What the parts must be; the last one is not whole where `hasRest`.
        var parts: [String]
        var hasRest = false

        var testDescription: String { "\(kind): \(parts)" }

        static let all: [Case] = [
            Case(kind: .events, parts: []),
            Case(kind: .events, parts: ["data: 1\n\n", "data: 2\n\n"]),
            Case(kind: .events, parts: ["data: 1\r\n\r\n", "data:2\n\r\n", "data\n\n"]),
            Case(kind: .events, parts: ["event: a\nid: 7\ndata: 1\ndata: 2\n\n", "\n\ndata: 3\n\n"]),
            Case(kind: .events, parts: [": alive\n\ndata: 1\n\n", "event: ping\n\nretry: 5\n\ndata: 2\n\n"]),
            Case(kind: .events, parts: ["database: no\n\ndata: 1\n\n"]),
            Case(kind: .events, parts: ["data: 1\n\n", "data: 2\n"], hasRest: true),
            Case(kind: .events, parts: ["data: 1\n\n", ": alive\n\n"], hasRest: true),
            Case(kind: .lines, parts: ["{\"a\":1}\n", "2\r\n", " \n\n3\n"]),
            Case(kind: .lines, parts: ["1\n", "2"], hasRest: true),
        ]
    }

    private func read(_ pieces: [[UInt8]], _ kind: StreamKind) -> (parts: [String], rest: String) {
        var cut = StreamCut(kind)
        var parts: [String] = []
        let buffer = ByteBuffer(capacity: 16)
        for piece in pieces {
            buffer.append(contentsOf: piece)
            while let length = cut.length(of: buffer.view) {
                parts.append(buffer.view.prefix(length).string)
                buffer.removeFirst(length)
                cut.next()
            }
        }
        return (parts, buffer.view.string)
    }

    @Test(arguments: Case.all) func `parts are whole however they come`(_ example: Case) {
        let bytes = Array(example.parts.joined().utf8)
        let wanted = example.hasRest ? Array(example.parts.dropLast()) : example.parts
        let rest = example.hasRest ? example.parts.last ?? "" : ""
        var random = SeededGenerator(seed: UInt64(bytes.count))
        var splits = [[bytes], bytes.map { [$0] }]
        for _ in 0..<20 {
            var pieces: [[UInt8]] = [[]]
            for byte in bytes {
                if random.below(4) == 0 { pieces.append([]) }
                pieces[pieces.count - 1].append(byte)
            }
            splits.append(pieces)
        }
        for pieces in splits {
            let read = read(pieces, example.kind)
            #expect(read.parts == wanted)
            #expect(read.rest == rest)
        }
    }

    @Test func `what has no parts leaves as it comes`() {
        #expect(read([[0x61], [0x62, 0x63]], .bytes).parts == ["a", "bc"])
    }
}
