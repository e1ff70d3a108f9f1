import Foundation
import TestSupport
import Testing

@testable import Gateway

/// What an event costs; `AMERON_BENCHMARK=1 swift test -c release -Xswiftc -enable-testing --filter Benchmark`.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["AMERON_BENCHMARK"] != nil))
struct SpoolBenchmark {
    private static let fsyncModes: [Configuration.Spool.Fsync] = [.never, .interval, .always]

    @Test(arguments: fsyncModes, [1, 20])
    func submitAndRead(fsync: Configuration.Spool.Fsync, eventsPerTurn: Int) throws {
        let directory = SpoolDirectory()
        directory.configuration.fsync = fsync
        let spool = try directory.open()
        let lane = spool.lane(0)
        let source = spool.feed(reporter: 0).makeSource()
        let batch = EventBatch()
        fill(batch, producer: 0, numbers: 0..<eventsPerTurn, fill: 600)
        let turns = (fsync == .always ? 2_000 : 200_000) / eventsPerTurn
        var (writing, reading): (Int64, Int64) = (0, 0)
        var events: [WaitingEvent] = []
        for turn in 0..<turns {
            let start = Clock.monotonic()
            #expect(lane.submit(batch))
            let written = Clock.monotonic()
            writing += written - start
            guard turn % 500 == 499 || turn == turns - 1 else { continue }
            while source.hasEvents {
                source.gather(into: &events, limit: 1 << 20)
                if let last = events.last { source.acknowledge(lane: last.lane, through: last.end) }
                source.release()
                events.removeAll(keepingCapacity: true)
            }
            reading += Clock.monotonic() - written
        }
        let count = Int64(turns * eventsPerTurn)
        print(
            "fsync \(fsync), \(eventsPerTurn) per turn: \(writing / count) ns to write an event, \(reading / count) to read"
        )
        withExtendedLifetime(directory) { spool.close() }
    }
}
