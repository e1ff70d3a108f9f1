/// The REST Provider: requests in over an `HTTPServer`, replies out. One per shard; confined to its thread.
final class RESTProvider: Provider {
    /// Where a request stands with the daemon.
    enum Stage {
        /// It is coming in, or was answered at once.
        case incoming
        /// Its call is out, and its body still comes in.
        case uploading
        /// Its call is out: the daemon asks for it in each run.
        case waiting
        /// Its call is out: the daemon does not look at it.
        case suspended
        /// Its reply is complete.
        case delivered
        /// Its reply goes out as its stream comes in.
        case streaming
        /// The daemon would not take its reply.
        case refused
    }

    /// What the Provider keeps for each exchange, found by the exchange's index.
    struct Inbound {
        /// nil: the connection is gone.
        var request: HTTPRequest?
        var stage = Stage.incoming
        /// How often the daemon has asked for it while it waited.
        var waits = 0
        var client = 0
        /// Why the request will be refused once it is in.
        var failure: ExchangeFailure?
        var endpoint = RESTEndpoint.live
        var allow: StaticString?
        /// Bytes of memory that are lent to its body.
        var bodyBytes = 0
        /// Whether its body has room that was lent (`LongBuffers`).
        var hasLongRoom = false
        /// Whether its body goes on as it comes, and the daemon has not been told of it.
        var isUploading = false
        /// What the daemon reads its stream from; nil: it does not, or no more.
        var parts: StreamParts?
    }

    let kind = ProviderKind.rest
    let maxReplyHeaderBytes = HTTPDaemon.maxAnswerLineBytes

    /// How often the daemon may ask for a request that waits before it is suspended after all: by then the asking has cost
    /// as much as suspending would have.
    private static let maxWaits = 20

    /// How often what a burst has left behind is given back.
    private static let trimInterval: Int64 = 1_000_000_000

    let flow: ExchangeFlow
    private let router: Router
    private let local: LocalAnswers
    private let bodyMemory: BodyMemory
    private let browserGuard: BrowserGuard
    /// Told of each request that is refused before it is whole, and why.
    private let refused: (HTTP1Refusal) -> Void
    var server: HTTPServer!
    var inbound: [Inbound] = []
    private let scratch = ByteBuffer(capacity: 256)
    private var header = RequestHeader()
    var waitingCount = 0
    var streamingCount = 0
    /// When to trim next, on `Clock.monotonic`; `.max`: there is nothing to trim.
    private var nextTrim = Int64.max

    init(
        flow: ExchangeFlow,
        router: Router,
        local: LocalAnswers,
        bodyMemory: BodyMemory,
        browserGuard: BrowserGuard,
        refused: @escaping (HTTP1Refusal) -> Void
    ) {
        self.flow = flow
        self.router = router
        self.local = local
        self.bodyMemory = bodyMemory
        self.browserGuard = browserGuard
        self.refused = refused
    }

    /// Starts to serve, at a place of the balancer's. Once.
    func serve(
        _ connections: ConnectionBalancer,
        place: Int,
        options: HTTPServer.Options,
        epoll: Epoll,
        tokenKind: UInt8,
        log: @escaping (String) -> Void
    ) throws(SystemError) {
        server = try HTTPServer(
            connections,
            place: place,
            options: options,
            delegate: self,
            epoll: epoll,
            tokenKind: tokenKind,
            log: log
        )
    }

    /// The reply is complete: the daemon's next run sends it.
    func deliver(_ exchange: Exchange) {
        let index = exchange.index
        if inbound[index].isUploading { return deliverEarly(exchange) }
        guard let request = inbound[index].request else {
            if exchange.state == .replying { count(exchange) }
            return finish(exchange)
        }
        let stage = inbound[index].stage
        // One that the daemon would not take a head for has its end here all the same.
        if stage == .streaming || stage == .refused {
            if exchange.state == .replying { count(exchange) }
            return wake(index, request)
        }
        inbound[index].stage = .delivered
        switch stage {
        case .suspended: request.resume()
        case .waiting:
            waitingCount -= 1
            // For a client that has left there is no answer: the next run asks, and closes.
            if exchange.state == .replying, send(exchange) == .close { inbound[index].stage = .refused }
        case .incoming, .uploading, .streaming, .delivered, .refused:
            preconditionFailure("a reply is delivered once, after a call")
        }
    }
}

