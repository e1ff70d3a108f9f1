import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What the HTTP Reporter sends, and what it does about each kind of answer.
@Suite(.timeLimit(.minutes(20))) struct HTTPReporterTests {
    private let directory = TemporaryDirectory()
    private let recorder = LogRecorder()
    private let batch = EventBatch()

    private func configuration(_ receiver: FakeEventReceiver) -> Configuration.Reporter.HTTP {
        var configuration = Configuration.Reporter.HTTP()
        configuration.url = receiver.url
        configuration.failurePath = directory.file("failed.jsonl")
        configuration.retryBackoff = .milliseconds(1)
        configuration.maxRetryBackoff = .milliseconds(20)
        return configuration
    }

    private func makeReporter(
        _ receiver: FakeEventReceiver,
        maxQueueBytes: Int = 64 << 20,
        _ change: (inout Configuration.Reporter.HTTP) -> Void = { _ in }
    ) throws -> QueuedReporter {
        var configuration = configuration(receiver)
        change(&configuration)
        let reporter = try QueuedReporter(maxQueueBytes: maxQueueBytes) { queue in
            HTTPReporter(configuration: configuration, feed: queue, log: recorder.log)
        }
        return reporter
    }

    private func failures() throws -> [FailureLine] {
        try directory.lines(of: "failed.jsonl").map { try FailureLine.parse($0) }
    }

    private func numbers(_ receiver: FakeEventReceiver) throws -> [Int] {
        try receiver.events.map(eventNumber).sorted()
    }

    @Test func `a batch is a JSON array of whole events`() throws {
        let receiver = try FakeEventReceiver()
        let reporter = try makeReporter(receiver) { $0.headers = ["authorization": "Bearer secret"] }
        fillEvents(batch, 0..<3, source: #"//host/"é""#)
        reporter.openLane().take(batch)
        try reporter.start()
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 3))
        let request = try #require(receiver.requests.first)
        #expect(receiver.requests.count == 1)
        #expect(request.target == "/events?key=secret")
        #expect(request.headers["Content-Type"] == "application/cloudevents-batch+json")
        #expect(request.headers["Authorization"] == "Bearer secret")
        #expect(!request.headers.contains("Expect"))
        let lines = withExtendedLifetime(batch) { (0..<3).map { String(batch[$0].line.string.dropLast()) } }
        #expect(request.text == "[\(lines.joined(separator: ","))]")
    }

    @Test func `in binary mode the attributes are headers, and the data the body`() throws {
        let receiver = try FakeEventReceiver()
        let reporter = try makeReporter(receiver) { $0.mode = .binary }
        fillEvents(batch, 0..<2, source: #"//host/"é" %"#)
        reporter.openLane().take(batch)
        try reporter.start()
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 2))
        #expect(receiver.requests.count == 2)
        let request = try #require(receiver.requests.first { $0.headers["ce-id"] == "event-0" })
        #expect(request.body == withExtendedLifetime(batch) { batch[0].data.array })
        #expect(request.headers["Content-Type"] == "application/json")
        #expect(request.headers["ce-specversion"] == "1.0")
        #expect(request.headers["ce-type"] == "org.ameron.prediction.v1")
        #expect(request.headers["ce-source"] == "//host/%22%C3%A9%22%20%25")
        #expect(request.headers["ce-time"] == "2026-11-24T15:14:31.123456Z")
    }

    @Test func `a batch has no more events than it may, nor more bytes`() throws {
        let receiver = try FakeEventReceiver()
        let reporter = try makeReporter(receiver) { $0.maxBatchEvents = 10 }
        let lane = reporter.openLane()
        fillEvents(batch, 0..<95)
        lane.take(batch)
        fillEvents(batch, 95..<98, fill: 600 << 10)
        lane.take(batch)
        try reporter.start()
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 98))
        #expect(try numbers(receiver) == Array(0..<98))
        #expect(receiver.requests.allSatisfy { FakeEventReceiver.events(in: $0).count <= 10 })
        // Two of the large ones would be more than 1 MiB.
        #expect(receiver.requests.filter { $0.body.count > 600 << 10 }.count == 3)
    }

    @Test func `connections are kept`() throws {
        let receiver = try FakeEventReceiver()
        let reporter = try makeReporter(receiver) { $0.maxInFlight = 1 }
        try reporter.start()
        let lane = reporter.openLane()
        for number in 0..<50 {
            fillEvents(batch, number..<number + 1)
            lane.take(batch)
            #expect(eventually { reporter.counters.totals.sent == number + 1 })
        }
        reporter.stop(timeout: .seconds(10))
        #expect(receiver.requests.count == 50)
        #expect(receiver.connectionCount == 1)
    }

    @Test func `no more requests are out at once than may be`() throws {
        let gate = Gate()
        let receiver = try FakeEventReceiver { _ in .accepted.after(gate) }
        let reporter = try makeReporter(receiver) {
            $0.maxBatchEvents = 1
            $0.maxInFlight = 3
        }
        fillEvents(batch, 0..<20)
        reporter.openLane().take(batch)
        try reporter.start()
        #expect(eventually { receiver.requests.count == 3 })
        gate.open()
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 20))
        #expect(receiver.connectionCount <= 3)
    }

    @Test(arguments: [408, 425, 429, 500, 502, 503, 504])
    func `what may pass is tried again`(status: Int) throws {
        let receiver = try FakeEventReceiver { $0.index < 3 ? .answer(status) : .accepted }
        let reporter = try makeReporter(receiver)
        try reporter.start()
        fillEvents(batch, 0..<5)
        reporter.openLane().take(batch)
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 5))
        #expect(receiver.requests.count == 4)
        #expect(try numbers(receiver) == Array(0..<5))
        #expect(recorder.messages.count == 2, "\(recorder.messages)")
        #expect(recorder.messages.first?.contains("it answers \(status)") == true)
        #expect(recorder.messages.last?.contains("takes events again; none was given up") == true)
        #expect(!recorder.messages.contains { $0.contains("secret") })
    }

    @Test func `a broken or closed connection is tried again`() throws {
        let replies: [TestSupport.Reply] = [.reset, .close, .resetInBody, .garbage, .accepted.thenClose, .accepted]
        let receiver = try FakeEventReceiver { replies[min($0.index, replies.count - 1)] }
        let reporter = try makeReporter(receiver) { $0.maxInFlight = 1 }
        try reporter.start()
        let lane = reporter.openLane()
        fillEvents(batch, 0..<1)
        lane.take(batch)
        #expect(eventually { reporter.counters.totals.sent == 1 })
        fillEvents(batch, 1..<2)
        lane.take(batch)
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 2))
    }

    @Test func `a receiver that stays away costs the events after so many tries`() throws {
        let receiver = try FakeEventReceiver { _ in .answer(503, body: Array("not today".utf8)) }
        let reporter = try makeReporter(receiver) { $0.maxAttempts = 3 }
        try reporter.start()
        fillEvents(batch, 0..<5)
        reporter.openLane().take(batch)
        #expect(eventually { reporter.counters.totals == .init(failed: 5) })
        #expect(eventually { reporter.counters.totalQueued == 0 })
        #expect(receiver.requests.count == 3)
        reporter.stop(timeout: .seconds(10))
        #expect(try failures().map(\.event.id) == (0..<5).map { "event-\($0)" })
        #expect(try failures().allSatisfy { $0.cause == "status503" && $0.message == "it answers 503: not today" })
        #expect(directory.lines(of: "failed.jsonl")[0].contains(#""event":{"specversion":"1.0","#))
    }

    /// As what may pass by itself, under best effort: so often, then aside.
    @Test(arguments: [301, 401, 403, 404, 405, 415])
    func `a receiver that takes nothing as it stands costs the events after so many tries`(status: Int) throws {
        let receiver = try FakeEventReceiver { $0.index < 3 ? .answer(status) : .accepted }
        let reporter = try makeReporter(receiver) { $0.maxAttempts = 3 }
        try reporter.start()
        let lane = reporter.openLane()
        fillEvents(batch, 0..<2)
        lane.take(batch)
        #expect(eventually { reporter.counters.totals == .init(failed: 2) })
        #expect(reporter.counters.block.cause == "status\(status)")
        fillEvents(batch, 2..<3)
        lane.take(batch)
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 1, failed: 2))
        #expect(reporter.counters.block.cause == nil)
        #expect(try failures().map(\.cause) == ["status\(status)", "status\(status)"])
        #expect(recorder.messages.count == 2, "\(recorder.messages)")
        #expect(recorder.messages.first?.contains("no event gets through until that is mended") == true)
        #expect(recorder.messages.last?.contains("2 were given up") == true)
    }

    @Test(arguments: [400, 413, 422])
    func `a batch is halved until only the event at fault is refused`(status: Int) throws {
        let receiver = try FakeEventReceiver { $0.text.contains("event-13\"") ? .answer(status) : .accepted }
        let reporter = try makeReporter(receiver)
        fillEvents(batch, 0..<50)
        reporter.openLane().take(batch)
        try reporter.start()
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 49, failed: 1))
        #expect(reporter.counters.totalQueued == 0)
        #expect(try numbers(receiver) == (0..<50).filter { $0 != 13 })
        #expect(try failures().map(\.event.id) == ["event-13"])
        #expect(try failures().map(\.cause) == ["status\(status)"])
    }
}
