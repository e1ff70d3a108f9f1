import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite(.timeLimit(.minutes(20))) struct FileReporterTests {
    private let directory: TemporaryDirectory
    private let recorder = LogRecorder()

    init() throws { directory = TemporaryDirectory() }

    private func makeReporter(
        _ path: String,
        maxBytes: Int = 0,
        keep: Int = 5,
        maxQueueBytes: Int = 64 << 20
    ) throws -> QueuedReporter {
        var configuration = Configuration.Reporter.File()
        configuration.path = path
        configuration.maxBytes = maxBytes
        configuration.keep = keep
        return try QueuedReporter(maxQueueBytes: maxQueueBytes) { queue in
            FileReporter(configuration: configuration, feed: queue, log: recorder.log)
        }
    }

    private func submit(_ numbers: Range<Int>, to lane: any EventLane, fill length: Int = 0) {
        let batch = EventBatch()
        fill(batch, producer: 0, numbers: numbers, fill: length)
        lane.take(batch)
    }

    private func numbers(in name: String) throws -> [Int] {
        try directory.lines(of: name).map { try TestLine.parse($0).number }
    }

    @Test func `a missing directory is named`() throws {
        let path = directory.file("missing/predictions.jsonl")
        let reporter = try makeReporter(path)
        let error = #expect(throws: FileReporterError.self) { try reporter.start() }
        #expect(
            error?.description
                == "cannot open \(path): the directory \(directory.file("missing")) does not exist"
        )
        reporter.stop(timeout: .seconds(1))
    }

    @Test func `a path that cannot be written is an error`() throws {
        let reporter = try makeReporter(directory.path)
        let error = #expect(throws: FileReporterError.self) { try reporter.start() }
        #expect(error?.description == "cannot open \(directory.path): Is a directory")
    }

    @Test func `a full device fails every event, and is logged once`() throws {
        let reporter = try makeReporter("/dev/full")
        try reporter.start()
        let lane = reporter.openLane()
        for number in 0..<5 {
            submit(number..<number + 1, to: lane)
            #expect(eventually { reporter.counters.totals.failed == number + 1 })
        }
        reporter.stop(timeout: .seconds(5))
        #expect(reporter.counters.totals == .init(failed: 5))
        #expect(
            recorder.messages == ["error cannot write to /dev/full: No space left on device; its events are lost"]
        )
    }

    @Test func `the file is opened anew on request`() throws {
        let reporter = try makeReporter(directory.file("a"))
        try reporter.start()
        let lane = reporter.openLane()
        submit(0..<2, to: lane)
        #expect(eventually { reporter.counters.totals.sent == 2 })
        try FileManager.default.moveItem(atPath: directory.file("a"), toPath: directory.file("b"))
        reporter.reopen()
        #expect(eventually { FileManager.default.fileExists(atPath: directory.file("a")) })
        submit(2..<4, to: lane)
        reporter.stop(timeout: .seconds(5))
        #expect(try numbers(in: "b") == [0, 1])
        #expect(try numbers(in: "a") == [2, 3])
    }

    @Test func `a file that was moved away is made anew unasked`() throws {
        let reporter = try makeReporter(directory.file("a"))
        try reporter.start()
        let lane = reporter.openLane()
        submit(0..<1, to: lane)
        #expect(eventually { reporter.counters.totals.sent == 1 })
        try FileManager.default.moveItem(atPath: directory.file("a"), toPath: directory.file("b"))
        var number = 1
        let isMadeAnew = eventually {
            submit(number..<number + 1, to: lane)
            number += 1
            return FileManager.default.fileExists(atPath: directory.file("a"))
        }
        #expect(isMadeAnew)
        reporter.stop(timeout: .seconds(5))
        #expect(try numbers(in: "b") + numbers(in: "a") == Array(0..<number))
    }

    @Test func `the next event does not continue a line that was cut off`() throws {
        try Data(#"{"producer":9,"num"#.utf8).write(to: URL(fileURLWithPath: directory.file("a")))
        let reporter = try makeReporter(directory.file("a"))
        try reporter.start()
        submit(0..<2, to: reporter.openLane())
        reporter.stop(timeout: .seconds(5))
        #expect(reporter.counters.totals == .init(sent: 2))
        #expect(directory.lines(of: "a").first == #"{"producer":9,"num"#)
        #expect(try directory.lines(of: "a").dropFirst().map { try TestLine.parse($0).number } == [0, 1])
    }

    @Test func `a reader who does not read costs only the events over the bound`() throws {
        let path = directory.file("pipe")
        #expect(mkfifo(path, 0o600) == 0)
        let pipe = open(path, O_RDWR)
        defer { close(pipe) }
        let bound = 100 << 10
        let reporter = try makeReporter(path, maxQueueBytes: bound)
        try reporter.start()
        try produce(to: reporter, producers: 2, eventsEach: 5_000)
        #expect(reporter.counters.totals.dropped > 0)
        #expect(reporter.counters.totalQueued <= bound)
        let start = ContinuousClock.now
        reporter.stop(timeout: .milliseconds(50))
        #expect(ContinuousClock.now - start < .seconds(10))
        let totals = reporter.counters.totals
        #expect(totals.all == 10_000)
        #expect(totals.sent > 0)
        #expect(reporter.counters.totalQueued == 0)

        // What counts as sent is what the pipe holds.
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(pipe, &bytes, bytes.count)
        #expect(bytes.prefix(count).filter { $0 == 0x0a }.count == totals.sent)
    }

    @Test func `a pipe whose reader comes back loses nothing`() throws {
        let path = directory.file("pipe")
        #expect(mkfifo(path, 0o600) == 0)
        let pipe = open(path, O_RDWR)
        defer { close(pipe) }
        let reporter = try makeReporter(path)
        try reporter.start()
        try produce(to: reporter, producers: 1, eventsEach: 5_000)
        var lines = 0
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        while lines < 5_000 {
            let count = read(pipe, &bytes, bytes.count)
            lines += bytes.prefix(max(count, 0)).filter { $0 == 0x0a }.count
        }
        reporter.stop(timeout: .seconds(10))
        #expect(reporter.counters.totals == .init(sent: 5_000))
    }

    @Test func `after a failure in the middle of a line, the next event begins a new one`() throws {
        let path = directory.file("pipe")
        #expect(mkfifo(path, 0o600) == 0)
        let firstReader = open(path, O_RDONLY | O_NONBLOCK)
        let reporter = try makeReporter(path)
        try reporter.start()
        // Holds what is in the pipe while nobody reads it.
        let holder = open(path, O_WRONLY | O_NONBLOCK)
        defer { close(holder) }
        let lane = reporter.openLane()
        submit(0..<5_000, to: lane, fill: 40)
        // The pipe is full, within a line; then its reader leaves.
        var waiting: Int32 = 0
        #expect(eventually { ioctl(firstReader, UInt(FIONREAD), &waiting) == 0 && waiting > 60_000 })
        close(firstReader)
        #expect(eventually { reporter.counters.totals.all == 5_000 })
        let sent = reporter.counters.totals.sent
        #expect(reporter.counters.totals == .init(sent: sent, failed: 5_000 - sent))

        let secondReader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(secondReader) }
        var received: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        func drain() -> Bool {
            let count = read(secondReader, &bytes, bytes.count)
            received += bytes.prefix(max(count, 0))
            return received.count >= Int(waiting)
        }
        #expect(eventually(drain))
        submit(5_000..<5_001, to: lane)
        reporter.stop(timeout: .seconds(10))
        _ = drain()
        #expect(reporter.counters.totals == .init(sent: sent + 1, failed: 5_000 - sent))
        let lines = String(decoding: received, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == sent + 2)
        #expect(try TestLine.parse(String(lines[lines.count - 1])).number == 5_000)
        #expect(
            recorder.messages == [
                "error cannot write to \(path): Broken pipe; its events are lost",
                "notice \(path) can be written to again; \(5_000 - sent) events were lost",
            ]
        )
    }

    @Test func `a pipe without a reader is an error at the start`() throws {
        #expect(mkfifo(directory.file("pipe"), 0o600) == 0)
        let reporter = try makeReporter(directory.file("pipe"))
        #expect(throws: FileReporterError.self) { try reporter.start() }
    }

    @Test func `old files are kept up to a number`() throws {
        let reporter = try makeReporter(directory.file("a"), maxBytes: 1_000, keep: 2)
        try reporter.start()
        let lane = reporter.openLane()
        for number in 0..<5 {
            submit(number..<number + 1, to: lane, fill: 600)
            #expect(eventually { reporter.counters.totals.sent == number + 1 })
        }
        reporter.stop(timeout: .seconds(5))
        #expect(try numbers(in: "a") == [4])
        #expect(try numbers(in: "a.1") == [3])
        #expect(try numbers(in: "a.2") == [2])
        #expect(!FileManager.default.fileExists(atPath: directory.file("a.3")))
        #expect(recorder.messages == [])
    }

    @Test func `without old files a full one is thrown away`() throws {
        let reporter = try makeReporter(directory.file("a"), maxBytes: 1_000, keep: 0)
        try reporter.start()
        let lane = reporter.openLane()
        for number in 0..<3 {
            submit(number..<number + 1, to: lane, fill: 600)
            #expect(eventually { reporter.counters.totals.sent == number + 1 })
        }
        reporter.stop(timeout: .seconds(5))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["a"])
        #expect(try numbers(in: "a") == [2])
    }

    @Test func `two Reporters on one path rotate without losing or tearing a line`() throws {
        let reporters = try (0..<2).map { _ in
            try makeReporter(directory.file("a"), maxBytes: 20_000, keep: 100_000)
        }
        for reporter in reporters { try reporter.start() }
        let eventsEach = 10_000
        let threads = try reporters.enumerated().map { index, reporter in
            try ThreadHandle(name: "producer") {
                let lane = reporter.openLane()
                let batch = EventBatch()
                for number in stride(from: 0, to: eventsEach, by: 10) {
                    fill(batch, producer: index, numbers: number..<number + 10, fill: 20)
                    lane.take(batch)
                    // Little by little, so that there are many appends and rotations.
                    _ = eventually { reporter.counters.totalQueued < 8_000 }
                }
            }
        }
        for thread in threads { thread.join() }
        for reporter in reporters { reporter.stop(timeout: .seconds(30)) }
        for reporter in reporters { #expect(reporter.counters.totals == .init(sent: eventsEach)) }

        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted {
            // The oldest has the highest number; the present one has none.
            Int($0.dropFirst(2)) ?? 0 > Int($1.dropFirst(2)) ?? 0
        }
        #expect(files.count > 20)
        let lines = files.flatMap { directory.lines(of: $0) }
        #expect(lines.count == 2 * eventsEach)
        try expectWholeLines(lines)
        #expect(recorder.messages == [])
    }

    @Test func `a file that cannot be rotated goes on growing`() throws {
        let reporter = try makeReporter(directory.file("a"), maxBytes: 1_000, keep: 1)
        // A directory that is not empty cannot be replaced by rename(2).
        try FileManager.default.createDirectory(
            atPath: directory.file("a.1/x"),
            withIntermediateDirectories: true
        )
        try reporter.start()
        let lane = reporter.openLane()
        for number in 0..<4 {
            submit(number..<number + 1, to: lane, fill: 600)
            #expect(eventually { reporter.counters.totals.sent == number + 1 })
        }
        reporter.stop(timeout: .seconds(5))
        #expect(try numbers(in: "a") == [0, 1, 2, 3])
        #expect(recorder.messages.count == 1)
    }
}
