/// One request in flight, from its first header line to the last byte of its answer: what came (`Request`), the calls made for it
/// (`Attempt`), and what goes back (`Reply`). Pooled.
///
/// Confined to its shard's thread. `ExchangeFlow` moves it from state to state.
final class Exchange {
    enum State {
        /// In the pool.
        case idle
        /// The request is coming in.
        case receiving
        /// The call is out.
        case calling
        /// The answer goes on to the client as it comes.
        case streaming
        /// The answer is in: its Predictions are recorded at the end of the turn, or a step in each where they are many.
        case recording
        /// The reply is complete and waits for the end of the loop's turn.
        case replying
        /// The client has left: nothing is sent.
        case abandoned
        /// The call has failed and is to be made again; nobody was told of it. From the end of the turn on it waits, `receiving`.
        case retrying

        /// Whether an exchange may go from this state to another.
        func leads(to next: State) -> Bool {
            switch (self, next) {
            case (.idle, .receiving): true
            // Refused or answered locally, or its client has gone.
            case (.receiving, .calling), (.receiving, .replying), (.receiving, .idle): true
            // Its client has left while it waited for its next try.
            case (.receiving, .abandoned), (.retrying, .abandoned): true
            // There will be no next try.
            case (.retrying, .replying): true
            case (.calling, .recording), (.calling, .replying), (.calling, .abandoned), (.calling, .retrying): true
            case (.calling, .streaming), (.streaming, .replying), (.streaming, .abandoned): true
            // It broke off before anybody had seen anything of it.
            case (.streaming, .retrying): true
            case (.recording, .replying), (.recording, .retrying): true
            // Its events are lost: it is withdrawn before anybody has it.
            case (.replying, .retrying): true
            // The next try, or nobody waits for it any more.
            case (.retrying, .receiving), (.retrying, .idle): true
            case (.replying, .idle), (.abandoned, .idle): true
            default: false
            }
        }
    }

    /// How much room of a body is kept for the next one.
    static let keptBytes = 64 << 10

    let index: Int
    private(set) var state = State.idle

    unowned var provider: any Provider
    /// The provider's own word for it.
    var providerContext = 0
    var route: ModelRoute?

    /// Calls that have begun.
    var tries = 0
    /// What the policy has decided, in nanoseconds.
    var retryDelay: Int64 = 0
    /// When the next call is due, on the monotonic clock; nil: it does not wait for one. `RetryQueue`'s.
    var retryAt: Int64?

    let request = Request()
    /// The call at hand, or the last one.
    let attempt = Attempt()
    let reply = Reply()
    /// The answer that goes on as it comes; nil: none does.
    var stream: AnswerStream?

    init(index: Int, provider: any Provider) {
        self.index = index
        self.provider = provider
        attempt.belong(to: self)
    }

    /// Goes on to another state; ends the process where that one does not follow: somebody has lost track of the exchange, and
    /// somebody else might be given its answer.
    func transition(to next: State) {
        precondition(state.leads(to: next), "an exchange does not go from this state to that one")
        state = next
    }

    /// The bytes of the reply; valid until the exchange is recycled.
    var replyBody: ByteView {
        switch reply.bodySource {
        case .own: reply.ownBody.view
        case .answer: attempt.answer?.body.view ?? .empty
        }
    }

    /// Makes it ready for the next request.
    func begin(for provider: any Provider) {
        transition(to: .receiving)
        self.provider = provider
        providerContext = 0
        route = nil
        tries = 0
        retryAt = nil
        request.reset()
        attempt.reset()
        reply.reset()
    }

    /// Forgets a call that failed, and keeps the request.
    func beginAnotherTry() {
        // A call that could not begin is made again as one that has failed.
        precondition(state == .retrying || state == .receiving, "a call is made again when it is over")
        if state == .retrying { transition(to: .receiving) }
        attempt.reset()
        reply.reset()
    }

    /// Nobody needs it any more: gives back what one large request or answer has left behind.
    func end() {
        transition(to: .idle)
        request.letGo()
        reply.letGo()
    }

    /// Gives back all room, and returns how much the bodies had.
    func shrink() -> Int { request.shrink() + reply.shrink() }

    /// Appends the value of Server-Timing: how long the last call took in the model, and all the rest in the Sidecar.
    func writeServerTiming(to value: ByteBuffer, now: Int64) {
        let model = attempt.modelTime
        value.append("model;dur=")
        value.append(milliseconds: model)
        value.append(", gateway;dur=")
        value.append(milliseconds: now - request.receivedAt - model)
    }
}

@available(*, unavailable)
extension Exchange: Sendable {}
