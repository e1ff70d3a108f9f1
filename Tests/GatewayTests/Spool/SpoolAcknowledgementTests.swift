import TestSupport
import Testing

@testable import Gateway

/// Acknowledgements in every order, over restarts and from several threads.
@Suite(.timeLimit(.minutes(20))) struct SpoolAcknowledgementTests {
    /// A Reporter whose deliveries end in any order.
    private struct RandomReporter {
        var delivered: Set<Int> = []
        /// What was acknowledged in earlier runs: it must not come again.
        var acknowledged: Set<Int> = []
        private var reader: SpoolReader
        private var lanes: [(ledger: PrefixLedger, events: [SpoolReader.Event])]
        private var onTheirWay: [(event: SpoolReader.Event, ticket: Int)] = []

        init(_ spool: Spool, reporter: Int, after before: RandomReporter?) {
            reader = SpoolReader(spool, reporter: reporter)
            lanes = Array(repeating: (PrefixLedger(), []), count: reader.source.laneCount)
            delivered = before?.delivered ?? []
            acknowledged = before?.acknowledged ?? []
        }

        mutating func gather(limit: Int) {
            for event in reader.read(limit: limit) {
                #expect(!acknowledged.contains(event.number), "acknowledged before")
                #expect(lanes[event.lane].events.last.map { $0.number < event.number && $0.end < event.end } ?? true)
                lanes[event.lane].events.append(event)
                onTheirWay.append((event, lanes[event.lane].ledger.begin(event.end)))
            }
        }

        mutating func deliverOne(_ random: inout SeededGenerator) {
            guard !onTheirWay.isEmpty else { return }
            let (event, ticket) = onTheirWay.remove(at: random.below(onTheirWay.count))
            delivered.insert(event.number)
            guard lanes[event.lane].ledger.end(ticket), let position = lanes[event.lane].ledger.position else { return }
            reader.source.acknowledge(lane: event.lane, through: position)
            acknowledged.formUnion(lanes[event.lane].events.filter { $0.end <= position }.map(\.number))
        }

        mutating func finish(_ random: inout SeededGenerator) {
            while reader.source.hasEvents { gather(limit: 1 << 20) }
            while !onTheirWay.isEmpty { deliverOne(&random) }
        }
    }

    @Test(arguments: 0..<30)
    func `each Reporter gets each event at least once, and none that it has acknowledged`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let directory = SpoolDirectory(segmentSize: 64 << 10)
        let names = Array(["file", "kafka-2", "http-3"].prefix(random.below(2) + 2))
        var reporters: [RandomReporter?] = names.map { _ in nil }
        var number = 0
        let runs = random.below(4) + 2
        for run in 0..<runs {
            let laneCount = random.below(3) + 1
            let spool = try directory.open(lanes: laneCount, reporters: names)
            let lanes = (0..<laneCount).map { spool.lane($0) }
            for index in names.indices {
                reporters[index] = RandomReporter(spool, reporter: index, after: reporters[index])
            }
            for _ in 0..<random.below(400) {
                switch random.below(10) {
                case 0...2:
                    let count = random.below(5) + 1
                    random.pick(lanes).submit(number..<number + count, fill: random.pick([0, 300, 5_000]))
                    number += count
                case 3...4: reporters[random.below(names.count)]?.gather(limit: random.pick([1, 20_000, 1 << 20]))
                default: reporters[random.below(names.count)]?.deliverOne(&random)
                }
            }
            if run == runs - 1 {
                for index in names.indices { reporters[index]?.finish(&random) }
                #expect(spool.storedBytes == 0)
                spool.close()
            } else if random.chance(30) {
                spool.close()
            }
        }
        for reporter in reporters {
            #expect(reporter?.delivered == Set(0..<number))
            #expect(reporter?.acknowledged == Set(0..<number))
        }
        #expect(directory.eventBytes == 0)
    }

    @Test(arguments: Configuration.Spool.WhenFull.allCases)
    func `two shards write while two Reporters read`(whenFull: Configuration.Spool.WhenFull) throws {
        let directory = SpoolDirectory(maxBytes: whenFull == .refuse ? 1 << 30 : 1 << 20, segmentSize: 64 << 10)
        directory.configuration.whenFull = whenFull
        directory.configuration.fsync = .interval
        directory.configuration.fsyncInterval = .milliseconds(5)
        let spool = try directory.open(lanes: 2, reporters: ["file", "kafka-2"])
        let eventsEach = 10_000
        let writers = startConcurrently(2) { shard in
            let lane = spool.lane(shard)
            let batch = EventBatch()
            var random = SeededGenerator(seed: UInt64(shard))
            var number = 0
            while number < eventsEach {
                let next = min(eventsEach, number + random.below(30) + 1)
                fill(batch, producer: shard, numbers: number..<next, fill: 200)
                guard lane.submit(batch) else { throw TestFailure("not taken") }
                number = next
            }
        }
        let readers = startConcurrently(2) { reporter in
            let feed = spool.feed(reporter: reporter)
            let reader = SpoolReader(spool, reporter: reporter)
            var seen = [[Int]](repeating: [], count: 2)
            let isDone = { seen[0].count + seen[1].count + feed.counters.totals.dropped == 2 * eventsEach }
            let deadline = Deadline(seconds: 60)
            while !isDone() && !deadline.hasPassed {
                let events = reader.read(limit: 100_000)
                for event in events { seen[event.lane].append(event.number) }
                reader.acknowledge(events)
                if events.isEmpty {
                    feed.wake.waitForEvents(nanoseconds: 10_000_000, unless: { reader.source.hasEvents })
                }
            }
            guard isDone() else { throw TestFailure("events are missing") }
            return seen
        }
        _ = try writers.results()
        for seen in try readers.results() {
            for lane in seen {
                #expect(zip(lane, lane.dropFirst()).allSatisfy { $0 < $1 })
                if whenFull == .refuse { #expect(lane == Array(0..<eventsEach)) }
            }
        }
        #expect(spool.waitingBytes == [0, 0, 0])
        spool.close()
        #expect(directory.eventBytes == 0)
        #expect(directory.logs.messages.filter { $0.hasPrefix("error") && !$0.contains("is full") }.isEmpty)
    }
}
