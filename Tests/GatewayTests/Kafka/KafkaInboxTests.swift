import Logging
import TestSupport
import Testing

@testable import Gateway

/// The consumer's side: as much as there is room for, each record once, and no offset before its time. Its clock is the
/// test's.
@Suite(.timeLimit(.minutes(10))) struct KafkaInboxTests {
    private static let second: Int64 = 1_000_000_000

    /// Keeps what it is given until the test ends it.
    private final class Taker: KafkaInboxDelegate {
        struct Taken: Equatable {
            var partition: Int32
            var offset: Int64
        }

        var room = Int.max
        var taken: [Taken] = []
        /// What has not ended.
        var open: [(taken: Taken, ticket: Int, partition: PartitionProgress)] = []
        var mostOpen = 0
        var drops = 0

        var hasRoom: Bool { open.count < room }
        var isHalfEmpty: Bool { open.count <= room / 2 }

        func take(_ message: KafkaMessage, of partition: PartitionProgress) -> Int {
            let record = Taken(partition: message.partition, offset: message.offset)
            taken.append(record)
            open.append((record, partition.begin(message.offset), partition))
            mostOpen = max(mostOpen, open.count)
            return 1
        }

        func dropWaiting() { drops += 1 }

        func end(_ index: Int = 0) {
            let (_, ticket, partition) = open.remove(at: index)
            partition.end(ticket)
        }

        func offsets(_ partition: Int32) -> [Int64] { taken.filter { $0.partition == partition }.map(\.offset) }
    }

    /// An inbox whose time goes on as it is run.
    private final class Rig {
        let taker = Taker()
        let metrics = KafkaMetrics()
        let inbox: KafkaInbox
        var now = Clock.monotonic()

        init(_ settings: KafkaSettings, topic: String = "requests") throws {
            let log = KafkaLog(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, secrets: KafkaSettings())
            inbox = try KafkaInbox(
                .init(settings: settings, topic: topic),
                wake: EventFD(),
                log: log,
                metrics: metrics
            )
            inbox.delegate = taker
        }

        /// Runs it until that holds; each run is a thousandth of a second to it, or more.
        func run(step: Int64 = 1_000_000, until done: () throws -> Bool) rethrows -> Bool {
            try eventually {
                now += step
                inbox.run(now: now)
                return try done()
            }
        }

        func close() -> Bool {
            inbox.close()
            return run { inbox.isClosed }
        }
    }

    private func settings(_ cluster: KafkaMockCluster, group: String = "group") -> KafkaSettings {
        cluster.settings([
            ("group.id", group), ("auto.offset.reset", "earliest"), ("enable.auto.offset.store", "false"),
            ("partition.assignment.strategy", "cooperative-sticky"), ("auto.commit.interval.ms", "100"),
            ("enable.partition.eof", "true"), ("fetch.wait.max.ms", "20"), ("heartbeat.interval.ms", "200"),
            ("session.timeout.ms", "6000"),
        ])
    }

    /// A topic of two partitions and so many records, of which each partition has some.
    private func makeCluster(records: Int) throws -> KafkaMockCluster {
        let cluster = try KafkaMockCluster()
        try cluster.createTopic("requests", partitions: 2)
        try produce(records, to: cluster)
        return cluster
    }

    private func produce(_ count: Int, to cluster: KafkaMockCluster) throws {
        let producer = try cluster.producer()
        for ticket in 0..<count { try producer.produce(to: "requests", key: "\(ticket)", "\(ticket)", ticket: ticket) }
        let deliveries = producer.deliveries(count)
        #expect(deliveries.count == count && deliveries.values.allSatisfy { $0 == nil })
    }

    /// The ends of the partitions: how many records each has.
    private func ends(_ cluster: KafkaMockCluster) throws -> [Int64] {
        try cluster.consumer().queryEnds(topic: "requests", partitions: [0, 1], timeoutMilliseconds: 10_000)
            .map(\.offset)
    }

    /// What the group has committed of the partitions.
    private func committed(_ cluster: KafkaMockCluster, group: String = "group") throws -> [Int64] {
        let partitions = [Int32(0), 1].map { KafkaPartition(topic: "requests", partition: $0) }
        return try cluster.consumer(group: group).committed(partitions, timeoutMilliseconds: 10_000).map(\.offset)
    }

    // MARK: Without a broker

    private static let nobody = KafkaSettings([
        ("bootstrap.servers", "127.0.0.1:1"), ("group.id", "group"), ("enable.auto.offset.store", "false"),
    ])

    @Test func `without a broker it is heard of once a second, and ends`() throws {
        let rig = try Rig(Self.nobody)
        // Due at once, so that the group hears of it.
        #expect(try #require(rig.inbox.nextDeadline) <= rig.now)
        let first = rig.now
        rig.inbox.run(now: first)
        #expect(rig.inbox.nextDeadline == first + Self.second)
        rig.inbox.run(now: first + Self.second - 1)
        #expect(rig.inbox.nextDeadline == first + Self.second)
        rig.inbox.run(now: first + Self.second)
        #expect(rig.inbox.nextDeadline == first + 2 * Self.second)
        #expect(rig.metrics.lags.isEmpty && rig.taker.taken.isEmpty)
        rig.now = first + Self.second
        #expect(rig.close())
        #expect(rig.inbox.nextDeadline == nil && !rig.inbox.hasMore)
        // What comes after the end does nothing.
        rig.inbox.run(now: rig.now)
        rig.inbox.close()
        #expect(rig.inbox.nextDeadline == nil && rig.inbox.isClosed)
    }

    @Test func `the end of the shard is not held up by a broker that is away`() throws {
        let rig = try Rig(Self.nobody)
        rig.inbox.run(now: rig.now)
        // No time at all.
        rig.inbox.shutDown(deadline: 0)
        #expect(rig.taker.taken.isEmpty)
    }

    @Test(arguments: [("group.id", ""), ("session.timeout.ms", "no"), ("no.such.setting", "1")])
    func `what librdkafka does not take is an error`(_ name: String, _ value: String) {
        var settings = Self.nobody
        settings.set(name, value)
        #expect(throws: (any Error).self) { try Rig(settings) }
    }

    // MARK: With one

    /// As much as is open is never more than there is room for, whether the rest waits in librdkafka or was thrown away
    /// there by a pause: then it is fetched again.
    @Test(arguments: [(1, Int64(1_000_000)), (10, 1_000_000), (10, 60_000_000), (7, 200_000_000)])
    func `it takes as much as there is room for, and each record once`(room: Int, step: Int64) throws {
        let count = 60
        let cluster = try makeCluster(records: count)
        let rig = try Rig(settings(cluster))
        let taker = rig.taker
        taker.room = room
        let isDone = rig.run(step: step) {
            guard taker.open.count == room || taker.taken.count == count else { return false }
            // Nothing is taken while nothing ends, nor until enough has.
            let full = taker.taken.count
            repeat {
                rig.now += step
                rig.inbox.run(now: rig.now)
                #expect(taker.taken.count == full)
                if !taker.open.isEmpty { taker.end() }
            } while !taker.isHalfEmpty
            return taker.taken.count == count && taker.open.isEmpty
        }
        #expect(isDone)
        #expect(rig.taker.mostOpen == room)
        for (partition, end) in try ends(cluster).enumerated() {
            #expect(end > 0)
            #expect(rig.taker.offsets(Int32(partition)) == Array(0..<end))
        }
        #expect(rig.close())
        #expect(try committed(cluster) == ends(cluster))
    }

    /// The offset of what is done in a gapless beginning, and no other: the rest comes again.
    @Test func `what has not ended comes again to the next one`() throws {
        let cluster = try makeCluster(records: 60)
        let first = try Rig(settings(cluster))
        #expect(first.run { first.taker.taken.count == 60 })
        // In each partition the fifth one does not end, nor the last.
        let ends = try ends(cluster)
        var index = 0
        while index < first.taker.open.count {
            let record = first.taker.open[index].taken
            if record.offset == 5 || record.offset == ends[Int(record.partition)] - 1 {
                index += 1
            } else {
                first.taker.end(index)
            }
        }
        #expect(first.taker.open.count == 4)
        first.inbox.shutDown(deadline: Clock.monotonic() + 30 * Self.second)
        #expect(first.inbox.isClosed)
        #expect(try committed(cluster) == [5, 5])
        // What ends now ends nothing.
        while !first.taker.open.isEmpty { first.taker.end() }

        let second = try Rig(settings(cluster))
        let left = Int(ends[0] + ends[1]) - 10
        #expect(second.run { second.taker.taken.count == left })
        for partition in [Int32(0), 1] { #expect(second.taker.offsets(partition) == Array(5..<ends[Int(partition)])) }
        while !second.taker.open.isEmpty { second.taker.end() }
        #expect(second.close())
        #expect(try committed(cluster) == ends)
    }

    @Test func `while it drains it takes nothing, and what is out may end`() throws {
        let cluster = try makeCluster(records: 20)
        let rig = try Rig(settings(cluster))
        #expect(rig.run { rig.taker.taken.count == 20 })
        rig.inbox.drain()
        try produce(20, to: cluster)
        // It has gone on for seconds, by its own clock.
        let end = rig.now + 3 * Self.second
        #expect(rig.run(step: 100_000_000) { rig.now >= end })
        #expect(rig.taker.taken.count == 20)
        let ends = [Int32(0), 1].map { Int64(rig.taker.offsets($0).count) }
        while !rig.taker.open.isEmpty { rig.taker.end() }
        #expect(rig.close())
        #expect(try committed(cluster) == ends)
    }

    /// It was full when it was told to drain: nothing makes it open again, and the group must be left all the same.
    @Test func `a full shard that drains rests, and leaves the group`() throws {
        let cluster = try makeCluster(records: 20)
        let rig = try Rig(settings(cluster))
        rig.taker.room = 1
        #expect(rig.run { rig.taker.taken.count == 1 })
        rig.inbox.drain()
        rig.inbox.run(now: rig.now)
        // It is due again in a while, and not at once over and over.
        #expect(try #require(rig.inbox.nextDeadline) > rig.now)
        rig.now += Self.second / 5
        rig.inbox.run(now: rig.now)
        #expect(try #require(rig.inbox.nextDeadline) > rig.now)
        rig.taker.end()
        #expect(rig.close())
        #expect(rig.taker.taken.count == 1)
        #expect(try committed(cluster).max() == 1)
    }

    @Test func `the lag is what is not done of a partition`() throws {
        let cluster = try makeCluster(records: 40)
        let rig = try Rig(settings(cluster))
        #expect(rig.run { rig.taker.taken.count == 40 })
        let ends = try ends(cluster)
        func lags() -> [Int64] { rig.metrics.lags.sorted { $0.partition < $1.partition }.map(\.records) }
        #expect(rig.run(step: Self.second) { lags() == ends })
        // The third one of each partition stays: what is done behind it does not count.
        var index = 0
        while index < rig.taker.open.count {
            if rig.taker.open[index].taken.offset == 3 { index += 1 } else { rig.taker.end(index) }
        }
        #expect(rig.run(step: Self.second) { lags() == ends.map { $0 - 3 } })
        while !rig.taker.open.isEmpty { rig.taker.end() }
        #expect(rig.run(step: Self.second) { lags() == [0, 0] })
        #expect(rig.metrics.lags.allSatisfy { $0.topic == "requests" })
        #expect(rig.close())
    }

    /// A partition goes when nothing of it is open, or when it has been waited for long enough.
    @Test(arguments: [false, true]) func `a partition that the group takes away is let go of`(isWaitedFor: Bool) throws
    {
        let cluster = try makeCluster(records: 40)
        let first = try Rig(settings(cluster))
        #expect(first.run { first.taker.taken.count == 40 })
        let second = try Rig(settings(cluster))
        // The group wants one of the two: nothing of it is to begin any more.
        #expect(
            first.run {
                second.inbox.run(now: second.now)
                return first.taker.drops > 0
            }
        )
        let leaving = first.taker.open.filter { $0.partition.isLeaving }
        #expect(Set(leaving.map(\.taken.partition)).count == 1)
        #expect(leaving.allSatisfy { !$0.partition.isGone })
        #expect(second.taker.taken.isEmpty)
        if isWaitedFor {
            while let index = first.taker.open.firstIndex(where: { $0.partition.isLeaving }) { first.taker.end(index) }
        } else {
            first.now += 5 * Self.second
        }
        first.inbox.run(now: first.now)
        #expect(leaving.allSatisfy { $0.partition.isGone })
        // The next owner begins where this one has ended, or before: a commit may be too late for the group.
        try produce(20, to: cluster)
        let partition = try #require(leaving.first?.taken.partition)
        let end = try ends(cluster)[Int(partition)]
        let missing = Set((isWaitedFor ? Int64(leaving.count) : 0)..<end)
        #expect(
            second.run {
                first.inbox.run(now: first.now)
                while !second.taker.open.isEmpty { second.taker.end() }
                while !first.taker.open.isEmpty { first.taker.end() }
                return missing.isSubset(of: second.taker.offsets(partition))
            }
        )
        // The group of two goes on: who leaves it has the other one begin anew.
        #expect(
            try second.run {
                first.inbox.run(now: first.now)
                while !second.taker.open.isEmpty { second.taker.end() }
                while !first.taker.open.isEmpty { first.taker.end() }
                return try committed(cluster) == ends(cluster)
            }
        )
        #expect(second.close() && first.close())
    }
}
