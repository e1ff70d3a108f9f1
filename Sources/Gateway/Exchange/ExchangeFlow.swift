/// Takes each exchange from its request to its reply: routing's outcome, the call, the Predictions, the events.
///
/// The parts that speak to the outside meet here and know nothing of each other: a Provider brings requests and delivers
/// replies, an adapter makes the call, the Reporters' lanes get the events. One per shard; confined to its thread.
final class ExchangeFlow: AttemptSink {
    let exchanges = ExchangePool()
    let metrics: ShardMetrics
    let readiness: Readiness
    let clock: ShardClock
    let freedMemory: FreedMemory
    /// How many predictions may be in flight on this shard.
    let maxInFlight: Int

    let reporting: EventReporting
    let streams: StreamList
    let retries = RetryQueue()
    private let notices: UnsplitNotices
    private let requestIds = RequestIdReader()
    /// Short answers are done at a stretch, long ones a step in each turn.
    private let short: AnswerWork
    private let long: AnswerWork
    private var longAnswers = LongAnswers()
    /// Predictions that have come in this turn. They are read and recorded one after the other, with no system call in between:
    /// so that code is in the processor's cache for all but the first of them.
    private var shortAnswers: [Exchange] = []
    /// Replies that wait for the end of the turn, so that their events go first.
    var replies: [Exchange] = []
    private(set) var inFlight = 0
    /// The time to drain is over.
    private(set) var isEnding = false

    init(
        metrics: ShardMetrics,
        readiness: Readiness,
        maxInFlight: Int,
        reporting: EventReporting,
        notices: UnsplitNotices,
        clock: ShardClock,
        bodyMemory: BodyMemory? = nil
    ) {
        self.metrics = metrics
        self.readiness = readiness
        self.maxInFlight = maxInFlight
        self.reporting = reporting
        self.notices = notices
        self.clock = clock
        freedMemory = FreedMemory(clock: clock)
        streams = StreamList(memory: bodyMemory)
        short = AnswerWork(reporting: reporting)
        long = AnswerWork(reporting: reporting)
    }

    // MARK: From the Provider

    /// Starts the call of an exchange whose request is in; nil, or why it is refused at once.
    func begin(_ exchange: Exchange) -> ExchangeFailure? {
        precondition(exchange.state == .receiving, "a call is begun for a request that is in")
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
        if exchange.request.operation == .predict, reporting.isFull {
            return ExchangeFailure(cause: .notRecorded, message: "the spool is full (reporting.spool.maxBytes)")
        }
        inFlight += 1
        metrics.addInFlight(1)
        if exchange.tries == 0 { route.retry?.began() }
        exchange.tries += 1
        exchange.transition(to: .calling)
        route.adapter.submit(exchange.attempt)
        return nil
    }

    /// The client has left while its call is out: the call is cancelled, and recorded as such.
    func clientLeft(_ exchange: Exchange) {
        if exchange.state == .streaming { return clientLeftStream(exchange) }
        if exchange.state == .retrying || exchange.retryAt != nil { return clientLeftRetry(exchange) }
        guard exchange.state == .calling else { return }
        exchange.route?.adapter.cancel(exchange.attempt)
        exchange.reply.completedAt = clock.monotonic()
        endCall(exchange)
        let failure = ExchangeFailure(cause: .clientClosed, message: "the client closed the connection")
        exchange.reply.status = failure.status
        exchange.reply.failure = failure.cause
        reportFailure(exchange, failure)
        exchange.transition(to: .abandoned)
        replies.append(exchange)
    }

    /// Gives a request that brought no id in its header one: that of an Open Inference Protocol body, else a new one.
    func ensureRequestId(_ exchange: Exchange) {
        guard exchange.request.id.isEmpty else { return }
        if mayHaveIdInBody(exchange.request) {
            let length = exchange.request.jsonLength ?? exchange.request.body.count
            if length <= exchange.request.body.count, let id = requestIds.find(in: exchange.request.body[0..<length]) {
                exchange.request.takeId(id, from: .body)
            }
        }
        replaceMissingRequestId(exchange)
    }

    /// Whether the id of a request that has none yet may be in its body.
    func mayHaveIdInBody(_ request: Request) -> Bool {
        request.face == .v2 && request.operation == .predict && !request.isEncoded
    }

    /// A new id for a request that has none.
    func replaceMissingRequestId(_ exchange: Exchange) {
        if exchange.request.id.isEmpty { reporting.newRequestId(exchange.request.id) }
    }

    /// Has a request tried again whose call has failed, or could not begin; `begin` follows when it is time.
    func beginAnotherTry(_ exchange: Exchange) {
        release(exchange)
        exchange.beginAnotherTry()
    }

    /// The reply has been sent, or nobody waits for it: nothing of the exchange is needed any more.
    func end(_ exchange: Exchange) {
        retries.remove(exchange)
        release(exchange)
        exchanges.giveBack(exchange)
    }

    /// Gives the adapter back what of its own the attempt has.
    private func release(_ exchange: Exchange) {
        if exchange.stream != nil { streams.release(exchange) }
        if exchange.attempt.call != nil { exchange.route?.adapter.release(exchange.attempt) }
    }