// MARK: - The loop

extension RESTProvider {
    func ready(_ event: Epoll.Event) { server.ready(event) }

    var nextDeadline: Int64 { min(server.nextDeadline, nextTrim) }

    /// Ends what has taken too long, brings replies to the clients, and takes requests in.
    ///
    /// - Parameter isIdle: nothing has happened in the loop since the last time.
    func run(now: Int64, isIdle: Bool) {
        server.expire(now: now)
        if nextTrim <= now { trim(now: now) }
        server.run(isIdle: isIdle)
    }

    private func trim(now: Int64) {
        flow.freedMemory.note(server.trim())
        let hasMore = flow.exchanges.trim(flow.freedMemory)
        nextTrim = hasMore ? now + Self.trimInterval : .max
    }

    /// Takes no new connections.
    func drain() {
        server.run()
        server.stopAccepting()
    }

    /// How often the daemon runs for what is still to be sent of streams: each time sends some KiB of each.
    private static let lastRuns = 64

    /// Sends what is there to be sent, and closes all connections. No call is out any more.
    func abort() {
        server.run()
        for _ in 0..<Self.lastRuns where streamingCount > 0 { server.run() }
        server.stop()
        flow.endTurn()
    }
}

// MARK: - Requests

extension RESTProvider: HTTPServerDelegate {
    func requestBegan(
        _ head: HTTP1RequestHead,
        in bytes: ByteView,
        client: Int,
        now: Int64
    ) -> (word: Int, body: ByteBuffer) {
        let exchange = take(client: client)
        if nextTrim == .max { nextTrim = now + Self.trimInterval }
        let path = head.path.isEmpty ? ByteView("/") : bytes[head.path]
        exchange.request.face = RESTRoutes.face(of: path)
        header.read(head, bytes, into: exchange)
        route(exchange, method: bytes[head.method], path: path, query: bytes[head.query])
        return (exchange.index + 1, exchange.request.body)
    }

    func mayHoldBody(of word: Int, capacity: Int) -> Bool {
        let index = word - 1
        guard bodyMemory.take(capacity - inbound[index].bodyBytes) else { return false }
        inbound[index].bodyBytes = capacity
        return true
    }

    func requestReceived(_ word: Int, now: Int64) {
        let exchange = flow.exchanges[word - 1]
        switch exchange.state {
        case .receiving:
            exchange.request.receivedAt = now
            exchange.attempt.begunAt = now
        case .calling: exchange.request.receivedAt = now
        // It has been answered before, and its times are told.
        case .idle, .streaming, .recording, .replying, .abandoned, .retrying: break
        }
    }

    func requestRefused(
        _ refusal: HTTP1Refusal,
        _ word: Int,
        path: ByteView,
        hasBody: Bool,
        to answer: ByteBuffer
    ) {
        refused(refusal)
        if word > 0, inbound[word - 1].isUploading { return refuseUpload(refusal, word, to: answer) }
        let exchange = word > 0 ? flow.exchanges[word - 1] : beginRefused(path)
        let failure = ExchangeFailure(refusal)
        exchange.request.receivedAt = flow.clock.monotonic()
        exchange.reply.closesConnection = true
        inbound[exchange.index].failure = failure
        prepareRefusal(exchange, failure)
        addReplyLines(exchange)
        RawResponse.write(exchange, title: failure.title, hasBody: hasBody, to: answer)
        count(exchange)
        giveBack(exchange)
    }

    /// An exchange for a head that cannot be read: only its path may be known.
    private func beginRefused(_ path: ByteView) -> Exchange {
        let exchange = take(client: 0)
        exchange.request.face = RESTRoutes.face(of: path)
        return exchange
    }

    private func take(client: Int) -> Exchange {
        let exchange = flow.exchanges.take(for: self)
        while inbound.count <= exchange.index { inbound.append(Inbound()) }
        inbound[exchange.index] = Inbound(client: client)
        return exchange
    }

