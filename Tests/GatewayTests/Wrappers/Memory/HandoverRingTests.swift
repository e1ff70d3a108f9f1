import Synchronization
import TestSupport
import Testing

@testable import Gateway

@Suite struct HandoverRingTests {
    /// Counts how many there are, so that none is kept or lost.
    private final class Item: Sendable {
        let number: Int
        private let alive: Locked<Int>

        init(_ number: Int, _ alive: Locked<Int>) {
            self.number = number
            self.alive = alive
            alive.withLock { $0 += 1 }
        }

        deinit { alive.withLock { $0 -= 1 } }
    }

    private static let sizes = [(0, 1), (1, 1), (2, 2), (3, 4), (4, 4), (5, 8), (8, 8), (9, 16)]

    @Test(arguments: sizes) func `it holds at least what was asked for`(capacity: Int, size: Int) {
        let alive = Locked(0)
        let ring = HandoverRing<Item>(capacity: capacity)
        #expect(ring.count == 0)
        #expect(ring.take() == nil)
        for number in 0..<size { #expect(ring.put(Item(number, alive))) }
        #expect(!ring.put(Item(size, alive)))
        #expect(ring.count == size)
        #expect(alive.withLock { $0 } == size)
    }

    @Test(arguments: 0..<30) func `it is an array that is added to and taken from`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let alive = Locked(0)
        let (capacity, size) = random.pick(Self.sizes)
        var ring: HandoverRing<Item>? = HandoverRing(capacity: capacity)
        var reference: [Int] = []
        // Mostly full in some runs, mostly empty in others.
        let putChance = random.pick([30, 50, 70])
        for number in 0..<3_000 {
            if random.chance(putChance) {
                let isPut = ring?.put(Item(number, alive))
                #expect(isPut == (reference.count < size))
                if reference.count < size { reference.append(number) }
            } else {
                let first = reference.isEmpty ? nil : reference.removeFirst()
                #expect(ring?.take()?.number == first)
            }
            let found = ring.map { ring in (0..<ring.count).map { ring[$0].number } }
            guard found == reference, alive.withLock({ $0 }) == reference.count else {
                Issue.record("seed \(seed), after \(number): \(found ?? []) and not \(reference)")
                return
            }
        }
        ring = nil
        #expect(alive.withLock { $0 } == 0)
    }

    @Test(arguments: [1, 4, 64]) func `what one thread puts another takes, in order`(capacity: Int) throws {
        let alive = Locked(0)
        let ring = HandoverRing<Item>(capacity: capacity)
        let count = 50_000
        let deadline = Deadline()
        let sums = try concurrently(2) { thread in
            var number = 0
            while number < count, !deadline.hasPassed {
                if thread == 0 {
                    if ring.put(Item(number, alive)) { number += 1 } else { ThreadHandle.yieldProcessor() }
                } else if let item = ring.take() {
                    if item.number != number { throw TestFailure("\(item.number) after \(number - 1)") }
                    number += 1
                } else {
                    ThreadHandle.yieldProcessor()
                }
            }
            return number
        }
        #expect(sums == [count, count])
        #expect(ring.count == 0)
        #expect(alive.withLock { $0 } == 0)
    }
}
