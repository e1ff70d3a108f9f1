/// The example Model Service: one thread, one epoll, one libmicrohttpd daemon.
final class ExampleModelServer {
    private enum TokenKind {
        static let server: UInt8 = 1
        static let stop: UInt8 = 2
    }

    private static let maxBodyBytes = 16 << 20

    private let epoll: Epoll
    private let stopSignal: EventFD
    private let routes: ExampleRoutes
    private let responder = ExampleResponder()
    private let random = RandomPool()
    private let failRate: Double
    private var hold: ExampleHold
    private var exchanges = ExampleExchanges()
    private var server: HTTPServer?
    private var isStopping = false

    /// Starts to listen. `run` serves, on whichever thread calls it, until `stopSignal` is given.
    init(
        _ options: ExampleModelOptions,
        socket: ListeningSocket,
        maxConnections: Int,
        stopSignal: EventFD,
        log: @escaping (String) -> Void
    ) throws(SystemError) {
        self.epoll = try Epoll()
        self.stopSignal = stopSignal
        self.routes = ExampleRoutes(speech: ExampleSpeech(options.protocol))
        self.failRate = options.failRate
        self.hold = ExampleHold(delay: options.delay.nanoseconds)
        self.server = try HTTPServer(
            ConnectionBalancer([socket], maxConnections: maxConnections),
            options: HTTPServer.Options(maxBodyBytes: Self.maxBodyBytes),
            delegate: self,
            epoll: epoll,
            tokenKind: TokenKind.server,
            log: log
        )
        try epoll.add(stopSignal.descriptor, .input, token: Epoll.Token(kind: TokenKind.stop))
    }

    /// Serves until it is told to stop. The server's thread.
    func run() throws(SystemError) {
        guard let server else { return }
        while !isStopping {
            let count = try epoll.wait(timeoutMilliseconds: waitTime(server))
            for index in 0..<count { handle(epoll.event(index), server) }
            let now = Clock.monotonic()
            if hold.delay > 0 { release(dueAt: now) }
            server.expire(now: now)
            server.run()
        }
        try stop(server)
    }

    private func handle(_ event: Epoll.Event, _ server: HTTPServer) {
        if event.token.kind == TokenKind.stop { isStopping = true } else { server.ready(event) }
    }

    /// How long the next wait may take, in milliseconds: until the first deadline, rounded up so as not to spin.
    private func waitTime(_ server: HTTPServer) -> Int32 {
        let deadline = min(hold.nextDeadline ?? .max, server.nextDeadline)
        guard deadline < .max else { return 10_000 }
        return Int32(min(max(0, (deadline - Clock.monotonic() + 999_999) / 1_000_000), 10_000))
    }

    private func release(dueAt now: Int64) {
        while let exchange = hold.next(now: now) {
            exchange.state = .released
            exchange.request?.resume()
        }
    }

    /// Answers at once whatever is held, and gives slow clients one more second.
    private func stop(_ server: HTTPServer) throws(SystemError) {
        server.run()
        server.stopAccepting()
        let deadline = Clock.monotonic() + 1_000_000_000
        repeat {
            release(dueAt: .max)
            server.run()
            if exchanges.inUse == 0 { break }
            let count = try epoll.wait(timeoutMilliseconds: 10)
            for index in 0..<count { handle(epoll.event(index), server) }
        } while Clock.monotonic() < deadline
        release(dueAt: .max)
        server.run()
        server.stop()
    }
}

@available(*, unavailable)
extension ExampleModelServer: Sendable {}

extension ExampleModelServer: HTTPServerDelegate {
    func requestBegan(
        _ head: HTTP1RequestHead,
        in bytes: ByteView,
        client: Int,
        now: Int64
    ) -> (word: Int, body: ByteBuffer) {
        let exchange = exchanges.take()
        exchange.match = routes.match(method: bytes[head.method], path: bytes[head.path])
        return (exchange.index + 1, exchange.body)
    }

    func mayHoldBody(of word: Int, capacity: Int) -> Bool { true }

    func requestReceived(_ word: Int, now: Int64) { exchanges[word - 1].receivedAt = now }

    func requestRefused(_ refusal: HTTP1Refusal, _ word: Int, path: ByteView, hasBody: Bool, to answer: ByteBuffer) {
        if word > 0 { exchanges.giveBack(exchanges[word - 1]) }
        let isTooLong = refusal.kind == .bodyTooLong
        answer.append(isTooLong ? "HTTP/1.1 413 Content Too Large\r\n" : "HTTP/1.1 400 Bad Request\r\n")
        answer.append("Content-Type: application/json\r\nConnection: close\r\n\r\n")
        guard hasBody else { return }
        answer.append("{\"error\":\"")
        answer.append(isTooLong ? "the body is longer than 16 MiB" : refusal.reason)
        answer.append("\"}")
    }

    func requestAbandoned(_ word: Int) { exchanges.giveBack(exchanges[word - 1]) }

    func requestStarted(_ word: Int, _ request: HTTPRequest) { exchanges[word - 1].request = request }

    func requestReady(_ word: Int, mayWait: Bool) -> HTTPDaemon.Step {
        let exchange = exchanges[word - 1]
        switch exchange.state {
        case .receiving:
            // After the order to stop nothing is held any longer.
            guard hold.delay > 0, !isStopping, case .endpoint(.predict) = exchange.match else {
                return answer(exchange, heldFor: 0)
            }
            exchange.state = .held
            hold.append(exchange)
            return .suspend
        case .held: return .suspend
        case .released: return answer(exchange, heldFor: Clock.monotonic() - exchange.receivedAt)
        case .answered: return .close
        }
    }

    func clientLeft(_ word: Int) {}

    func clientsChanged(by change: Int) {}

    var streamingCount: Int { 0 }
    var waitingCount: Int { 0 }

    func requestCompleted(_ word: Int) { exchanges.giveBack(exchanges[word - 1]) }

    private func answer(_ exchange: ExampleExchange, heldFor: Int64) -> HTTPDaemon.Step {
        guard let request = exchange.request else { return .close }
        exchange.state = .answered
        let status = write(exchange, heldFor: heldFor)
        let response = HTTPResponse(body: exchange.answer.view)
        response.add("Content-Type", "application/json")
        if case .wrongMethod(let allow) = exchange.match { response.add("Allow", allow) }
        return request.reply(status: status, response) ? .replied : .close
    }

    /// Writes the body of the answer, and returns its status.
    private func write(_ exchange: ExampleExchange, heldFor: Int64) -> Int {
        let out = exchange.answer
        switch exchange.match {
        case .notFound(let message):
            ExampleResponder.write(error: "\(message)", to: out)
            return 404
        case .wrongMethod:
            ExampleResponder.write(error: "this path does not answer this method", to: out)
            return 405
        case .endpoint(.predict(let model)):
            if mustFail() {
                ExampleResponder.write(error: "failing as asked by --fail-rate", to: out)
                return 500
            }
            return responder.predict(
                routes.speech,
                model,
                body: exchange.body.view,
                heldFor: heldFor,
                to: out
            )
        case .endpoint(let endpoint):
            responder.describe(endpoint, to: out)
            return 200
        }
    }

    private func mustFail() -> Bool {
        guard failRate > 0 else { return false }
        // 53 random bits make an even choice from 0 up to, and without, 1.
        return Double(random.next() >> 11) * 0x1p-53 < failRate
    }
}
