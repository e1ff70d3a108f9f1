import Foundation
import Testing

@testable import Gateway

/// How long an answer takes; `AMERON_BENCHMARK=1 swift test -c release -Xswiftc -enable-testing --filter Benchmark`.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["AMERON_BENCHMARK"] != nil))
struct PredictionExtractorBenchmark {
    private static let pair =
        #"{"id":"0193-a","predictions":[{"id":"0193-b","modelName":"rotate","modelVersion":"3","timeTakenInMs":4.1,"#
        + #""value":90},{"id":"0193-c","modelName":"digits","modelVersion":"7","timeTakenInMs":11.8,"#
        + #""value":{"label":"4","score":0.98}}]}"#

    private static func tensor(shape: String, count: Int) -> String {
        let data = (0..<count).map { "0.\(100_000 + $0 * 7 % 899_999)" }.joined(separator: ",")
        return #"{"model_name":"m","model_version":"1","outputs":[{"name":"y","shape":\#(shape),"datatype":"FP32","#
            + #""data":[\#(data)]}]}"#
    }

    @Test(
        arguments: [
            ("native, 2 predictions", .native, pair),
            ("v2, 1,000 rows of [1000]", .v2, tensor(shape: "[1000]", count: 1_000)),
            ("v2, 1,000 rows of [1000,1]", .v2, tensor(shape: "[1000,1]", count: 1_000)),
            ("v2, 1,000 rows of [1000,4]", .v2, tensor(shape: "[1000,4]", count: 4_000)),
        ] as [(String, ModelProtocol, String)]
    )
    func extract(name: String, modelProtocol: ModelProtocol, text: String) {
        let body = ByteBuffer()
        body.append(string: text)
        let extractor = PredictionExtractor()
        let turns = max(40_000_000 / body.count, 100)
        var best = Int.max
        var sum = 0
        for _ in 0..<7 {
            let start = Self.processorTime()
            for _ in 0..<turns {
                let count = extractor.extract(PredictionExtractor.Source(modelProtocol: modelProtocol, body: body.view))
                for _ in 0..<count { sum &+= extractor.next().value.count }
            }
            best = min(best, (Self.processorTime() - start) / turns)
        }
        #expect(sum > 0)
        print("\(name): \(body.count) bytes, \(best) ns")
    }

    /// Nanoseconds of processor time: what else the machine does must not count.
    private static func processorTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}
