import TestSupport
import Testing

@testable import Gateway

/// Random responses, whole and in pieces, and damaged ones.
@Suite struct HTTP1ResponseParserPropertyTests {
    private static let seeds = (0..<4).map { _ in UInt64.random(in: 0...UInt64.max) }
    private static let rounds = 250

    private struct Response {
        var bytes: [UInt8]
        var status: Int
        var body: String
        var endsByClose: Bool
    }

    private static func response(_ random: inout SeededGenerator) -> Response {
        let newline = random.chance(90) ? "\r\n" : "\n"
        let status = random.pick([200, 200, 200, 201, 204, 304, 400, 500])
        let length = random.pick([0, 1, 2, 15, 16, 100, 3_000])
        let body = String((0..<length).map { _ in random.pick(Array("ab\r\n0: H")) })
        var text = ""
        if random.chance(20) { text += "HTTP/1.1 100 Continue\(newline)X-Early: 1\(newline)\(newline)" }
        text += "HTTP/1.\(random.chance(80) ? 1 : 0) \(status)\(random.pick(["", " ", " OK"]))\(newline)"
        var lines = (0..<random.below(5)).map {
            "X-\($0):" + random.pick(["", " ", "\t"]) + random.pick(["a", "", "b: c"])
        }
        let hasBody = status != 204 && status != 304
        let framing = random.below(3)
        if framing == 0 { lines.append("content-length: \(body.utf8.count)") }
        if framing == 1, hasBody { lines.append("Transfer-Encoding: Chunked") }
        lines.shuffle(using: &random)
        text += lines.map { $0 + newline }.joined() + newline
        if hasBody {
            text += framing == 1 ? chunks(Array(body.utf8), &random) : body
        }
        return Response(
            bytes: Array(text.utf8),
            status: status,
            body: hasBody ? body : "",
            endsByClose: hasBody && framing == 2
        )
    }

    private static func chunks(_ body: [UInt8], _ random: inout SeededGenerator) -> String {
        let newline = "\r\n"
        var text = ""
        var rest = body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(1 + random.below(random.pick([1, 20, 2_000])))
            rest = rest.dropFirst(chunk.count)
            text += String(chunk.count, radix: 16, uppercase: random.chance(50)) + random.pick(["", ";x=1", " "])
            text += newline + String(decoding: chunk, as: UTF8.self) + newline
        }
        return text + "0" + newline + random.pick(["", "X-Trailer: 1" + newline]) + newline
    }

    private static func pieces(_ random: inout SeededGenerator) -> [Int] {
        let limit = random.pick([1, 2, 10, 1_000])
        return (0..<20).map { _ in 1 + random.below(limit) }
    }

    @Test(arguments: seeds) func piecesMakeNoDifference(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<Self.rounds {
            let response = Self.response(&random)
            let next = response.endsByClose ? "" : random.pick(["", "HTTP/1.1 200 OK\r\n\r\n", "\r\n", "x"])
            let bytes = response.bytes + Array(next.utf8)
            let text = String(decoding: bytes, as: UTF8.self)
            let whole = SeenResponse.read(bytes, closed: response.endsByClose)
            guard case .complete(response.status, response.body, _, next) = whole else {
                Issue.record("seed \(seed): \(whole) of \(text.debugDescription)")
                continue
            }
            let pieces = Self.pieces(&random)
            #expect(
                SeenResponse.read(bytes, pieces: pieces, closed: response.endsByClose) == whole,
                "seed \(seed): in \(pieces): \(text.debugDescription)"
            )
        }
    }

    /// Nothing crashes or goes on for ever, no more is consumed than there is, and pieces still make no difference to what
    /// is accepted.
    @Test(arguments: seeds) func survivesDamage(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<Self.rounds {
            var bytes = Self.response(&random).bytes
            for _ in 0...random.below(3) where !bytes.isEmpty {
                let index = random.below(bytes.count)
                switch random.below(5) {
                case 0: bytes[index] ^= 1 << UInt8(random.below(8))
                case 1: bytes[index] = random.pick(Array("\r\n:; 0f\0-".utf8))
                case 2: bytes.remove(at: index)
                case 3: bytes.insert(random.pick(Array("\r\n:; 9f\0-".utf8)), at: index)
                default: bytes.removeSubrange(index...)
                }
            }
            let whole = SeenResponse.read(bytes, closed: true, maxBodyBytes: 2_000)
            let pieces = Self.pieces(&random)
            let inPieces = SeenResponse.read(bytes, pieces: pieces, closed: true, maxBodyBytes: 2_000)
            #expect(
                inPieces == whole,
                "seed \(seed): in \(pieces): \(String(decoding: bytes, as: UTF8.self).debugDescription)"
            )
        }
    }
}
