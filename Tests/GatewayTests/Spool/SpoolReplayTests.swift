import TestSupport
import Testing

@testable import Gateway

/// What the log says of the events that earlier runs have left.
@Suite struct SpoolReplayTests {
    private let directory = SpoolDirectory()

    /// A spool with ten events, of which the first of two Reporters has acknowledged four.
    private func leave() throws {
        let spool = try directory.open(reporters: ["file", "kafka-2"])
        spool.lane(0).submit(0..<10)
        let reader = SpoolReader(spool)
        reader.acknowledge(Array(reader.readAll().prefix(4)))
    }

    @Test func `tells where it begins, how far it is, and its end, for each Reporter`() throws {
        try leave()
        let spool = try directory.open(reporters: ["file", "kafka-2"])
        var replay = try #require(spool.replay)
        let start = Clock.monotonic()
        let left = [spool.queued(reporter: 0), spool.queued(reporter: 1)]
        var expected = [
            "notice events of an earlier run wait: \(left[0]) bytes for Reporter file, \(left[1]) bytes for Reporter kafka-2"
        ]
        #expect(directory.logs.messages == expected)

        // What this run adds does not count.
        spool.lane(0).submit(10..<20)
        let readers = [SpoolReader(spool, reporter: 0), SpoolReader(spool, reporter: 1)]
        let events = [readers[0].readAll(), readers[1].readAll()]
        readers[0].acknowledge(Array(events[0].prefix(6)))
        readers[1].acknowledge(Array(events[1].prefix(5)))
        #expect(replay.report(now: start + 1) == .going)
        expected.append("notice Reporter file: no event of an earlier run waits any more")
        #expect(directory.logs.messages == expected)

        // Not again before the time, and then from there.
        #expect(replay.report(now: start + 2) == .going)
        #expect(directory.logs.messages == expected)
        let later = start + SpoolReplay.interval + 1
        #expect(replay.report(now: later) == .going)
        #expect(replay.report(now: later + 1) == .going)
        // Nothing new, while a destination is away.
        #expect(replay.report(now: later + 5 * SpoolReplay.interval) == .going)
        expected.append(
            "notice Reporter kafka-2: 50 % of an earlier run's events are behind it, \(left[1] / 2) bytes wait"
        )
        #expect(directory.logs.messages == expected)

        readers[1].acknowledge(Array(events[1][5..<10]))
        #expect(replay.report(now: later + 2) == .done)
        expected.append("notice Reporter kafka-2: no event of an earlier run waits any more")
        #expect(directory.logs.messages == expected)
    }

    @Test func `is not there where nothing waits`() throws {
        do {
            let spool = try directory.open()
            #expect(spool.replay == nil)
            spool.lane(0).submit(0..<1)
            #expect(SpoolReader(spool).takeAll() == [0])
            spool.close()
        }
        let again = try directory.open()
        #expect(again.replay == nil)
        #expect(directory.logs.messages.isEmpty)
    }
}
