import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

extension TemporaryDirectory {
    func lines(of name: String) -> [String] {
        guard let data = wholeFile(file(name)), !data.isEmpty else { return [] }
        var lines = String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        // What follows the last line feed: nothing, where the last line is whole.
        if lines.last == "" { lines.removeLast() }
        return lines.map(String.init)
    }
}

/// What a Reporter logged.
final class LogRecorder: Sendable {
    private let lines = Locked<[String]>([])

    var messages: [String] { lines.withLock { $0 } }
    var log: ReporterLog { { level, message in self.lines.withLock { $0.append("\(level) \(message)") } } }
}

/// A Reporter with the queue in memory that it reads.
final class QueuedReporter: Sendable {
    private let queue: ReportQueue
    private let reporter: any PredictionReporter

    init(maxQueueBytes: Int, make: (ReportQueue) throws -> any PredictionReporter) throws {
        queue = try ReportQueue(maxBytes: maxQueueBytes)
        reporter = try make(queue)
    }

    var counters: ReporterCounters { reporter.counters }
    func start() throws { try reporter.start() }
    func openLane() -> any EventLane { queue.openLane() }
    func reopen() { reporter.reopen() }
    func stop(timeout: Duration) { reporter.stop(timeout: timeout) }
}

extension EventLane {
    /// A lane that keeps nothing safe always takes a batch, or drops some of it.
    func take(_ batch: EventBatch) { #expect(submit(batch)) }
}

/// A batch of lines `{"producer":1,"number":7,"fill":"xxx"}`, which are their own data.
func fill(_ batch: EventBatch, producer: Int, numbers: Range<Int>, fill: Int = 0) {
    batch.removeAll()
    for number in numbers {
        batch.append { bytes in
            let start = bytes.count
            bytes.append(string: #"{"producer":\#(producer),"number":\#(number),"fill":""#)
            bytes.append(contentsOf: [UInt8](repeating: UInt8(ascii: "x"), count: fill))
            bytes.append("\"}")
            var parts = EventFrame.Parts()
            parts.data = 0..<bytes.count - start
            // The digits of the number stand for all the ids.
            let digits = #"{"producer":\#(producer),"number":"#.utf8.count
            let number = digits..<digits + "\(number)".utf8.count
            (parts.id, parts.requestId, parts.predictionId) = (number, number, number)
            bytes.append("\n")
            return parts
        }
    }
}

struct TestLine: Decodable, Hashable {
    var producer: Int
    var number: Int
    var fill: String

    static func parse(_ line: String) throws -> TestLine {
        try JSONDecoder().decode(TestLine.self, from: Data(line.utf8))
    }
}

extension ReporterCounters {
    struct Totals: Equatable {
        var sent = 0
        var failed = 0
        var dropped = 0
        var all: Int { sent + failed + dropped }
    }

    var totalQueued: Int { queuedBytes.load(ordering: .acquiring) }

    var totals: Totals {
        Totals(
            sent: sent.load(ordering: .acquiring),
            failed: failed.load(ordering: .acquiring),
            dropped: dropped.load(ordering: .acquiring)
        )
    }
}

/// Runs one thread per producer, each with a lane of its own and random batches, and waits for all.
func produce(
    to reporter: QueuedReporter,
    producers: Int,
    eventsEach: Int,
    fill length: Int = 40,
    batchLimit: Int = 40
) throws {
    let threads = try (0..<producers).map { producer in
        try ThreadHandle(name: "producer-\(producer)") {
            let lane = reporter.openLane()
            let batch = EventBatch()
            var generator = SeededGenerator(seed: UInt64(producer))
            var number = 0
            while number < eventsEach {
                let next = min(eventsEach, number + Int.random(in: 1...batchLimit, using: &generator))
                fill(batch, producer: producer, numbers: number..<next, fill: length)
                lane.take(batch)
                number = next
            }
        }
    }
    for thread in threads { thread.join() }
}

/// Fails where a line is torn or doubled, or where the lines of one producer are out of order.
func expectWholeLines(_ lines: [String], inOrder: Bool = true) throws {
    var last: [Int: Int] = [:]
    var seen: Set<TestLine> = []
    for line in lines {
        let parsed = try TestLine.parse(line)
        #expect(seen.insert(parsed).inserted, "doubled: \(line)")
        if inOrder { #expect(parsed.number > last[parsed.producer] ?? -1, "out of order: \(line)") }
        last[parsed.producer] = parsed.number
    }
}
