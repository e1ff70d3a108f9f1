import TestSupport
import Testing

@testable import Gateway

@Suite struct ClientQueueTests {
    /// All clients of a queue in order, which empties it.
    private func drain(_ queue: ClientQueue) -> [Int] {
        var order: [Int] = []
        while let client = queue.first, order.count < 1_000 {
            order.append(client.index)
            ClientQueue.leave(client)
        }
        return order
    }

    @Test(arguments: 0..<30) func `queues are arrays, and a client is in one of them`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let timeouts: [Int64] = [5, 1_000, 70_000]
        let queues = timeouts.map { ClientQueue(timeout: .nanoseconds($0)) }
        let clients = (0..<1 + random.below(12)).map { ServerClient(index: $0) }
        var reference: [[(index: Int, deadline: Int64)]] = [[], [], []]
        var now: Int64 = 1_000
        for step in 0..<2_000 {
            now += Int64(random.below(50))
            let client = random.pick(clients)
            for number in reference.indices { reference[number].removeAll { $0.index == client.index } }
            if random.chance(60) {
                let number = random.below(queues.count)
                queues[number].enter(client, now: now)
                reference[number].append((client.index, now + timeouts[number]))
                #expect(client.deadline == now + timeouts[number])
            } else {
                ClientQueue.leave(client)
            }
            for (queue, wanted) in zip(queues, reference) {
                guard queue.first?.index == wanted.first?.index, queue.nextDeadline == wanted.first?.deadline ?? .max
                else {
                    Issue.record("seed \(seed), step \(step): \(queue.first?.index ?? -1) before \(wanted)")
                    return
                }
                #expect(
                    clients.map { queue.has($0) }
                        == clients.map { client in wanted.contains { $0.index == client.index } }
                )
            }
            if random.chance(2) {
                for (number, queue) in queues.enumerated() {
                    #expect(drain(queue) == reference[number].map(\.index), "seed \(seed), step \(step)")
                    reference[number] = []
                }
            }
        }
        for (number, queue) in queues.enumerated() { #expect(drain(queue) == reference[number].map(\.index)) }
    }

    @Test func `an empty queue has no deadline`() {
        let queue = ClientQueue(timeout: .seconds(1))
        #expect(queue.first == nil && queue.nextDeadline == .max)
        let client = ServerClient(index: 0)
        ClientQueue.leave(client)
        #expect(!queue.has(client))
        queue.enter(client, now: 5)
        #expect(queue.nextDeadline == 1_000_000_005)
        ClientQueue.leave(client)
        ClientQueue.leave(client)
        #expect(queue.first == nil && queue.nextDeadline == .max)
    }

    @Test func `whoever enters again goes to the end`() {
        let queue = ClientQueue(timeout: .nanoseconds(10))
        let clients = (0..<3).map { ServerClient(index: $0) }
        for client in clients { queue.enter(client, now: 0) }
        queue.enter(clients[0], now: 7)
        #expect(clients[0].deadline == 17)
        #expect(drain(queue) == [1, 2, 0])
    }

    /// A time limit of years is none.
    @Test(
        arguments: [(0, 10), (.max - 11, .max - 1), (.max - 10, .max), (.max - 5, .max), (.max, .max)]
            as [(Int64, Int64)]
    )
    func `a deadline beyond all time is the last one`(now: Int64, deadline: Int64) {
        let queue = ClientQueue(timeout: .nanoseconds(10))
        let client = ServerClient(index: 0)
        queue.enter(client, now: now)
        #expect(client.deadline == deadline)
        #expect(queue.nextDeadline == deadline)
    }
}
