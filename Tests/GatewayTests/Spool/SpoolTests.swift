import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What the spool promises while all is well.
@Suite(.timeLimit(.minutes(20))) struct SpoolTests {
    @Test(arguments: Configuration.Spool.Fsync.allCases)
    func `events come in order, and once where they are acknowledged`(fsync: Configuration.Spool.Fsync) throws {
        let directory = SpoolDirectory()
        directory.configuration.fsync = fsync
        directory.configuration.fsyncInterval = .milliseconds(1)
        do {
            let spool = try directory.open()
            let lane = spool.lane(0)
            let reader = SpoolReader(spool)
            #expect(reader.source.isDurable)
            #expect(!reader.source.hasEvents)
            lane.submit(0..<3)
            lane.submit(3..<4)
            #expect(reader.takeAll() == [0, 1, 2, 3])
            #expect(!reader.source.hasEvents)
            lane.submit(4..<6)
            #expect(reader.takeAll() == [4, 5])
            spool.close()
        }
        #expect(directory.segments().isEmpty)
        let spool = try directory.open()
        #expect(SpoolReader(spool).takeAll().isEmpty)
        spool.lane(0).submit(6..<7)
        #expect(SpoolReader(spool).takeAll() == [6])
        spool.close()
        #expect(directory.logs.messages.isEmpty)
    }

    @Test func `what is not acknowledged comes again`() throws {
        let directory = SpoolDirectory()
        do {
            let spool = try directory.open()
            let lane = spool.lane(0)
            lane.submit(0..<10)
            let reader = SpoolReader(spool)
            let events = reader.readAll()
            reader.acknowledge(Array(events.prefix(4)))
        }
        let spool = try directory.open()
        #expect(spool.queued() == spool.storedBytes)
        #expect(SpoolReader(spool).readAll().map(\.number) == [4, 5, 6, 7, 8, 9])
        #expect(directory.logs.messages.count == 1)
        #expect(directory.logs.messages.first?.hasPrefix("notice events of an earlier run wait") == true)
    }

    @Test func `bytes are counted until all have acknowledged them`() throws {
        let directory = SpoolDirectory()
        defer { directory.keep() }
        let spool = try directory.open(reporters: ["file", "kafka-2"])
        let lane = spool.lane(0)
        let ends = lane.submit(0..<4)
        let readers = [SpoolReader(spool, reporter: 0), SpoolReader(spool, reporter: 1)]
        #expect(
            spool.waitingBytes == [ends[3], ends[3], ends[3]]
        )
        let events = readers[0].readAll()
        readers[0].acknowledge(events)
        #expect(spool.waitingBytes == [ends[3], 0, ends[3]])
        readers[1].acknowledge(Array(readers[1].readAll().prefix(1)))
        let left = ends[3] - ends[0]
        #expect(spool.waitingBytes == [left, 0, left])
    }

    @Test func `a Reporter that comes later gets all that is stored`() throws {
        let directory = SpoolDirectory()
        do {
            let spool = try directory.open(reporters: ["file", "http-2"])
            spool.lane(0).submit(0..<3)
            let reader = SpoolReader(spool)
            reader.acknowledge(Array(reader.readAll().prefix(2)))
            // The other one is done when it goes.
            #expect(SpoolReader(spool, reporter: 1).takeAll() == [0, 1, 2])
        }
        let spool = try directory.open(reporters: ["file", "kafka-2"])
        #expect(SpoolReader(spool, reporter: 0).readAll().map(\.number) == [2])
        #expect(SpoolReader(spool, reporter: 1).readAll().map(\.number) == [0, 1, 2])
        #expect(directory.logs.messages.contains { $0.contains("http-2.cursor") })
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.configuration.path + "/lane-0")
        #expect(Set(names.filter { $0.hasSuffix(".cursor") }) == ["file.cursor", "kafka-2.cursor"])
    }

    @Test func `files go when all have acknowledged them`() throws {
        let directory = SpoolDirectory(segmentSize: 64 << 10)
        let spool = try directory.open(reporters: ["file", "kafka-2"])
        let lane = spool.lane(0)
        for number in 0..<40 { lane.submit(number * 10..<number * 10 + 10, fill: 800) }
        #expect(directory.segments().count > 4)
        let readers = [SpoolReader(spool, reporter: 0), SpoolReader(spool, reporter: 1)]
        #expect(readers[0].takeAll() == Array(0..<400))
        #expect(directory.segments().count > 4)
        #expect(readers[1].takeAll() == Array(0..<400))
        #expect(directory.segments().count == 1)
        #expect(spool.storedBytes == 0)
        spool.close()
        #expect(directory.segments().isEmpty)
    }

    @Test(arguments: [16 << 10, 64 << 10, 1 << 20])
    func `a small spool can be used for ever, and does not grow`(maxBytes: Int) throws {
        let directory = SpoolDirectory(maxBytes: maxBytes)
        let spool = try directory.open(lanes: 2)
        let lanes = [spool.lane(0), spool.lane(1)]
        let reader = SpoolReader(spool)
        var number = 0
        for turn in 0..<300 {
            #expect(!lanes[turn % 2].isFull)
            lanes[turn % 2].submit(number..<number + 10, fill: 500)
            #expect(reader.takeAll() == Array(number..<number + 10))
            number += 10
        }
        #expect(directory.eventBytes <= min(maxBytes, 2 * max(16 << 10, maxBytes / 16)))
        #expect(spool.storedBytes == 0)
    }

    @Test func `lanes of earlier runs are read to their end, then removed`() throws {
        let directory = SpoolDirectory()
        do {
            let spool = try directory.open(lanes: 4)
            for lane in 0..<4 { spool.lane(lane).submit(lane * 10..<lane * 10 + 2) }
        }
        do {
            let spool = try directory.open(lanes: 1)
            let reader = SpoolReader(spool)
            #expect(reader.source.laneCount == 4)
            let events = reader.readAll()
            #expect(events.map(\.number).sorted() == [0, 1, 10, 11, 20, 21, 30, 31])
            reader.acknowledge(events.filter { $0.number / 10 != 2 })
            spool.lane(0).submit(2..<3)
            #expect(reader.takeAll() == [2])
        }
        let exists = { (lane: Int) in FileSystem.isDirectory("\(directory.configuration.path)/lane-\(lane)") }
        #expect((0..<4).map(exists) == [true, false, true, false])
        let spool = try directory.open(lanes: 3)
        spool.lane(2).submit(22..<23)
        #expect(SpoolReader(spool).takeAll() == [20, 21, 22])
        #expect((0..<4).map(exists) == [true, true, true, false])
    }

    @Test func `gather keeps to its limit and to the order of each lane`() throws {
        let directory = SpoolDirectory(segmentSize: 64 << 10)
        defer { directory.keep() }
        let spool = try directory.open(lanes: 2)
        for number in 0..<200 { spool.lane(number % 2).submit(number..<number + 1, fill: 1_000) }
        let reader = SpoolReader(spool)
        var events: [SpoolReader.Event] = []
        while reader.source.hasEvents {
            let some = reader.read(limit: 5_000)
            #expect((1...5).contains(some.count))
            events += some
        }
        for lane in 0..<2 {
            #expect(events.filter { $0.lane == lane }.map(\.number) == Array(stride(from: lane, to: 200, by: 2)))
        }
    }

    @Test func `events larger than a chunk or a segment pass whole`() throws {
        let directory = SpoolDirectory(maxBytes: 8 << 20)
        let spool = try directory.open()
        let lane = spool.lane(0)
        let lengths = [10, 300 << 10, 20, 3 << 20, 255 << 10, 1, 512 << 10, 30]
        for (number, length) in lengths.enumerated() { lane.submit(number..<number + 1, fill: length) }
        let reader = SpoolReader(spool)
        #expect(reader.takeAll() == Array(lengths.indices))
        #expect(spool.totals() == .init())
    }

    @Test func `a wait for events ends when some come`() throws {
        let directory = SpoolDirectory()
        defer { directory.keep() }
        let spool = try directory.open()
        let feed = spool.feed(reporter: 0)
        let source = feed.makeSource()
        #expect(feed.wake.beginSleep(unless: { source.hasEvents }))
        spool.lane(0).submit(0..<1)
        feed.wake.event.wait(nanoseconds: 30_000_000_000)
        #expect(source.hasEvents)
        feed.wake.endSleep()
    }
}
