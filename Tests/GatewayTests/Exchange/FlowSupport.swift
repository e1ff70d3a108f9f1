import TestSupport
import Testing

@testable import Gateway

/// A Provider that keeps what it is given.
final class FakeProvider: Provider, Policy {
    struct Delivered: Equatable {
        var exchange: Int
        var requestId: String
        var state: Exchange.State
        var status: Int
        var body: String
        /// How many events had been handed over by then.
        var eventsBefore: Int
    }

    let kind = ProviderKind.rest
    unowned let lane: FakeLane
    var delivered: [Delivered] = []
    var retriesFailures = false
    /// What it was asked to try again, in order.
    var asked: [ExchangeFailure.Cause] = []
    /// What is done with an exchange that has been delivered.
    var finish: (Exchange) -> Void = { _ in }

    init(lane: FakeLane) { self.lane = lane }

    var takesParts = true
    var passesBodies = true
    /// Of which requests some of the body was sent that goes on as it comes, in order.
    var sentBodies: [Int] = []
    /// What has left of streams, by exchange; and of which the head has. `reads`: whether their clients read.
    var parts: [Int: String] = [:]
    var begun: [Int] = []
    var reads = true
    unowned var flow: ExchangeFlow!

    func beginReply(_ exchange: Exchange) {
        begun.append(exchange.index)
        parts[exchange.index] = ""
        deliverParts(exchange)
    }

    func sentBody(_ exchange: Exchange) { sentBodies.append(exchange.index) }

    func deliverParts(_ exchange: Exchange) { if reads { read(exchange) } }

    /// A client reads what there is, or so many bytes of it.
    func read(_ exchange: Exchange, upTo room: Int = .max) {
        guard let stream = exchange.stream else { return }
        let bytes = stream.take(upTo: room)
        if bytes.isEmpty { return }
        parts[exchange.index, default: ""] += bytes.string
        flow.tookPart(exchange)
    }

    func deliver(_ exchange: Exchange) {
        if reads, exchange.state == .replying { read(exchange) }
        delivered.append(
            Delivered(
                exchange: exchange.index,
                requestId: exchange.request.id.view.string,
                state: exchange.state,
                status: exchange.reply.status,
                body: lane.keepsEvents ? exchange.replyBody.string : "",
                eventsBefore: lane.events.count
            )
        )
        finish(exchange)
    }

    func policy(of exchange: Exchange) -> (any Policy)? { self }

    func decide(_ exchange: Exchange, after failure: ExchangeFailure) -> PolicyDecision {
        asked.append(failure.cause)
        return retriesFailures && failure.cause != .tooLarge ? .again(after: retryDelay) : .over
    }

    /// Nanoseconds.
    var retryDelay: Int64 = 1_000_000_000_000
    /// Whether calls that are to be made again are.
    var keepsWaiting = true
    var dropped: [Int] = []

    func waits(for exchange: Exchange) -> Bool { keepsWaiting }

    func drop(_ exchange: Exchange) {
        dropped.append(exchange.index)
        flow.end(exchange)
    }
}

/// A Model Service that never answers by itself.
final class FakeAdapter: ModelServiceAdapter {
    var out: [Exchange] = []
    var submitted: [Int] = []
    var cancelled: [Int] = []
    var resumed: [Int] = []

    var takesBodies = true
    var sentOn: [Int] = []

    func canAnswer(_ operation: Request.Operation) -> Bool { true }
    func sendOn(_ attempt: Attempt) { sentOn.append(attempt.exchange.index) }
    func submit(_ attempt: Attempt) {
        attempt.call = 0
        attempt.sentAt = Clock.monotonic()
        out.append(attempt.exchange)
        submitted.append(attempt.exchange.index)
    }
    func cancel(_ attempt: Attempt) {
        cancelled.append(attempt.exchange.index)
        out.removeAll { $0 === attempt.exchange }
    }
    func resume(_ attempt: Attempt) { resumed.append(attempt.exchange.index) }
    func release(_ attempt: Attempt) {
        attempt.call = nil
        attempt.answer = nil
    }
}

