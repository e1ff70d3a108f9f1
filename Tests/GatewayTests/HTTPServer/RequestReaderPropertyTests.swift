import TestSupport
import Testing

@testable import Gateway

/// Random requests, one behind the other, whole and in pieces: each is read as it was written.
@Suite struct RequestReaderPropertyTests {
    private static let seeds = (0..<4).map { _ in UInt64.random(in: 0...UInt64.max) }
    private static let rounds = 200

    private static func request(_ random: inout SeededGenerator) -> (bytes: [UInt8], wanted: ReferenceRequest) {
        var wanted = ReferenceRequest(method: [], target: [], isHTTP10: random.chance(20))
        var text = String(repeating: "\r\n", count: random.chance(80) ? 0 : random.below(9))
        let method = random.pick(["GET", "POST", "HEAD", "M-SEARCH", "PUT"])
        let authority = random.pick(["", "", "a", "a.b:80", "[::1]:8080", "a%20b"])
        let path = (authority.isEmpty ? "/" : random.pick(["", "/"])) + random.pick(["", "x/y:z", "\u{e9}%2f"])
        let query = random.pick([nil, nil, "", "a=b?c/d", "\u{fc}"])
        var target = (path.hasPrefix("/") || path.isEmpty ? "" : "/") + path
        wanted.path = Array(target.utf8)
        if let query { target += "?" + query }
        if !authority.isEmpty { target = random.pick(["http://", "HTTPS://"]) + authority + target }
        wanted.method = Array(method.utf8)
        wanted.target = Array(target.utf8)
        wanted.authority = Array(authority.utf8)
        wanted.query = Array((query ?? "").utf8)
        text += "\(method) \(target) HTTP/1.\(wanted.isHTTP10 ? 0 : 1)\r\n"

        var lines = [("Host", random.pick(["", "a", "b.test:1", "[fe80::1]"]))]
        lines += (0..<random.below(5)).map { ("X-\($0)", random.pick(["", "a", "b: c", "\u{e9}\tz"])) }
        let framing = random.below(wanted.isHTTP10 ? 2 : 3)
        wanted.body =
            framing == 0 ? [] : (0..<random.pick([0, 1, 16, 700])).map { _ in random.pick(Array("ab\r\n0".utf8)) }
        if framing == 1 { lines.append(("content-length", random.pick(["", "00"]) + "\(wanted.body.count)")) }
        if framing == 2 { lines.append(("Transfer-Encoding", random.pick(["chunked", "Chunked"]))) }
        if random.chance(10) {
            lines.append(("Expect", "100-Continue"))
            wanted.expectsContinue = true
        }
        wanted.keepsAlive = !wanted.isHTTP10
        switch random.below(6) {
        case 0:
            lines.append(("Connection", "x, Close"))
            wanted.keepsAlive = false
        case 1:
            lines.append(("connection", "Keep-Alive"))
            wanted.keepsAlive = true
        default: break
        }
        lines.shuffle(using: &random)
        for (name, value) in lines {
            text += name + ":" + random.pick(["", " ", "\t "]) + value + random.pick(["", " "]) + "\r\n"
            wanted.fields.append(.init(name: Array(name.utf8), value: Array(value.utf8)))
        }
        var bytes = Array((text + "\r\n").utf8)
        bytes += framing == 2 ? chunks(wanted.body, &random) : wanted.body
        return (bytes, wanted)
    }

    private static func chunks(_ body: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(1 + random.below(random.pick([1, 20, 2_000])))
            rest = rest.dropFirst(chunk.count)
            let size = random.pick(["", "0"]) + String(chunk.count, radix: 16, uppercase: random.chance(50))
            bytes += Array((size + random.pick(["", ";x=1", " ", "\t;y"]) + "\r\n").utf8) + chunk + [0x0d, 0x0a]
        }
        return bytes + Array(("0\r\n" + random.pick(["", "X-Trailer: 1\r\n"]) + "\r\n").utf8)
    }

    @Test(arguments: seeds) func areReadAsWritten(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<Self.rounds {
            var bytes: [UInt8] = []
            var wanted = ReferenceRequest.Connection()
            for _ in 0...random.below(4) {
                let (more, request) = Self.request(&random)
                bytes += more
                if wanted.requests.last?.keepsAlive != false {
                    wanted.requests.append(request)
                } else {
                    wanted.left += more.count
                }
            }
            if wanted.requests.last?.keepsAlive == true { wanted.failure = .incomplete }
            let text = String(decoding: bytes, as: UTF8.self).debugDescription
            #expect(ReferenceRequest.read(bytes, .init()) == wanted, "seed \(seed): \(text)")
            #expect(RequestReaderCheck.violation(bytes) == nil, "seed \(seed): \(text)")
        }
    }
}
