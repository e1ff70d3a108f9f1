import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A Reporter together with a look at what has arrived at its destination.
struct ReporterSubject {
    let reporter: QueuedReporter
    /// The events that have arrived so far, as lines of JSON; in order within a lane.
    let delivered: () -> [String]
    /// Kept for as long as the subject.
    var owner: AnyObject?
}

/// How to make one kind of Reporter for the suite below: add a kind here, and it must pass all of it.
struct ReporterKind: Sendable, CustomTestStringConvertible {
    let name: String
    /// How many events each of several producers makes: fewer where each costs a request.
    var eventsEach = 20_000
    /// How many times a race is run: fewer where each takes long to set up.
    var rounds = 20
    let make: @Sendable (_ maxQueueBytes: Int) throws -> ReporterSubject
    var testDescription: String { name }

    static let all = [
        ReporterKind(name: "file") { maxQueueBytes in
            let directory = TemporaryDirectory()
            var configuration = Configuration.Reporter.File()
            configuration.path = directory.file("predictions.jsonl")
            let reporter = try QueuedReporter(maxQueueBytes: maxQueueBytes) { queue in
                FileReporter(configuration: configuration, feed: queue) { _, _ in }
            }
            return ReporterSubject(
                reporter: reporter,
                delivered: { directory.lines(of: "predictions.jsonl") },
                owner: directory
            )
        },
        ReporterKind(name: "kafka", rounds: 5) { maxQueueBytes in
            let cluster = try KafkaMockCluster()
            // In one partition all stay in order.
            try cluster.createTopic("predictions", partitions: 1)
            let configuration = kafkaConfiguration(cluster)
            let reporter = try QueuedReporter(maxQueueBytes: maxQueueBytes) { queue in
                KafkaReporter(configuration: configuration, feed: queue) { _, _ in }
            }
            return ReporterSubject(
                reporter: reporter,
                delivered: { (try? cluster.allRecords(in: "predictions").compactMap(\.text)) ?? [] },
                owner: cluster
            )
        },
        http(.batch),
        http(.binary),
    ]

    private static func http(_ mode: Configuration.Reporter.HTTP.Mode) -> ReporterKind {
        ReporterKind(name: "http \(mode)", eventsEach: mode == .binary ? 500 : 5_000, rounds: 3) { maxQueueBytes in
            let receiver = try FakeEventReceiver()
            var configuration = Configuration.Reporter.HTTP()
            configuration.url = receiver.url
            configuration.mode = mode
            // With more than one request out at once, some would overtake others.
            configuration.maxInFlight = 1
            let reporter = try QueuedReporter(maxQueueBytes: maxQueueBytes) { queue in
                HTTPReporter(configuration: configuration, feed: queue) { _, _ in }
            }
            return ReporterSubject(reporter: reporter, delivered: { receiver.events }, owner: receiver)
        }
    }
}

