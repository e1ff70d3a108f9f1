import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Frames that other versions of the Sidecar have left in a spool.
@Suite struct FrameVersionTests {
    private let directory = SpoolDirectory()

    /// An event as the encoder writes it.
    private func line(_ number: Int) -> String {
        #"{"specversion":"1.0","type":"org.ameron.prediction.v1","source":"//old-host/ameron-sidecar","#
            + #""id":"event-\#(number)","time":"2026-11-24T15:14:31.123456Z","datacontenttype":"application/json","#
            + #""data":{"requestId":"key-\#(number)","predictionId":"event-\#(number)","rowIndex":0,"rowCount":1,"#
            + #""provider":"rest","face":"native","modelName":"iris","timeTakenInMs":0.125,"gatewayTimeInMs":0.250,"#
            + #""status":200,"value":{"number":\#(number)},"completedAt":"2026-11-24T15:14:31.123456Z"}}"# + "\n"
    }

    /// Its frame as version 1 had it, and as version 2 has it. The test says itself where the parts stand.
    private func frame(_ layout: SpoolFrame.Layout, _ number: Int) throws -> [UInt8] {
        let text = line(number)
        func part(_ name: String) throws -> Range<Int> {
            let start = try #require(text.range(of: "\"\(name)\":\"")).upperBound
            let end = try #require(text.range(of: "\"", range: start..<text.endIndex)).lowerBound
            let first = text.utf8.distance(from: text.startIndex, to: start)
            return first..<first + text.utf8.distance(from: start, to: end)
        }
        let data = try #require(text.range(of: "\"data\":")).upperBound
        let dataStart = text.utf8.distance(from: text.startIndex, to: data)
        var parts = [try part("id"), try part("time"), dataStart..<text.utf8.count - 2]
        parts += [try part("requestId"), try part("predictionId"), try part("modelName")]
        if layout == .second {
            let value = try #require(text.range(of: "\"value\":")).upperBound
            let start = text.utf8.distance(from: text.startIndex, to: value)
            parts.append(start..<start + #"{"number":\#(number)}"#.utf8.count)
        }
        return SpoolFrame.make(layout, line: Array(text.utf8), parts: parts)
    }

    /// Puts a file of events into the spool, as a process that was killed leaves it.
    private func leave(_ bytes: [UInt8], at start: Int = 0) throws {
        let lane = directory.configuration.path + "/lane-0"
        try FileManager.default.createDirectory(atPath: lane, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: lane + "/" + SpoolSegment.name(Int64(start))))
    }

    private var path: String { directory.configuration.path + "/lane-0/" + SpoolSegment.name(0) }

    private func deliver(_ spool: Spool, count: Int) throws -> [String] {
        var configuration = Configuration.Reporter.File()
        configuration.path = directory.directory.file("events.jsonl")
        let reporter = FileReporter(
            configuration: configuration,
            feed: spool.feed(reporter: 0),
            log: directory.logs.log
        )
        try reporter.start()
        #expect(eventually { directory.directory.lines(of: "events.jsonl").count >= count })
        reporter.stop(timeout: .seconds(10))
        return directory.directory.lines(of: "events.jsonl").map { $0 + "\n" }
    }

    // MARK: Version 1

    @Test func `events of version 1 are delivered, then those that are new`() throws {
        try leave((0..<5).flatMap { try frame(.first, $0) })
        let spool = try directory.open()
        #expect(spool.storedBytes == directory.eventBytes)
        let batch = EventBatch()
        fillEvents(batch, 5..<8)
        #expect(spool.lane(0).submit(batch))
        let delivered = try deliver(spool, count: 8)
        #expect(Array(delivered.prefix(5)) == (0..<5).map(line))
        #expect(try delivered.map(eventNumber) == Array(0..<8))
        #expect(spool.totals() == .init(sent: 8))
        #expect(spool.storedBytes == 0)
        #expect(directory.logs.messages.filter { $0.hasPrefix("error") } == [])
    }

    @Test func `one file may hold both`() throws {
        let layouts: [SpoolFrame.Layout] = [.first, .second, .second, .first, .second, .first]
        try leave(layouts.enumerated().flatMap { try frame($1, $0) })
        let spool = try directory.open()
        #expect(try deliver(spool, count: 6) == (0..<6).map(line))
        #expect(spool.totals() == .init(sent: 6))
    }

