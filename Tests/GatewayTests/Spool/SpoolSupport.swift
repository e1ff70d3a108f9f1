import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// A spool's directory, opened as often as the test wants. Dropping the `Spool` without `close` is a crash.
final class SpoolDirectory {
    let directory = TemporaryDirectory()
    let logs = LogRecorder()
    var configuration = Configuration.Spool()
    private let segmentSize: Int?

    init(maxBytes: Int = 1 << 30, segmentSize: Int? = nil) {
        self.segmentSize = segmentSize
        configuration.path = directory.file("spool")
        configuration.maxBytes = maxBytes
        configuration.fsync = .never
    }

    /// Opens it; again where its lock is still held, by a process that another test starts just now, which has it until it
    /// becomes the program it is to be.
    func open(lanes: Int = 1, reporters: [String] = ["file"]) throws -> Spool {
        var spool: Spool?
        _ = try eventually {
            do {
                spool = try openOnce(lanes: lanes, reporters: reporters)
                return true
            } catch SpoolError.inUse {
                return false
            }
        }
        return try #require(spool)
    }

    func openOnce(lanes: Int = 1, reporters: [String] = ["file"]) throws(SpoolError) -> Spool {
        try Spool.open(
            configuration: configuration,
            laneCount: lanes,
            reporters: reporters.map { name in
                SpoolReporter(name: name, destination: ReporterDestination(type: "file", place: "\(name).jsonl"))
            },
            segmentSize: segmentSize,
            log: logs.log
        )
    }

    /// Keeps the directory from being deleted before.
    func keep() {}

    /// Paths of the files of events of a lane, oldest first.
    func segments(lane: Int = 0) -> [String] {
        let path = "\(configuration.path)/lane-\(lane)"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(".events") }.sorted().map { "\(path)/\($0)" }
    }

    var eventBytes: Int {
        (0..<16).flatMap { segments(lane: $0) }.reduce(0) { $0 + (wholeFile($1)?.count ?? 0) }
    }
}

extension SpoolLane {
    /// Submits events numbered so; where each of them ends, counted from the beginning of the batch.
    @discardableResult
    func submit(_ numbers: Range<Int>, fill length: Int = 0) -> [Int] {
        let batch = EventBatch()
        fill(batch, producer: 0, numbers: numbers, fill: length)
        #expect(submit(batch))
        return batch.frames.map(\.upperBound)
    }
}

/// A batch of one event of a size that no file limit allows; made quicker than by `fill`.
func largeBatch(number: Int, length: Int) -> EventBatch {
    let batch = EventBatch()
    batch.append { bytes in
        bytes.append("{\"number\":")
        let start = bytes.count
        bytes.append(string: "\(number)")
        var parts = EventFrame.Parts()
        parts.id = start - EventFrame.headerLength..<bytes.count - EventFrame.headerLength
        bytes.append(contentsOf: [UInt8](repeating: 0x20, count: length))
        bytes.append("}\n")
        return parts
    }
    return batch
}

/// A Reporter's end, as tests read it.
struct SpoolReader {
    struct Event: Equatable {
        var number: Int
        var lane: Int
        var end: Int64
    }

    let source: any EventSource

    init(_ spool: Spool, reporter: Int = 0) { source = spool.feed(reporter: reporter).makeSource() }

    /// What one `gather` gives.
    func read(limit: Int = 1 << 20) -> [Event] {
        var waiting: [WaitingEvent] = []
        source.gather(into: &waiting, limit: limit)
        let events = waiting.map { event in
            let line = event.frame.line.string
            #expect(line.hasPrefix("{") && line.hasSuffix("}\n"))
            return Event(number: Int(event.frame.id.string) ?? -1, lane: event.lane, end: event.end)
        }
        source.release()
        return events
    }

    /// All that waits.
    func readAll(limit: Int = 1 << 20) -> [Event] {
        var all: [Event] = []
        while source.hasEvents {
            all += read(limit: limit)
        }
        return all
    }

    func acknowledge(_ events: [Event]) {
        for event in events { source.acknowledge(lane: event.lane, through: event.end) }
    }

    /// Takes all that waits for good.
    func takeAll() -> [Int] {
        let events = readAll()
        acknowledge(events)
        return events.map(\.number)
    }
}

extension Spool {
    /// Waits until the keeper has counted what was dropped.
    func finishDrops() { #expect(eventually { !isDropping }) }
    func totals(reporter: Int = 0) -> ReporterCounters.Totals { feed(reporter: reporter).counters.totals }
    /// Of all together, and of each of two Reporters.
    var waitingBytes: [Int] { [storedBytes, queued(reporter: 0), queued(reporter: 1)] }
    func queued(reporter: Int = 0) -> Int { feed(reporter: reporter).counters.totalQueued }
}
