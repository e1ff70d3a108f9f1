import TestSupport
import Testing

@testable import Gateway

/// Clients that are let go without having been closed, whatever they are at: none holds up its thread, and each ends.
@Suite(.timeLimit(.minutes(5))) struct KafkaConsumerEndTests {
    private let cluster: KafkaMockCluster

    init() throws {
        cluster = try KafkaMockCluster()
        try cluster.createTopic("requests", partitions: 4)
    }

    /// Whether a thread comes to the end of `body`, which makes a client and lets it go; gives that client's end.
    private func end(_ body: @escaping @Sendable (KafkaMockCluster) throws -> KafkaClientEnd) throws -> KafkaClientEnd {
        let cluster = cluster
        return try startConcurrently(1) { _ in try body(cluster) }.results(within: 120)[0]
    }

    @Test func endsWhileItReads() throws {
        let ends = try (0..<30).map { turns in
            try end { cluster in
                let consumer = try cluster.consumer()
                try consumer.assign((0..<4).map { KafkaPartition(topic: "requests", partition: $0, offset: 0) })
                for _ in 0..<turns % 4 { consumer.turn() }
                return consumer.client.end
            }
        }
        #expect(eventually { ends.allSatisfy(\.isFinished) })
    }

    @Test func endsWhileItJoins() throws {
        let ends = try (0..<5).map { turns in
            try end { cluster in
                let consumer = try cluster.member(of: "group-\(turns)", topic: "requests")
                for _ in 0..<turns { consumer.turn() }
                return consumer.client.end
            }
        }
        #expect(eventually { ends.allSatisfy(\.isFinished) })
    }

    /// In librdkafka 2.0.2, a member that has been let in and has no assignment yet aborts the process when it is destroyed.
    @Test func endsBetweenJoiningAndItsAssignment() async {
        await #expect(processExitsWith: .success) {
            let cluster = try KafkaMockCluster()
            try cluster.createTopic("requests", partitions: 4)
            // SyncGroup, by which assignments come: not for a minute.
            for broker in 1...3 { try? cluster.pushErrors(apiKey: 14, broker: Int32(broker), [(27, 60_000)]) }
            var end: KafkaClientEnd?
            do {
                let consumer = try cluster.member(of: "group", topic: "requests", [("statistics.interval.ms", "20")])
                let hasJoined = eventually {
                    var hasSeen = false
                    _ = consumer.poll(limit: 100, timeoutMilliseconds: 20) {
                        guard case .statistics(let json) = $0 else { return }
                        hasSeen = json.string.contains(#""join_state": "wait-sync""#) || hasSeen
                    }
                    return hasSeen
                }
                guard hasJoined else { throw TestFailure("the group lets nobody in") }
                end = consumer.client.end
            }
            let isFinished = eventually { end?.isFinished == true }
            if !isFinished { throw TestFailure("it does not end") }
            // Nobody waits for it, and nobody replaces it beyond the bound.
            guard eventually({ KafkaClientEnd.unfinished == 0 }) else { throw TestFailure("it is waited for") }
            guard KafkaClientEnd.kept == 1 else { throw TestFailure("\(KafkaClientEnd.kept) are kept") }
        }
    }

    /// A rebalance that is not answered does not hold up the end.
    @Test func endsWithARebalanceThatWaits() throws {
        let end = try end { cluster in
            let consumer = try cluster.member(of: "group", topic: "requests")
            var hasCome = false
            let isAssigned = eventually {
                _ = consumer.poll(limit: 1, timeoutMilliseconds: 50) { if case .rebalance = $0 { hasCome = true } }
                return hasCome
            }
            #expect(isAssigned)
            return consumer.client.end
        }
        #expect(eventually { end.isFinished })
    }

    /// It cannot leave its group, and is destroyed when the time for that is over.
    @Test func endsWithoutABroker() throws {
        let end = try end { cluster in
            let consumer = try cluster.member(of: "group", topic: "requests")
            let isAssigned = try eventually {
                consumer.turn()
                return try consumer.assignment().count == 4
            }
            #expect(isAssigned)
            try cluster.setBroker(1, down: true)
            consumer.turn()
            return consumer.client.end
        }
        #expect(eventually { end.isFinished })
    }

    /// librdkafka 2.0.2 never ends a consumer that has heard that its topic is gone. Whoever lets it go does not hear of that,
    /// nor does its group, which it leaves first. (The mock cluster has other members wait all the same.)
    @Test func leavesItsGroupAlthoughItNeverEnds() throws {
        let more = [("topic.metadata.refresh.interval.ms", "200"), ("topic.metadata.propagation.max.ms", "100")]
        let end = try end { cluster in
            let consumer = try cluster.member(of: "group", topic: "requests", more)
            func turns(until count: Int) throws -> Bool {
                try eventually {
                    consumer.turn()
                    return try consumer.assignment().count == count
                }
            }
            #expect(try turns(until: 4))
            cluster.setTopicError("requests", KafkaError.unknownTopicOrPartition.code)
            #expect(try turns(until: 0))
            return consumer.client.end
        }
        #expect(eventually { end.hasLeftGroup })
    }

    /// With a message that no broker takes.
    @Test func aProducerEnds() throws {
        let end = try end { cluster in
            try cluster.setBroker(1, down: true)
            let producer = try cluster.producer()
            try producer.produce(to: "requests", "1")
            return producer.client.end
        }
        #expect(eventually { end.isFinished })
    }
}
