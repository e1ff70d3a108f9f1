import Testing

@testable import Gateway

/// How a body is taken out of its framing.
@Suite struct HTTP1RequestBodyTests {
    private struct Seen: Equatable {
        var body = ""
        var isComplete = false
        var left = 0
        var refusal: String?
    }

    /// Reads in pieces of so many bytes.
    private static func read(
        _ framing: HTTP1RequestHead.Framing,
        _ text: String,
        piece: Int = .max,
        limits: HTTP1RequestBody.Limits = .init(bodyBytes: 1_000, trailerBytes: 200)
    ) -> Seen {
        var body = HTTP1RequestBody(framing)
        var seen = Seen()
        var pending: [UInt8] = []
        var rest = Array(text.utf8)[...]
        do throws(HTTP1Refusal) {
            repeat {
                pending += rest.prefix(piece)
                rest = rest.dropFirst(piece)
                var consumed = 0
                repeat {
                    consumed = 0
                    let bytes = pending
                    try bytes.withByteView { view throws(HTTP1Refusal) in
                        seen.body += body.takeData(view, consumed: &consumed).string
                        let received = seen.body.utf8.count
                        try body.readFraming(view, consumed: &consumed, received: received, limits: limits)
                    }
                    pending.removeFirst(consumed)
                } while consumed > 0 && !body.isComplete
            } while !rest.isEmpty && !body.isComplete
            seen.isComplete = body.isComplete
            seen.left = pending.count + rest.count
        } catch {
            seen.refusal = "\(error.reason)"
        }
        return seen
    }

    @Test(arguments: [Int.max, 7, 1]) func isSized(_ piece: Int) {
        #expect(Self.read(.sized(3), "abcdef", piece: piece) == Seen(body: "abc", isComplete: true, left: 3))
        #expect(Self.read(.sized(3), "ab", piece: piece) == Seen(body: "ab", left: 0))
        #expect(Self.read(.none, "abc", piece: piece) == Seen(body: "", isComplete: true, left: 3))
    }

    @Test(arguments: [
        ("0\r\n\r\n", ""), ("3\r\nabc\r\n0\r\n\r\n", "abc"), ("1\r\na\r\n2\r\nbc\r\n00\r\n\r\n", "abc"),
        ("a\r\n0123456789\r\nA\r\nabcdefghij\r\n0\r\n\r\n", "0123456789abcdefghij"),
        ("3 \t\r\nabc\r\n0 \r\n\r\n", "abc"),
        ("3;\r\nabc\r\n0;a=\"b;c\"\r\n\r\n", "abc"), ("3 ; a\r\nabc\r\n0\r\n\r\n", "abc"),
        ("3;\u{e9}\r\nabc\r\n0\r\n\r\n", "abc"), ("000000000000000000000003\r\nabc\r\n0\r\n\r\n", "abc"),
        ("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"), ("3\r\nabc\r\n0\r\nA: b\r\nC:\r\n\r\n", "abc"),
    ])
    func isChunked(_ text: String, _ body: String) {
        for piece in [Int.max, 5, 1] {
            let seen = Self.read(.chunked, text + "GET", piece: piece)
            #expect(seen == Seen(body: body, isComplete: true, left: 3), "in \(piece)")
        }
        for count in 0..<text.utf8.count {
            let seen = Self.read(.chunked, String(decoding: text.utf8.prefix(count), as: UTF8.self))
            #expect(!seen.isComplete && seen.refusal == nil, "\(count) bytes")
        }
    }

    private static let noSize = "a chunk has no proper size"
    private static let noReturn = "a line of the chunked body ends without a carriage return"
    private static let control = "a chunk's size holds a control character"

    @Test(arguments: [
        ("\r\n", noSize), (" 3\r\nabc\r\n", noSize), ("+3\r\n", noSize), ("-3\r\n", noSize), ("0x3\r\n", noSize),
        ("g\r\n", noSize), ("3 3\r\n", noSize), (";a\r\n", noSize), ("3.0\r\n", noSize), ("3,\r\n", noSize),
        ("3_0\r\n", noSize), ("\u{663}\r\n", noSize), ("3\nabc", noReturn), ("3\r\nabc\r\n0\n", noReturn),
        ("3\r\nabc\r\n0\r\n\n", noReturn), ("3\r\nabc\r\n0\r\nA: b\n", noReturn), ("3;a\n", noReturn),
        ("3\0\r\n", control), ("3;a\rb\r\n", control), ("3;\u{7f}\r\n", control), ("3\r\r\n", control),
        ("3\r\nabcd", "a chunk is longer than it says"), ("3\r\nabc\r\r", "a chunk is longer than it says"),
        ("3\r\nabc\n", "a chunk is longer than it says"), ("2\r\nabc\r\n", "a chunk is longer than it says"),
        ("0\r\nX Y: z\r\n", "a header line has no name that can be one"),
        ("0\r\n: z\r\n", "a header line has no name that can be one"),
        ("0\r\nA: b\r\n c\r\n", "a header line has no colon"),
        ("0\r\nA: b\r\n c: d\r\n", "a header line has no name that can be one"),
        ("0\r\nA\0\r\n", "a header line has no colon"), ("0\r\nA: \0\r\n", "a header line holds a control character"),
        ("0\r\n \r\n", "a header line has no colon"),
        ("3e9\r\n", "the body is longer than server.maxBodyBytes allows"),
        ("ffffffffffffffff\r\n", "the body is longer than server.maxBodyBytes allows"),
        ("10000000000000000000000000\r\n", "the body is longer than server.maxBodyBytes allows"),
        ("1\r\na\r\n3e8\r\n", "the body is longer than server.maxBodyBytes allows"),
    ])
    func refusesFraming(_ text: String, _ reason: String) {
        for piece in [Int.max, 1] {
            #expect(Self.read(.chunked, text, piece: piece).refusal == reason, "in \(piece)")
        }
    }

