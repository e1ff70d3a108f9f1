/// Takes each exchange from its request to its reply: routing's outcome, the call, the Predictions, the events.
///
/// The parts that speak to the outside meet here and know nothing of each other: a Provider brings requests and delivers
/// replies, an adapter makes the call, the Reporters' lanes get the events. One per shard; confined to its thread.
final class ExchangeFlow {
    let exchanges = ExchangePool()
    let metrics: ShardMetrics
    let readiness: Readiness
    let freedMemory = FreedMemory()
    /// How many predictions may be in flight on this shard.
    let maxInFlight: Int

    private let reporting: EventReporting
    private let extractor = PredictionExtractor()
    private let errorText = ByteBuffer(capacity: 256)
    /// Replies that wait for the end of the turn, so that their events go first.
    private var replies: [Exchange] = []
    private(set) var inFlight = 0

    init(metrics: ShardMetrics, readiness: Readiness, maxInFlight: Int, reporting: EventReporting) {
        self.metrics = metrics
        self.readiness = readiness
        self.maxInFlight = maxInFlight
        self.reporting = reporting
    }

    // MARK: From the Provider

    /// Starts the call of an exchange whose request is in; nil, or why it is refused at once.
    func begin(_ exchange: Exchange) -> ExchangeFailure? {
        guard let route = exchange.route else {
            return ExchangeFailure(cause: .unknownModel, message: "no model is named")
        }
        if readiness.isDraining {
            return ExchangeFailure(cause: .draining, message: "the Sidecar is shutting down")
        }
        guard inFlight < maxInFlight else {
            return ExchangeFailure(
                cause: .overloaded,
                message: "more requests are in flight than server.maxInFlight allows"
            )
        }
        if exchange.operation == .predict, reporting.isFull {
            return ExchangeFailure(cause: .notRecorded, message: "the spool is full (reporting.spool.maxBytes)")
        }
        inFlight += 1
        metrics.addInFlight(1)
        exchange.state = .calling
        route.adapter.submit(exchange)
        return nil
    }

    /// The client has left while its call is out: the call is cancelled, and recorded as such.
    func clientLeft(_ exchange: Exchange) {
        guard exchange.state == .calling else { return }
        exchange.route?.adapter.cancel(exchange)
        exchange.completedAt = Clock.monotonic()
        endCall(exchange)
        let failure = ExchangeFailure(cause: .clientClosed, message: "the client closed the connection")
        exchange.replyStatus = failure.status
        exchange.failure = failure.cause
        reportFailure(exchange, failure)
        exchange.state = .abandoned
        replies.append(exchange)
    }

    /// Gives a request that brought no id in its header one: that of an Open Inference Protocol body, else a new one. Why
    /// the request is refused, where such a body can't be read.
    func ensureRequestId(_ exchange: Exchange) -> ExchangeFailure? {
        guard exchange.requestId.isEmpty else { return nil }
        if exchange.face == .v2, exchange.operation == .predict, !exchange.bodyIsEncoded {
            do throws(MalformedAnswer) {
                let length = exchange.requestJSONLength ?? exchange.requestBody.count
                guard length <= exchange.requestBody.count else {
                    throw MalformedAnswer("Inference-Header-Content-Length is larger than the body")
                }
                let id = try extractor.requestId(in: exchange.requestBody, length: length)
                if let id, !id.isEmpty, id.isVisibleASCII {
                    exchange.requestId.append(id)
                    return nil
                }
            } catch {
                reporting.newRequestId(exchange.requestId)
                return ExchangeFailure(cause: .badRequest, message: "the body is not readable as JSON")
            }
        }
        reporting.newRequestId(exchange.requestId)
        return nil
    }

    /// A new id for a request that is refused before its own was read.
    func replaceMissingRequestId(_ exchange: Exchange) {
        if exchange.requestId.isEmpty { reporting.newRequestId(exchange.requestId) }
    }

    // MARK: From the adapter

    /// The Model Service has answered.
    func answered(_ exchange: Exchange, _ answer: ModelAnswer) {
        exchange.answer = answer
        exchange.answeredAt = Clock.monotonic()
        guard let route = exchange.route else { return }
        endCall(exchange)
        guard exchange.operation == .predict else {
            passOn(exchange, answer)
            finish(exchange)
            return
        }
        guard (200..<300).contains(answer.status) else {
            metrics.failureDurations[route.index].observe(exchange.answeredAt - exchange.sentAt)
            let failure = ExchangeFailure(
                cause: .modelError,
                message: "the Model Service answered with an error status"
            )
            if isRetried(exchange, failure) { return }
            exchange.failure = failure.cause
            passOn(exchange, answer)
            finish(exchange)
            reportFailure(exchange, failure)
            return
        }
        metrics.modelDurations[route.index].observe(exchange.answeredAt - exchange.sentAt)
        readiness.gavePrediction(model: route.index)
        predict(exchange, answer, route)
    }

