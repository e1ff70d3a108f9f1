/// One request in flight, from its first header line to the last byte of its answer. Pooled: its buffers keep their room.
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
        /// The answer is in, and is long: its Predictions are being recorded, or wait for that.
        case recording
        /// The reply is complete and waits for the end of the loop's turn.
        case replying
        /// The client has left: nothing is sent.
        case abandoned
        /// The call has failed and is to be made again; nobody was told of it.
        case retrying
    }

    /// What is asked of the Model Service.
    enum Operation {
        case predict
        /// The Model Service's own answer is passed on: metadata of the model, of the server, its readiness.
        case modelMetadata, modelReady, serverMetadata
        /// Answered by the Sidecar itself.
        case local
    }

    enum ReplyBody { case own, answer }

    /// How much room of a body is kept for the next one.
    static let keptBytes = 64 << 10

    let index: Int
    var state = State.idle

    // The request.
    unowned var provider: any Provider
    /// The provider's own word for it.
    var providerContext = 0
    var face = Face.native
    var operation = Operation.local
    var route: ModelRoute?
    let requestBody = ByteBuffer()
    /// The lines to forward.
    let requestHeaders = HeaderTable()
    /// What stands behind the `?` of the request's target: visible ASCII.
    let query = ByteBuffer(capacity: 64)
    let requestId = ByteBuffer(capacity: 64)
    /// How good the source of the id is; an id from a better one replaces it. 0: there is none.
    private var requestIdRank = 0
    let requestContentType = ByteBuffer(capacity: 64)
    let traceparent = ByteBuffer(capacity: 64)
    /// Whether the client sent Accept, which nobody else adds.
    var hasAccept = false
    /// Whether the body is compressed (Content-Encoding): it can't be looked into.
    var bodyIsEncoded = false
    /// How many bytes of the body are JSON, where binary tensors follow (Inference-Header-Content-Length).
    var requestJSONLength: Int?
    /// A version that the client asked for and the configuration leaves to the Model Service; plain text, else empty.
    let wantedVersion = ByteBuffer(capacity: 32)

    // The call. Nanoseconds of the monotonic clock, 0: not reached.
    var receivedAt: Int64 = 0
    /// When this try of the call began, the wait for a connection included: its time limit counts from here.
    var begunAt: Int64 = 0
    var sentAt: Int64 = 0
    var answeredAt: Int64 = 0
    var completedAt: Int64 = 0
    /// The adapter's own record of the call, until `ModelServiceAdapter.release`.
    var call: AnyObject?
    var answer: ModelAnswer?

    // The reply.
    var replyStatus = 0
    var replyBodySource = ReplyBody.own
    let ownReplyBody = ByteBuffer(capacity: 1024)
    let replyHeaders = HeaderTable()
    /// The body where it is made as it is sent: the reply's other bodies are not looked at then; nil: it is one of those.
    var replyStream: (any HTTPBodySource)?
    /// Whether the connection is to be closed after the reply.
    var closesConnection = false
    /// Why the client does not get what it asked for; nil: it does.
    var failure: ExchangeFailure.Cause?

    init(index: Int, provider: any Provider) {
        self.index = index
        self.provider = provider
    }

    /// The bytes of the reply; valid until the exchange is recycled.
    var replyBody: ByteView {
        switch replyBodySource {
        case .own: ownReplyBody.view
        case .answer: answer?.body.view ?? .empty
        }
    }

    /// Makes it ready for the next request.
    func reset(provider: any Provider) {
        self.provider = provider
        state = .receiving
        providerContext = 0
        face = .native
        operation = .local
        route = nil
        requestBody.removeAll(keepingAtMost: Self.keptBytes)
        requestHeaders.removeAll()
        query.removeAll()
        requestId.removeAll()
        requestIdRank = 0
        requestContentType.removeAll()
        traceparent.removeAll()
        wantedVersion.removeAll()
        hasAccept = false
        bodyIsEncoded = false
        requestJSONLength = nil
        receivedAt = 0
        begunAt = 0
        sentAt = 0
        answeredAt = 0
        completedAt = 0
        replyStatus = 0
        replyBodySource = .own
        ownReplyBody.removeAll(keepingAtMost: Self.keptBytes)
        replyHeaders.removeAll()
        replyStream = nil
        closesConnection = false
        failure = nil
    }

    /// Gives back what one large request or answer has left behind. After the exchange.
    fileprivate func letGo() {
        requestBody.removeAll(keepingAtMost: Self.keptBytes)
        ownReplyBody.removeAll(keepingAtMost: Self.keptBytes)
        requestId.removeAll(keepingAtMost: 1 << 10)
        query.removeAll(keepingAtMost: 1 << 10)
    }

    /// Gives back all room, and returns how much the bodies had.
    fileprivate func shrink() -> Int {
        let bodies = requestBody.capacity + ownReplyBody.capacity
        for buffer in [requestBody, query, requestId, requestContentType, traceparent, wantedVersion, ownReplyBody] {
            buffer.removeAll(keepingAtMost: 0)
        }
        requestHeaders.shrink()
        replyHeaders.shrink()
        return bodies
    }

    /// Forgets a call that failed, and keeps the request. The adapter has been told to release the call.
    func prepareForAnotherTry() {
        precondition(state == .retrying || state == .receiving, "a call is made again when it is over")
        state = .receiving
        begunAt = 0
        sentAt = 0
        answeredAt = 0
        completedAt = 0
        replyStatus = 0
        replyBodySource = .own
        ownReplyBody.removeAll(keepingAtMost: Self.keptBytes)
        replyHeaders.removeAll()
        failure = nil
    }

    /// The longest id that is taken, in bytes: it goes into each event, and into the header of call and answer.
    static let maxRequestIdBytes = 256

    /// Takes an id that the client gave, unless there is one from as good a source.
    ///
    /// An id that can't be echoed in a header line and in an event as it is counts as none, as does one that is too long.
    func takeRequestId(_ value: ByteView, from source: RequestIdSource) {
        guard source.rawValue > requestIdRank, !value.isEmpty, value.count <= Self.maxRequestIdBytes,
            value.isVisibleASCII
        else { return }
        requestIdRank = source.rawValue
        requestId.removeAll()
        requestId.append(value)
    }

    /// Appends the value of Server-Timing: how long the last call took in the model, and all the rest in the Sidecar.
    func writeServerTiming(to value: ByteBuffer, now: Int64) {
        let model = sentAt > 0 ? max(answeredAt - sentAt, 0) : 0
        value.append("model;dur=")
        value.append(milliseconds: model)
        value.append(", gateway;dur=")
        value.append(milliseconds: now - receivedAt - model)
    }

    /// What may carry the id of a request, the better ones last.
    enum RequestIdSource: Int {
        /// `id` in the body.
        case body = 1
        /// `Ce-Id`, or `ce_id` in Kafka.
        case cloudEvent
        /// `X-Request-Id`.
        case request
    }
}

