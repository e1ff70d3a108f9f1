import TestSupport
import Testing

@testable import Gateway

/// What the page at `/ui` gets to see.
@Suite struct PredictionWatchTests {
    private func bytes(_ number: Int, length: Int = 0) -> [UInt8] {
        Array(#"{"n":\#(number),"fill":"\#(String(repeating: "x", count: length))"}"#.utf8)
    }

    private func answer(_ watch: PredictionWatch, after: Int) throws -> JSON {
        let body = ByteBuffer()
        watch.write(after: after, to: body)
        return try JSON(parsing: body.view.string)
    }

    private func numbers(_ answer: JSON) -> [Int] {
        (answer["predictions"]?.elements ?? []).compactMap { $0["n"]?.int }
    }

    @Test func `nobody watches before the first question`() throws {
        let watch = PredictionWatch()
        #expect(!watch.isWatched())
        #expect(try answer(watch, after: 0) == ["newest": 0, "seen": 0, "predictions": []])
        #expect(watch.isWatched())
        // Nor does another one's question count.
        #expect(!PredictionWatch().isWatched())
    }

    @Test func `whoever asks gets what came since the number that was the newest`() throws {
        let watch = PredictionWatch()
        watch.keep(.init(others: [bytes(1), bytes(2)], own: [bytes(3)], seen: 10))
        watch.keep(.init(others: [bytes(4)], own: [], seen: 1))
        let all = try answer(watch, after: 0)
        #expect(all["newest"] == 4 && all["seen"] == 11)
        #expect(numbers(all) == [1, 2, 3, 4])
        for after in 1...4 { #expect(try numbers(answer(watch, after: after)) == Array(after + 1..<5)) }
        // From a Sidecar that ran before this one, and nonsense.
        #expect(try numbers(answer(watch, after: 1_000)) == [])
        #expect(try numbers(answer(watch, after: .max)) == [])
        #expect(try numbers(answer(watch, after: -1)) == [1, 2, 3, 4])
        watch.keep(.init(seen: 5))
        let later = try answer(watch, after: 4)
        #expect(later["newest"] == 4 && later["seen"] == 16 && later["predictions"] == [])
    }

    /// The two rings are written in turn, and read as one.
    @Test(arguments: 0..<10) func `all are in the order in which they came`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let watch = PredictionWatch()
        var (others, own): ([Int], [Int]) = ([], [])
        var (newest, seen) = (0, 0)
        for _ in 0..<200 {
            var selection = PredictionWatch.Selection(seen: random.below(20))
            for _ in 0..<random.below(8) {
                newest += 1
                others.append(newest)
                selection.others.append(bytes(newest))
            }
            for _ in 0..<random.below(4) {
                newest += 1
                own.append(newest)
                selection.own.append(bytes(newest))
            }
            watch.keep(selection)
            seen += selection.seen
            others = others.suffix(400)
            own = own.suffix(64)
            if random.chance(10) {
                let after = random.below(newest + 1)
                let answer = try answer(watch, after: after)
                #expect(numbers(answer) == (others + own).sorted().filter { $0 > after }, "seed \(seed)")
                #expect(answer["newest"]?.int == newest && answer["seen"]?.int == seen, "seed \(seed)")
            }
        }
        #expect(try numbers(answer(watch, after: 0)) == (others + own).sorted(), "seed \(seed)")
    }

    @Test func `the page's own requests do not push out those of others`() throws {
        let watch = PredictionWatch()
        watch.keep(.init(others: [bytes(1)], own: (2..<200).map { bytes($0) }, seen: 199))
        #expect(try numbers(answer(watch, after: 0)) == [1] + Array(136..<200))
        watch.keep(.init(others: (200..<1_000).map { bytes($0) }, own: [], seen: 800))
        #expect(try numbers(answer(watch, after: 0)) == Array(136..<200) + Array(600..<1_000))
    }

    // MARK: The ring

    @Test(arguments: 0..<20) func `a ring keeps as many of the newest as have room`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let (maxCount, maxBytes) = (1 + random.below(20), 1 + random.below(500))
        var ring = EventRing(maxCount: maxCount, maxBytes: maxBytes)
        var all: [(number: Int, bytes: [UInt8])] = []
        for number in 1..<500 {
            if random.chance(1) {
                ring.removeAll()
                all = []
            }
            let event = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: random.below(60))
            ring.append(number: number, event)
            all.append((number, event))
            while all.count > maxCount || all.reduce(0, { $0 + $1.bytes.count }) > maxBytes { all.removeFirst() }
            #expect(ring.entries.map(\.number) == all.map(\.number), "seed \(seed), event \(number)")
            #expect(ring.entries.map(\.bytes) == all.map(\.bytes), "seed \(seed), event \(number)")
            #expect(ring.bytes == all.reduce(0) { $0 + $1.bytes.count }, "seed \(seed), event \(number)")
            let after = number - random.below(30)
            #expect(ring.entries(after: after).map(\.number) == all.map(\.number).filter { $0 > after })
        }
    }

    @Test func `an event longer than the ring is not kept, nor what was before it`() {
        var ring = EventRing(maxCount: 5, maxBytes: 10)
        ring.append(number: 1, [1])
        ring.append(number: 2, [UInt8](repeating: 2, count: 11))
        #expect(ring.entries.isEmpty && ring.bytes == 0)
        ring.append(number: 3, [UInt8](repeating: 3, count: 10))
        #expect(ring.entries.map(\.number) == [3])
    }
}

