import TestSupport
import Testing

@testable import Gateway

/// What a shard does with its events before a Reporter has them.
@Suite struct EventReportingTests {
    private static let batchLimit = 256 << 10
    /// Brings exchanges, and lives as long as they do.
    private let rig = FlowRig()

    /// A lane that notes what it is given and says what it is told to.
    private final class Lane: EventLane {
        struct Batch: Equatable {
            var ids: [String]
            var isLast: Bool
            var oversized = 0
        }

        var batches: [Batch] = []
        /// What `submit` says, in turn; true after these.
        var verdicts: [Bool] = []
        var isFull = false
        /// What room it was asked for, and what it says to that.
        var asked: [[Int]] = []
        var isRoomy = true
        var bytes: [[UInt8]] = []

        func submit(_ batch: EventBatch, isLast: Bool) -> Bool {
            batches.append(
                Batch(ids: (0..<batch.count).map { batch[$0].id.string }, isLast: isLast, oversized: batch.oversized)
            )
            for index in 0..<batch.count { bytes.append(batch[index].bytes.array) }
            return verdicts.isEmpty ? true : verdicts.removeFirst()
        }

        func hasRoom(forEvents events: Int, bytes: Int) -> Bool {
            asked.append([events, bytes])
            return isRoomy
        }
    }

    private final class Observer: EventObserver {
        var isWatching = true
        var shown: [[String]] = []
        /// How many batches a lane had by then.
        var batchesBefore: [Int] = []
        let lane: Lane?

        init(_ lane: Lane?) { self.lane = lane }

        func show(_ batch: EventBatch) {
            shown.append((0..<batch.count).map { batch[$0].id.string })
            batchesBefore.append(lane?.batches.count ?? 0)
        }
    }

    private func makeReporting(
        _ lanes: [Lane],
        observer: Observer? = nil,
        policy: EventPolicy = EventPolicy()
    ) -> EventReporting {
        EventReporting(
            lanes: lanes,
            observer: observer,
            encoder: PredictionEventEncoder(source: "//test"),
            policy: policy,
            clock: ShardClock()
        )
    }

    /// Records an event whose value has so many bytes; how long it is.
    private func record(_ id: String, valueBytes: Int = 1, with reporting: EventReporting) -> Int {
        let value = [UInt8](repeating: UInt8(ascii: "1"), count: valueBytes)
        return Array(id.utf8).withByteView { id in
            value.withByteView { value in
                var event = PredictionEvent()
                event.id = id
                event.value.bytes = value
                return reporting.record(event, EventPolicy())
            }
        }
    }

    // MARK: Batches

    @Test func `the events of a turn are handed over together, at its end`() {
        let lanes = [Lane(), Lane()]
        let reporting = makeReporting(lanes)
        #expect(reporting.isEmpty)
        // A turn without events.
        #expect(reporting.endTurn())
        #expect(lanes.allSatisfy { $0.batches.isEmpty })
        for turn in 0..<3 {
            let ids = (0...turn).map { "\(turn).\($0)" }
            for id in ids { _ = record(id, with: reporting) }
            #expect(!reporting.isEmpty)
            #expect(lanes.allSatisfy { $0.batches.count == turn })
            #expect(reporting.endTurn())
            #expect(reporting.isEmpty)
            for lane in lanes { #expect(lane.batches.last == .init(ids: ids, isLast: true)) }
        }
    }

    /// A long turn: the batch leaves with the event that takes it past its limit.
    @Test(arguments: 0..<20) func `a batch leaves early when it is long`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let lane = Lane()
        let reporting = makeReporting([lane])
        let longest = random.pick([1_000, 50_000, 400_000])
        var wanted: [Lane.Batch] = []
        for turn in 0..<5 {
            var (ids, bytes, hasEarly): ([String], Int, Bool) = ([], 0, false)
            for number in 0..<random.below(3_000_000 / longest / 5 + 2) {
                ids.append("\(turn).\(number)")
                bytes += record(ids.last ?? "", valueBytes: 1 + random.below(longest), with: reporting)
                if bytes >= Self.batchLimit {
                    wanted.append(.init(ids: ids, isLast: false))
                    (ids, bytes, hasEarly) = ([], 0, true)
                }
                #expect(lane.batches == wanted, "seed \(seed), turn \(turn)")
            }
            #expect(reporting.isEmpty == (ids.isEmpty && !hasEarly))
            // The lane must hear of the turn's end also where nothing is left.
            if !ids.isEmpty || hasEarly { wanted.append(.init(ids: ids, isLast: true)) }
            #expect(reporting.endTurn())
            #expect(lane.batches == wanted, "seed \(seed), turn \(turn)")
            #expect(reporting.isEmpty)
        }
    }

