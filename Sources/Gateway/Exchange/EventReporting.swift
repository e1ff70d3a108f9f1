/// Turns exchanges into PredictionEvents and leaves them with the Reporters at the end of each turn. Confined to its shard.
final class EventReporting {
    /// From how many bytes on events are left with the Reporters before the turn ends. An answer of many rows then goes
    /// through memory that is warm, and the Reporters begin while the shard still encodes.
    private static let batchLimit = 256 << 10

    let ids: PredictionIds

    private let lanes: [any EventLane]
    private let observer: (any EventObserver)?
    private let encoder: PredictionEventEncoder
    private let batch = EventBatch()
    /// Events of this turn were left with the Reporters early; all of them are where they were promised to be.
    private var hasEarlyEvents = false
    private var areEarlyEventsSafe = true
    private let maxCaptureBytes: Int
    /// Reads captured bodies, which must not go into an event as JSON unless they are; nil: bodies are not captured.
    private let bodyReader: PredictionExtractor?
    private let message = ByteBuffer(capacity: 256)
    /// What turns monotonic times into wall-clock times; taken anew each turn, since the wall clock may be set.
    private var wallOffset = Clock.wall() - Clock.monotonic()

    init(
        lanes: [any EventLane],
        observer: (any EventObserver)?,
        encoder: PredictionEventEncoder,
        capture: Capture
    ) {
        self.lanes = lanes
        self.observer = observer
        self.encoder = encoder
        self.ids = PredictionIds()
        self.bodyReader = capture.capturesBody ? PredictionExtractor() : nil
        self.maxCaptureBytes = capture.maxBytes
    }

    /// Whether, and up to what length, request bodies go into the events.
    struct Capture {
        var capturesBody = false
        var maxBytes = 64 << 10
    }

    var isEmpty: Bool { batch.isEmpty && !hasEarlyEvents }

    /// Whether anybody wants events.
    private var isRecording: Bool { !lanes.isEmpty || observer?.isWatching == true }

    /// Gives each Prediction of an answer its id, for the answer and the events alike.
    func assignIds(_ exchange: Exchange, _ extractor: PredictionExtractor, count: Int) {
        ids.generate(count, wallNanoseconds: exchange.answeredAt + wallOffset)
    }

    /// A new id for a request that brought none.
    func newRequestId(_ buffer: ByteBuffer) {
        ids.generate(1, wallNanoseconds: Clock.monotonic() + wallOffset)
        buffer.append(ids[0])
    }

    /// Records each Prediction of a successful call. After `assignIds`, with `exchange.completedAt` set.
    func report(_ exchange: Exchange, _ extractor: PredictionExtractor, count: Int) {
        guard isRecording, count > 0 else { return }
        var event = makeEvent(exchange)
        event.rowCount = count
        for index in 0..<count {
            let prediction = extractor[index]
            event.id = ids[index]
            event.predictionId = ids.predictionId(index, prediction)
            event.rowIndex = index
            if !prediction.modelName.isEmpty {
                event.modelName = prediction.modelName
            } else {
                event.modelName = exchange.route?.nameJSON.view ?? .empty
            }
            if !prediction.modelVersion.isEmpty {
                event.modelVersion = prediction.modelVersion
            } else {
                event.modelVersion = exchange.route?.versionJSON.view ?? .empty
            }
            event.timeTakenInMs = prediction.timeTakenInMs
            event.value = prediction.value
            event.contentType = prediction.contentType
            event.extra = prediction.extra
            encode(event)
        }
    }

    /// Records a call that failed, with `exchange.completedAt` and `replyStatus` set.
    func report(_ exchange: Exchange, failure: ExchangeFailure) {
        guard isRecording else { return }
        ids.generate(1, wallNanoseconds: exchange.completedAt + wallOffset)
        message.removeAll()
        message.append(failure.message)
        if !failure.detail.isEmpty {
            message.append(": ")
            message.append(failure.detail)
        }
        var event = makeEvent(exchange)
        event.id = ids[0]
        event.predictionId = ids[0]
        event.modelName = exchange.route?.nameJSON.view ?? .empty
        event.modelVersion = exchange.route?.versionJSON.view ?? .empty
        event.failure = PredictionEvent.Failure(cause: failure.word, message: message.view)
        encode(event)
    }

    /// Whether requests should be refused because there is no room for their events.
    var isFull: Bool {
        for lane in lanes where lane.isFull { return true }
        return false
    }

    /// Leaves the turn's events with every Reporter; false where they had to be kept safe and are not.
    func endTurn() -> Bool {
        wallOffset = Clock.wall() - Clock.monotonic()
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

    private func makeEvent(_ exchange: Exchange) -> PredictionEvent {
        var event = PredictionEvent()
        event.requestId = exchange.requestId.view
        event.provider = exchange.provider.kind.name
        event.face = exchange.face.name
        event.status = exchange.replyStatus
        event.modelTime = exchange.sentAt > 0 ? max(exchange.answeredAt, exchange.sentAt) - exchange.sentAt : 0
        event.gatewayTime = exchange.completedAt - exchange.receivedAt - event.modelTime
        event.receivedAt = wall(exchange.receivedAt)
        event.sentAt = wall(exchange.sentAt)
        event.answeredAt = wall(exchange.answeredAt)
        event.completedAt = wall(exchange.completedAt)
        event.traceparent = exchange.traceparent.view
        if bodyReader != nil { event.request = capture(exchange) }
        return event
    }

    private func capture(_ exchange: Exchange) -> PredictionEvent.CapturedRequest {
        let body = exchange.requestBody.view
        return PredictionEvent.CapturedRequest(
            body: body.prefix(maxCaptureBytes),
            contentType: exchange.requestContentType.view,
            truncated: body.count > maxCaptureBytes
        )
    }

    private func encode(_ event: PredictionEvent) {
        encoder.encode(event, into: batch) { body in bodyReader?.isJSON(body) ?? false }
        guard batch.bytes.count >= Self.batchLimit else { return }
        hasEarlyEvents = true
        if !submit(isLast: false) { areEarlyEventsSafe = false }
    }

    private func wall(_ monotonic: Int64) -> Int64 { monotonic > 0 ? monotonic + wallOffset : 0 }
}

/// Somebody who looks at the events in passing. Confined to the shard's thread.
protocol EventObserver: AnyObject {
    /// Whether events are to be shown to it. Asked for each batch, and for each request where nobody else wants them.
    var isWatching: Bool { get }
    /// Shows it a batch, after the Reporters have it.
    func show(_ batch: EventBatch)
}
