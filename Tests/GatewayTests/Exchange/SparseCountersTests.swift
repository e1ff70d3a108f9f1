import TestSupport
import Testing

@testable import Gateway

@Suite struct SparseCountersTests {
    private func read(_ counters: SparseCounters, row: Int) -> [Int: Int] {
        var counts: [Int: Int] = [:]
        counters.read(row: row) { number, count in
            #expect(counts.updateValue(count, forKey: number) == nil, "\(number) is shown twice")
            #expect(count > 0)
        }
        return counts
    }

    /// Against a dictionary for each row, in which the numbers that came late share a place.
    @Test(arguments: 0..<30) func `it counts what comes, as far as there are columns`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let rows = 1 + random.below(5)
        let limit = random.pick([2, 40, 64, 65, 600])
        let counters = SparseCounters(rows: rows, limit: limit)
        var reference = [[Int: Int]](repeating: [:], count: rows)
        var known: [Int] = []
        // Few numbers in some runs, all there are and others in some.
        let range = random.pick([-3..<5, 1..<60, -10..<limit + 10])
        for _ in 0..<3_000 {
            let number = Int.random(in: range, using: &random)
            let row = random.below(rows)
            counters.count(number, row: row)
            let isNumber = number > 0 && number < limit
            // The last column is for all others.
            if isNumber, !known.contains(number), known.count < SparseCounters.columns - 1 { known.append(number) }
            reference[row][known.contains(number) ? number : SparseCounters.other, default: 0] += 1
        }
        for row in 0..<rows { #expect(read(counters, row: row) == reference[row], "seed \(seed), row \(row)") }
    }

    @Test func `an untouched row shows nothing, whatever others have`() {
        let counters = SparseCounters(rows: 3, limit: 600)
        #expect(read(counters, row: 0).isEmpty)
        for number in 0..<200 { counters.count(number, row: 1) }
        #expect(read(counters, row: 0).isEmpty)
        #expect(read(counters, row: 2).isEmpty)
        #expect(read(counters, row: 1).count == SparseCounters.columns)
        #expect(read(counters, row: 1)[SparseCounters.other] == 200 - (SparseCounters.columns - 1))
    }

    @Test func `numbers keep the order in which they came first`() {
        let counters = SparseCounters(rows: 1, limit: 600)
        for number in [502, 0, 200, 502, 404, 200] { counters.count(number, row: 0) }
        var order: [Int] = []
        counters.read(row: 0) { number, _ in order.append(number) }
        #expect(order == [502, 200, 404, SparseCounters.other])
    }

    /// Single writer, any reader: what is read was there, and what was there is read in the end.
    @Test func `another thread reads while it counts`() throws {
        let counters = SparseCounters(rows: 1, limit: 600)
        let total = 100_000
        let deadline = Deadline()
        _ = try concurrently(2) { thread in
            if thread == 0 {
                for count in 0..<total { counters.count(1 + count % 100, row: 0) }
                return
            }
            var last = 0
            while last < total, !deadline.hasPassed {
                var sum = 0
                var failure: String?
                counters.read(row: 0) { number, count in
                    sum += count
                    if number < 0 || number > 63 || count > total { failure = "\(number): \(count)" }
                }
                if let failure { throw TestFailure(failure) }
                if sum < last || sum > total { throw TestFailure("\(sum) after \(last)") }
                last = sum
            }
            if last != total { throw TestFailure("\(last) of \(total)") }
        }
    }
}

@Suite struct DurationHistogramTests {
    /// Each bound belongs to its own bucket; what is longer than all has the last one.
    @Test func `a duration is counted under the first bound that is not below it`() {
        let bounds = DurationHistogram.bounds
        #expect(bounds == bounds.sorted() && Set(bounds).count == bounds.count)
        #expect(DurationHistogram.labels.count == bounds.count + 1)
        let edges: [Int64] = bounds.flatMap { [$0 - 1, $0, $0 + 1] } + [-1, 0, 1, .max / 2]
        for duration in edges {
            let histogram = DurationHistogram()
            histogram.observe(duration)
            let reading = histogram.read()
            let bucket = bounds.firstIndex { $0 >= duration } ?? bounds.count
            #expect(reading.buckets.firstIndex(of: 1) == bucket)
            #expect(reading.buckets.reduce(0, +) == 1)
            #expect(reading.sumNanoseconds == Int(duration))
            #expect(histogram.isEmpty == (duration == 0))
        }
    }

    @Test(arguments: 0..<10) func `several are added up`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let histograms = (0..<3).map { _ in DurationHistogram() }
        var buckets = [Int](repeating: 0, count: DurationHistogram.labels.count)
        var sum = 0
        for _ in 0..<500 {
            // Of every length from nanoseconds to half an hour.
            let bound = Int64(1) << Int64(1 + random.below(41))
            let duration = Int64.random(in: 0..<bound, using: &random)
            let times = random.pick([1, 1, 1, 7])
            random.pick(histograms).observe(duration, times: times)
            buckets[DurationHistogram.bounds.firstIndex { $0 >= duration } ?? buckets.count - 1] += times
            sum += Int(duration) * times
        }
        var reading = histograms[0].read()
        for histogram in histograms.dropFirst() { histogram.add(to: &reading) }
        #expect(reading.buckets == buckets, "seed \(seed)")
        #expect(reading.sumNanoseconds == sum, "seed \(seed)")
    }

    @Test func `none is empty`() {
        let histogram = DurationHistogram()
        #expect(histogram.isEmpty)
        #expect(histogram.read().buckets == [Int](repeating: 0, count: 26))
        histogram.observe(5, times: 0)
        #expect(histogram.isEmpty)
        histogram.observe(5)
        #expect(!histogram.isEmpty)
    }
}
