import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What the HTTP Reporter does while its receiver is away, slow, or asks to be left alone.
@Suite(.timeLimit(.minutes(20))) struct HTTPOutageTests {
    private let recorder = LogRecorder()
    private let batch = EventBatch()

    private func makeReporter(
        _ receiver: FakeEventReceiver,
        feed: any EventFeed,
        _ change: (inout Configuration.Reporter.HTTP) -> Void = { _ in }
    ) throws -> HTTPReporter {
        var configuration = Configuration.Reporter.HTTP()
        configuration.url = receiver.url
        configuration.failurePath = "/dev/null"
        configuration.retryBackoff = .milliseconds(1)
        configuration.maxRetryBackoff = .milliseconds(20)
        change(&configuration)
        return HTTPReporter(configuration: configuration, feed: feed, log: recorder.log)
    }

    @Test func `under at-least-once everything arrives when the receiver is back`() throws {
        let receiver = try FakeEventReceiver(listening: false)
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed) { $0.maxAttempts = 1 }
        try reporter.start()
        for start in stride(from: 0, to: 1_000, by: 100) {
            fillEvents(batch, start..<start + 100)
            feed.append(batch, lane: start / 100 % 2)
        }
        #expect(eventually { recorder.messages.contains { $0.contains("it refuses connections") } })
        #expect(feed.acknowledged == [0, 0])
        try receiver.startListening()
        #expect(eventually { feed.acknowledged == [500, 500] })
        reporter.stop(timeout: .seconds(10))
        #expect(feed.counters.totals == .init(sent: 1_000))
        #expect(Set(try receiver.events.map(eventNumber)) == Set(0..<1_000))
        #expect(recorder.messages.count == 2, "\(recorder.messages)")
    }

    /// An answer may come before that of an older request: what is told on must have no gap.
    @Test func `nothing is acknowledged before what came earlier`() throws {
        let gate = Gate()
        let receiver = try FakeEventReceiver { $0.text.contains("event-0\"") ? .accepted.after(gate) : .accepted }
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed) { $0.maxBatchEvents = 1 }
        fillEvents(batch, 0..<10)
        feed.append(batch)
        try reporter.start()
        #expect(eventually { feed.counters.totals.sent == 9 })
        #expect(feed.acknowledged == [0, 0])
        gate.open()
        #expect(eventually { feed.acknowledged == [10, 0] })
        reporter.stop(timeout: .seconds(10))
    }

    @Test func `a receiver's wish for a pause is heeded, up to the longest one`() throws {
        let receiver = try FakeEventReceiver {
            $0.index == 0 ? .answer(429, headers: ["Retry-After": "3600"]) : .accepted
        }
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed) { $0.maxRetryAfter = .milliseconds(300) }
        try reporter.start()
        fillEvents(batch, 0..<1)
        let start = ContinuousClock.now
        feed.append(batch)
        #expect(eventually { feed.acknowledged == [1, 0] })
        // By itself the Reporter would have waited 20 milliseconds at most.
        #expect(ContinuousClock.now - start >= .milliseconds(300))
        reporter.stop(timeout: .seconds(10))
    }

    /// Not only the batch that was answered so: also those that came later.
    @Test(arguments: ["3600", "date"]) func `a pause holds for all batches`(wish: String) throws {
        let receiver = try FakeEventReceiver { request in
            let date = "Sun, 06 Nov 1994 09:49:37 GMT"
            guard request.index == 0 else { return .accepted }
            let headers: HTTPHeaders = [
                "Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": wish == "date" ? date : wish,
            ]
            return .answer(503, headers: headers)
        }
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed) { $0.maxInFlight = 8 }
        try reporter.start()
        for number in 0..<20 {
            fillEvents(batch, number..<number + 1)
            feed.append(batch)
            if number == 0 { #expect(eventually { recorder.messages.contains { $0.contains("it answers 503") } }) }
        }
        // Whatever more was to come would have come by the time at which a stop gives the waiting up.
        reporter.stop(timeout: .milliseconds(200))
        #expect(receiver.requests.count == 1)
        #expect(feed.acknowledged == [0, 0])
        #expect(feed.counters.totals == .init())
    }

    @Test(arguments: [301, 401, 403, 404, 405, 407, 415])
    func `under at-least-once a receiver that takes nothing as it stands is waited for`(status: Int) throws {
        let isMended = Locked(false)
        let receiver = try FakeEventReceiver { _ in isMended.withLock { $0 } ? .accepted : .answer(status) }
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed) { $0.maxAttempts = 1 }
        try reporter.start()
        for start in stride(from: 0, to: 1_000, by: 100) {
            fillEvents(batch, start..<start + 100)
            feed.append(batch, lane: start / 100 % 2)
        }
        #expect(eventually { receiver.requests.count > 12 })
        #expect(reporter.counters.block.cause == "status\(status)")
        #expect(feed.acknowledged == [0, 0])
        isMended.withLock { $0 = true }
        #expect(eventually { feed.acknowledged == [500, 500] })
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.block.cause == nil)
        #expect(feed.counters.totals == .init(sent: 1_000))
        #expect(Set(try receiver.events.map(eventNumber)) == Set(0..<1_000))
        #expect(recorder.messages.count == 2, "\(recorder.messages)")
    }

    /// A gateway that dislikes one batch: the others pass, that one is kept, and the metric says so all the time.
    @Test func `one batch that is held up does not go unseen because others pass`() throws {
        let isMended = Locked(false)
        let receiver = try FakeEventReceiver { request in
            !isMended.withLock { $0 } && request.text.contains("event-3\"") ? .answer(403) : .accepted
        }
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed) { $0.maxBatchEvents = 1 }
        fillEvents(batch, 0..<50)
        feed.append(batch)
        try reporter.start()
        #expect(eventually { feed.counters.totals.sent == 49 })
        #expect(feed.acknowledged == [3, 0])
        #expect(reporter.counters.block.cause == "status403")
        isMended.withLock { $0 = true }
        #expect(eventually { feed.acknowledged == [50, 0] })
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.block.cause == nil)
        #expect(recorder.messages.count == 2, "\(recorder.messages)")
    }

    /// The refused events are kept where they are, and with them all that come after.
    @Test func `under at-least-once nothing is acknowledged that its failure file does not take`() throws {
        let directory = TemporaryDirectory()
        let receiver = try FakeEventReceiver { $0.text.contains("event-3\"") ? .answer(400) : .accepted }
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed) {
            $0.failurePath = directory.file("missing/failed.jsonl")
            $0.maxInFlight = 1
        }
        fillEvents(batch, 0..<50)
        feed.append(batch)
        try reporter.start()
        #expect(eventually { reporter.counters.block.cause == "failurePath" })
        fillEvents(batch, 50..<100)
        feed.append(batch)
        #expect(feed.counters.totals.failed == 0)
        #expect(feed.acknowledged[0] <= 3)
        #expect(recorder.messages.contains { $0.contains("no event gets through until those that were refused") })
        try FileManager.default.createDirectory(atPath: directory.file("missing"), withIntermediateDirectories: false)
        #expect(eventually { feed.acknowledged == [100, 0] })
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.block.cause == nil)
        #expect(feed.counters.totals == .init(sent: 99, failed: 1))
        let lines = try directory.lines(of: "missing/failed.jsonl").map { try FailureLine.parse($0) }
        #expect(lines.map(\.event.id) == ["event-3"])
    }

    @Test func `a request that takes too long is cancelled and tried again`() throws {
        let receiver = try FakeEventReceiver { $0.index == 0 ? .hang : .accepted }
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed) { $0.timeout = .milliseconds(100) }
        try reporter.start()
        fillEvents(batch, 0..<3)
        feed.append(batch)
        #expect(eventually { feed.acknowledged == [3, 0] })
        #expect(recorder.messages.first?.contains("no answer within") == true)
        reporter.stop(timeout: .seconds(10))
        #expect(feed.counters.totals == .init(sent: 3))
    }

    @Test func `a stop does not wait for a receiver that hangs, and counts what is lost`() throws {
        let receiver = try FakeEventReceiver { _ in .hang }
        let queue = try ReportQueue(maxBytes: 64 << 20)
        let lane = queue.openLane()
        let reporter = try makeReporter(receiver, feed: queue) { $0.maxBatchEvents = 10 }
        try reporter.start()
        fillEvents(batch, 0..<500)
        lane.take(batch)
        #expect(eventually { receiver.requests.count == 4 })
        reporter.stop(timeout: .milliseconds(50))
        // The thread has ended by then: had it hung, some would be missing.
        #expect(queue.counters.totals == .init(dropped: 500))
        #expect(queue.counters.totalQueued == 0)
    }

    @Test func `with the receiver away the queue is bounded and the count exact`() throws {
        let receiver = try FakeEventReceiver(listening: false)
        let queue = try ReportQueue(maxBytes: 256 << 10)
        let lane = queue.openLane()
        let reporter = try makeReporter(receiver, feed: queue) { $0.maxAttempts = 1_000_000 }
        try reporter.start()
        for start in stride(from: 0, to: 5_000, by: 100) {
            fillEvents(batch, start..<start + 100)
            lane.take(batch)
            #expect(queue.counters.totalQueued <= 256 << 10)
        }
        reporter.stop(timeout: .milliseconds(50))
        #expect(queue.counters.totals == .init(dropped: 5_000))
    }

    @Test func `under at-least-once a stop leaves what is not delivered unacknowledged`() throws {
        let receiver = try FakeEventReceiver { _ in .hang }
        let feed = try DurableFeed()
        let reporter = try makeReporter(receiver, feed: feed)
        try reporter.start()
        fillEvents(batch, 0..<10)
        feed.append(batch)
        #expect(eventually { !receiver.requests.isEmpty })
        reporter.stop(timeout: .milliseconds(10))
        #expect(feed.counters.totals == .init())
        #expect(feed.acknowledged == [0, 0])
    }
}
