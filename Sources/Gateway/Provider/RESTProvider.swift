/// The REST Provider: requests in over libmicrohttpd, replies out. One per shard; confined to its thread.
final class RESTProvider: Provider {
    struct Options {
        var maxBodyBytes: Int
        var maxHeaderBytes: Int
    }

    /// Where a request stands with the daemon.
    private enum Stage {
        /// It is coming in, or was answered at once.
        case incoming
        /// Its call is out: the daemon asks for it in each run.
        case waiting
        /// Its call is out: the daemon does not look at it.
        case suspended
        /// Its reply is complete.
        case delivered
        /// The daemon would not take its reply.
        case refused
    }

    /// What the Provider keeps for each exchange, found by the exchange's index.
    private struct Inbound {
        /// nil: the connection is gone.
        var request: HTTPRequest?
        var stage = Stage.incoming
        /// How often the daemon has asked for it while it waited.
        var waits = 0
        var connection = 0
        /// Why the request will be refused once it is in.
        var failure: ExchangeFailure?
        var endpoint = RESTEndpoint.live
        var allow: StaticString?
        /// Bytes of a body that is too long, read only so that the client can hear of it.
        var discarded = 0
    }

    /// A client's connection.
    private struct Client {
        var exchange: Int?
        var generation: UInt32 = 0
    }

    let kind = ProviderKind.rest

    private static var bodyTooLong: ExchangeFailure {
        ExchangeFailure(cause: .bodyTooLarge, message: "the body is longer than server.maxBodyBytes allows")
    }
    /// How many times the allowed length is read of a body that is too long, before its client is cut off.
    private static let patience = 4
    /// How often the daemon may ask for a request that waits before it is suspended after all: by then the asking has cost
    /// as much as suspending would have.
    private static let maxWaits = 20

    private let options: Options
    private let flow: ExchangeFlow
    private let router: Router
    private let local: LocalAnswers
    private let epoll: Epoll
    private let tokenKind: UInt8
    private var inbound: [Inbound] = []
    private var clients: [Client] = []
    private var freeClients: [Int] = []
    private let scratch = ByteBuffer(capacity: 256)
    private var header: RequestHeader
    private(set) var waitingCount = 0

    init(
        options: Options,
        flow: ExchangeFlow,
        router: Router,
        local: LocalAnswers,
        epoll: Epoll,
        tokenKind: UInt8
    ) {
        self.options = options
        self.flow = flow
        self.router = router
        self.local = local
        self.epoll = epoll
        self.tokenKind = tokenKind
        self.header = RequestHeader()
    }

    /// The reply is complete: the daemon's next run sends it.
    func deliver(_ exchange: Exchange) {
        let index = exchange.index
        guard let request = inbound[index].request else {
            if exchange.state == .replying { count(exchange) }
            return finish(exchange)
        }
        let stage = inbound[index].stage
        inbound[index].stage = .delivered
        switch stage {
        case .suspended: request.resume()
        case .waiting:
            waitingCount -= 1
            // For a client that has left there is no answer: the next run asks, and closes.
            if exchange.state == .replying, send(exchange) == .close { inbound[index].stage = .refused }
        case .incoming, .delivered, .refused: preconditionFailure("a reply is delivered once, after a call")
        }
    }

    /// epoll reports something about a client's socket: the client has left, or has ended its sending.
    func clientChanged(_ token: Epoll.Token) {
        let index = Int(token.value)
        guard index < clients.count, clients[index].generation & 0xFF_FFFF == token.generation else { return }
        guard let exchange = clients[index].exchange else { return }
        flow.clientLeft(flow.exchanges[exchange])
    }
}

// MARK: - Connections

extension RESTProvider: HTTPDaemonDelegate {
    func connectionOpened(socket: Int32) -> Int {
        let index: Int
        if let free = freeClients.popLast() {
            index = free
        } else {
            index = clients.count
            clients.append(Client())
        }
        flow.metrics.addConnections(1)
        // libmicrohttpd does not look at the socket of a suspended request. Edge-triggered, this costs one system call per
        // connection and none per request; closing the socket ends it.
        try? epoll.add(
            socket,
            [.peerClosed, .edgeTriggered],
            token: Epoll.Token(kind: tokenKind, generation: clients[index].generation, value: Int32(index))
        )
        return index + 1
    }

    func connectionClosed(context: Int) {
        clients[context - 1].exchange = nil
        clients[context - 1].generation &+= 1
        freeClients.append(context - 1)
        flow.metrics.addConnections(-1)
    }

    // MARK: Requests

