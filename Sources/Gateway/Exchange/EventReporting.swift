/// Turns exchanges into PredictionEvents and leaves them with the Reporters at the end of each turn. Confined to its shard.
final class EventReporting {
    /// From how many bytes on events are left with the Reporters before the turn ends. An answer of many rows then goes
    /// through memory that is warm, and the Reporters begin while the shard still encodes.
    private static let batchLimit = 256 << 10
    /// The longest trace context that is recorded; W3C's has 55 bytes.
    private static let maxTraceBytes = 256

    private let policy: EventPolicy
    private let lanes: [any EventLane]
    /// More bytes of events than this, of one answer, never find room.
    private let maxAnswerBytes: Int
    private let observer: (any EventObserver)?
    private let encoder: PredictionEventEncoder
    private let batch = EventBatch()
    /// For measuring an event.
    private let sample = EventBatch()
    /// Events of this turn were left with the Reporters early; all of them are where they were promised to be.
    private var hasEarlyEvents = false
    private var areEarlyEventsSafe = true
    private let message = ByteBuffer(capacity: 256)
    private let names = RoutedNames()
    private let ids = PredictionIds()
    /// What a failure's event has of its request.
    private let request = RequestCapture()
    private let errorText = ModelErrorText()
    /// What turns monotonic times into wall-clock times; taken anew each turn, since the wall clock may be set.
    private var wallOffset: Int64
    private let clock: ShardClock

    init(
        lanes: [any EventLane],
        observer: (any EventObserver)?,
        encoder: PredictionEventEncoder,
        policy: EventPolicy,
        clock: ShardClock
    ) {
        self.lanes = lanes
        maxAnswerBytes = lanes.map(\.maxAnswerBytes).min() ?? .max
        self.observer = observer
        self.encoder = encoder
        self.policy = policy
        self.clock = clock
        wallOffset = clock.wall() - clock.monotonic()
    }

    /// What becomes of an exchange in its events: the same for all models, so far.
    func policy(of exchange: Exchange) -> EventPolicy { policy }

    var isEmpty: Bool { batch.isEmpty && !hasEarlyEvents }

    /// Whether a request may have to be in its events, now or when somebody comes to watch.
    func mayCapture(_ exchange: Exchange) -> Bool {
        (!lanes.isEmpty || observer != nil) && policy(of: exchange).capture != .none
    }

    /// Whether anybody wants events.
    var isRecording: Bool { !lanes.isEmpty || observer?.isWatching == true }

    /// A new id for a request that brought none.
    func newRequestId(_ buffer: ByteBuffer) {
        buffer.append(ids.next(wallNanoseconds: clock.monotonic() + wallOffset))
    }

    // MARK: Predictions

    /// Before the events of an answer, and before its next ones where others came in between.
    func beginRows() { encoder.begin() }

    /// Appends an event made from `makeEvent`; how long it is.
    func record(_ event: PredictionEvent, _ policy: EventPolicy) -> Int {
        let start = batch.bytes.count
        encoder.encode(event, policy, into: batch)
        let length = batch.bytes.count - start
        if batch.bytes.count >= Self.batchLimit {
            hasEarlyEvents = true
            if !submit(isLast: false) { areEarlyEventsSafe = false }
        }
        return length
    }

    /// What is the same in all events of an exchange. Its views are valid as long as the exchange and `names`.
    func makeEvent(_ exchange: Exchange, _ names: RoutedNames) -> PredictionEvent {
        var event = PredictionEvent()
        event.requestId = exchange.request.id.view
        event.provider = exchange.provider.kind.name
        event.face = exchange.request.face.name
        event.routedModel = names.routedModel
        event.routedVersion = names.routedVersion
        event.modelName = names.modelName
        event.modelVersion = names.modelVersion
        event.status = exchange.reply.status
        event.modelTime = exchange.attempt.modelTime
        event.gatewayTime = exchange.reply.completedAt - exchange.request.receivedAt - event.modelTime
        event.receivedAt = wall(exchange.request.receivedAt)
        event.sentAt = wall(exchange.attempt.sentAt)
        event.answeredAt = wall(exchange.attempt.answeredAt)
        event.completedAt = wall(exchange.reply.completedAt)
        if exchange.request.traceparent.count <= Self.maxTraceBytes {
            event.traceparent = exchange.request.traceparent.view
        }
        return event
    }

    // MARK: Failures

    /// Records a call that failed, with `exchange.reply.completedAt` and `replyStatus` set.
    ///
    /// - Parameter answer: The model's own error answer, where there is one.
    func report(_ exchange: Exchange, failure: ExchangeFailure, answer: ModelAnswer? = nil) {
        let policy = policy(of: exchange)
        guard isRecording, policy.records(exchange.request.id.view) else { return }
        names.read(exchange)
        var event = makeEvent(exchange, names)
        event.failure = describe(failure)
        if let answer, !answer.isEncoded {
            event.failure?.detail = errorText.find(in: answer.body.view, contentType: answer.contentType)
        }
        recordOne(exchange, &event, policy)
    }

