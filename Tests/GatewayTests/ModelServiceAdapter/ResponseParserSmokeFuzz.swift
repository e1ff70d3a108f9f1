import Foundation
import TestSupport
import Testing

/// A short run of what `make fuzz` does for long: its corpus, and the same mutations of it each time.
@Suite struct ResponseParserSmokeFuzz {
    private static let corpus: [(name: String, bytes: [UInt8])] = {
        let folder = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../fuzz/corpus").standardizedFileURL.path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().map { ($0, wholeFile("\(folder)/\($0)") ?? []) }
    }()
    private static let mutationsPerSeed = 400

    @Test func corpusHolds() {
        #expect(Self.corpus.count > 50, "looked in the wrong place")
        for (name, bytes) in Self.corpus {
            let violation = ResponseParserCheck.violation(bytes)
            #expect(violation == nil, "\(name)")
        }
    }

    @Test(arguments: 0..<8) func mutationsHold(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<Self.mutationsPerSeed {
            var bytes = random.pick(Self.corpus).bytes
            for _ in 0...random.below(4) {
                ResponseMutation.mutate(&bytes, &random, other: random.pick(Self.corpus).bytes)
            }
            if let violation = ResponseParserCheck.violation(bytes) {
                Issue.record("\(violation): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
            }
        }
    }
}