    func requestStarted(_ request: HTTPRequest, method: ByteView, target: ByteView) -> Int {
        let exchange = flow.exchanges.take(for: self)
        while inbound.count <= exchange.index { inbound.append(Inbound()) }
        let connection = request.connectionContext - 1
        inbound[exchange.index] = Inbound(request: request, connection: connection)
        clients[connection].exchange = exchange.index
        exchange.face = RESTRoutes.face(of: target)

        header.read(request, target: target, into: exchange)
        route(exchange, method: method, path: target)
        if header.bytes > options.maxHeaderBytes {
            inbound[exchange.index].failure = ExchangeFailure(
                cause: .headersTooLarge,
                message: "the header is longer than server.maxHeaderBytes allows"
            )
        }
        if let length = header.contentLength, length > options.maxBodyBytes {
            refuseEarly(exchange, Self.bodyTooLong, clientWaits: header.expectsContinue)
        }
        return exchange.index + 1
    }

    func requestBody(context: Int, _ bytes: ByteView) -> Bool {
        let exchange = flow.exchanges[context - 1]
        if inbound[exchange.index].failure == nil {
            if exchange.requestBody.count + bytes.count <= options.maxBodyBytes {
                exchange.requestBody.append(bytes)
                return true
            }
            exchange.requestBody.removeAll()
            refuseEarly(exchange, Self.bodyTooLong, clientWaits: false)
        }
        inbound[exchange.index].discarded += bytes.count
        return inbound[exchange.index].discarded <= Self.patience * options.maxBodyBytes + (1 << 20)
    }

    func requestReady(context: Int, mayWait: Bool) -> HTTPDaemon.Step {
        let exchange = flow.exchanges[context - 1]
        switch inbound[exchange.index].stage {
        case .incoming: return exchange.state == .receiving ? start(exchange) : .close
        case .waiting:
            inbound[exchange.index].waits += 1
            if mayWait, inbound[exchange.index].waits <= Self.maxWaits { return .wait }
            waitingCount -= 1
            inbound[exchange.index].stage = .suspended
            return .suspend
        case .suspended: return .suspend
        case .delivered: return exchange.state == .replying ? send(exchange) : .close
        case .refused: return .close
        }
    }

    func requestCompleted(context: Int) {
        let exchange = flow.exchanges[context - 1]
        let connection = inbound[exchange.index].connection
        if connection >= 0, clients[connection].exchange == exchange.index { clients[connection].exchange = nil }
        inbound[exchange.index].request = nil
        guard inbound[exchange.index].stage == .waiting else { return finish(exchange) }
        // The connection is gone before the reply: what there is to deliver ends the exchange.
        waitingCount -= 1
        flow.clientLeft(exchange)
    }

    /// Nobody needs the exchange any more.
    private func finish(_ exchange: Exchange) {
        if exchange.state == .abandoned { count(exchange) }
        if exchange.call != nil { exchange.route?.adapter.release(exchange) }
        flow.exchanges.giveBack(exchange)
    }
}

// MARK: - Steps

extension RESTProvider {
    /// Finds out what the request is for; what stands against it is kept until its body is in.
    private func route(_ exchange: Exchange, method: ByteView, path: ByteView) {
        switch RESTRoutes.match(method: method, path: path) {
        case .unknownPath:
            inbound[exchange.index].failure = ExchangeFailure(
                cause: .unknownPath,
                message: "there is nothing at this path"
            )
        case .wrongMethod(let allow):
            inbound[exchange.index].allow = allow
            inbound[exchange.index].failure = ExchangeFailure(
                cause: .methodNotAllowed,
                message: "this path does not answer this method"
            )
        case .endpoint(let endpoint):
            inbound[exchange.index].endpoint = endpoint
            switch endpoint {
            case .predict(let face, let model, let version):
                exchange.face = face
                exchange.operation = .predict
                find(exchange, model, version)
            case .v2Model(let model, let version):
                exchange.operation = .modelMetadata
                find(exchange, model, version)
            case .v2ModelReady(let model, let version):
                exchange.operation = .modelReady
                find(exchange, model, version)
            case .v1Model(let model):
                exchange.operation = .modelMetadata
                find(exchange, model, .empty)
            case .v2Server:
                guard let route = local.serverMetadataRoute else { return }
                exchange.operation = .serverMetadata
                exchange.route = route
            case .page, .pagePredictions: preparePage(exchange)
            case .v1Models, .v2Live, .v2Ready, .live, .ready, .metrics, .openAPI: break
            }
        }
    }

