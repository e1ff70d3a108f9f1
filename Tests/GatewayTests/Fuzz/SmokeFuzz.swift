import TestSupport
import Testing

/// A short run of what `make fuzz` does for long: its corpora, and the same mutations of them each time.
@Suite("Smoke fuzz") struct SmokeFuzz {
    private static let mutationsPerSeed = 300

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).debugDescription }

    @Test(arguments: FuzzTarget.all) func corpusHolds(_ target: FuzzTarget) throws {
        let corpus = try Corpus.read(target.description)
        #expect(corpus.count > 30)
        for bytes in corpus {
            let violation = target.violation(bytes)
            #expect(violation == nil, "\(text(bytes))")
        }
    }

    @Test(arguments: FuzzTarget.all, 0..<8) func mutationsHold(_ target: FuzzTarget, _ seed: UInt64) throws {
        let corpus = try Corpus.read(target.description)
        var random = SeededGenerator(seed: seed)
        for _ in 0..<Self.mutationsPerSeed {
            var bytes = random.pick(corpus)
            for _ in 0...random.below(4) { target.mutate(&bytes, &random, random.pick(corpus)) }
            if let violation = target.violation(bytes) { Issue.record("\(violation): \(text(bytes))") }
        }
    }
}
