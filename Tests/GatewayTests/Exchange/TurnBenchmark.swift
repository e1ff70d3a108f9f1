import Foundation
import TestSupport
import Testing

@testable import Gateway

/// For how long a turn of the loop is held by one answer, and how much processor time all of it takes;
/// `AMERON_BENCHMARK=1 swift test -c release -Xswiftc -enable-testing --filter TurnBenchmark`.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["AMERON_BENCHMARK"] != nil))
struct TurnBenchmark {
    private static func list(_ element: String, bytes: Int) -> String {
        #"{"predictions":["# + String(repeating: element + ",", count: bytes / (element.utf8.count + 1)) + element
            + "]}"
    }

    private static func numbers(_ count: Int) -> String {
        "[" + (0..<count).map { "0.\(100_000_000 + $0 % 899_999_999)" }.joined(separator: ",") + "]"
    }

    private static let rows = "[" + Array(repeating: "0", count: 10_000).joined(separator: ",") + "]"

    private static let answers: [(String, ModelProtocol, Face, @Sendable () -> String)] = [
        ("10,000 rows of 2 bytes, v2", .v2, .v2, { #"{"outputs":[{"name":"y","shape":[10000],"data":\#(rows)}]}"# }),
        (
            "10,000 rows of 2 bytes, natively", .v2, .native,
            { #"{"outputs":[{"name":"y","shape":[10000],"data":\#(rows)}]}"# }
        ),
        (
            "10,000 rows of 512 numbers, v1: 58 MiB", .v1, .v1,
            { #"{"predictions":[\#(Array(repeating: numbers(512), count: 10_000).joined(separator: ","))]}"# }
        ),
        ("64 MiB of 0, v1", .v1, .v1, { list("0", bytes: 64 << 20) }),
        ("64 MiB of numbers, v1", .v1, .v1, { list("0.123456789012", bytes: 64 << 20) }),
        (
            "64 MiB of objects, native", .native, .v1,
            { list(#"{"value":{"label":"setosa","score":0.98}}"#, bytes: 64 << 20) }
        ),
        (
            "a string of 16 MiB, v1", .v1, .v1,
            { #"{"predictions":[""# + String(repeating: "x", count: 16 << 20) + #""]}"# }
        ),
        (
            "a string of 16 MiB, natively", .v1, .native,
            { #"{"predictions":[""# + String(repeating: "x", count: 16 << 20) + #""]}"# }
        ),
        ("16 MiB of text, natively", .v1, .native, { String(repeating: "a line of text\n", count: (16 << 20) / 15) }),
        ("127 KiB of 0, v1: at a stretch", .v1, .v1, { list("0", bytes: 127 << 10) }),
        (
            "1,023 rows, v2: at a stretch", .v2, .v2,
            {
                #"{"outputs":[{"name":"y","shape":[1023],"data":[\#(Array(repeating: "0", count: 1_023).joined(separator: ","))]}]}"#
            }
        ),
    ]

    @Test func longestTurn() throws {
        for (name, modelProtocol, face, make) in Self.answers {
            let body = make()
            var best = (longest: Int.max, all: Int.max, turns: 0)
            for _ in 0..<5 {
                let rig = FlowRig(modelProtocol, keepsEvents: false)
                var longest = 0
                var all = 0
                var turns = 0
                func measure(_ work: () throws -> Void) rethrows {
                    let start = Self.processorTime()
                    try work()
                    let time = Self.processorTime() - start
                    longest = max(longest, time)
                    all += time
                    turns += 1
                }
                let exchange = try #require(rig.ask(1, face: face))
                let answer = rig.makeAnswer(bytes: Array(body.utf8))
                measure { rig.give(answer, to: exchange) }
                while rig.flow.hasWork { measure { rig.flow.endTurn() } }
                best = (min(best.longest, longest), min(best.all, all), turns)
            }
            let figures = [best.longest, best.all].map { String(format: "%.2f ms", Double($0) / 1e6) }
            print("\(name): longest turn \(figures[0]), all \(figures[1]) in \(best.turns) turns")
        }
    }

    /// Nanoseconds of processor time: what else the machine does must not count.
    private static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
