import TestSupport
import Testing

@testable import Gateway

@Suite struct KeyOrderTests {
    /// Against one queue per key: who runs is always the front of each queue.
    @Test(arguments: 0..<20)
    func `requests of a key run in order, and those of others do not wait`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var order = KeyOrder(capacity: 4)
        var queues: [UInt64: [Int]] = [:]
        var free = Array(0..<40)
        for _ in 0..<5_000 {
            let key = UInt64(generator.below(5))
            if generator.chance(50), let request = free.popLast() {
                let mayRun = order.enter(request, key: key)
                #expect(mayRun == (queues[key] ?? []).isEmpty)
                queues[key, default: []].append(request)
            } else if var queue = queues[key], !queue.isEmpty {
                // Mostly the first one, which is done; sometimes another one, which is dropped.
                let place = generator.chance(70) ? 0 : generator.below(queue.count)
                let request = queue.remove(at: place)
                let next = order.leave(request, key: key)
                #expect(next == (place == 0 ? queue.first : nil))
                queues[key] = queue.isEmpty ? nil : queue
                free.append(request)
            }
            #expect(order.count == queues.count)
        }
    }

    /// These two share a hash of FNV-1a, which has no key: whoever knows that could have others' requests wait behind his own.
    @Test func `keys can not be made to wait for each other`() {
        let (one, other) = (ByteView("8yn0iYCKYHlIj4-BwPqk"), ByteView("GReLUrM4wMqfg9yzV3KQ"))
        for assignment in 0..<100 {
            #expect(
                KeyOrder.hash(assignment: assignment, key: one) != KeyOrder.hash(assignment: assignment, key: other)
            )
        }
    }

    @Test func `the same key of another assignment is another key`() {
        let key = ByteView("customer-1")
        #expect(KeyOrder.hash(assignment: 1, key: key) == KeyOrder.hash(assignment: 1, key: ByteView("customer-1")))
        #expect(KeyOrder.hash(assignment: 1, key: key) != KeyOrder.hash(assignment: 2, key: key))
        #expect(KeyOrder.hash(assignment: 1, key: key) != KeyOrder.hash(assignment: 1, key: ByteView("customer-2")))
        #expect(KeyOrder.hash(assignment: 1, key: .empty) != KeyOrder.hash(assignment: 1, key: ByteView("\0")))
    }
}
