import TestSupport
import Testing

@testable import Gateway

@Suite struct RetryBackoffTests {
    @Test(
        arguments: [
            (0, 100), (1, 200), (2, 400), (3, 800), (4, 1_000), (5, 1_000), (62, 1_000), (63, 1_000), (64, 1_000),
            (Int.max, 1_000), (-1, 100),
        ] as [(Int, Int64)]
    )
    func `the limit doubles up to the maximum`(attempt: Int, limit: Int64) {
        #expect(RetryBackoff(initial: 100, maximum: 1_000).limit(attempt: attempt) == limit)
    }

    @Test(
        arguments: [
            (UInt64(0), 0), (UInt64.max, 399), (UInt64(1) << 63, 200), (UInt64(1) << 62, 100), (UInt64(1), 0),
        ] as [(UInt64, Int64)]
    )
    func `the delay is a random part of the limit`(random: UInt64, delay: Int64) {
        #expect(RetryBackoff(initial: 100, maximum: 1_000).delay(attempt: 2, random: random) == delay)
    }

    @Test func `any attempt stays within its bounds`() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<10_000 {
            let initial = Int64.random(in: 0...(1 << 40), using: &generator)
            let maximum = Int64.random(in: 0...Int64.max, using: &generator)
            let backoff = RetryBackoff(initial: initial, maximum: maximum)
            let attempt = Int.random(in: 0...80, using: &generator)
            let delay = backoff.delay(attempt: attempt, random: generator.next())
            #expect(delay >= 0)
            #expect(delay < max(initial, maximum, 1))
            #expect(backoff.limit(attempt: attempt) <= backoff.limit(attempt: attempt + 1))
        }
    }

    @Test func `a maximum below the initial delay gives way to it`() {
        let backoff = RetryBackoff(initial: 500, maximum: 100)
        #expect(backoff.limit(attempt: 0) == 500)
        #expect(backoff.limit(attempt: 9) == 500)
    }
}