    // MARK: From the adapter

    func ended(_ attempt: Attempt, _ failure: ExchangeFailure?) {
        let exchange = attempt.exchange
        if let stream = exchange.stream { return ended(exchange, stream, failure) }
        precondition(exchange.state == .calling, "a call ends while it is out")
        attempt.answeredAt = clock.monotonic()
        if let failure { failed(exchange, failure) } else { answered(exchange) }
    }

    private func answered(_ exchange: Exchange) {
        guard let answer = exchange.attempt.answer, let route = exchange.route else {
            preconditionFailure("an answer that has ended has begun")
        }
        let isPrediction = exchange.request.operation == .predict && (200..<300).contains(answer.status)
        if !isPrediction || exchange.request.face != .native {
            // Before anything is recorded: what the client cannot be sent is not what it got.
            guard takeAnswerHeaders(exchange, answer) else { return headersTooLarge(exchange, route) }
        }
        guard exchange.request.operation == .predict else {
            endCall(exchange)
            passOn(exchange, answer)
            finish(exchange)
            return
        }
        guard (200..<300).contains(answer.status) else {
            endCall(exchange)
            metrics.failureDurations[route.index].observe(exchange.attempt.modelTime)
            let failure = ExchangeFailure(
                cause: .modelError,
                message: "the Model Service answered with an error status"
            )
            if isRetried(exchange, failure) { return }
            exchange.reply.failure = failure.cause
            passOn(exchange, answer)
            finish(exchange)
            reportFailure(exchange, failure, answer)
            return
        }
        metrics.modelDurations[route.index].observe(exchange.attempt.modelTime)
        readiness.gavePrediction(model: route.index)
        exchange.transition(to: .recording)
        if AnswerWork.length(exchange, reporting.policy(of: exchange)) < LongAnswers.minBytes {
            shortAnswers.append(exchange)
        } else {
            longAnswers.append(exchange)
        }
    }

