import TestSupport
import Testing

@testable import Gateway

/// What is recorded of an answer that comes in parts.
@Suite struct StreamRecordTests {
    private struct Recorded: Equatable {
        var value: String
        var parts: Int
        var isCut = false
    }

    private func record(
        _ kind: StreamKind,
        _ pieces: [String],
        maxBytes: Int = 1 << 20,
        memory: BodyMemory? = nil
    ) -> Recorded {
        let record = StreamRecord()
        record.begin(kind, maxBytes: maxBytes, memory: memory)
        for piece in pieces { _ = Array(piece.utf8).withByteView { record.take($0) } }
        record.close()
        defer { record.end() }
        return Recorded(value: record.part.bytes.string, parts: record.parts, isCut: record.isCut)
    }

    static let events: [(String, String, Int)] = [
        ("data: 1\n\n", "[1]", 1),
        ("data:{\"a\": 1}\n\ndata: two\n\n", #"[{"a": 1},"two"]"#, 2),
        ("data: 1\r\n\r\ndata: 2\r\n\r\n", "[1,2]", 2),
        ("data: [1,\ndata: 2]\n\n", "[[1, 2]]", 1),
        ("data: a\ndata: b\n\n", #"["a\nb"]"#, 1),
        (": a comment\n\nevent: x\nid: 7\nretry: 1\ndata\n\n", #"[""]"#, 1),
        ("data: NaN\n\ndata: {\"a\":1,\"a\":2}\n\n", #"["NaN","{\"a\":1,\"a\":2}"]"#, 2),
        ("data: 1\n\ndata: [DONE]\n\n", "[1]", 1),
        ("data: 1\n\ndata: 2\n", "[1]", 1),
        ("database: 1\n\n", "[]", 0),
        ("", "[]", 0),
    ]

    @Test(arguments: events) func `events become a list`(text: String, value: String, parts: Int) {
        #expect(record(.events, [text]) == Recorded(value: value, parts: parts))
        // However the bytes come.
        for size in 1...5 {
            let bytes = Array(text.utf8)
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                String(decoding: bytes[$0..<min($0 + size, bytes.count)], as: UTF8.self)
            }
            #expect(record(.events, pieces) == Recorded(value: value, parts: parts), "in pieces of \(size)")
        }
    }

    @Test func `lines become a list`() {
        #expect(record(.lines, ["{\"a\":1}\n", "\n[2", "]\r\nthree\n", "4"]).value == #"[{"a":1},[2],"three",4]"#)
    }

    @Test func `other bytes stay as they are`() {
        #expect(record(.bytes, ["some ", "text"]) == Recorded(value: "some text", parts: 2))
    }

    /// Where in the bytes the last event begins: what comes before it may leave before the answer is recorded.
    @Test func `the last event is found`() {
        let record = StreamRecord()
        record.begin(.events, maxBytes: 1 << 20, memory: nil)
        func take(_ text: String) -> Int? { Array(text.utf8).withByteView { record.take($0) } }
        #expect(take("data: 1\n\ndata: [DO") == nil)
        #expect(!record.isDone)
        #expect(take("NE]\n\n") == 0)
        #expect(record.isDone)
        record.end()
        record.begin(.events, maxBytes: 1 << 20, memory: nil)
        #expect(take("data: 1\n\ndata: [DONE]\n\n") == 9)
        #expect(record.parts == 1)
    }

    @Test(arguments: [StreamKind.events, .lines, .bytes])
    func `no more is kept than goes into an event`(kind: StreamKind) {
        let piece = "data: \"\(String(repeating: "x", count: 1_000))\"\n\n"
        let recorded = record(kind, Array(repeating: piece, count: 200), maxBytes: 64 << 10)
        #expect(recorded.isCut)
        #expect(recorded.value.utf8.count < 64 << 10 && recorded.value.utf8.count > 20_000)
        if kind != .bytes { #expect((try? JSON(parsing: Array(recorded.value.utf8))) != nil) }
    }

    /// One endless line costs no more than a long one.
    @Test func `a line without an end is not kept`() {
        let record = StreamRecord()
        record.begin(.events, maxBytes: 1 << 30, memory: nil)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 64 << 10)
        for _ in 0..<64 { _ = piece.withByteView { record.take($0) } }
        #expect(record.isCut)
        record.close()
        #expect(record.part.bytes == "[]")
    }

    @Test func `without memory no more than a little is kept`() {
        let limit = BodyMemoryLimit(bytes: 100_000)
        let memory = BodyMemory(limit)
        let piece = "\"\(String(repeating: "x", count: 1_000))\"\n"
        let recorded = record(.lines, Array(repeating: piece, count: 500), memory: memory)
        #expect(recorded.isCut)
        #expect(recorded.value.utf8.count <= 100_000)
        // What was lent is given back.
        #expect(memory.take(100_000))
    }

    @Test func `nothing is kept where nobody records`() {
        let recorded = record(.events, ["data: 1\n\ndata: 2\n\n"], maxBytes: 0)
        #expect(recorded.value.isEmpty)
    }
}
