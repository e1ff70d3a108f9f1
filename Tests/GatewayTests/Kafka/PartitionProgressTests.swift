import TestSupport
import Testing

@testable import Gateway

@Suite struct PartitionProgressTests {
    private func makeProgress() -> PartitionProgress { PartitionProgress(topic: "t", partition: 3, assignment: 1) }

    /// Against a plain list: what is stored is always the offset after the longest run of records that are all done.
    @Test(arguments: 0..<20)
    func `only a gapless beginning is stored`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let progress = makeProgress()
        var records: [(offset: Int64, ticket: Int, isDone: Bool, isDropped: Bool)] = []
        var offset: Int64 = 100
        var stored: Int64?
        for _ in 0..<2_000 {
            let open = records.indices.filter { !records[$0].isDone && !records[$0].isDropped }
            if open.isEmpty || generator.chance(45) {
                // Compaction and transactions leave gaps between offsets.
                offset += Int64(1 + generator.below(3))
                records.append((offset, progress.begin(offset), false, false))
            } else if generator.chance(98) {
                let index = generator.pick(open)
                progress.end(records[index].ticket)
                records[index].isDone = true
            } else {
                let index = generator.pick(open)
                progress.drop()
                records[index].isDropped = true
            }
            let prefix = records.prefix { $0.isDone }
            if let next = progress.offsetToStore {
                #expect(next == prefix.last.map { $0.offset + 1 })
                #expect(stored.map { next > $0 } ?? true)
                // What could not be stored is offered again.
                if generator.chance(90) {
                    progress.noteStored(next)
                    stored = next
                    #expect(progress.offsetToStore == nil)
                } else {
                    #expect(progress.offsetToStore == next)
                    continue
                }
            }
            #expect(stored == prefix.last.map { $0.offset + 1 })
            #expect(progress.openCount == records.count { !$0.isDone && !$0.isDropped })
        }
    }

    @Test func `what ends after the partition has gone stores nothing`() {
        let progress = makeProgress()
        let first = progress.begin(5)
        let second = progress.begin(6)
        progress.end(first)
        #expect(progress.offsetToStore == 6)
        progress.leave()
        progress.end(second)
        #expect(progress.isLeaving && progress.isGone)
        #expect(progress.offsetToStore == nil)
        #expect(progress.openCount == 0)
    }

    /// The marks of transactions, and records of aborted ones, have offsets and are no records.
    @Test func `what is no record is done when all before it is`() {
        let progress = makeProgress()
        let first = progress.begin(5)
        progress.reachEnd(6)
        progress.reachEnd(8)
        let second = progress.begin(8)
        #expect(progress.offsetToStore == nil)
        #expect(progress.openCount == 2)
        progress.end(first)
        #expect(progress.offsetToStore == 8)
        #expect(progress.lag(high: 9) == 1)
        progress.end(second)
        #expect(progress.offsetToStore == 9)
        // What the end was before.
        progress.reachEnd(9)
        progress.reachEnd(7)
        #expect(progress.offsetToStore == 9)
    }

    @Test func `the end counts where no record has come, and not behind one that was dropped`() {
        let progress = makeProgress()
        progress.reachEnd(3)
        #expect(progress.offsetToStore == 3)
        #expect(progress.lag(high: 3) == 0)
        _ = progress.begin(3)
        progress.drop()
        progress.reachEnd(5)
        #expect(progress.offsetToStore == 3)
    }

    @Test func `the lag counts from the first record until one is done`() {
        let progress = makeProgress()
        #expect(progress.lag(high: 50) == 0)
        let ticket = progress.begin(40)
        #expect(progress.lag(high: 50) == 10)
        progress.end(ticket)
        #expect(progress.lag(high: 50) == 9)
        #expect(progress.lag(high: 30) == 0)
    }
}