    /// Records an answer that came in parts, whole or as far as it came, and counts it as a Prediction where there is any of it.
    func report(_ exchange: Exchange, _ stream: AnswerStream, counters: PredictionCounters) {
        names.read(exchange)
        if stream.failure == nil || stream.bytes > 0 {
            counters.count(model: names.modelName, version: names.modelVersion)
        }
        let policy = policy(of: exchange)
        guard isRecording, policy.records(exchange.request.id.view) else { return }
        var event = makeEvent(exchange, names)
        event.value = stream.record.part
        if stream.kind == .document {
            // The event of one that was taken whole says no more.
            event.isValueCut = stream.record.isCut && stream.failure == nil
        } else {
            event.isValueCut = stream.record.isCut
            event.stream = PredictionEvent.Stream(
                parts: stream.record.parts,
                bytes: stream.bytes,
                firstPartTime: stream.firstAt > 0 ? stream.firstAt - exchange.attempt.sentAt : nil
            )
        }
        if let answer = exchange.attempt.answer {
            event.contentType = answer.contentType
            event.contentEncoding = answer.contentEncoding ?? .empty
        }
        event.failure = stream.failure.map(describe)
        recordOne(exchange, &event, policy)
    }

    private func describe(_ failure: ExchangeFailure) -> PredictionEvent.Failure {
        message.removeAll()
        message.append(failure.message)
        if !failure.detail.isEmpty {
            message.append(": ")
            message.append(failure.detail)
        }
        return PredictionEvent.Failure(cause: failure.word, message: message.view)
    }

    /// Records the only event of an exchange, with what is captured of its request.
    private func recordOne(_ exchange: Exchange, _ event: inout PredictionEvent, _ policy: EventPolicy) {
        event.id = ids.next(wallNanoseconds: exchange.reply.completedAt + wallOffset)
        if policy.capture != .none {
            let isShort = policy.isShort(exchange.request.body.view)
            if !request.begin(exchange.requestSource, policy, reads: isShort) { while !request.readOn() {} }
            request.arrange(rowCount: 1)
            request.add(to: &event)
        }
        policy.prepare(&event)
        exchange.reply.eventBytes += record(event, policy)
    }

    // MARK: Handing over

    /// Why an exchange whose events the Reporters did not take is not answered.
    func failure(of exchange: Exchange) -> ExchangeFailure {
        exchange.reply.eventBytes > maxAnswerBytes ? .neverRecorded : .notRecorded
    }

    /// Why the events of an answer of many Predictions, made from `makeEvent`, find no room with some Reporter; nil: they do.
    ///
    /// - Parameters:
    ///   - event: One of them, without its value.
    ///   - added: How many bytes the values and what is captured of the request come to, over all events.
    func roomFailure(
        for count: Int,
        like event: PredictionEvent,
        _ policy: EventPolicy,
        added: Int
    ) -> ExchangeFailure? {
        encoder.begin()
        sample.removeAll()
        var longest = event
        longest.id = ids.next(wallNanoseconds: clock.monotonic() + wallOffset)
        longest.rowIndex = max(count - 1, 0)
        encoder.encode(longest, policy, into: sample)
        let most = EventFrame.headerLength + policy.maxEventBytes
        let length = min(count * sample.bytes.count + added, count * most)
        for lane in lanes where !lane.hasRoom(forEvents: count, bytes: length) {
            return length > maxAnswerBytes ? .neverRecorded : .notRecorded
        }
        return nil
    }

    /// Whether requests should be refused because there is no room for their events.
    var isFull: Bool {
        for lane in lanes where lane.isFull { return true }
        return false
    }

    /// Leaves the turn's events with every Reporter; false where they had to be kept safe and are not.
    func endTurn() -> Bool {
        wallOffset = clock.wall() - clock.monotonic()
        let areLastEventsSafe = isEmpty || submit(isLast: true)
        defer { (hasEarlyEvents, areEarlyEventsSafe) = (false, true) }
        return areEarlyEventsSafe && areLastEventsSafe
    }

    private func submit(isLast: Bool) -> Bool {
        var isSafe = true
        for lane in lanes where !lane.submit(batch, isLast: isLast) { isSafe = false }
        if let observer, observer.isWatching, !batch.isEmpty { observer.show(batch) }
        batch.removeAll()
        return isSafe
    }

    /// Nanoseconds since 1970 of a monotonic time; 0 of 0.
    func wall(_ monotonic: Int64) -> Int64 { monotonic > 0 ? monotonic + wallOffset : 0 }
}

/// Somebody who looks at the events in passing. Confined to the shard's thread.
protocol EventObserver: AnyObject {
    /// Whether events are to be shown to it. Asked for each batch, and for each request where nobody else wants them.
    var isWatching: Bool { get }
    /// Shows it a batch, after the Reporters have it.
    func show(_ batch: EventBatch)
}

extension Exchange {
    /// Its request, as a capture looks at it.
    var requestSource: RequestCapture.Source {
        RequestCapture.Source(
            body: request.body.view,
            contentType: request.contentType.view,
            jsonLength: request.jsonLength,
            contentEncoding: request.isEncoded ? request.contentEncoding : nil,
            hasTensors: request.face == .v2 || route?.modelProtocol == .v2
        )
    }
}

extension Request {
    /// The value of Content-Encoding, which is among the lines to forward.
    fileprivate var contentEncoding: ByteView {
        for index in 0..<headers.count {
            let line = headers[index]
            if line.name.equalsIgnoringCase(ByteView("Content-Encoding")) { return line.value }
        }
        return ByteView("unknown")
    }
}