    // MARK: Limits

    @Test func bodiesHaveTheirLength() {
        let all = String(repeating: "a", count: 1_000)
        #expect(Self.read(.chunked, "3e8\r\n\(all)\r\n0\r\n\r\n").isComplete)
        let halves = "1f4\r\n\(all.prefix(500))\r\n"
        #expect(Self.read(.chunked, halves + halves + "0\r\n\r\n").isComplete)
        #expect(Self.read(.chunked, halves + halves + "1\r\n").refusal != nil)
    }

    @Test func linesHaveTheirLength() {
        let tooLong = "a line of the chunked body is too long"
        func extended(_ count: Int) -> String { "3;" + String(repeating: "a", count: count - 4) }
        #expect(Self.read(.chunked, extended(4 << 10) + "\r\nabc\r\n0\r\n\r\n").isComplete)
        #expect(Self.read(.chunked, extended(4 << 10 + 1) + "\r\nabc").refusal == tooLong)
        #expect(Self.read(.chunked, extended(4 << 10 + 2)).refusal == nil)
        #expect(Self.read(.chunked, extended(4 << 10 + 2) + "aaa").refusal == tooLong)
    }

    @Test func trailersHaveTheirLength() {
        let tooLong = "a line of the chunked body is too long"
        // 200 bytes with the empty line at the end.
        let line = "A: \(String(repeating: "a", count: 193))\r\n"
        #expect(Self.read(.chunked, "0\r\n\(line)\r\n").isComplete)
        #expect(Self.read(.chunked, "0\r\nB\(line)\r\n").refusal == tooLong)
        #expect(Self.read(.chunked, "0\r\nBCD\(line)").refusal == tooLong)
        let lines = String(repeating: "a:\r\n", count: 100)
        let limits = HTTP1RequestBody.Limits(bodyBytes: 1, trailerBytes: 1_000)
        #expect(Self.read(.chunked, "0\r\n\(lines)\r\n", limits: limits).isComplete)
        #expect(
            Self.read(.chunked, "0\r\n\(lines)a:\r\n", limits: limits).refusal == "the trailer has more than 100 lines"
        )
    }

    /// Chunks of one byte each are allowed, long extensions with them are not.
    @Test func framingIsWorthItsData() {
        let limits = HTTP1RequestBody.Limits(bodyBytes: 1 << 20, trailerBytes: 200)
        let small = String(repeating: "1\r\na\r\n", count: 20_000)
        #expect(Self.read(.chunked, small + "0\r\n\r\n", limits: limits).isComplete)
        let dear = String(repeating: "1;\(String(repeating: "x", count: 1_000))\r\na\r\n", count: 20)
        #expect(Self.read(.chunked, dear, limits: limits).refusal == "the chunked body consists of its framing")
        let few = String(repeating: "1;\(String(repeating: "x", count: 1_000))\r\na\r\n", count: 16)
        #expect(Self.read(.chunked, few + "0\r\n\r\n", limits: limits).isComplete)
    }

    @Test func tellsWhatIsCertain() throws {
        var body = HTTP1RequestBody(.sized(10))
        #expect(body.expectedBytes == 10)
        body.count(4)
        #expect(body.expectedBytes == 6 && !body.isComplete)
        body.count(6)
        #expect(body.expectedBytes == 0 && body.isComplete)

        body = HTTP1RequestBody(.chunked)
        #expect(body.expectedBytes == 0)
        var consumed = 0
        let limits = HTTP1RequestBody.Limits(bodyBytes: 10, trailerBytes: 10)
        try Array("5\r\n".utf8).withByteView {
            try body.readFraming($0, consumed: &consumed, received: 0, limits: limits)
        }
        #expect(consumed == 3 && body.expectedBytes == 5)
        body.count(5)
        #expect(body.expectedBytes == 0 && !body.isComplete)
        consumed = 0
        try Array("\r\n0\r\n\r\n".utf8).withByteView {
            try body.readFraming($0, consumed: &consumed, received: 5, limits: limits)
        }
        #expect(consumed == 7 && body.isComplete)
        #expect(HTTP1RequestBody().isComplete)
    }
}