/// What every Reporter promises, whatever its destination.
@Suite(.timeLimit(.minutes(20))) struct ReporterConformance {
    @Test(arguments: ReporterKind.all)
    func `events arrive whole and in order`(kind: ReporterKind) throws {
        let subject = try kind.make(64 << 20)
        try subject.reporter.start()
        let lane = subject.reporter.openLane()
        let batch = EventBatch()
        fill(batch, producer: 0, numbers: 0..<3)
        lane.take(batch)
        #expect(eventually { subject.reporter.counters.totals.sent == 3 })
        #expect(subject.delivered().count == 3)
        fill(batch, producer: 0, numbers: 3..<5)
        lane.take(batch)
        batch.removeAll()
        lane.take(batch)
        subject.reporter.stop(timeout: .seconds(10))
        #expect(subject.reporter.counters.totals == .init(sent: 5))
        #expect(subject.reporter.counters.totalQueued == 0)
        #expect(try subject.delivered().map { try TestLine.parse($0).number } == [0, 1, 2, 3, 4])
    }

    @Test(arguments: ReporterKind.all)
    func `an event that comes after a pause wakes the Reporter`(kind: ReporterKind) throws {
        let subject = try kind.make(64 << 20)
        try subject.reporter.start()
        let lane = subject.reporter.openLane()
        let batch = EventBatch()
        for number in 0..<300 {
            fill(batch, producer: 0, numbers: number..<number + 1)
            lane.take(batch)
            #expect(eventually { subject.reporter.counters.totals.sent == number + 1 })
        }
        subject.reporter.stop(timeout: .seconds(10))
    }

    @Test(arguments: ReporterKind.all, [64 << 10, 64 << 20])
    func `each event of several shards is accounted for once`(kind: ReporterKind, maxQueueBytes: Int) throws {
        let subject = try kind.make(maxQueueBytes)
        try subject.reporter.start()
        let (producers, eventsEach) = (4, kind.eventsEach)
        try produce(to: subject.reporter, producers: producers, eventsEach: eventsEach)
        subject.reporter.stop(timeout: .seconds(30))
        let totals = subject.reporter.counters.totals
        #expect(totals.all == producers * eventsEach)
        #expect(totals.failed == 0)
        if maxQueueBytes > 10 << 20 { #expect(totals.dropped == 0) }
        #expect(subject.reporter.counters.totalQueued == 0)
        let lines = subject.delivered()
        #expect(lines.count == totals.sent)
        try expectWholeLines(lines)
    }

    @Test(arguments: ReporterKind.all)
    func `what does not fit under the bound is dropped`(kind: ReporterKind) throws {
        let batch = EventBatch()
        fill(batch, producer: 0, numbers: 0..<10, fill: 100)
        let eventLength = batch.frames[0].count
        // Not started: nothing leaves the queue. Two batches fit, and half of a third.
        let subject = try kind.make(eventLength * 25)
        let lane = subject.reporter.openLane()
        for _ in 0..<5 { lane.take(batch) }
        #expect(subject.reporter.counters.totals == .init(dropped: 25))
        #expect(subject.reporter.counters.totalQueued == eventLength * 25)
        try subject.reporter.start()
        subject.reporter.stop(timeout: .seconds(10))
        #expect(subject.reporter.counters.totals == .init(sent: 25, dropped: 25))
        #expect(subject.reporter.counters.totalQueued == 0)
    }

    @Test(arguments: ReporterKind.all)
    func `a batch larger than the whole bound gives as much as fits`(kind: ReporterKind) throws {
        let batch = EventBatch()
        fill(batch, producer: 0, numbers: 0..<1_000, fill: 1_000)
        let bound = batch.frames[299].upperBound
        let subject = try kind.make(bound)
        try subject.reporter.start()
        subject.reporter.openLane().take(batch)
        subject.reporter.stop(timeout: .seconds(10))
        #expect(subject.reporter.counters.totals == .init(sent: 300, dropped: 700))
        #expect(subject.delivered().count == 300)
    }

    @Test(arguments: ReporterKind.all)
    func `a stop without a start drops what waits, and refuses what comes`(kind: ReporterKind) throws {
        let subject = try kind.make(1 << 20)
        let lane = subject.reporter.openLane()
        let batch = EventBatch()
        fill(batch, producer: 0, numbers: 0..<3)
        lane.take(batch)
        subject.reporter.stop(timeout: .seconds(1))
        lane.take(batch)
        subject.reporter.openLane().take(batch)
        #expect(subject.reporter.counters.totals == .init(dropped: 9))
    }

    @Test(arguments: ReporterKind.all)
    func `a stop while shards go on loses count of nothing`(kind: ReporterKind) throws {
        for _ in 0..<kind.rounds {
            let subject = try kind.make(64 << 20)
            let reporter = subject.reporter
            try reporter.start()
            let stopper = try ThreadHandle(name: "stopper") {
                _ = eventually { reporter.counters.totals.sent > 0 }
                reporter.stop(timeout: .seconds(10))
            }
            try produce(to: reporter, producers: 3, eventsEach: 1_000, batchLimit: 3)
            stopper.join()
            #expect(reporter.counters.totals.all == 3_000)
            #expect(reporter.counters.totalQueued == 0)
            // A request that was cut off at the end counts as dropped, and may have arrived.
            let totals = reporter.counters.totals
            #expect((totals.sent...totals.sent + totals.dropped).contains(subject.delivered().count))
        }
    }
}