    @Test(arguments: [(1, false), (0, true)]) func `the limit counts whole events`(missing: Int, isEarly: Bool) {
        let overhead = record("x", with: makeReporting([])) - 1
        let lane = Lane()
        let reporting = makeReporting([lane])
        let length = record("x", valueBytes: Self.batchLimit - overhead - missing, with: reporting)
        #expect(length == Self.batchLimit - missing)
        #expect(lane.batches.map(\.isLast) == (isEarly ? [false] : []))
        #expect(lane.bytes.map(\.count) == (isEarly ? [length] : []))
        #expect(reporting.endTurn())
        #expect(lane.batches.map(\.isLast) == (isEarly ? [false, true] : [true]))
        #expect(lane.bytes.map(\.count) == [length])
    }

    // MARK: Whether they are safe

    private static let verdicts: [(early: [Bool], last: Bool, isSafe: Bool)] = [
        ([], true, true), ([], false, false), ([true], true, true), ([false], true, false),
        ([true, false], true, false),
        ([false, true], true, false), ([true, true], false, false), ([false], false, false),
    ]

    @Test(arguments: verdicts, 0..<2)
    func `a turn is safe when all of it is, with every Reporter`(
        _ verdicts: (early: [Bool], last: Bool, isSafe: Bool),
        lane: Int
    ) {
        let lanes = [Lane(), Lane()]
        let reporting = makeReporting(lanes)
        lanes[lane].verdicts = verdicts.early + [verdicts.last]
        for number in verdicts.early.indices { _ = record("\(number)", valueBytes: Self.batchLimit, with: reporting) }
        _ = record("last", with: reporting)
        #expect(reporting.endTurn() == verdicts.isSafe)
        // None of them keeps another one's events from it.
        for lane in lanes { #expect(lane.batches.map(\.isLast) == verdicts.early.map { _ in false } + [true]) }
        // The next turn begins anew.
        #expect(lanes[lane].verdicts.isEmpty)
        #expect(reporting.endTurn())
        _ = record("next", with: reporting)
        #expect(reporting.endTurn())
    }

    @Test func `it is full as soon as one Reporter is`() {
        let lanes = [Lane(), Lane(), Lane()]
        let reporting = makeReporting(lanes)
        #expect(!reporting.isFull)
        for lane in lanes {
            lane.isFull = true
            #expect(reporting.isFull)
            lane.isFull = false
        }
        #expect(!makeReporting([]).isFull)
    }

    // MARK: Room for many

    @Test(arguments: [(0, 0), (1, 0), (1_000, 0), (1_000, 123_456), (10, 1 << 30)])
    func `room is asked for as many events as long as the last of them`(count: Int, added: Int) {
        let lane = Lane()
        let policy = EventPolicy(maxEventBytes: 2_000)
        let reporting = makeReporting([lane], policy: policy)
        var event = PredictionEvent()
        event.rowCount = count
        event.modelName = ByteView("iris")
        let sample = EventBatch()
        var last = event
        last.id = ByteView("01890a5d-ac96-774b-bcce-b302099a8057")
        last.rowIndex = max(count - 1, 0)
        PredictionEventEncoder(source: "//test").encode(last, policy, into: sample)
        #expect(reporting.roomFailure(for: count, like: event, policy, added: added) == nil)
        // No event is longer than it may be.
        let bytes = min(count * sample.bytes.count + added, count * (EventFrame.headerLength + 2_000))
        #expect(lane.asked == [[count, bytes]])
        // Nothing was recorded.
        #expect(reporting.isEmpty)
        #expect(reporting.endTurn())
        #expect(lane.batches.isEmpty)
    }

    @Test func `there is room where every Reporter has some`() {
        let lanes = [Lane(), Lane(), Lane()]
        let reporting = makeReporting(lanes)
        #expect(reporting.roomFailure(for: 5, like: PredictionEvent(), EventPolicy(), added: 0) == nil)
        #expect(lanes.map(\.asked.count) == [1, 1, 1])
        for lane in lanes {
            lane.isRoomy = false
            let failure = reporting.roomFailure(for: 5, like: PredictionEvent(), EventPolicy(), added: 0)
            #expect(failure?.cause == .notRecorded)
            lane.isRoomy = true
        }
        // Who says no counts the events as refused: one does, and nobody after it is asked.
        #expect(lanes.map(\.asked.count) == [4, 3, 2])
    }

    /// The measured event must not be taken for the first one of the answer.
    @Test func `asking for room changes no event`() {
        let lanes = [Lane(), Lane()]
        let reportings = lanes.map { makeReporting([$0]) }
        for (index, reporting) in reportings.enumerated() {
            for answer in 0..<2 {
                var event = PredictionEvent()
                event.rowCount = 3
                event.status = 200 + answer
                if index == 1 {
                    #expect(reporting.roomFailure(for: 3, like: event, EventPolicy(), added: 0) == nil)
                }
                reporting.beginRows()
                for row in 0..<3 {
                    event.rowIndex = row
                    event.id = ByteView("id")
                    _ = reporting.record(event, EventPolicy())
                }
            }
            #expect(reporting.endTurn())
        }
        #expect(lanes[0].bytes.count == 6)
        #expect(lanes[0].bytes == lanes[1].bytes)
    }

    // MARK: Observers

    @Test func `an observer sees each batch after the Reporters, while it looks`() {
        let lane = Lane()
        let observer = Observer(lane)
        let reporting = makeReporting([lane], observer: observer)
        _ = record("1", valueBytes: Self.batchLimit, with: reporting)
        #expect(observer.shown == [["1"]] && observer.batchesBefore == [1])
        // Nothing is left of the turn: the lane hears of its end, the observer need not.
        #expect(reporting.endTurn())
        #expect(lane.batches.count == 2)
        #expect(observer.shown == [["1"]])
        _ = record("2", with: reporting)
        _ = record("3", with: reporting)
        lane.verdicts = [false]
        #expect(!reporting.endTurn())
        #expect(observer.shown == [["1"], ["2", "3"]] && observer.batchesBefore == [1, 3])
        observer.isWatching = false
        _ = record("4", with: reporting)
        #expect(reporting.endTurn())
        #expect(observer.shown.count == 2)
    }

    @Test(arguments: [(0, false, false), (0, true, true), (1, false, true), (1, true, true)])
    func `events are made where somebody wants them`(lanes: Int, isWatching: Bool, isRecording: Bool) throws {
        let observer = Observer(nil)
        observer.isWatching = isWatching
        let lanes = (0..<lanes).map { _ in Lane() }
        let reporting = makeReporting(lanes, observer: observer)
        #expect(reporting.isRecording == isRecording)
        let exchange = try #require(rig.ask(1))
        reporting.report(exchange, failure: ExchangeFailure(cause: .timeout, message: "late"))
        #expect(reporting.isEmpty == !isRecording)
        #expect(reporting.endTurn())
        #expect(observer.shown.count == (isWatching ? 1 : 0))
        for lane in lanes { #expect(lane.batches.map(\.ids.count) == [1]) }
        #expect(!makeReporting([]).isRecording)
    }

    // MARK: Failures

    private func failureEvent(
        _ failure: ExchangeFailure,
        answer: ModelAnswer? = nil,
        policy: EventPolicy = EventPolicy(),
        _ change: (Exchange) -> Void = { _ in }
    ) throws -> JSON {
        let lane = Lane()
        let exchange = try #require(rig.ask(7, body: #"{"instances":[[1,2]]}"#))
        exchange.reply.completedAt = exchange.request.receivedAt + 5_000_000
        exchange.reply.status = failure.status
        change(exchange)
        let reporting = makeReporting([lane], policy: policy)
        reporting.report(exchange, failure: failure, answer: answer)
        #expect(reporting.endTurn())
        #expect(lane.bytes.count == 1)
        let id = try #require(lane.batches.first?.ids.first)
        #expect(id.utf8.count == 36)
        let event = try lane.bytes[0].withByteView { try JSON(parsing: #require(EventFrame(in: $0)).data.string) }
        #expect(event["predictionId"]?.string == id)
        return event
    }

    @Test func `a failure is an event without a value`() throws {
        let failure = ExchangeFailure(cause: .timeout, message: "too late", detail: ByteView("say \"2s\""))
        let event = try failureEvent(failure)
        #expect(event["requestId"] == "r7")
        #expect(event["value"]?.isNull == true)
        #expect(event["status"] == 504)
        #expect(event["rowIndex"] == 0 && event["rowCount"] == 1)
        #expect(event["error"] == ["cause": "timeout", "message": "too late: say \"2s\""])
        #expect(event["routedModel"] == "iris" && event["modelName"] == "iris" && event["modelVersion"] == "1")
        #expect(event["input"] == nil && event["request"] == nil)
        let plain = try failureEvent(ExchangeFailure(cause: .reset, message: "gone"))
        #expect(plain["error"] == ["cause": "reset", "message": "gone"])
    }

    @Test(
        arguments: [
            (#"{"error":"no such tensor"}"#, false, "no such tensor"), ("", false, nil), (#"{"error":"x"}"#, true, nil),
        ] as [(String, Bool, String?)]
    )
    func `what the model said about it is told`(body: String, isEncoded: Bool, detail: String?) throws {
        var answer = rig.makeAnswer(bytes: Array(body.utf8), status: 400)
        answer.isEncoded = isEncoded
        let event = try failureEvent(ExchangeFailure(cause: .modelError, message: "m"), answer: answer)
        #expect(event["error"]?["detail"]?.string == detail)
    }

    @Test func `what is captured of a request is in the event of its failure`() throws {
        let failure = ExchangeFailure(cause: .refused, message: "m")
        let input = try failureEvent(failure, policy: .init(capture: .input))
        #expect(input["input"] == [1, 2])
        #expect(input["request"] == nil)
        let body = try failureEvent(failure, policy: .init(capture: .body))
        #expect(body["request"] == ["instances": [[1, 2]]])
        #expect(body["input"] == nil)
    }

    /// It would hold the shard for nothing.
    @Test(arguments: [(0, true), (3_979, true), (3_980, false)])
    func `a body that could be in no event is not looked into`(spaces: Int, isRead: Bool) throws {
        let failure = ExchangeFailure(cause: .refused, message: "m")
        let policy = EventPolicy(capture: .input, maxEventBytes: 4_000)
        let event = try failureEvent(failure, policy: policy) {
            $0.request.body.append(string: String(repeating: " ", count: spaces))
        }
        #expect(event["input"] == (isRead ? [1, 2] : nil))
    }

    // MARK: Times and names

    @Test func `times are of the wall clock, and 0 stays 0`() {
        let reporting = makeReporting([])
        let now = Clock.monotonic()
        #expect(reporting.wall(0) == 0)
        #expect(reporting.wall(now + 1_000) - reporting.wall(now) == 1_000)
        // After the year 2020.
        #expect(reporting.wall(now) > 1_577_836_800_000_000_000)
    }

    @Test(arguments: [
        // sent, answered, completed after the request came, and the model's and the Sidecar's share of it.
        (0, 0, 5, 0, 5), (1, 4, 5, 3, 2), (1, 0, 5, 0, 5), (2, 2, 9, 0, 9),
    ])
    func `time is the model's or the Sidecar's`(
        sent: Int64,
        answered: Int64,
        completed: Int64,
        model: Int64,
        gateway: Int64
    ) throws {
        let exchange = try #require(rig.ask(1))
        exchange.request.receivedAt = 1_000
        exchange.attempt.sentAt = sent == 0 ? 0 : 1_000 + sent
        exchange.attempt.answeredAt = answered == 0 ? 0 : 1_000 + answered
        exchange.reply.completedAt = 1_000 + completed
        let event = makeReporting([]).makeEvent(exchange, RoutedNames())
        #expect(event.modelTime == model)
        #expect(event.gatewayTime == gateway)
        #expect((event.sentAt == 0) == (sent == 0))
        #expect((event.answeredAt == 0) == (answered == 0))
        #expect(event.completedAt - event.receivedAt == completed)
    }

    @Test(arguments: [(0, 0), (55, 55), (256, 256), (257, 0)])
    func `a trace context of any sensible length is kept`(length: Int, kept: Int) throws {
        let exchange = try #require(rig.ask(1))
        exchange.request.traceparent.append(string: String(repeating: "0", count: length))
        #expect(makeReporting([]).makeEvent(exchange, RoutedNames()).traceparent.count == kept)
    }

    @Test func `new ids of requests are different, and in order`() {
        let reporting = makeReporting([])
        let ids = (0..<1_000).map { _ in
            let buffer = ByteBuffer()
            reporting.newRequestId(buffer)
            return buffer.view.string
        }
        #expect(Set(ids).count == 1_000)
        #expect(ids == ids.sorted())
        #expect(ids.allSatisfy { $0.utf8.count == 36 })
    }
}
