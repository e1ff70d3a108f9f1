import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What comes back after crashes and damage.
@Suite(.timeLimit(.minutes(20))) struct SpoolRecoveryTests {
    /// Writes batches and crashes. Where each event ends in the lane.
    private func crash(_ directory: SpoolDirectory, batches: [Range<Int>], fill: (Int) -> Int) throws -> [Int] {
        let spool = try directory.open()
        let lane = spool.lane(0)
        var ends: [Int] = []
        for batch in batches {
            let start = ends.last ?? 0
            ends += lane.submit(batch, fill: fill(batch.lowerBound)).map { start + $0 }
        }
        return ends
    }

    private func change(_ path: String, _ body: (inout [UInt8]) -> Void) throws {
        var bytes = try #require(wholeFile(path))
        body(&bytes)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    @Test func `a file cut at any byte gives its whole events`() throws {
        let total = try crash(SpoolDirectory(), batches: [0..<2, 2..<5], fill: { _ in 3 }).last ?? 0
        #expect(total > 500)
        for cut in 0...total {
            let directory = SpoolDirectory()
            let ends = try crash(directory, batches: [0..<2, 2..<5], fill: { _ in 3 })
            try change(directory.segments()[0]) { $0.removeLast(total - cut) }
            let whole = ends.filter { $0 <= cut }.count
            let spool = try directory.open()
            #expect(directory.eventBytes == (whole == 0 ? 0 : ends[whole - 1]), "cut at \(cut)")
            spool.lane(0).submit(90..<92)
            #expect(SpoolReader(spool).takeAll() == Array(0..<whole) + [90, 91], "cut at \(cut)")
            #expect(spool.totals() == .init())
            #expect(spool.storedBytes == 0)
        }
    }

    @Test(arguments: 0..<60)
    func `random events, cut or followed by rubbish, give what is whole`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let directory = SpoolDirectory(segmentSize: 128 << 10)
        var expected: [Int] = []
        var number = 0
        for _ in 0..<random.below(4) + 1 {
            var batches: [Range<Int>] = []
            for _ in 0..<random.below(30) + 1 {
                batches.append(number..<number + random.below(8) + 1)
                number = batches.last!.upperBound
            }
            let sizes = (0..<batches.count).map { _ in random.pick([0, 5, 100, 3_000, 40_000]) }
            let first = batches[0].lowerBound
            var ends: [Int] = []
            do {
                let spool = try directory.open()
                let lane = spool.lane(0)
                for (batch, size) in zip(batches, sizes) {
                    let start = ends.last ?? 0
                    ends += lane.submit(batch, fill: size).map { start + $0 }
                }
            }
            let path = try #require(directory.segments().last)
            let size = try #require(wholeFile(path)).count
            var cut = 0
            try change(path) { bytes in
                switch random.below(3) {
                case 0:
                    cut = random.below(size + 1)
                    bytes.removeLast(cut)
                case 1: bytes += [UInt8](repeating: 0, count: random.below(5_000))
                default:
                    let start = random.chance(50) ? Array("AMEV".utf8) : []
                    bytes += start + (0..<random.below(5_000)).map { _ in UInt8(random.below(256)) }
                }
            }
            let whole = ends.filter { $0 <= (ends.last ?? 0) - cut }.count
            expected += Array(first..<first + whole)
        }
        let spool = try directory.open()
        #expect(spool.queued() == spool.storedBytes)
        #expect(SpoolReader(spool).readAll(limit: random.pick([1, 5_000, 1 << 20])).map(\.number) == expected)
        #expect(spool.totals() == .init())
    }

    @Test func `a flipped byte costs the one event it stands in`() throws {
        let clean = SpoolDirectory()
        let ends = try crash(clean, batches: [0..<5], fill: { _ in 3 })
        for position in 0..<ends[4] {
            let directory = SpoolDirectory()
            _ = try crash(directory, batches: [0..<5], fill: { _ in 3 })
            try change(directory.segments()[0]) { $0[position] ^= UInt8(1 << (position % 8)) }
            let hit = try #require(ends.firstIndex { position < $0 })
            let spool = try directory.open()
            let reader = SpoolReader(spool)
            let others = (0..<5).filter { $0 != hit }
            spool.lane(0).submit(9..<10)
            #expect(reader.takeAll() == others + [9], "flipped at \(position)")
            // The last one looks like one not written to its end.
            #expect(spool.totals() == .init(dropped: hit == 4 ? 0 : 1), "flipped at \(position)")
            let start = hit == 0 ? 0 : ends[hit - 1]
            let told = hit == 4 ? "notice" : "is damaged at byte \(start): \(ends[hit] - start) bytes are lost"
            #expect(directory.logs.messages.contains { $0.contains(told) }, "flipped at \(position)")
            #expect(spool.storedBytes == 0)
        }
    }

    @Test(arguments: 0..<40)
    func `a damaged stretch costs what it touches, in a file of any size`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let directory = SpoolDirectory()
        let batches = (0..<40).map { $0 * 5..<$0 * 5 + 5 }
        let sizes = batches.map { _ in random.pick([0, 50, 2_000, 30_000]) }
        let ends = try crash(directory, batches: batches, fill: { sizes[$0 / 5] })
        let start = random.below(ends[198])
        let stretch = start..<min(ends[198], start + random.pick([1, 100, 50_000, 500_000]))
        let filler = random.pick([UInt8(0), 0x41, 0xff])
        let marks = random.chance(30)
        try change(directory.segments()[0]) { bytes in
            for index in stretch { bytes[index] = marks ? Array("AMEF\u{10}\0\0\0".utf8)[index % 8] : filler }
            // So that at least one byte is another one.
            bytes[stretch.lowerBound] = bytes[stretch.lowerBound] ^ 0x80
        }
        let touched = (0..<200).filter { (($0 == 0 ? 0 : ends[$0 - 1])..<ends[$0]).overlaps(stretch) }
        let spool = try directory.open()
        let seen = SpoolReader(spool).takeAll()
        // An event that was overwritten with what stood there is whole.
        #expect(Set(0..<200).subtracting(seen).isSubset(of: touched))
        #expect(seen == seen.sorted())
        #expect(seen.count < 200)
        #expect(spool.totals().dropped == 1)
        #expect(spool.storedBytes == 0)
    }

    /// Files without events, of which a place may be in the middle or between: nobody waits for anything, and what comes now is
    /// behind all of them.
    @Test(arguments: [nil, 0, 50, 100, 150]) func `empty files hold nobody up`(place: Int64?) throws {
        let directory = SpoolDirectory()
        let lane = "\(directory.configuration.path)/lane-0"
        try FileManager.default.createDirectory(atPath: lane, withIntermediateDirectories: true)
        for start in ["000", "100"] {
            try Data().write(to: URL(fileURLWithPath: "\(lane)/00000000000000000\(start).events"))
        }
        if let place { try Data(SpoolFrame.cursor(place)).write(to: URL(fileURLWithPath: "\(lane)/file.cursor")) }
        for run in 0..<2 {
            let spool = try directory.open()
            let reader = SpoolReader(spool)
            #expect(!reader.source.hasEvents)
            spool.lane(0).submit(run..<run + 1)
            #expect(reader.takeAll() == [run])
            reader.source.close()
            spool.close()
        }
    }

    @Test func `a missing file is told, and passed over`() throws {
        let directory = SpoolDirectory(segmentSize: 64 << 10)
        _ = try crash(directory, batches: (0..<40).map { $0 * 10..<$0 * 10 + 10 }, fill: { _ in 800 })
        let segments = directory.segments()
        let removed = try #require(wholeFile(segments[2]))
        let missing = removed.count
        let lost = String(decoding: removed, as: UTF8.self).components(separatedBy: "AMEF").count - 1
        try FileManager.default.removeItem(atPath: segments[2])
        let spool = try directory.open()
        #expect(spool.storedBytes == directory.eventBytes)
        #expect(directory.logs.messages.contains { $0.contains("error") && $0.contains(" \(missing) bytes") })
        let reader = SpoolReader(spool)
        let events = reader.readAll()
        #expect(events.map(\.number) == events.map(\.number).sorted())
        #expect(lost > 10 && events.count == 400 - lost)
        let gaps = zip(events, events.dropFirst()).filter { $1.number != $0.number + 1 }
        #expect(gaps.map { $1.number - $0.number - 1 } == [lost])
        #expect([events.first?.number, events.last?.number] == [0, 399])
        #expect(spool.totals() == .init(dropped: 1))
        reader.acknowledge(events)
        #expect(spool.storedBytes == 0)
        #expect(spool.queued() == 0)
    }

    @Test func `a file removed or cut under the reader is told, and passed over`() throws {
        let directory = SpoolDirectory(segmentSize: 64 << 10)
        let spool = try directory.open()
        let lane = spool.lane(0)
        for number in 0..<40 { lane.submit(number * 10..<number * 10 + 10, fill: 800) }
        let removed = try #require(wholeFile(directory.segments()[1]))
        let lost = String(decoding: removed, as: UTF8.self).components(separatedBy: "AMEF").count - 1
        try FileManager.default.removeItem(atPath: directory.segments()[1])
        try change(directory.segments()[2]) { $0.removeLast($0.count / 2) }
        let seen = SpoolReader(spool).takeAll()
        #expect(seen == seen.sorted() && Set(seen).count == seen.count)
        #expect([seen.first, seen.last] == [0, 399])
        #expect(seen.count < 400)
        // What the cut has cost, nobody knows.
        #expect(spool.totals() == .init(dropped: lost + 1))
        #expect(spool.storedBytes == 0)
    }

    /// Its name would not be missed among others: the lane simply ends before it.
    @Test func `a newest file that is missing is told`() throws {
        let directory = SpoolDirectory(segmentSize: 64 << 10)
        _ = try crash(directory, batches: (0..<20).map { $0 * 10..<$0 * 10 + 10 }, fill: { _ in 800 })
        let newest = try #require(directory.segments().last)
        #expect(directory.segments().count > 2)
        try FileManager.default.removeItem(atPath: newest)
        do {
            let spool = try directory.open()
            #expect(directory.logs.messages.contains { $0.contains("\(newest) is missing") })
            #expect(spool.totals() == .init(dropped: 1))
            let seen = SpoolReader(spool).takeAll()
            #expect(seen == Array(0..<seen.count) && seen.count < 200 && seen.count > 60)
            spool.lane(0).submit(500..<502)
            #expect(SpoolReader(spool).takeAll() == [500, 501])
        }
        // Told once.
        let spool = try directory.open()
        #expect(spool.totals() == .init())
        spool.lane(0).submit(502..<503)
        #expect(SpoolReader(spool).takeAll() == [502])
    }

    @Test(arguments: [true, false]) func `an only file that is missing is told, one that was not needed is not`(
        isNeeded: Bool
    ) throws {
        let directory = SpoolDirectory()
        do {
            let spool = try directory.open()
            spool.lane(0).submit(0..<3)
            if !isNeeded {
                #expect(SpoolReader(spool).takeAll() == [0, 1, 2])
                spool.close()
            }
        }
        if isNeeded { try FileManager.default.removeItem(atPath: directory.segments()[0]) }
        let spool = try directory.open()
        #expect(directory.logs.messages.contains { $0.contains("is missing") } == isNeeded)
        #expect(spool.totals() == .init(dropped: isNeeded ? 1 : 0))
        spool.lane(0).submit(3..<5)
        #expect(SpoolReader(spool).takeAll() == [3, 4])
    }

    @Test func `a first file that is missing is told, and counted`() throws {
        let directory = SpoolDirectory(segmentSize: 64 << 10)
        _ = try crash(directory, batches: (0..<20).map { $0 * 10..<$0 * 10 + 10 }, fill: { _ in 800 })
        try FileManager.default.removeItem(atPath: directory.segments()[0])
        let spool = try directory.open()
        #expect(directory.logs.messages.contains { $0.contains("error") && $0.contains("are not there") })
        let seen = SpoolReader(spool).takeAll()
        #expect(seen.last == 199 && seen.first ?? 0 > 10)
        #expect(spool.totals() == .init(dropped: 1))
    }

    /// A shard that goes on in a file without a name would write what no restart finds.
    @Test func `a file that is removed while it is written is told, and another one begun`() throws {
        let directory = SpoolDirectory()
        let spool = try directory.open()
        let lane = spool.lane(0)
        let reader = SpoolReader(spool)
        lane.submit(0..<1)
        #expect(reader.takeAll() == [0])
        let first = directory.segments()[0]
        try FileManager.default.removeItem(atPath: first)
        var number = 1
        let isSeen = eventually {
            lane.submit(number..<number + 1)
            number += 1
            return directory.segments().count == 1
        }
        #expect(isSeen)
        #expect(directory.segments().first != first)
        #expect(directory.logs.messages.contains { $0.contains("\(first) was removed while it was written") })
        // The Reporter had it open.
        #expect(reader.takeAll() == Array(1..<number))
        #expect(spool.totals() == .init())
    }

    @Test(arguments: ["09223372036854775800", "04611686018427387905", "99999999999999999999", "0000000000000000000x"])
    func `files with names that none of the spool's has are left alone`(name: String) throws {
        let directory = SpoolDirectory()
        _ = try crash(directory, batches: [0..<3], fill: { _ in 0 })
        let path = directory.configuration.path + "/lane-0/\(name).events"
        try Data("AMEV".utf8).write(to: URL(fileURLWithPath: path))
        let spool = try directory.open()
        #expect(directory.logs.messages.contains { $0.contains("\(name).events is no file of the spool") })
        spool.lane(0).submit(3..<5)
        #expect(SpoolReader(spool).takeAll() == [0, 1, 2, 3, 4])
        #expect(FileManager.default.fileExists(atPath: path))
    }

    /// As far out as positions go: nothing overflows, and what is stored is read.
    @Test func `a file at the last position`() throws {
        let directory = SpoolDirectory()
        _ = try crash(directory, batches: [0..<3], fill: { _ in 0 })
        let moved = directory.configuration.path + "/lane-0/04611686018427387904.events"
        try FileManager.default.moveItem(atPath: directory.segments()[0], toPath: moved)
        let spool = try directory.open()
        spool.lane(0).submit(3..<5)
        #expect(SpoolReader(spool).takeAll() == [0, 1, 2, 3, 4])
        spool.close()
    }

    @Test func `a file that can be read only later loses nothing`() throws {
        let directory = SpoolDirectory()
        _ = try crash(directory, batches: [0..<3], fill: { _ in 0 })
        let spool = try directory.open()
        spool.lane(0).submit(3..<5)
        let path = directory.segments()[0]
        try FileManager.default.moveItem(atPath: path, toPath: path + "-away")
        // It can be opened and not be read.
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let reader = SpoolReader(spool)
        for _ in 0..<2 {
            #expect(reader.read().isEmpty)
            #expect(reader.source.hasEvents)
        }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + "-away", toPath: path)
        #expect(reader.takeAll() == [0, 1, 2, 3, 4])
        #expect(spool.totals() == .init())
        #expect(directory.logs.messages.filter { $0.contains("trying again") }.count == 1)
    }

    @Test func `a file that can never be read is passed over in the end`() throws {
        let directory = SpoolDirectory()
        _ = try crash(directory, batches: [0..<3], fill: { _ in 0 })
        let spool = try directory.open()
        spool.lane(0).submit(3..<5)
        let path = directory.segments()[0]
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        let reader = SpoolReader(spool)
        #expect(reader.takeAll() == [3, 4])
        #expect(spool.totals() == .init(dropped: 1))
        #expect(spool.storedBytes == 0)
    }

    @Test func `rubbish alone does not fill a spool for ever`() throws {
        let directory = SpoolDirectory(maxBytes: 64 << 10)
        do {
            let lane = try directory.open().lane(0)
            for number in 0..<50 where !lane.isFull { lane.submit(number..<number + 1, fill: 2_000) }
            #expect(lane.isFull)
        }
        _ = try crash(directory, batches: [50..<51], fill: { _ in 0 })
        for segment in directory.segments().dropLast() {
            try change(segment) { bytes in for index in bytes.indices { bytes[index] = 7 } }
        }
        let spool = try directory.open()
        #expect(spool.lane(0).isFull)
        #expect(SpoolReader(spool).takeAll() == [50])
        #expect(!spool.lane(0).isFull)
        #expect(directory.segments().isEmpty)
    }

    @Test(arguments: [[], [1], Array(repeating: 0xff, count: 16), Array(repeating: 0, count: 16)] as [[UInt8]])
    func `a damaged cursor means that events come twice`(bytes: [UInt8]) throws {
        let directory = SpoolDirectory()
        do {
            let spool = try directory.open()
            spool.lane(0).submit(0..<3)
            let reader = SpoolReader(spool)
            reader.acknowledge(Array(reader.readAll().prefix(2)))
        }
        let path = directory.configuration.path + "/lane-0/file.cursor"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(SpoolReader(try directory.open()).readAll().map(\.number) == [0, 1, 2])
        #expect(directory.logs.messages.contains { $0.contains("file.cursor is damaged") } == !bytes.isEmpty)
    }

    /// As after a power cut that spared the cursor.
    @Test func `events that were on the disk for a cursor only do not hide later ones`() throws {
        let directory = SpoolDirectory()
        do {
            let spool = try directory.open(reporters: ["file", "kafka-2"])
            spool.lane(0).submit(0..<4)
            _ = SpoolReader(spool, reporter: 0).takeAll()
        }
        try change(directory.segments()[0]) { $0.removeAll() }
        let spool = try directory.open(reporters: ["file", "kafka-2"])
        spool.lane(0).submit(4..<6)
        #expect(SpoolReader(spool, reporter: 0).takeAll() == [4, 5])
        #expect(SpoolReader(spool, reporter: 1).takeAll() == [4, 5])
        #expect(spool.totals(reporter: 0).dropped == 0 && spool.totals(reporter: 1).dropped == 1)
        #expect(spool.storedBytes == 0)
    }
}
