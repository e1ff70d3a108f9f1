import TestSupport

@testable import Gateway

/// What must hold of the response parser for any bytes whatever. The tests and the fuzzer ask the same.
enum ResponseParserCheck {
    /// What is wrong, nil where nothing is. The same bytes are always read in the same ways.
    static func violation(_ bytes: [UInt8]) -> String? {
        var random = SeededGenerator(seed: bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
        // Limits that short inputs come to feel, too.
        let small = ReferenceResponse.Limits(
            body: random.below(40),
            line: 12 + random.below(60),
            header: 20 + random.below(200)
        )
        do throws(Violation) {
            for limits in [ReferenceResponse.Limits(), small] {
                var expected = Reading(ReferenceResponse.read(bytes, limits))
                for cut in Cut.allCases {
                    let seen = try read(bytes, cut, limits, &random)
                    guard seen.matches(expected) else {
                        return "\(limits), \(cut): \(seen), but expected is \(expected)"
                    }
                    // The reason is the parser's own, and the same however the bytes come.
                    if case .malformed = seen { expected = seen }
                }
            }
            return nil
        } catch {
            return error.what
        }
    }

    private struct Violation: Error {
        let what: String
    }

    private enum Cut: CaseIterable {
        case whole, pieces
        /// In pieces, and what certainly belongs to the body past the parser, as `DirectConnection` does it.
        case direct
    }

    private enum Reading {
        case response(ReferenceResponse)
        case incomplete, tooLarge
        /// With its reason; nil where any will do.
        case malformed(String?)

        init(_ result: Result<ReferenceResponse, ReferenceResponse.Failure>) {
            switch result {
            case .success(let response): self = .response(response)
            case .failure(.incomplete): self = .incomplete
            case .failure(.tooLarge): self = .tooLarge
            case .failure(.malformed): self = .malformed(nil)
            }
        }

        func matches(_ other: Reading) -> Bool {
            switch (self, other) {
            case (.response(let one), .response(let two)): one == two
            case (.incomplete, .incomplete), (.tooLarge, .tooLarge): true
            case (.malformed(let one), .malformed(let two)): one == two || two == nil
            default: false
            }
        }
    }

    private static func read(
        _ bytes: [UInt8],
        _ cut: Cut,
        _ limits: ReferenceResponse.Limits,
        _ random: inout SeededGenerator
    ) throws(Violation) -> Reading {
        var parser = HTTP1ResponseParser(
            maxBodyBytes: limits.body,
            maxLineBytes: limits.line,
            maxHeaderBytes: limits.header
        )
        let head = ByteBuffer(capacity: 1)
        let body = ByteBuffer(capacity: 1)
        let mostPerPiece = [1, 3, 16, 200][random.below(4)]
        // What has come, and how much of it is done with.
        var taken = 0
        var done = 0

        func response(endsByClose: Bool) -> Reading {
            .response(
                ReferenceResponse(
                    status: parser.status,
                    head: head.view.array,
                    body: body.view.array,
                    keepsAlive: parser.keepsAlive,
                    endsByClose: endsByClose,
                    left: bytes.count - done
                )
            )
        }

        while taken < bytes.count {
            let left = bytes.count - taken
            let expected = parser.expectedBodyBytes
            guard expected == 0 || body.count + expected <= limits.body else {
                throw Violation(what: "\(expected) bytes are expected beyond \(body.count) of \(limits.body)")
            }
            if cut == .direct, expected > 0, done == taken {
                let count = min(left, expected, 1 + random.below(mostPerPiece))
                body.append(contentsOf: Array(bytes[taken..<taken + count]))
                taken += count
                done = taken
                parser.countBody(count)
                if count == expected { return response(endsByClose: false) }
                continue
            }
            taken += cut == .whole ? left : min(left, 1 + random.below(mostPerPiece))
            // In memory of its own, that ends where the bytes end: what is consumed is gone, and nothing follows.
            let input = Array(bytes[done..<taken])
            var consumed = 0
            let progress: HTTP1ResponseParser.Progress
            do throws(HTTP1ResponseParser.Malformed) {
                progress = try input.withByteView { view throws(HTTP1ResponseParser.Malformed) in
                    try parser.consume(view, headers: head, body: body, consumed: &consumed)
                }
            } catch {
                return .malformed("\(error.reason)")
            }
            guard (0...input.count).contains(consumed) else {
                throw Violation(what: "\(consumed) of \(input.count) bytes are consumed")
            }
            guard body.count <= limits.body else {
                throw Violation(what: "\(body.count) bytes of body, \(limits.body) are allowed")
            }
            done += consumed
            switch progress {
            case .incomplete: continue
            case .tooLarge: return .tooLarge
            case .complete:
                let complete = response(endsByClose: false)
                try leavesTheRest(&parser, Array(bytes[done...] + "HTTP/1.1 200 OK\r\n\r\n".utf8))
                return complete
            }
        }
        guard taken - done <= limits.line else { throw Violation(what: "\(taken - done) bytes wait for more") }
        return parser.end() ? response(endsByClose: true) : .incomplete
    }

    /// A complete response stays as it is, whatever follows.
    private static func leavesTheRest(_ parser: inout HTTP1ResponseParser, _ more: [UInt8]) throws(Violation) {
        let untouched = ByteBuffer()
        var consumed = 0
        let keepsAlive = parser.keepsAlive
        let progress = more.withByteView { view in
            try? parser.consume(view, headers: untouched, body: untouched, consumed: &consumed)
        }
        guard progress == .complete, consumed == 0, untouched.isEmpty, parser.keepsAlive == keepsAlive,
            parser.expectedBodyBytes == 0
        else { throw Violation(what: "what follows a complete response is read") }
    }
}
