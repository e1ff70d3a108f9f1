import TestSupport
import Testing

@testable import Gateway

/// What the log hears of a model that comes and goes. Times are the test's.
@Suite struct ReadinessLogTests {
    private static let second: Int64 = 1_000_000_000
    /// 2026-01-01T00:00:00Z.
    private static let day: Int64 = 1_767_225_600_000_000_000

    private final class Lines {
        var all: [String] = []
    }

    private let lines = Lines()

    private func makeLog() -> ReadinessLog {
        ReadinessLog(model: "iris 1", url: "http://m/", start: 0) { [lines] isWell, message in
            lines.all.append((isWell ? "well: " : "bad: ") + message)
        }
    }

    private func up(since: Int64) -> Readiness.Standing {
        .init(isReady: true, since: Self.day + since * Self.second, reason: nil)
    }

    private func down(_ reason: String, since: Int64 = 0) -> Readiness.Standing {
        .init(isReady: false, since: Self.day + since * Self.second, reason: reason)
    }

    @Test func `a model that is ready is told of once`() {
        var log = makeLog()
        for now in 0..<5 { log.note(up(since: 0), now: Int64(now) * Self.second) }
        #expect(lines.all == ["well: model iris 1 is ready: http://m/"])
    }

    @Test func `one that is slow to start is not spoken of before its time`() {
        var log = makeLog()
        log.note(down("refused"), now: 0)
        log.note(down("refused"), now: 5 * Self.second - 1)
        #expect(lines.all.isEmpty)
        log.note(up(since: 4), now: 5 * Self.second)
        #expect(lines.all == ["well: model iris 1 is ready: http://m/"])
    }

    @Test func `one that does not come is told of, and each new reason after a minute`() {
        var log = makeLog()
        let times: [(reason: String, now: Int64, isTold: Bool)] = [
            ("refused", 5, true), ("refused", 6, false), ("timeout", 7, false), ("refused", 200, false),
            ("timeout", 201, true), ("timeout", 300, false), ("refused", 260, false), ("refused", 261, true),
        ]
        for (reason, now, isTold) in times {
            let before = lines.all.count
            log.note(down(reason), now: now * Self.second)
            #expect(lines.all.count == before + (isTold ? 1 : 0), "\(reason) at \(now)")
            if isTold {
                #expect(lines.all.last?.hasPrefix("bad: model iris 1 is not ready yet, after ") == true)
                #expect(lines.all.last?.hasSuffix(": \(reason)") == true)
            }
        }
        log.note(up(since: 270), now: 270 * Self.second)
        #expect(lines.all.last == "well: model iris 1 is ready: http://m/")
    }

    @Test func `one that goes and comes back is told of with its times`() {
        var log = makeLog()
        log.note(up(since: 0), now: Self.second)
        // Not only after the patience of the start, nor after a minute.
        log.note(down("timeout", since: 2), now: 2 * Self.second)
        log.note(down("timeout", since: 2), now: 3 * Self.second)
        log.note(up(since: 9), now: 9 * Self.second)
        log.note(down("refused", since: 10), now: 10 * Self.second)
        #expect(
            lines.all == [
                "well: model iris 1 is ready: http://m/",
                "bad: model iris 1 is not ready: timeout; it was ready since 2026-01-01T00:00:00.000000Z",
                "well: model iris 1 is ready again, after 7s: http://m/",
                "bad: model iris 1 is not ready: refused; it was ready since 2026-01-01T00:00:09.000000Z",
            ]
        )
        // It stays away, for another reason.
        log.note(down("dns", since: 10), now: 69 * Self.second)
        #expect(lines.all.count == 4)
        log.note(down("dns", since: 10), now: 70 * Self.second)
        #expect(lines.all.count == 5)
        #expect(lines.all.last?.hasPrefix("bad: model iris 1 is still not ready, after ") == true)
    }

    @Test(arguments: [
        (Int64(250_900_000), "250ms"), (999_999_999, "999ms"), (1_999_999_999, "1s"), (90_000_000_000, "90s"),
    ])
    func `the time without it is told in round numbers`(_ nanoseconds: Int64, _ text: String) {
        var log = makeLog()
        log.note(.init(isReady: true, since: Self.day, reason: nil), now: 0)
        log.note(.init(isReady: false, since: Self.day + 5, reason: "gone"), now: 1)
        log.note(.init(isReady: true, since: Self.day + 5 + nanoseconds, reason: nil), now: 2)
        #expect(lines.all.last == "well: model iris 1 is ready again, after \(text): http://m/")
    }
}