    func requestAbandoned(_ word: Int) {
        if inbound[word - 1].isUploading { abandonUpload(word) } else { giveBack(flow.exchanges[word - 1]) }
    }

    func requestStarted(_ word: Int, _ request: HTTPRequest) {
        inbound[word - 1].request = request
        inbound[word - 1].isUploading = false
    }

    func requestReady(_ word: Int, mayWait: Bool) -> HTTPDaemon.Step {
        let exchange = flow.exchanges[word - 1]
        switch inbound[exchange.index].stage {
        case .incoming: return exchange.state == .receiving ? start(exchange) : .close
        case .uploading: return wait(exchange)
        case .waiting:
            inbound[exchange.index].waits += 1
            if mayWait, inbound[exchange.index].waits <= Self.maxWaits { return .wait }
            waitingCount -= 1
            inbound[exchange.index].stage = .suspended
            return .suspend
        case .suspended: return .suspend
        case .delivered: return exchange.state == .replying ? send(exchange) : .close
        case .streaming: return exchange.state == .abandoned ? .close : send(exchange)
        case .refused: return .close
        }
    }

    func clientLeft(_ word: Int) { flow.clientLeft(flow.exchanges[word - 1]) }

    func requestCompleted(_ word: Int) {
        let exchange = flow.exchanges[word - 1]
        inbound[exchange.index].request = nil
        if exchange.stream != nil { endParts(exchange.index) }
        let isWaiting = inbound[exchange.index].stage == .waiting
        guard isWaiting || exchange.state == .streaming else { return finish(exchange) }
        // The connection is gone before the reply: what there is to deliver ends the exchange.
        if isWaiting { waitingCount -= 1 }
        flow.clientLeft(exchange)
    }

    func clientsChanged(by change: Int) {
        flow.metrics.addConnections(change)
        if change < 0 { flow.freedMemory.note(HTTPServer.connectionBytes) }
        scheduleTrim()
    }

    private func scheduleTrim() {
        if nextTrim == .max { nextTrim = flow.clock.monotonic() + Self.trimInterval }
    }

    /// Nobody needs the exchange any more.
    func finish(_ exchange: Exchange) {
        if exchange.state == .abandoned { count(exchange) }
        if exchange.reply.stream != nil { streamingCount -= 1 }
        giveBack(exchange)
    }

    func giveBack(_ exchange: Exchange) {
        let bodyBytes = inbound[exchange.index].bodyBytes
        bodyMemory.giveBack(bodyBytes)
        inbound[exchange.index].bodyBytes = 0
        if bodyBytes > Exchange.keptBytes { giveBackLong(exchange, bodyBytes) }
        flow.end(exchange)
    }
}

// MARK: - Steps