/// A lane that keeps its events, or fails as it is told.
final class FakeLane: EventLane {
    struct Event: Equatable {
        var requestId: String
        var rowIndex: Int
        var rowCount: Int
        var status: Int
    }

    var events: [Event] = []
    /// The events as they are stored.
    var frames: [[UInt8]] = []
    /// Without, what the events cost is measured and not what the tests do with them.
    var keepsEvents = true
    /// How many batches it takes before it fails; nil: it does not.
    var failsAfter: Int?
    var isFull = false
    /// Of one turn, and of one answer.
    var maxAnswerBytes = Int.max

    func hasRoom(forEvents events: Int, bytes: Int) -> Bool { bytes <= maxAnswerBytes }

    func submit(_ batch: EventBatch, isLast: Bool) -> Bool {
        guard batch.bytes.count <= maxAnswerBytes else { return false }
        if let left = failsAfter {
            guard left > 0 else { return false }
            failsAfter = left - 1
        }
        for index in 0..<batch.count where keepsEvents {
            events.append(event(batch[index]))
            frames.append(batch[index].bytes.array)
        }
        return true
    }

    private let outline = JSONOutline()

    private func event(_ frame: EventFrame) -> Event {
        guard (try? outline.read(frame.data, depth: 1)) != nil else { preconditionFailure("an event is JSON") }
        func number(_ name: StaticString) -> Int {
            outline.member(name, of: 0).flatMap { outline.bytes($0).decimal } ?? -1
        }
        return Event(
            requestId: frame.requestId.string,
            rowIndex: number("rowIndex"),
            rowCount: number("rowCount"),
            status: number("status")
        )
    }

    func rows(of requestId: String) -> [Int] { events.filter { $0.requestId == requestId }.map(\.rowIndex) }
}

/// An ExchangeFlow between fakes of everything that it joins.
final class FlowRig {
    let lane = FakeLane()
    let provider: FakeProvider
    let adapter = FakeAdapter()
    let flow: ExchangeFlow
    let route: ModelRoute
    let readiness = Readiness(modelCount: 1)
    let clock = ShardClock()
    private var bodies: [ByteBuffer] = []

    init(
        _ modelProtocol: ModelProtocol = .v1,
        policy: EventPolicy = EventPolicy(),
        maxInFlight: Int = 1_000,
        keepsEvents: Bool = true,
        maxAnswerBytes: Int = .max,
        isRecorded: Bool = true,
        retry: RetryPolicy? = nil,
        streams: StreamRule = .byType
    ) {
        lane.keepsEvents = keepsEvents
        lane.maxAnswerBytes = maxAnswerBytes
        provider = FakeProvider(lane: lane)
        route = ModelRoute(
            index: 0,
            name: "iris",
            version: "1",
            modelProtocol: modelProtocol,
            retry: retry,
            streams: streams,
            adapter: adapter
        )
        let reporting = EventReporting(
            lanes: isRecorded ? [lane] : [],
            observer: nil,
            encoder: PredictionEventEncoder(source: "//test"),
            policy: policy,
            clock: clock
        )
        flow = ExchangeFlow(
            metrics: ShardMetrics(modelCount: 1),
            readiness: readiness,
            maxInFlight: maxInFlight,
            reporting: reporting,
            notices: UnsplitNotices([.init(name: "iris", modelProtocol: modelProtocol, maxPredictions: 10_000)]) { _ in
            },
            clock: clock
        )
        provider.flow = flow
        provider.finish = { [unowned flow] exchange in
            flow.end(exchange)
        }
    }

    /// What is still out holds the adapter that holds it.
    deinit { adapter.out.removeAll() }

    /// A request whose call is out; its id is `r` and a number.
    func ask(_ number: Int, face: Face = .v1, body: String = "{}") -> Exchange? {
        ask(number, face: face, bytes: Array(body.utf8))
    }

    func ask(_ number: Int, face: Face, bytes: [UInt8]) -> Exchange? {
        let exchange = take(number, face: face, bytes: bytes)
        guard flow.begin(exchange) == nil else {
            flow.end(exchange)
            return nil
        }
        return exchange
    }

