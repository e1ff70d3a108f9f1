/// Calls that are made again.
extension ExchangeFlow {
    /// Begins the call of an exchange whose request is in; where that cannot be, its policy says what follows: the call is made
    /// later, or the reply tells of it at the end of the turn.
    func ask(_ exchange: Exchange) {
        exchange.attempt.begunAt = clock.monotonic()
        guard let failure = begin(exchange) else { return }
        if case .again(let delay) = decision(exchange, failure) {
            exchange.retryDelay = delay
            return wait(exchange)
        }
        replaceMissingRequestId(exchange)
        ErrorAnswer.write(failure, to: exchange)
        exchange.reply.completedAt = clock.monotonic()
        // That a call has failed was told to nobody.
        if exchange.tries > 0 { reporting.report(exchange, failure: failure) }
        exchange.transition(to: .replying)
        replies.append(exchange)
    }

    /// Whether the call of an exchange is made again: then nobody is told of the failure.
    func isRetried(_ exchange: Exchange, _ failure: ExchangeFailure) -> Bool {
        guard willRetry(exchange, failure) else { return false }
        replies.append(exchange)
        return true
    }

    /// The same of one that stands among the replies already.
    func willRetry(_ exchange: Exchange, _ failure: ExchangeFailure) -> Bool {
        guard exchange.request.operation == .predict, case .again(let delay) = decision(exchange, failure) else {
            return false
        }
        exchange.retryDelay = delay
        exchange.transition(to: .retrying)
        return true
    }

    private func decision(_ exchange: Exchange, _ failure: ExchangeFailure) -> PolicyDecision {
        if isEnding, !exchange.provider.leavesToOthers { return .over }
        return exchange.provider.policy(of: exchange)?.decide(exchange, after: failure) ?? .over
    }

    /// Until it is time to make the call again; or not, where it would be made in vain.
    func wait(_ exchange: Exchange) {
        guard exchange.provider.waits(for: exchange) else { return exchange.provider.drop(exchange) }
        beginAnotherTry(exchange)
        retries.add(exchange, due: clock.monotonic() + exchange.retryDelay)
    }

    /// Makes the calls again whose time has come. Once a turn.
    func startRetries(now: Int64) {
        while let exchange = retries.take(dueBy: now) { ask(exchange) }
    }

    /// There is no time for another call.
    func abortRetry(_ exchange: Exchange, _ failure: ExchangeFailure) {
        guard !exchange.provider.leavesToOthers else { return }
        let isListed = exchange.state == .retrying
        retries.remove(exchange)
        ErrorAnswer.write(failure, to: exchange)
        exchange.reply.completedAt = clock.monotonic()
        reporting.report(exchange, failure: failure)
        exchange.transition(to: .replying)
        if !isListed { replies.append(exchange) }
    }

    /// The client of a waiting exchange has left.
    func clientLeftRetry(_ exchange: Exchange) {
        let isListed = exchange.state == .retrying
        retries.remove(exchange)
        exchange.reply.completedAt = clock.monotonic()
        let failure = ExchangeFailure(cause: .clientClosed, message: "the client closed the connection")
        exchange.reply.status = failure.status
        exchange.reply.failure = failure.cause
        reporting.report(exchange, failure: failure)
        exchange.transition(to: .abandoned)
        if !isListed { replies.append(exchange) }
    }
}
