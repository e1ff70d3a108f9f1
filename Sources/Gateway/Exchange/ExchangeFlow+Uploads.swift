/// Requests whose body goes on as it comes: the call begins at their head.
extension ExchangeFlow {
    /// Begins the call of a request of which only the head is in, and whose body is so long; false: all of it is to come first. A
    /// refusal is told then, too.
    func beginAtHead(_ exchange: Exchange, bodyLength: Int, now: Int64) -> Bool {
        guard mayPass(exchange, bodyLength: bodyLength) else { return false }
        ensureRequestId(exchange)
        exchange.request.receivedAt = now
        exchange.attempt.begunAt = now
        exchange.request.passedLength = bodyLength
        guard begin(exchange) != nil else { return true }
        exchange.request.passedLength = nil
        return false
    }

    /// Whether nobody has to look into the body of a request, and its call is made once.
    private func mayPass(_ exchange: Exchange, bodyLength: Int) -> Bool {
        guard bodyLength > LongBodies.minBytes, exchange.request.operation == .predict, let route = exchange.route,
            route.retry == nil, route.adapter.takesBodies, !reporting.mayCapture(exchange)
        else { return false }
        return !exchange.request.id.isEmpty || !mayHaveIdInBody(exchange.request)
    }

    /// More of the body of such a request is there, or all of it.
    func bodyCame(_ exchange: Exchange) {
        guard exchange.state == .calling || exchange.stream?.callIsOver == false else { return }
        exchange.route?.adapter.sendOn(exchange.attempt)
    }

    func sentBody(_ attempt: Attempt) { attempt.exchange.provider.sentBody(attempt.exchange) }

    /// The rest of such a request does not come: its call is cancelled, and recorded as failed. True where it was out; else there
    /// is a reply, which nobody gets.
    func refuseUpload(_ exchange: Exchange, _ failure: ExchangeFailure) -> Bool {
        guard exchange.state == .calling else { return false }
        exchange.route?.adapter.cancel(exchange.attempt)
        exchange.attempt.answeredAt = clock.monotonic()
        endCall(exchange)
        ErrorAnswer.write(failure, to: exchange)
        exchange.reply.completedAt = clock.monotonic()
        reporting.report(exchange, failure: failure)
        exchange.transition(to: .replying)
        return true
    }
}