    private func failed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        endCall(exchange)
        if exchange.attempt.sentAt > 0, let route = exchange.route, exchange.request.operation == .predict {
            metrics.failureDurations[route.index].observe(exchange.attempt.modelTime)
        }
        fail(exchange, failure)
    }

    // MARK: From the loop

    /// Hands the turn's events to the Reporters, and after that its replies to the Providers.
    func endTurn() {
        if streams.hasWork { resumeStreams() }
        recordShortAnswers()
        stepLongAnswer()
        if streams.hasWork { recordStreams() }
        let areEventsSafe = reporting.endTurn()
        if !areEventsSafe, let exchange = long.exchange, long.hasWrittenRows { takeBack(exchange) }
        if streams.hasWork { advanceStreams(areEventsSafe: areEventsSafe) }
        guard !replies.isEmpty else { return }
        if !areEventsSafe { withdrawPredictions() }
        for exchange in replies {
            if exchange.state == .retrying { wait(exchange) } else { exchange.provider.deliver(exchange) }
        }
        replies.removeAll(keepingCapacity: true)
    }

    /// The events of this turn are not where they were promised to be: nobody may be given a Prediction without one.
    private func withdrawPredictions() {
        for exchange in replies
        where exchange.request.operation == .predict && exchange.state == .replying && exchange.stream == nil {
            let failure = reporting.failure(of: exchange)
            if !willRetry(exchange, failure) { ErrorAnswer.write(failure, to: exchange) }
        }
    }

    /// Whether a reply, an event or an answer still waits for `endTurn`.
    var hasWork: Bool {
        !replies.isEmpty || streams.hasWork || !shortAnswers.isEmpty || !reporting.isEmpty || longAnswers.first != nil
    }

    /// Ends all calls that are out with an answer that says so: the time to drain is over.
    func abortAll() {
        isEnding = true
        recordShortAnswers()
        // What has been begun to be recorded is recorded to its end, which takes no more than a fraction of a second.
        while long.exchange != nil { stepLongAnswer() }
        let failure = ExchangeFailure(cause: .draining, message: "the Sidecar is shutting down")
        while let exchange = longAnswers.first {
            longAnswers.removeFirst()
            endCall(exchange)
            fail(exchange, failure)
        }
        exchanges.forEachInUse { exchange in
            if exchange.state == .streaming { return abortStream(exchange, failure) }
            if exchange.state == .retrying || exchange.retryAt != nil { return abortRetry(exchange, failure) }
            guard exchange.state == .calling else { return }
            exchange.route?.adapter.cancel(exchange.attempt)
            exchange.attempt.answeredAt = clock.monotonic()
            endCall(exchange)
            fail(exchange, failure)
        }
    }

    // MARK: Predictions

    private func recordShortAnswers() {
        guard !shortAnswers.isEmpty else { return }
        for exchange in shortAnswers {
            guard let answer = exchange.attempt.answer, let route = exchange.route else {
                preconditionFailure("an answer that is to be recorded is there")
            }
            record(exchange, answer, route)
        }
        shortAnswers.removeAll(keepingCapacity: true)
    }

    private func record(_ exchange: Exchange, _ answer: ModelAnswer, _ route: ModelRoute) {
        short.begin(exchange, answer, route)
        while !short.readOn() {}
        guard short.count < LongAnswers.minRows, short.extractor.addedBytes < LongAnswers.stepBytes else {
            short.end()
            return longAnswers.append(exchange)
        }
        beginRows(of: short, exchange, answer, route)
        _ = short.writeRows(atMost: .max, bytes: .max, metrics: metrics)
        endCall(exchange)
        complete(exchange, at: exchange.reply.completedAt)
    }

    /// All of the answer is known: the reply begins, and the events do.
    private func beginRows(of work: AnswerWork, _ exchange: Exchange, _ answer: ModelAnswer, _ route: ModelRoute) {
        if let unsplit = work.extractor.unsplit {
            notices.note(unsplit, work.extractor, of: route.index)
        }
        if exchange.request.face == .native {
            exchange.reply.status = 200
            exchange.reply.headers.removeAll()
            exchange.reply.headers.append("Content-Type", ByteView("application/json"))
        } else {
            passOn(exchange, answer)
        }
        exchange.reply.completedAt = clock.monotonic()
        work.beginRows()
    }

    /// Does a little of the first long answer.
    private func stepLongAnswer() {
        guard let exchange = longAnswers.first, let answer = exchange.attempt.answer, let route = exchange.route else {
            return
        }
        if long.exchange == nil { long.begin(exchange, answer, route) }
        guard long.isRead else {
            if long.readOn() {
                beginRows(of: long, exchange, answer, route)
                if let failure = long.roomFailure { refuseLongAnswer(exchange, failure) }
            }
            return
        }
        let isWritten = long.writeRows(
            atMost: LongAnswers.stepRows,
            bytes: LongAnswers.stepBytes,
            metrics: metrics
        )
        guard isWritten else { return }
        endLongAnswer(exchange)
        complete(exchange, at: clock.monotonic())
    }

    private func endLongAnswer(_ exchange: Exchange) {
        long.end()
        freedMemory.note(long.letGo())
        longAnswers.removeFirst()
        endCall(exchange)
    }

    /// Its events would find no room: none of them is stored, so that there is room for those of others.
    private func refuseLongAnswer(_ exchange: Exchange, _ failure: ExchangeFailure) {
        endLongAnswer(exchange)
        if isRetried(exchange, failure) { return }
        ErrorAnswer.write(failure, to: exchange)
        finish(exchange)
    }

    /// Some events of the long answer at hand are lost: it goes no further.
    private func takeBack(_ exchange: Exchange) {
        endLongAnswer(exchange)
        exchange.transition(to: .replying)
        replies.append(exchange)
    }

    // MARK: Steps

    func endCall(_ exchange: Exchange) {
        inFlight -= 1
        metrics.addInFlight(-1)
    }

    /// Gives the reply the lines of the Model Service's own answer; false, and there are none, where they are too long.
    func takeAnswerHeaders(_ exchange: Exchange, _ answer: ModelAnswer) -> Bool {
        let lines = exchange.reply.headers
        // There may be those of a call that is made again.
        lines.removeAll()
        HeaderRules.copyAnswerHeaders(answer.headers, to: lines)
        if exchange.provider.kind == .rest { AnswerProtection.add(to: lines, contentType: answer.contentType) }
        if lines.wireLength <= exchange.provider.maxReplyHeaderBytes { return true }
        lines.removeAll()
        return false
    }

    private func headersTooLarge(_ exchange: Exchange, _ route: ModelRoute) {
        endCall(exchange)
        if exchange.request.operation == .predict {
            metrics.failureDurations[route.index].observe(exchange.attempt.modelTime)
        }
        fail(
            exchange,
            ExchangeFailure(
                cause: .answerHeadersTooLarge,
                message: "the header of the Model Service's answer is too long"
            )
        )
    }

    /// The client gets the Model Service's own answer, whose lines it has.
    private func passOn(_ exchange: Exchange, _ answer: ModelAnswer) {
        exchange.reply.status = answer.status
        exchange.reply.bodySource = .answer
    }

    private func fail(_ exchange: Exchange, _ failure: ExchangeFailure) {
        if isRetried(exchange, failure) { return }
        ErrorAnswer.write(failure, to: exchange)
        finish(exchange)
        reportFailure(exchange, failure)
    }

    private func reportFailure(_ exchange: Exchange, _ failure: ExchangeFailure, _ answer: ModelAnswer? = nil) {
        guard exchange.request.operation == .predict else { return }
        reporting.report(exchange, failure: failure, answer: answer)
    }

    private func finish(_ exchange: Exchange) {
        exchange.reply.completedAt = clock.monotonic()
        complete(exchange, at: exchange.reply.completedAt)
    }

    /// The reply is complete.
    private func complete(_ exchange: Exchange, at time: Int64) {
        exchange.transition(to: .replying)
        if let route = exchange.route, exchange.request.operation == .predict, exchange.reply.failure == nil {
            let model = exchange.attempt.modelTime
            metrics.gatewayDurations[route.index].observe(time - exchange.request.receivedAt - model)
        }
        replies.append(exchange)
    }
}
