import TestSupport
import Testing

/// A short run of what `make fuzz` does for long: its corpus, and the same mutations of it each time.
@Suite struct ResponseParserSmokeFuzz {
    private static let mutationsPerSeed = 400

    private let corpus: [[UInt8]]

    init() throws { corpus = try Corpus.read("responses") }

    @Test func corpusHolds() {
        #expect(corpus.count > 300)
        for bytes in corpus {
            let violation = ResponseParserCheck.violation(bytes)
            #expect(violation == nil, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
    }

    @Test(arguments: 0..<8) func mutationsHold(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<Self.mutationsPerSeed {
            var bytes = random.pick(corpus)
            for _ in 0...random.below(4) {
                ResponseMutation.mutate(&bytes, &random, other: random.pick(corpus))
            }
            if let violation = ResponseParserCheck.violation(bytes) {
                Issue.record("\(violation): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
            }
        }
    }
}
