import TestSupport
import Testing

@testable import Gateway

/// Consuming from the mock cluster. Joining a group takes 3 s there, so that few tests do.
@Suite(.timeLimit(.minutes(10))) struct KafkaConsumerTests {
    private let cluster: KafkaMockCluster

    init() throws {
        cluster = try KafkaMockCluster()
        try cluster.createTopic("requests", partitions: 1)
    }

    private func deliver(_ values: [String?], key: String? = nil, headers: KafkaHeaderList = KafkaHeaderList()) throws {
        let producer = try cluster.producer()
        for (ticket, value) in values.enumerated() {
            try producer.produce(to: "requests", key: key, value, headers: headers, ticket: ticket)
        }
        let seen = producer.deliveries(values.count)
        try #require(seen.count == values.count && seen.values.allSatisfy { $0 == nil })
    }

    @Test func readsKeysHeadersAndTombstones() throws {
        let headers = KafkaHeaderList()
        headers.append("Correlation-Id", ByteView("1"))
        headers.append(name: ByteView("empty"), value: .empty)
        headers.append(name: ByteView("null"), value: nil)
        headers.append("correlation-id", ByteView("2"))
        #expect(headers.count == 4)
        #expect(headers[2].name == "null" && headers[2].value == nil)
        try deliver(["value", "", nil], key: "key", headers: headers)
        headers.removeAll()
        try deliver(["bare"], headers: headers)

        let consumer = try cluster.consumer()
        try consumer.assignFromBeginning("requests")
        var kept: [KafkaMessage] = []
        #expect(
            eventually {
                consumer.turn({ kept.append($0) })
                return kept.count >= 4
            }
        )
        let seen = kept.map(SeenRecord.init)
        #expect(seen.map(\.value) == [Array("value".utf8), [], nil, Array("bare".utf8)])
        #expect(seen.map(\.key) == [Array("key".utf8), Array("key".utf8), Array("key".utf8), nil])
        #expect(seen.map(\.offset) == [0, 1, 2, 3])
        #expect(seen[0].headers == ["Correlation-Id=1", "empty=", "null=null", "correlation-id=2"])
        #expect(seen[3].headers == [])
        let first = try #require(kept.first)
        #expect(first.header(named: "CORRELATION-ID")?.string == "2")
        #expect(first.header(named: "empty") == .empty)
        #expect(first.header(named: "none") == nil)
        #expect(first.timestamp > 1_600_000_000_000)
        #expect(first.error == nil)
        let watermarks = consumer.watermarks(topic: "requests", partition: 0)
        #expect(watermarks?.low == 0)
        #expect(watermarks?.high == 4)
    }

    /// A message is read after its consumer and its cluster's client are let go.
    @Test func messagesOutliveTheirConsumer() throws {
        try deliver(["value"])
        var message: KafkaMessage?
        do {
            let consumer = try cluster.consumer()
            try consumer.assignFromBeginning("requests")
            #expect(
                eventually {
                    consumer.turn({ message = $0 })
                    return message != nil
                }
            )
        }
        #expect(message?.value?.string == "value")
        message = nil
    }

    /// Once each time that the end is reached, behind all records before it.
    @Test func tellsOfTheEndOfAPartition() throws {
        let consumer = try cluster.consumer([("enable.partition.eof", "true")])
        try consumer.assign([KafkaPartition(topic: "requests", partition: 0, offset: 0)])
        var seen: [String] = []
        func reads(to end: String) -> Bool {
            eventually {
                _ = consumer.poll(limit: 100, timeoutMilliseconds: 20) { event in
                    switch event {
                    case .consumed(let message): seen.append("\(message.offset)")
                    case .partitionEnd(let partition, let offset): seen.append("end \(partition) \(offset)")
                    default: break
                    }
                }
                return seen.last == end
            }
        }
        #expect(reads(to: "end 0 0"))
        try deliver(["a", "b"])
        #expect(reads(to: "end 0 2"))
        #expect(seen.filter { $0 != "end 0 1" } == ["end 0 0", "0", "1", "end 0 2"])
    }

    @Test func startsAtTheEnd() throws {
        try deliver(["old"])
        let consumer = try cluster.consumer()
        try consumer.assignFromEnd("requests")
        try deliver(["new"])
        #expect(consumer.records(1).map(\.text) == ["new"])
        let ends = try consumer.queryEnds(topic: "requests", partitions: [0], timeoutMilliseconds: 5_000)
        #expect(ends == [KafkaPartition(topic: "requests", partition: 0, offset: 2)])
    }

    /// One broker tells of the topic, and its leader refuses connections: an error, and no wait without end.
    @Test(.timeLimit(.minutes(20))) func givesUpOnALeaderThatCannotBeReached() throws {
        let cluster = try KafkaMockCluster(brokers: 2)
        try cluster.createTopic("requests", partitions: 1, replication: 2)
        try cluster.setPartitionLeader(topic: "requests", partition: 0, broker: 2)
        try cluster.setBroker(2, down: true)
        let consumer = try cluster.consumer()
        #expect(throws: KafkaError.self) { try consumer.assignFromEnd("requests", timeoutMilliseconds: 500) }
    }

    @Test func pausesAndResumes() throws {
        let consumer = try cluster.consumer()
        let partition = KafkaPartition(topic: "requests", partition: 0)
        try consumer.assignFromBeginning("requests")
        try consumer.pause([partition])
        try deliver(["1"])
        for _ in 0..<10 { consumer.turn({ _ in Issue.record("not paused") }) }
        try consumer.resume([partition])
        #expect(consumer.records(1).map(\.text) == ["1"])
        let other = KafkaPartition(topic: "other", partition: 0)
        #expect(throws: KafkaError.unknownPartition) { try consumer.pause([other]) }
        #expect(throws: KafkaError.unknownPartition) {
            try consumer.storeOffset(topic: "requests", partition: 9, offset: 1)
        }
    }

    @Test func readsFromTheBrokerThatLeads() throws {
        let cluster = try KafkaMockCluster(brokers: 2)
        try cluster.createTopic("requests", partitions: 1, replication: 2)
        try cluster.setPartitionLeader(topic: "requests", partition: 0, broker: 2)
        let producer = try cluster.producer()
        try producer.produce(to: "requests", "1")
        #expect(producer.deliveries(1).count == 1)
        try cluster.setPartitionLeader(topic: "requests", partition: 0, broker: 1)
        try producer.produce(to: "requests", "2")
        #expect(producer.deliveries(1) == [0: delivered])
        let consumer = try cluster.consumer()
        try consumer.assignFromBeginning("requests")
        #expect(consumer.records(2).map(\.text) == ["1", "2"])
    }

    /// Reads in a group and stores how far it is; the next member continues there. Both poll when they are woken.
    @Test func aGroupContinuesWhereItWas() throws {
        try deliver(["0", "1", "2", "3"])
        let wake = try EventFD()
        let first = try cluster.member(of: "readers", topic: "requests", wake: wake)
        var seen: [String?] = []
        var rebalances: [KafkaRebalance.Kind] = []
        func turn(_ consumer: KafkaConsumer) {
            wake.wait(nanoseconds: 500_000_000)
            while consumer.poll(
                limit: 10,
                { event in
                    switch event {
                    case .consumed(let message): seen.append(message.value?.string)
                    case .rebalance(let rebalance):
                        rebalances.append(rebalance.kind)
                        do { try consumer.accept(rebalance) } catch { Issue.record("\(error)") }
                    default: break
                    }
                }
            ) {}
        }
        #expect(
            eventually {
                turn(first)
                return seen.count >= 4
            }
        )
        #expect(seen == ["0", "1", "2", "3"])
        #expect(first.rebalanceProtocol == "COOPERATIVE")
        #expect(try first.assignment().map(\.partition) == [0])
        #expect(!first.assignmentLost)
        try first.storeOffset(topic: "requests", partition: 0, offset: 2)
        try first.beginClose()
        #expect(
            eventually {
                turn(first)
                return first.isClosed
            }
        )
        #expect(rebalances == [.assign, .revoke])

        let second = try cluster.member(of: "readers", topic: "requests", wake: wake)
        let partition = KafkaPartition(topic: "requests", partition: 0)
        #expect(try second.committed([partition], timeoutMilliseconds: 5_000).map(\.offset) == [2])
        seen = []
        #expect(
            eventually {
                turn(second)
                return seen.count >= 2
            }
        )
        #expect(seen == ["2", "3"])
    }

    @Test func aGroupSharesItsPartitions() throws {
        try cluster.createTopic("shared", partitions: 4)
        let first = try cluster.member(of: "sharers", topic: "shared")
        #expect(
            try eventually {
                first.turn()
                return try first.assignment().count == 4
            }
        )
        let second = try cluster.member(of: "sharers", topic: "shared")
        var revoked: [KafkaPartition] = []
        #expect(
            try eventually {
                first.turn(onRebalance: { if $0.kind == .revoke { revoked += $0.partitions } })
                second.turn()
                return try first.assignment().count == 2 && second.assignment().count == 2
            }
        )
        // By cooperation a member gives away only what the other gets.
        #expect(Set(revoked.map(\.partition)) == Set(try second.assignment().map(\.partition)))
        #expect(revoked.count == 2)
    }
}
