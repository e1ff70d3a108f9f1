import TestSupport
import Testing

@testable import Gateway

@Suite struct PredictionCountersTests {
    private func count(_ counters: PredictionCounters, _ model: String, _ version: String, _ amount: Int = 1) {
        Array(model.utf8).withByteView { model in
            Array(version.utf8).withByteView { version in counters.count(model: model, version: version, amount) }
        }
    }

    private func read(_ counters: PredictionCounters) -> [String: Int] {
        let read = counters.read()
        var counts = ["": read.other]
        for (key, count) in read.pairs {
            counts[String(decoding: key.model, as: UTF8.self) + "/" + String(decoding: key.version, as: UTF8.self)] =
                count
        }
        return counts
    }

    @Test func countsByNameAndVersion() {
        let counters = PredictionCounters()
        count(counters, "a", "1")
        count(counters, "b", "1", 5)
        count(counters, "a", "1", 2)
        count(counters, "a", "2")
        count(counters, "a1", "")
        count(counters, "", "a1")
        count(counters, "b", "1")
        #expect(read(counters) == ["a/1": 3, "b/1": 6, "a/2": 1, "a1/": 1, "/a1": 1, "": 0])
    }

    @Test func keepsABoundedNumberOfBoundedNames() {
        let counters = PredictionCounters()
        let longest = String(repeating: "n", count: 256)
        count(counters, longest, longest)
        count(counters, longest + "n", "1", 3)
        count(counters, "m", longest + "n", 4)
        for round in 0..<2 {
            for number in 0..<1_000 { count(counters, "model \(number)", "1", round + 1) }
        }
        let counts = read(counters)
        #expect(counts.count == 257)
        #expect(counts["\(longest)/\(longest)"] == 1)
        #expect(counts["model 0/1"] == 3)
        #expect(counts["model 254/1"] == 3)
        #expect(counts["model 255/1"] == nil)
        #expect(counts[""] == 2_242)
        let all = counts.values.reduce(0, +)
        #expect(all == 3_008)
        #expect(counters.read().pairs.allSatisfy { $0.key.model.count <= 256 && $0.key.version.count <= 256 })
    }
}