extension RESTProvider {
    /// Finds out what the request is for; what stands against it is kept until its body is in.
    private func route(_ exchange: Exchange, method: ByteView, path: ByteView, query: ByteView) {
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
            if let failure = refusal(exchange, endpoint) {
                inbound[exchange.index].failure = failure
                return
            }
            switch endpoint {
            case .predict(let face, let model, let version):
                exchange.request.face = face
                exchange.request.operation = .predict
                exchange.request.query.append(percentEncodingBeyondASCII: query)
                find(exchange, model, version)
            case .v2Model(let model, let version):
                exchange.request.operation = .modelMetadata
                find(exchange, model, version)
            case .v2ModelReady(let model, let version):
                exchange.request.operation = .modelReady
                find(exchange, model, version)
            case .v1Model(let model):
                exchange.request.operation = .modelMetadata
                find(exchange, model, .empty)
            case .v2Server:
                guard let route = local.serverMetadataRoute else { return }
                exchange.request.operation = .serverMetadata
                exchange.route = route
            case .page, .pagePredictions: preparePage(exchange, query)
            case .v1Models, .v2Live, .v2Ready, .live, .ready, .metrics, .openAPI: break
            }
        }
    }

    /// Why a browser's request is refused that a page of another site may have made.
    private func refusal(_ exchange: Exchange, _ endpoint: RESTEndpoint) -> ExchangeFailure? {
        switch endpoint {
        case .predict:
            return browserGuard.refusal(ofPrediction: header.sender, contentType: exchange.request.contentType.view)
        case .metrics, .page, .pagePredictions, .openAPI:
            return browserGuard.refusal(ofOperations: header.sender)
        case .ready:
            // Whether it is ready is nobody's secret, and load balancers ask by any name; which models there are is.
            if !browserGuard.isOurs(header.sender.host) { inbound[exchange.index].endpoint = .v2Ready }
            return nil
        case .live, .v1Models, .v1Model, .v2Server, .v2Live, .v2Ready, .v2Model, .v2ModelReady: return nil
        }
    }

    private func preparePage(_ exchange: Exchange, _ query: ByteView) {
        guard local.hasPage else {
            inbound[exchange.index].failure = ExchangeFailure(
                cause: .unknownPath,
                message: "the page is off (ui.enabled)"
            )
            return
        }
        guard case .pagePredictions = inbound[exchange.index].endpoint, let text = query.queryValue("after") else {
            return
        }
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
        if let route = exchange.route, !route.canAnswer(exchange.request.operation) {
            exchange.request.operation = .local
        }
    }

    /// The whole request is in.
    private func start(_ exchange: Exchange) -> HTTPDaemon.Step {
        if let failure = inbound[exchange.index].failure { return refuse(exchange, failure) }
        flow.ensureRequestId(exchange)
        guard exchange.request.operation != .local else {
            local.write(inbound[exchange.index].endpoint, to: exchange)
            exchange.reply.completedAt = flow.clock.monotonic()
            return send(exchange)
        }
        if let failure = flow.begin(exchange) { return refuse(exchange, failure) }
        return wait(exchange)
    }

    /// The call is out.
    private func wait(_ exchange: Exchange) -> HTTPDaemon.Step {
        waitingCount += 1
        inbound[exchange.index].stage = .waiting
        return .wait
    }

    private func refuse(_ exchange: Exchange, _ failure: ExchangeFailure) -> HTTPDaemon.Step {
        prepareRefusal(exchange, failure)
        return send(exchange)
    }

    func prepareRefusal(_ exchange: Exchange, _ failure: ExchangeFailure) {
        flow.replaceMissingRequestId(exchange)
        ErrorAnswer.write(failure, to: exchange)
        if let allow = inbound[exchange.index].allow { exchange.reply.headers.append("Allow", ByteView(allow)) }
        exchange.reply.completedAt = flow.clock.monotonic()
    }

    /// Hands the reply to the daemon.
    func send(_ exchange: Exchange) -> HTTPDaemon.Step {
        guard let request = inbound[exchange.index].request else { return .close }
        if exchange.state == .receiving { exchange.transition(to: .replying) }
        addReplyLines(exchange)
        let lines = exchange.reply.headers
        if exchange.stream != nil { return sendStream(exchange, request) }
        if exchange.reply.stream != nil { streamingCount += 1 }
        let response = exchange.reply.stream.map { HTTPResponse(stream: $0) } ?? HTTPResponse(body: exchange.replyBody)
        for index in 0..<lines.count { response.add(lines[index].name, lines[index].value) }
        count(exchange)
        let length = exchange.reply.stream == nil ? exchange.replyBody.count : .max
        server.watchAnswer(client: inbound[exchange.index].client, bytes: length)
        return request.reply(status: exchange.reply.status, response) ? .replied : .close
    }

    /// The lines that every answer has.
    func addReplyLines(_ exchange: Exchange) {
        let lines = exchange.reply.headers
        lines.append("X-Request-Id", exchange.request.id.view)
        lines.append("Server-Timing") { exchange.writeServerTiming(to: $0, now: flow.clock.monotonic()) }
        if exchange.reply.closesConnection || flow.readiness.isDraining {
            lines.append("Connection", ByteView("close"))
        }
    }

    /// Requests for predictions are counted, and those that led nowhere; questions about the Sidecar itself are not.
    func count(_ exchange: Exchange) {
        guard exchange.request.operation == .predict || inbound[exchange.index].failure != nil else { return }
        flow.metrics.countRequest(
            by: .rest,
            model: exchange.route?.index,
            code: exchange.reply.status,
            failure: exchange.reply.failure
        )
    }
}
