import TestSupport
import Testing

@testable import Gateway

/// Consumers that are let go without having been closed, whatever they are at: none may hold up its thread.
@Suite struct KafkaConsumerEndTests {
    private let cluster: KafkaMockCluster

    init() throws {
        cluster = try KafkaMockCluster()
        try cluster.createTopic("requests", partitions: 4)
    }

    @Test func endsWhileItReads() throws {
        for turns in 0..<30 {
            let consumer = try cluster.consumer()
            try consumer.assign((0..<4).map { KafkaPartition(topic: "requests", partition: $0, offset: 0) })
            for _ in 0..<turns % 4 { consumer.turn() }
        }
    }

    @Test func endsWhileItJoins() throws {
        for turns in 0..<5 {
            let consumer = try cluster.member(of: "group-\(turns)", topic: "requests")
            for _ in 0..<turns { consumer.turn() }
        }
    }

    /// A rebalance that is not answered does not hold up the end.
    @Test func endsWithARebalanceThatWaits() throws {
        let consumer = try cluster.member(of: "group", topic: "requests")
        var hasCome = false
        #expect(
            eventually {
                _ = consumer.poll(limit: 1, timeoutMilliseconds: 50) { if case .rebalance = $0 { hasCome = true } }
                return hasCome
            }
        )
    }

    @Test func endsWithoutABroker() throws {
        let consumer = try cluster.member(of: "group", topic: "requests")
        consumer.turn()
        try cluster.setBroker(1, down: true)
        consumer.turn()
    }
}
