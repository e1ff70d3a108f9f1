import TestSupport
import Testing

@testable import Gateway

@Suite struct PrefixLedgerTests {
    @Test(arguments: 0..<50)
    func `its position is the end of the gapless beginning`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var ledger = PrefixLedger()
        // The model: all positions in order, and which have ended.
        var positions: [Int64] = []
        var tickets: [Int] = []
        var open: [Int] = []
        var ended: Set<Int> = []
        var prefix = 0
        let reach = random.pick([1, 5, 100, 1_000])
        for _ in 0..<2_000 {
            if open.count < reach && random.chance(55) || open.isEmpty {
                positions.append((positions.last ?? -1) + Int64(random.below(100) + 1))
                tickets.append(ledger.begin(positions.last!))
                open.append(positions.count - 1)
            } else {
                let entry = open.remove(at: random.below(open.count))
                let before = ledger.position
                let moved = ledger.end(tickets[entry])
                ended.insert(entry)
                #expect(moved == (ledger.position != before))
            }
            while ended.contains(prefix) { prefix += 1 }
            let position = prefix == 0 ? nil : positions[prefix - 1]
            if ledger.position != position || ledger.count != positions.count - prefix {
                Issue.record("\(ledger.position ?? -1) after \(prefix) of \(positions.count) entries")
                return
            }
        }
        for entry in open.shuffled(using: &random) { ledger.end(tickets[entry]) }
        #expect(ledger.position == positions.last)
        #expect(ledger.count == 0)
    }
}
