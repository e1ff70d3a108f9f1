/// Answers that go on to their clients as they come: the head at once, each part in the turn in which it comes, the end when the
/// answer is recorded.
extension ExchangeFlow {
    // MARK: From the adapter

    func began(_ attempt: Attempt) -> AnswerDelivery {
        let exchange = attempt.exchange
        guard let kind = exchange.route?.streams.kind(of: attempt.answer?.contentType ?? .empty) else { return .whole }
        return beganStream(attempt, exchange, kind, length: nil)
    }

    func wholeBytes(_ attempt: Attempt) -> Int? {
        let exchange = attempt.exchange
        // A call that may be made again is not told of before its end.
        guard let route = exchange.route, route.passesOn, exchange.provider.passesBodies else { return nil }
        let policy = reporting.policy(of: exchange)
        let isRecorded = reporting.isRecording && policy.records(exchange.request.id.view)
        return LongBodies.answerBytes(
            isRead: AnswerWork.reads(route.modelProtocol, for: exchange.request.face),
            maxEventBytes: isRecorded ? policy.maxEventBytes : nil
        )
    }

    func outgrew(_ attempt: Attempt, length: Int?) -> AnswerDelivery {
        beganStream(attempt, attempt.exchange, .document, length: length)
    }

    private func beganStream(
        _ attempt: Attempt,
        _ exchange: Exchange,
        _ kind: StreamKind,
        length: Int?
    ) -> AnswerDelivery {
        guard exchange.request.operation == .predict, exchange.provider.takesParts, let route = exchange.route,
            let answer = attempt.answer, (200..<300).contains(answer.status)
        else { return .whole }
        precondition(exchange.state == .calling, "a call is answered while it is out")
        // One that the client cannot be sent is dealt with at its end.
        guard takeAnswerHeaders(exchange, answer) else { return .whole }
        attempt.answeredAt = clock.monotonic()
        exchange.reply.status = answer.status
        exchange.transition(to: .streaming)
        let stream = streams.take()
        stream.begin(
            answer.isEncoded && kind != .document ? .bytes : kind,
            body: answer.body,
            length: length,
            maxBytes: kind == .document ? min(LongBodies.waitingBytes, route.maxStreamBytes) : route.maxStreamBytes,
            maxEventBytes: reporting.isRecording ? reporting.policy(of: exchange).maxEventBytes : 0,
            memory: streams.memory
        )
        exchange.stream = stream
        streams.list(exchange, stream)
        return .parts
    }

    func received(_ attempt: Attempt, mayGrow: Bool) -> Bool {
        guard let stream = attempt.exchange.stream else { return true }
        let hasRoom = stream.takeIn(clock, mayGrow: mayGrow)
        streams.list(attempt.exchange, stream)
        // At once, while the bytes are in the processor's cache: they are many.
        if stream.length != nil, stream.hasBegun, attempt.exchange.provider.sendAhead(attempt.exchange) {
            return stream.hasRoomAgain(mayGrow: mayGrow)
        }
        return hasRoom
    }

    func ended(_ exchange: Exchange, _ stream: AnswerStream, _ failure: ExchangeFailure?) {
        precondition(exchange.state == .streaming && !stream.callIsOver, "a call ends while it is out")
        endStreamCall(exchange, stream, failure)
    }

    private func endStreamCall(_ exchange: Exchange, _ stream: AnswerStream, _ failure: ExchangeFailure?) {
        exchange.attempt.answeredAt = clock.monotonic()
        endCall(exchange)
        stream.callIsOver = true
        // After the last event, nothing is missing.
        if !stream.record.isDone { stream.failure = failure }
        streams.list(exchange, stream)
    }

    // MARK: From the Provider

    /// The Provider has taken some of a stream.
    func tookPart(_ exchange: Exchange) {
        guard let stream = exchange.stream, stream.wantsMore(), !stream.callIsOver else { return }
        streams.readOn(exchange)
    }