    /// A request that is in, and whose call may begin.
    func take(_ number: Int, face: Face = .v1, bytes: [UInt8] = Array("{}".utf8)) -> Exchange {
        let exchange = flow.exchanges.take(for: provider)
        exchange.request.face = face
        exchange.request.operation = .predict
        exchange.route = route
        exchange.request.receivedAt = Clock.monotonic()
        exchange.attempt.begunAt = exchange.request.receivedAt
        exchange.request.id.append(string: "r\(number)")
        exchange.request.body.append(contentsOf: bytes)
        return exchange
    }

    /// The call is not answered in its time.
    func fail(_ exchange: Exchange) {
        adapter.out.removeAll { $0 === exchange }
        flow.ended(exchange.attempt, ExchangeFailure(cause: .timeout, message: "too late"))
    }

    /// The model answers.
    func answer(_ exchange: Exchange, _ body: String, status: Int = 200) {
        answer(exchange, bytes: Array(body.utf8), status: status, contentType: "application/json", jsonLength: nil)
    }

    /// - Parameter jsonLength: how many bytes are JSON, where binary tensors follow.
    func answer(
        _ exchange: Exchange,
        bytes: [UInt8],
        status: Int,
        contentType: StaticString,
        jsonLength: Int?
    ) {
        adapter.out.removeAll { $0 === exchange }
        let answer = makeAnswer(bytes: bytes, status: status, contentType: contentType, jsonLength: jsonLength)
        give(answer, to: exchange)
    }

    /// The head of an answer that is a stream comes.
    func beginStream(_ exchange: Exchange, _ contentType: StaticString = "text/event-stream") {
        exchange.attempt.answer = makeAnswer(bytes: [], contentType: contentType)
        #expect(flow.began(exchange.attempt) == .parts)
    }

    /// The head of an answer comes that turns out to be longer than one that is taken whole.
    func beginLong(_ exchange: Exchange, length: Int?, status: Int = 200) -> AnswerDelivery {
        exchange.attempt.answer = makeAnswer(bytes: [], status: status, contentType: "application/octet-stream")
        #expect(flow.began(exchange.attempt) == .whole)
        return flow.outgrew(exchange.attempt, length: length)
    }

    /// More of it comes; whether there is room for more.
    @discardableResult
    func send(_ exchange: Exchange, _ text: String, mayGrow: Bool = true) -> Bool {
        exchange.attempt.answer?.body.append(string: text)
        return flow.received(exchange.attempt, mayGrow: mayGrow)
    }

    /// It is complete, or breaks off.
    func endStream(_ exchange: Exchange, _ failure: ExchangeFailure? = nil) {
        adapter.out.removeAll { $0 === exchange }
        flow.ended(exchange.attempt, failure)
    }

    /// The answer comes all at once.
    func give(_ answer: ModelAnswer, to exchange: Exchange) {
        exchange.attempt.answer = answer
        if flow.began(exchange.attempt) == .parts { _ = flow.received(exchange.attempt, mayGrow: true) }
        flow.ended(exchange.attempt, nil)
    }

    func makeAnswer(
        bytes: [UInt8],
        status: Int = 200,
        contentType: StaticString = "application/json",
        jsonLength: Int? = nil
    ) -> ModelAnswer {
        let buffer = ByteBuffer(capacity: max(bytes.count, 1))
        buffer.append(contentsOf: bytes)
        bodies.append(buffer)
        return ModelAnswer(
            status: status,
            body: buffer,
            headers: .empty,
            contentType: ByteView(contentType),
            jsonLength: jsonLength
        )
    }

    /// Ends turns until nothing is left to do; how many it took.
    func settle() -> Int {
        var turns = 0
        while flow.hasWork, turns < 100_000 {
            flow.endTurn()
            turns += 1
        }
        return turns
    }

    /// An answer of the V1 protocol.
    static func v1(rows: Int) -> String { #"{"predictions":[\#((0..<rows).map(String.init).joined(separator: ","))]}"# }
}