/// Which events a shard shows.
@Suite struct PredictionWatchLaneTests {
    private static let window: Int64 = 250_000_000
    private let watch = PredictionWatch()

    private func makeLane() -> PredictionWatchLane {
        PredictionWatchLane(watch, trimmer: EventTrimmer(hidesRequests: false))
    }

    private func answer() throws -> JSON {
        let body = ByteBuffer()
        watch.write(after: 0, to: body)
        return try JSON(parsing: body.view.string)
    }

    /// The numbers of the events that are shown.
    private func shown() throws -> [Int] {
        try (answer()["predictions"]?.elements ?? []).compactMap { $0["data"]?["value"]?["number"]?.int }
    }

    @Test func `it watches while the page does`() throws {
        let lane = makeLane()
        #expect(!lane.isWatching)
        _ = try answer()
        #expect(lane.isWatching)
    }

    @Test(arguments: [(1, 0), (49, 0), (50, 0), (51, 1), (300, 250)])
    func `of a long batch the last ones are shown`(count: Int, first: Int) throws {
        let batch = EventBatch()
        fillEvents(batch, 0..<count)
        makeLane().show(batch)
        #expect(try shown() == Array(first..<count))
        #expect(try answer()["seen"]?.int == count)
        #expect(try answer()["newest"]?.int == count - first)
    }

    @Test func `an event is shown with its id and its time`() throws {
        let batch = EventBatch()
        fillEvents(batch, 3..<4)
        makeLane().show(batch)
        let event = try #require(answer()["predictions"]?[0])
        #expect(event.names == ["id", "time", "data"])
        #expect(event["id"] == "event-3")
        #expect(event["time"] == event["data"]?["completedAt"])
        #expect(event["data"]?["requestId"] == "key-3")
    }

    /// The window is one of real time: a machine that is too slow for it tries again.
    @Test func `within a moment no more than a person can read is shown`() throws {
        let counts = try eventuallyValue { () -> [Int]? in
            let watch = PredictionWatch()
            let lane = PredictionWatchLane(watch, trimmer: EventTrimmer(hidesRequests: false))
            let batches = [30, 15, 15, 8].map { count in
                let batch = EventBatch()
                fillEvents(batch, 0..<count)
                return batch
            }
            let start = Clock.monotonic()
            var kept: [Int] = []
            for batch in batches {
                lane.show(batch)
                let body = ByteBuffer()
                watch.write(after: 0, to: body)
                kept.append(try JSON(parsing: body.view.string)["newest"]?.int ?? -1)
            }
            return Clock.monotonic() - start < Self.window ? kept : nil
        }
        #expect(counts == [30, 45, 50, 50])
    }

    @Test func `when the moment is over there is room again`() throws {
        let lane = makeLane()
        let batch = EventBatch()
        fillEvents(batch, 0..<50)
        lane.show(batch)
        fillEvents(batch, 100..<101)
        #expect(
            try eventually {
                lane.show(batch)
                return try shown().contains(100)
            }
        )
    }

    /// Whoever presses a button on the page wants to see what comes of it, whatever else is going on.
    @Test func `what the page asked for itself is shown beside all others`() throws {
        let batch = EventBatch()
        fillEvents(batch, 0..<200, key: { $0 < 20 ? "ui-\($0)" : $0 == 199 ? "x-ui-1" : "key" })
        makeLane().show(batch)
        // The first 16 of its own, the last 50 of all.
        #expect(try shown() == Array(150..<200) + Array(0..<16))
        let later = makeLane()
        fillEvents(batch, 200..<260, key: { _ in "ui-2" })
        later.show(batch)
        #expect(try shown() == Array(150..<200) + Array(0..<16) + Array(200..<216))
    }

    @Test func `an event that is too long is left out, and another takes no place for it`() throws {
        let batch = EventBatch()
        let trimmed = EventBatch()
        // A long value is left out of its event; an event of a megabyte is not looked into.
        fill(batch, producer: 0, numbers: 0..<1, fill: 1 << 20)
        fillEvents(trimmed, 1..<2, fill: 20_000)
        let lane = makeLane()
        lane.show(batch)
        #expect(try answer()["seen"] == 1)
        #expect(try answer()["newest"] == 0)
        lane.show(trimmed)
        #expect(try answer()["newest"] == 1)
        let data = try #require(answer()["predictions"]?[0]?["data"])
        #expect(data["value"]?.isNull == true)
        #expect(data["omitted"] == ["value"])
        #expect(data["requestId"] == "key-1")
    }
}