    func clientLeftStream(_ exchange: Exchange) {
        guard let stream = exchange.stream, !stream.clientHasLeft else { return }
        stream.clientHasLeft = true
        guard !stream.callIsOver else { return }
        exchange.route?.adapter.cancel(exchange.attempt)
        let failure = ExchangeFailure(cause: .clientClosed, message: "the client closed the connection")
        endStreamCall(exchange, stream, failure)
    }

    func abortStream(_ exchange: Exchange, _ failure: ExchangeFailure) {
        guard let stream = exchange.stream, !stream.callIsOver else { return }
        exchange.route?.adapter.cancel(exchange.attempt)
        endStreamCall(exchange, stream, failure)
    }

    // MARK: From the loop

    /// Has those read on for which there is room again.
    func resumeStreams() {
        streams.takeWaiting { exchange, stream in
            if !stream.callIsOver { exchange.route?.adapter.resume(exchange.attempt) }
        }
    }

    /// Records the streams that are complete, or broken.
    func recordStreams() {
        for exchange in streams.listed {
            guard let stream = exchange.stream, !stream.isRecorded, stream.callIsOver || stream.isToBeRecorded else {
                continue
            }
            if !stream.callIsOver { exchange.attempt.answeredAt = clock.monotonic() }
            record(exchange, stream)
        }
    }

    private func record(_ exchange: Exchange, _ stream: AnswerStream) {
        stream.record.close()
        stream.isRecorded = true
        stream.isRecordedNow = true
        exchange.reply.completedAt = clock.monotonic()
        guard let route = exchange.route else { return }
        if let failure = stream.failure {
            note(failure, exchange)
            metrics.failureDurations[route.index].observe(exchange.attempt.modelTime)
        } else {
            metrics.modelDurations[route.index].observe(exchange.attempt.modelTime)
            readiness.gavePrediction(model: route.index)
        }
        reporting.report(exchange, stream, counters: metrics.predictions)
    }

    /// What the client got is not what was asked for, although its status line said so.
    private func note(_ failure: ExchangeFailure, _ exchange: Exchange) {
        exchange.reply.status = failure.status
        exchange.reply.failure = failure.cause
    }

    /// Lets everything leave that may, now that the events of the turn are with the Reporters.
    func advanceStreams(areEventsSafe: Bool) {
        streams.takeListed { exchange, stream in
            if stream.isRecordedNow { settle(exchange, stream, isSafe: areEventsSafe) }
            advance(exchange, stream)
        }
    }

    private func settle(_ exchange: Exchange, _ stream: AnswerStream, isSafe: Bool) {
        stream.isRecordedNow = false
        if isSafe { return stream.letGo() }
        // Nobody may take it for complete whose event is lost.
        let failure = reporting.failure(of: exchange)
        if !stream.callIsOver {
            exchange.route?.adapter.cancel(exchange.attempt)
            endCall(exchange)
            stream.callIsOver = true
        }
        stream.failure = failure
        note(failure, exchange)
    }

    private func advance(_ exchange: Exchange, _ stream: AnswerStream) {
        if stream.clientHasLeft {
            stream.discard()
            stream.finish(.broken)
            exchange.transition(to: .abandoned)
            return replies.append(exchange)
        }
        if !stream.hasBegun {
            if let failure = stream.failure {
                // Nothing of it has left: it is a failure like any other.
                streams.release(exchange)
                ErrorAnswer.write(failure, to: exchange)
                exchange.transition(to: .replying)
                return replies.append(exchange)
            }
            stream.hasBegun = true
            exchange.provider.beginReply(exchange)
            // The client may have left meanwhile, of which the next turn tells.
            guard !stream.clientHasLeft else { return }
        }
        guard stream.callIsOver else {
            if stream.ready > 0 { exchange.provider.deliverParts(exchange) }
            return
        }
        if let failure = stream.failure {
            stream.appendError { ErrorAnswer.writeObject(failure, exchange.request, to: $0) }
            stream.finish(.broken)
        } else {
            stream.finish(.complete)
        }
        exchange.transition(to: .replying)
        replies.append(exchange)
    }
}