@available(*, unavailable)
extension Exchange: Sendable {}

/// A shard's exchanges: as many as were ever in flight at once, found by their index.
final class ExchangePool {
    private var all: [Exchange] = []
    /// Those not in use; the ones used last are used next.
    private var free: [Int] = []
    /// How many at the bottom of `free` have not been in use since the last `trim`, and how many of these have no room left.
    private var unused = 0
    private var shrunk = 0

    /// How many are in use.
    var inUse: Int { all.count - free.count }

    subscript(index: Int) -> Exchange { all[index] }

    /// An exchange in the state `receiving`.
    func take(for provider: any Provider) -> Exchange {
        let exchange: Exchange
        if let index = free.popLast() {
            exchange = all[index]
            if free.count < unused {
                unused = free.count
                shrunk = min(shrunk, unused)
            }
        } else {
            exchange = Exchange(index: all.count, provider: provider)
            all.append(exchange)
        }
        exchange.reset(provider: provider)
        return exchange
    }

    func giveBack(_ exchange: Exchange) {
        precondition(exchange.state != .idle, "an exchange is given back once")
        exchange.state = .idle
        exchange.letGo()
        free.append(exchange.index)
    }

    /// Gives back the room of the exchanges that nobody has needed since the last call. Whether others may be due next time.
    func trim(_ freed: FreedMemory) -> Bool {
        for place in shrunk..<unused { freed.note(all[free[place]].shrink()) }
        shrunk = unused
        unused = free.count
        return shrunk < free.count
    }

    /// Shows each exchange in use. Not for the request path.
    func forEachInUse(_ body: (Exchange) -> Void) {
        for exchange in all where exchange.state != .idle { body(exchange) }
    }
}
