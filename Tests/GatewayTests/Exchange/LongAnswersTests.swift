import TestSupport
import Testing

@testable import Gateway

@Suite struct LongAnswersTests {
    @Test(arguments: 0..<20) func `the line of long answers is an array`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let lane = FakeLane()
        let provider = FakeProvider(lane: lane)
        let pool = ExchangePool()
        var line = LongAnswers()
        var reference: [Exchange] = []
        // Mostly growing in some runs, mostly shrinking in others.
        let appendChance = random.pick([45, 55, 70])
        for step in 0..<2_000 {
            if random.chance(appendChance) || reference.isEmpty {
                let exchange = pool.take(for: provider)
                line.append(exchange)
                reference.append(exchange)
            } else {
                line.removeFirst()
                pool.giveBack(reference.removeFirst())
            }
            guard line.first === reference.first else {
                Issue.record("seed \(seed), step \(step)")
                return
            }
        }
        while let exchange = line.first {
            #expect(exchange === reference.removeFirst())
            line.removeFirst()
        }
        #expect(reference.isEmpty)
    }

    @Test func `an exchange that is done with is let go of`() {
        let lane = FakeLane()
        let provider = FakeProvider(lane: lane)
        var line = LongAnswers()
        #expect(line.first == nil)
        var exchanges: [Exchange] = (0..<3).map { Exchange(index: $0, provider: provider) }
        for exchange in exchanges { line.append(exchange) }
        weak let last = exchanges.last
        exchanges = []
        for left in [2, 1, 0] {
            line.removeFirst()
            #expect((line.first != nil) == (left > 0))
        }
        #expect(last == nil)
    }
}