    /// The call gave no answer.
    func failed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        exchange.answeredAt = Clock.monotonic()
        endCall(exchange)
        if exchange.sentAt > 0, let route = exchange.route, exchange.operation == .predict {
            metrics.failureDurations[route.index].observe(exchange.answeredAt - exchange.sentAt)
        }
        fail(exchange, failure)
    }

    // MARK: From the loop

    /// Hands the turn's events to the Reporters, and after that its replies to the Providers.
    func endTurn() {
        let areEventsSafe = reporting.endTurn()
        guard !replies.isEmpty else { return }
        if !areEventsSafe { withdrawPredictions() }
        for exchange in replies { exchange.provider.deliver(exchange) }
        replies.removeAll(keepingCapacity: true)
    }

    /// The events of this turn are not where they were promised to be: nobody may be given a Prediction without one.
    private func withdrawPredictions() {
        for exchange in replies where exchange.operation == .predict && exchange.state == .replying {
            let failure = ExchangeFailure(cause: .notRecorded, message: "the Prediction could not be recorded")
            if exchange.provider.retries(exchange, after: failure) {
                exchange.state = .retrying
            } else {
                ErrorAnswer.write(failure, to: exchange)
            }
        }
    }

    /// Whether a reply or an event still waits for `endTurn`.
    var hasWork: Bool { !replies.isEmpty || !reporting.isEmpty }

    /// Ends all calls that are out with an answer that says so: the time to drain is over.
    func abortAll() {
        exchanges.forEachInUse { exchange in
            guard exchange.state == .calling else { return }
            exchange.route?.adapter.cancel(exchange)
            exchange.answeredAt = Clock.monotonic()
            endCall(exchange)
            fail(exchange, ExchangeFailure(cause: .draining, message: "the Sidecar is shutting down"))
        }
    }

    // MARK: Steps

    private func endCall(_ exchange: Exchange) {
        inFlight -= 1
        metrics.addInFlight(-1)
    }

    private func predict(_ exchange: Exchange, _ answer: ModelAnswer, _ route: ModelRoute) {
        do throws(MalformedAnswer) {
            if answer.isEncoded, route.modelProtocol != .raw {
                throw MalformedAnswer("it has a Content-Encoding that was not asked for")
            }
            let count = try extractor.extract(
                route.modelProtocol,
                body: answer.body,
                jsonLength: route.modelProtocol == .v2 ? answer.jsonLength : nil,
                contentType: answer.contentType
            )
            reporting.assignIds(exchange, extractor, count: count)
            exchange.replyStatus = answer.status
            if exchange.face == .native {
                exchange.replyStatus = 200
                exchange.replyHeaders.append("Content-Type", ByteView("application/json"))
                NativeAnswer.write(
                    to: exchange.ownReplyBody,
                    exchange: exchange,
                    extractor: extractor,
                    count: count,
                    ids: reporting.ids
                )
            } else {
                passOn(exchange, answer)
            }
            finish(exchange)
            reporting.report(exchange, extractor, count: count)
            for index in 0..<count {
                let prediction = extractor[index]
                metrics.predictions.count(
                    model: prediction.modelName.isEmpty ? route.nameJSON.view : prediction.modelName,
                    version: prediction.modelVersion.isEmpty ? route.versionJSON.view : prediction.modelVersion
                )
            }
        } catch {
            errorText.removeAll()
            errorText.append(string: error.reason)
            fail(
                exchange,
                ExchangeFailure(
                    cause: .malformed,
                    message: "the answer of the Model Service can't be read",
                    detail: errorText.view
                )
            )
        }
    }

    /// The client gets the Model Service's own answer.
    private func passOn(_ exchange: Exchange, _ answer: ModelAnswer) {
        exchange.replyStatus = answer.status
        exchange.replyBodySource = .answer
        HeaderRules.copyAnswerHeaders(answer.headers, to: exchange.replyHeaders)
        if exchange.provider.kind == .rest {
            AnswerProtection.add(to: exchange.replyHeaders, contentType: answer.contentType)
        }
    }

    /// Whether the Provider has the exchange tried again: then nobody is told of the failure.
    private func isRetried(_ exchange: Exchange, _ failure: ExchangeFailure) -> Bool {
        guard exchange.operation == .predict, exchange.provider.retries(exchange, after: failure) else { return false }
        exchange.state = .retrying
        replies.append(exchange)
        return true
    }

    private func fail(_ exchange: Exchange, _ failure: ExchangeFailure) {
        if isRetried(exchange, failure) { return }
        ErrorAnswer.write(failure, to: exchange)
        finish(exchange)
        reportFailure(exchange, failure)
    }

    private func reportFailure(_ exchange: Exchange, _ failure: ExchangeFailure) {
        guard exchange.operation == .predict else { return }
        reporting.report(exchange, failure: failure)
    }

    private func finish(_ exchange: Exchange) {
        exchange.completedAt = Clock.monotonic()
        exchange.state = .replying
        if let route = exchange.route, exchange.operation == .predict, exchange.failure == nil {
            let model = exchange.sentAt > 0 ? exchange.answeredAt - exchange.sentAt : 0
            metrics.gatewayDurations[route.index].observe(exchange.completedAt - exchange.receivedAt - model)
        }
        replies.append(exchange)
    }
}