    @Test(arguments: SpoolFrame.Layout.all) func `all parts are found in either`(layout: SpoolFrame.Layout) throws {
        try leave(frame(layout, 3))
        let source = try directory.open().feed(reporter: 0).makeSource()
        var events: [WaitingEvent] = []
        source.gather(into: &events, limit: 1)
        let event = try #require(events.first).frame
        #expect(event.kind == .prediction)
        #expect(event.line.string == line(3))
        #expect(event.id == "event-3" && event.predictionId == "event-3" && event.requestId == "key-3")
        #expect(event.time == "2026-11-24T15:14:31.123456Z" && event.modelName == "iris")
        #expect(EventEnvelope.source(of: event) == "//old-host/ameron-sidecar")
        #expect(line(3).contains("\"data\":\(event.data.string)}\n"))
        #expect(event.contents?.value.string == (layout == .first ? nil : #"{"number":3}"#))
        #expect(event.contents?.request.isEmpty != false)
    }

    @Test func `damage to one of version 1 costs that one`() throws {
        var bytes = try (0..<3).flatMap { try frame(.first, $0) }
        bytes[bytes.count / 2] ^= 1
        try leave(bytes)
        let spool = try directory.open()
        #expect(try deliver(spool, count: 2) == [line(0), line(2)])
        #expect(spool.totals() == .init(sent: 2, dropped: 1))
    }

    @Test func `a torn end of version 1 is cut off`() throws {
        let whole = try frame(.first, 0)
        for length in [1, 16, 20, 63, 64, whole.count - 1] {
            try leave(whole + frame(.first, 1).prefix(length))
            let spool = try directory.open()
            #expect(directory.eventBytes == whole.count, "\(length) bytes")
            #expect(spool.totals().dropped == 0)
        }
    }

    // MARK: Later ones

    @Test(arguments: [(3, 1), (2, 2), (2, 3), (200, 0)])
    func `what a later version wrote keeps this one from starting, and stays`(version: Int, kind: Int) throws {
        let later = SpoolFrame.makeLater(version: UInt8(version), kind: UInt8(kind))
        try leave(frame(.first, 0))
        let start = try frame(.first, 0).count
        try leave(later + later + later.prefix(30), at: start)
        let path = directory.configuration.path + "/lane-0/" + SpoolSegment.name(Int64(start))
        let error = #expect(throws: SpoolError.self) { try directory.open() }
        #expect(
            error?.description
                == "reporting.spool.path: events wait in \(path) that a later version of the Sidecar wrote (version "
                + "\(version) of the frame, kind \(kind)), and this one cannot read them: start that version until they are "
                + "delivered, or name another directory"
        )
        #expect(wholeFile(path) == later + later + later.prefix(30))
        #expect(try wholeFile(self.path) == frame(.first, 0))
    }

    @Test func `what everybody has of it keeps nobody from starting`() throws {
        let later = SpoolFrame.makeLater()
        try leave(later)
        let cursor = directory.configuration.path + "/lane-0/file.cursor"
        try Data(SpoolFrame.cursor(Int64(later.count))).write(to: URL(fileURLWithPath: cursor))
        let spool = try directory.open()
        #expect(!SpoolReader(spool).source.hasEvents)
        #expect(spool.totals().dropped == 0)
    }

    @Test func `a damaged one is damage`() throws {
        var later = SpoolFrame.makeLater()
        later[later.count - 2] ^= 1
        try leave(later + frame(.second, 1))
        let spool = try directory.open()
        #expect(try deliver(spool, count: 1) == [line(1)])
        #expect(spool.totals() == .init(sent: 1, dropped: 1))
    }

    /// That should not be: a file is written by one process. All the others are read nevertheless, and the end is no torn one.
    @Test func `one between others is passed over, told and counted`() throws {
        let later = SpoolFrame.makeLater()
        let bytes = try frame(.second, 0) + later + frame(.first, 1) + later
        try leave(bytes)
        let spool = try directory.open()
        #expect(directory.eventBytes == bytes.count)
        #expect(try deliver(spool, count: 2) == [line(0), line(1)])
        #expect(spool.totals() == .init(sent: 2, dropped: 2))
        #expect(spool.storedBytes == 0)
        let told = "a later version wrote an event that this one cannot read (version 3 of the frame, kind 1): "
        #expect(directory.logs.messages.count { $0.contains("\(told)\(later.count) bytes are lost") } == 2)
    }
}