    private func preparePage(_ exchange: Exchange) {
        guard local.hasPage else {
            inbound[exchange.index].failure = ExchangeFailure(
                cause: .unknownPath,
                message: "the page is off (ui.enabled)"
            )
            return
        }
        guard case .pagePredictions = inbound[exchange.index].endpoint,
            let text = inbound[exchange.index].request?.queryValue("after")
        else { return }
        if let after = text.decimal {
            inbound[exchange.index].endpoint = .pagePredictions(after: after)
        } else {
            inbound[exchange.index].failure = ExchangeFailure(cause: .badRequest, message: "`after` is not a number")
        }
    }

    private func find(_ exchange: Exchange, _ model: ByteView, _ version: ByteView) {
        scratch.removeAll()
        scratch.append(percentDecoding: model)
        let middle = scratch.count
        scratch.append(percentDecoding: version)
        let failure = router.assignRoute(
            to: exchange,
            name: scratch[0..<middle],
            version: scratch[middle..<scratch.count]
        )
        if let failure { inbound[exchange.index].failure = failure }
        // What the Model Service has no answer for, the Sidecar answers.
        if let route = exchange.route, !route.adapter.canAnswer(exchange.operation) { exchange.operation = .local }
    }

    /// The whole request is in.
    private func start(_ exchange: Exchange) -> HTTPDaemon.Step {
        exchange.receivedAt = Clock.monotonic()
        exchange.begunAt = exchange.receivedAt
        if let failure = inbound[exchange.index].failure { return refuse(exchange, failure) }
        flow.ensureRequestId(exchange)
        guard exchange.operation != .local else {
            local.write(inbound[exchange.index].endpoint, to: exchange)
            exchange.completedAt = Clock.monotonic()
            return send(exchange)
        }
        if let failure = flow.begin(exchange) { return refuse(exchange, failure) }
        waitingCount += 1
        inbound[exchange.index].stage = .waiting
        return .wait
    }

    private func refuse(_ exchange: Exchange, _ failure: ExchangeFailure) -> HTTPDaemon.Step {
        prepareRefusal(exchange, failure)
        return send(exchange)
    }

    private func prepareRefusal(_ exchange: Exchange, _ failure: ExchangeFailure) {
        flow.replaceMissingRequestId(exchange)
        ErrorAnswer.write(failure, to: exchange)
        if let allow = inbound[exchange.index].allow { exchange.replyHeaders.append("Allow", ByteView(allow)) }
        exchange.completedAt = Clock.monotonic()
    }

    /// Answers while the body is still coming. A client that waits for leave to send it gets the answer from the daemon,
    /// which then closes the connection. Any other client may not read before it has sent everything, and would lose the
    /// answer to a reset if the connection closed now: so its body is read on, and forgotten.
    private func refuseEarly(_ exchange: Exchange, _ failure: ExchangeFailure, clientWaits: Bool) {
        inbound[exchange.index].failure = failure
        exchange.receivedAt = Clock.monotonic()
        guard !clientWaits else {
            _ = refuse(exchange, failure)
            return
        }
        prepareRefusal(exchange, failure)
        exchange.closesConnection = true
        addReplyLines(exchange)
        scratch.removeAll()
        RawResponse.write(exchange, title: failure.title, to: scratch)
        inbound[exchange.index].request?.sendDirectly(scratch.view)
        exchange.state = .abandoned
    }

    /// Hands the reply to the daemon.
    private func send(_ exchange: Exchange) -> HTTPDaemon.Step {
        guard let request = inbound[exchange.index].request else { return .close }
        exchange.state = .replying
        addReplyLines(exchange)
        let lines = exchange.replyHeaders
        let response = HTTPResponse(body: exchange.replyBody)
        for index in 0..<lines.count { response.add(lines[index].name, lines[index].value) }
        count(exchange)
        return request.reply(status: exchange.replyStatus, response) ? .replied : .close
    }

    /// The lines that every answer has.
    private func addReplyLines(_ exchange: Exchange) {
        let lines = exchange.replyHeaders
        lines.append("X-Request-Id", exchange.requestId.view)
        lines.append("Server-Timing") { exchange.writeServerTiming(to: $0, now: Clock.monotonic()) }
        if exchange.closesConnection || flow.readiness.isDraining { lines.append("Connection", ByteView("close")) }
    }

    /// Requests for predictions are counted, and those that led nowhere; questions about the Sidecar itself are not.
    private func count(_ exchange: Exchange) {
        guard exchange.operation == .predict || inbound[exchange.index].failure != nil else { return }
        flow.metrics.countRequest(by: .rest, model: exchange.route?.index, code: exchange.replyStatus)
    }
}
