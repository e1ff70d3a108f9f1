import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What happens where there is no room, or no spool.
@Suite(.timeLimit(.minutes(20))) struct SpoolLimitTests {
    @Test func `a full spool refuses until there is room`() throws {
        let directory = SpoolDirectory(maxBytes: 256 << 10)
        let spool = try directory.open()
        let lane = spool.lane(0)
        var number = 0
        while !lane.isFull {
            lane.submit(number..<number + 1, fill: 2_000)
            number += 1
        }
        #expect(spool.storedBytes > 256 << 10 - 256 << 6)
        // What is on its way is still taken, as long as it fits.
        let batch = EventBatch()
        var isTaken = true
        while isTaken {
            fill(batch, producer: 0, numbers: number..<number + 1, fill: 2_000)
            isTaken = lane.submit(batch)
            if isTaken { number += 1 }
        }
        #expect((1...10).contains(number - (256 << 10) / 2_200))
        #expect(spool.storedBytes <= 256 << 10)
        #expect(lane.isFull)
        #expect(spool.refusedEvents == 1)
        #expect(directory.logs.messages.filter { $0.contains("is full") }.count == 1)
        #expect(SpoolReader(spool).takeAll() == Array(0..<number))
        #expect(!lane.isFull)
        #expect(directory.logs.messages.filter { $0.contains("has room again") }.count == 1)
        #expect(spool.totals() == .init())
    }

    /// Of all lanes together, whatever comes at once.
    @Test(arguments: Configuration.Spool.WhenFull.allCases)
    func `the bound is never passed`(whenFull: Configuration.Spool.WhenFull) throws {
        let directory = SpoolDirectory(maxBytes: 512 << 10)
        directory.configuration.whenFull = whenFull
        let spool = try directory.open(lanes: 4)
        let ended = Locked(0)
        let taken = Locked(0)
        let writers = startConcurrently(4) { shard in
            let lane = spool.lane(shard)
            let batch = EventBatch()
            var random = SeededGenerator(seed: UInt64(shard))
            for turn in 0..<300 {
                let size = random.pick([100, 5_000, 50_000, 200_000])
                fill(batch, producer: shard, numbers: turn..<turn + 1, fill: size)
                if lane.submit(batch) { taken.withLock { $0 += 1 } }
            }
            ended.withLock { $0 += 1 }
        }
        let reader = SpoolReader(spool)
        var seen = 0
        let areAllSeen = eventually(within: 120) {
            #expect(spool.storedBytes <= 512 << 10)
            #expect(directory.eventBytes <= 512 << 10)
            let events = reader.read(limit: 100_000)
            reader.acknowledge(events)
            seen += events.count
            return ended.withLock { $0 } == 4 && !reader.source.hasEvents
        }
        #expect(areAllSeen)
        _ = try writers.results()
        let (dropped, refused) = (spool.totals().dropped, spool.refusedEvents)
        #expect(seen + dropped == taken.withLock { $0 })
        #expect(seen + dropped + refused == 1_200)
        if whenFull == .refuse { #expect(dropped == 0 && refused > 0) } else { #expect(refused == 0 && dropped > 0) }
        #expect(spool.storedBytes == 0)
        spool.close()
        #expect(directory.eventBytes == 0)
    }

    @Test func `events that can never fit are refused, and the others go on`() throws {
        let directory = SpoolDirectory(maxBytes: 256 << 10)
        let spool = try directory.open()
        let lane = spool.lane(0)
        lane.submit(0..<2)
        #expect(!lane.submit(largeBatch(number: 2, length: 300 << 10)))
        #expect(!lane.isFull)
        lane.submit(3..<5)
        #expect(spool.refusedEvents == 1)
        #expect(directory.logs.messages.filter { $0.contains("do not fit into the spool") }.count == 1)
        #expect(SpoolReader(spool).takeAll() == [0, 1, 3, 4])
    }

    /// The events of one answer come in parts, where they are many: all of them are stored, or none.
    @Test func `of a turn that does not fit nothing stays`() throws {
        let directory = SpoolDirectory(maxBytes: 1 << 20)
        let spool = try directory.open()
        let lane = spool.lane(0)
        let reader = SpoolReader(spool)
        lane.submit(0..<2)
        let before = directory.eventBytes
        var isTaken = true
        for part in 0..<10 where isTaken {
            isTaken = lane.submit(largeBatch(number: 10 + part, length: 200 << 10), isLast: false)
            // Nobody sees any of it before it is whole.
            #expect(reader.source.hasEvents)
            #expect(spool.storedBytes == before)
        }
        #expect(!isTaken)
        #expect(directory.eventBytes == before)
        #expect(!lane.isFull)
        #expect(!lane.submit(largeBatch(number: 20, length: 10), isLast: false))
        #expect(!lane.submit(EventBatch(), isLast: true))
        #expect(spool.refusedEvents == 7)
        lane.submit(3..<5)
        #expect(reader.takeAll() == [0, 1, 3, 4])

        // One that fits is there with its last part, also where that brings nothing.
        for part in 0..<4 { #expect(lane.submit(largeBatch(number: 30 + part, length: 200 << 10), isLast: false)) }
        #expect(!reader.source.hasEvents)
        #expect(lane.submit(EventBatch(), isLast: true))
        #expect(reader.takeAll() == [30, 31, 32, 33])
        #expect(spool.refusedEvents == 7)
        spool.close()
        #expect(directory.eventBytes == 0)
    }

    @Test func `of a turn that cannot be written nothing stays`() throws {
        let directory = SpoolDirectory()
        let spool = try directory.open()
        let lane = spool.lane(0)
        lane.submit(0..<2)
        let before = directory.eventBytes
        try withFileSizeLimit(72 << 20) {
            #expect(lane.submit(largeBatch(number: 2, length: 49 << 20), isLast: false))
            #expect(!lane.submit(largeBatch(number: 3, length: 49 << 20), isLast: false))
            #expect(directory.eventBytes == before)
            #expect(!lane.submit(largeBatch(number: 4, length: 10)))
        }
        #expect(spool.refusedEvents == 3)
        lane.submit(5..<6)
        #expect(SpoolReader(spool).takeAll() == [0, 1, 5])
        #expect(spool.totals() == .init())
    }

    @Test func `drop-oldest drops nothing for what can never fit`() throws {
        let directory = SpoolDirectory(maxBytes: 256 << 10)
        directory.configuration.whenFull = .dropOldest
        let spool = try directory.open()
        let lane = spool.lane(0)
        for number in 0..<100 { lane.submit(number..<number + 1, fill: 2_000) }
        #expect(lane.submit(largeBatch(number: 100, length: 300 << 10)))
        #expect(SpoolReader(spool).takeAll() == Array(0..<100))
        #expect(spool.totals() == .init(dropped: 1))
    }

    @Test func `drop-oldest drops what is unread, and counts it exactly`() throws {
        let directory = SpoolDirectory(maxBytes: 512 << 10)
        directory.configuration.whenFull = .dropOldest
        let spool = try directory.open(reporters: ["file", "kafka-2"])
        let lane = spool.lane(0)
        let readers = [SpoolReader(spool, reporter: 0), SpoolReader(spool, reporter: 1)]
        for number in 0..<300 { lane.submit(number..<number + 1, fill: 1_000) }
        // Read, but not acknowledged, when its files go.
        let early = readers[0].read(limit: 20_000)
        for number in 300..<1_000 { lane.submit(number..<number + 1, fill: 1_000) }
        #expect(!lane.isFull)
        #expect(spool.storedBytes <= 512 << 10)
        #expect(directory.eventBytes <= 512 << 10)
        let late = readers[0].readAll()
        let other = readers[1].readAll()
        #expect(early.count > 10 && late.count > 300)
        #expect(late.last?.number == 999 && other.last?.number == 999)
        #expect(spool.totals(reporter: 0).dropped == 1_000 - early.count - late.count)
        #expect(spool.totals(reporter: 1).dropped == 1_000 - other.count)
        readers[0].acknowledge(early + late)
        readers[1].acknowledge(other)
        #expect(spool.waitingBytes == [0, 0, 0])
        #expect(directory.logs.messages.filter { $0.contains("the oldest events are dropped") }.count == 1)
    }

    @Test(arguments: 0..<30)
    func `drop-oldest loses count of nothing, over restarts and other lanes`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let directory = SpoolDirectory(maxBytes: 600 << 10)
        directory.configuration.whenFull = .dropOldest
        var (submitted, seen, dropped) = (0, 0, 0)
        for run in 0..<4 {
            let laneCount = random.below(3) + 1
            let spool = try directory.open(lanes: laneCount)
            let reader = SpoolReader(spool)
            let lanes = (0..<laneCount).map { spool.lane($0) }
            for _ in 0..<random.below(150) {
                let lane = random.below(lanes.count)
                let count = random.below(4) + 1
                lanes[lane].submit(submitted..<submitted + count, fill: random.pick([100, 2_000, 20_000]))
                submitted += count
                if random.chance(20) {
                    let events = reader.read(limit: random.pick([1, 50_000, 1 << 20]))
                    reader.acknowledge(events)
                    seen += events.count
                }
            }
            if run == 3 || random.chance(50) { seen += reader.takeAll().count }
            reader.source.close()
            spool.finishDrops()
            dropped += spool.totals().dropped
            #expect(spool.storedBytes == spool.queued())
        }
        #expect(seen + dropped == submitted)
    }

    /// A limit on the size of files stands for a full disk: the write stops half way.
    @Test func `a write that fails leaves no half of a batch, and is tried again`() throws {
        let directory = SpoolDirectory()
        let spool = try directory.open()
        let lane = spool.lane(0)
        lane.submit(0..<2)
        try withFileSizeLimit(72 << 20) {
            let batch = largeBatch(number: 2, length: 73 << 20)
            let before = directory.eventBytes
            #expect(!lane.submit(batch))
            #expect(directory.eventBytes == before)
            // All but one in a while are refused.
            #expect(lane.isFull)
            #expect(!lane.submit(batch))
            #expect(eventually { !lane.isFull })
            #expect(lane.isFull)
        }
        lane.submit(3..<5)
        #expect(!lane.isFull)
        #expect(SpoolReader(spool).takeAll() == [0, 1, 3, 4])
        #expect(spool.totals() == .init())
        #expect(directory.logs.messages.map { $0.prefix(12) } == ["error cannot", "notice the s"])
        #expect(directory.logs.messages.first?.contains("requests are refused") == true)
    }

    @Test func `drop-oldest drops what cannot be written at all`() throws {
        let directory = SpoolDirectory()
        directory.configuration.whenFull = .dropOldest
        let spool = try directory.open()
        let lane = spool.lane(0)
        lane.submit(0..<2)
        try withFileSizeLimit(72 << 20) {
            #expect(lane.submit(largeBatch(number: 2, length: 73 << 20)))
            #expect(!lane.isFull)
        }
        lane.submit(3..<4)
        #expect(SpoolReader(spool).takeAll() == [0, 1, 3])
        #expect(spool.totals() == .init(dropped: 1))
    }

    /// Needs the right to mount a file system.
    @Test(.enabled(if: Mount.isAllowed)) func `drop-oldest makes room on a full disk`() throws {
        let mount = try Mount(bytes: 2 << 20)
        let directory = SpoolDirectory()
        directory.configuration.path = mount.path + "/spool"
        directory.configuration.maxBytes = 64 << 20
        directory.configuration.whenFull = .dropOldest
        // Small segments, as with many lanes.
        let spool = try directory.open(lanes: 64)
        let lane = spool.lane(0)
        for number in 0..<500 { lane.submit(number * 10..<number * 10 + 10, fill: 1_000) }
        let seen = SpoolReader(spool).takeAll()
        #expect(seen.last == 4_999)
        #expect(seen.count > 500)
        #expect(seen.count + spool.totals().dropped == 5_000)
        spool.close()
    }

    @Test(.enabled(if: Mount.isAllowed)) func `a full disk refuses, then goes on`() throws {
        let mount = try Mount(bytes: 1 << 20)
        let directory = SpoolDirectory()
        directory.configuration.path = mount.path + "/spool"
        let spool = try directory.open()
        let lane = spool.lane(0)
        let batch = EventBatch()
        var number = 0
        while true {
            fill(batch, producer: 0, numbers: number..<number + 7, fill: 1_500)
            if !lane.submit(batch) { break }
            number += 7
        }
        #expect(number > 300)
        #expect(SpoolReader(spool).takeAll() == Array(0..<number))
        // The segment went with its last acknowledgement, or goes when the next one begins.
        lane.submit(number..<number + 7, fill: 10)
        #expect(!lane.isFull)
        spool.close()
    }

    /// Of a version before, which had fewer files: there is no room for one more byte.
    @Test(.enabled(if: Mount.isAllowed)) func `a full disk at the start keeps nobody from delivering`() throws {
        let mount = try Mount(bytes: 1 << 20)
        let directory = SpoolDirectory()
        directory.configuration.path = mount.path + "/spool"
        do {
            let spool = try directory.open()
            spool.lane(0).submit(0..<20, fill: 1_000)
        }
        for file in ["reporters", "lane-0/newest"] {
            try FileManager.default.removeItem(atPath: "\(directory.configuration.path)/\(file)")
        }
        let filler = open(mount.path + "/filler", O_WRONLY | O_CREAT, 0o600)
        let page = [UInt8](repeating: 1, count: 4096)
        while write(filler, page, page.count) > 0 {}
        close(filler)
        let spool = try directory.open()
        #expect(SpoolReader(spool).takeAll() == Array(0..<20))
        // Two pages are free now.
        #expect(eventually { !spool.lane(0).isFull })
        spool.lane(0).submit(20..<21)
        #expect(SpoolReader(spool).takeAll() == [20])
        spool.close()
    }

    @Test func `a directory that cannot be used is refused in words`() throws {
        let taken = SpoolDirectory()
        let spool = try taken.open()
        let inUse = #expect(throws: SpoolError.self) { try taken.openOnce() }
        #expect(inUse == .inUse(path: taken.configuration.path))
        spool.close()

        let file = SpoolDirectory()
        _ = try file.directory.write("", to: "spool")
        let notADirectory = #expect(throws: SpoolError.self) { try file.open() }
        #expect(notADirectory == .notADirectory(path: file.configuration.path))

        let orphan = SpoolDirectory()
        orphan.configuration.path = orphan.directory.file("no/spool")
        let missing = #expect(throws: SpoolError.self) { try orphan.open() }
        #expect(missing == .missingParent(path: orphan.configuration.path))

        let closed = SpoolDirectory()
        try FileManager.default.createDirectory(
            atPath: closed.configuration.path + "/lock",
            withIntermediateDirectories: true
        )
        let failed = #expect(throws: SpoolError.self) { try closed.open() }
        #expect(failed?.description.contains("cannot open \(closed.configuration.path)/lock") == true)

        for error in [inUse, notADirectory, missing, failed] {
            #expect(error?.description.hasPrefix("reporting.spool.path: ") == true)
        }
    }

    /// The superuser may write everywhere.
    @Test(.enabled(if: geteuid() != 0)) func `a directory without the right to write is refused in words`() throws {
        let closed = SpoolDirectory()
        try FileManager.default.createDirectory(
            atPath: closed.configuration.path,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o555]
        )
        let refused = #expect(throws: SpoolError.self) { try closed.open() }
        #expect(refused?.description.contains("in which the Sidecar may write") == true)
    }

    @Test func `a spool is free again when its process has ended`() throws {
        let directory = SpoolDirectory()
        for number in 0..<3 { try directory.open().lane(0).submit(number..<number + 1) }
        #expect(SpoolReader(try directory.open()).readAll().map(\.number) == [0, 1, 2])
    }
}
