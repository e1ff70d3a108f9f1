/// Calls a Model Service over HTTP/1.1 with libcurl, on connections that are kept open.
///
/// At most `maxConnections` calls are out at once; the next ones wait in line. Every call has the same time limit, waiting
/// included, so the calls stand in one list in the order of their deadlines.
final class HTTPModelServiceAdapter: ModelServiceAdapter, CurlTransferDelegate {
    struct Options {
        var url: ModelServiceURL
        var timeout: Int64
        var maxConnections: Int
        var maxResponseBytes: Int
        var caFile: String?
    }

    /// libcurl asks for leave (`Expect: 100-continue`) to send bodies of 1 MiB and more; below, with some distance.
    private static let expectThreshold = 512 << 10

    private let options: Options
    private let curl: CurlMulti
    private unowned let flow: ExchangeFlow
    /// Transfers that are not in use, all set up for this Model Service.
    private var spare: [HTTPCall] = []
    private var out = 0
    private var waiting = CallQueue<LineOrder>()
    private var deadlines = CallQueue<DeadlineOrder>()

    init(options: Options, curl: CurlMulti, flow: ExchangeFlow) {
        self.options = options
        self.curl = curl
        self.flow = flow
    }

    // MARK: ModelServiceAdapter

    func canAnswer(_ operation: Exchange.Operation) -> Bool { options.url.url(for: operation, version: nil) != nil }

    func submit(_ exchange: Exchange) {
        let call = takeCall()
        call.exchange = exchange
        exchange.call = call
        call.deadline = exchange.receivedAt + options.timeout
        deadlines.append(call)
        if out < options.maxConnections {
            start(call, freshConnection: false)
        } else {
            waiting.append(call)
        }
    }

    func cancel(_ exchange: Exchange) {
        guard let call = exchange.call as? HTTPCall else { return }
        abandon(call)
    }

    func release(_ exchange: Exchange) {
        exchange.answer = nil
        guard let call = exchange.call as? HTTPCall else { return }
        exchange.call = nil
        call.exchange = nil
        spare.append(call)
    }

    // MARK: From the loop

    /// When the next call runs out of time, in nanoseconds of the monotonic clock; nil: none is out.
    var nextDeadline: Int64? { deadlines.first?.deadline }

    /// Ends the calls whose time is over.
    func expire(now: Int64) {
        while let call = deadlines.first, call.deadline <= now {
            guard let exchange = call.exchange else { preconditionFailure("a call in line belongs to an exchange") }
            abandon(call)
            flow.failed(
                exchange,
                ExchangeFailure(cause: .timeout, message: "the Model Service did not answer in time")
            )
        }
    }

    // MARK: CurlTransferDelegate

    func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) {
        guard let call = transfer.owner as? HTTPCall, let exchange = call.exchange else { return }
        call.isOut = false
        if let failure, failure.kind == .wantsFreshConnection {
            out -= 1
            start(call, freshConnection: true)
            return
        }
        deadlines.remove(call)
        out -= 1
        startNext()
        if let failure {
            flow.failed(exchange, Self.explain(failure, transfer))
        } else {
            flow.answered(exchange, Self.read(transfer))
        }
    }

    // MARK: Steps

    private func takeCall() -> HTTPCall {
        if let call = spare.popLast() { return call }
        let transfer = CurlTransfer(
            target: CurlTransfer.Target(
                url: options.url.predict,
                unixSocketPath: options.url.unixSocketPath,
                caFile: options.caFile,
                maxBodyBytes: options.maxResponseBytes
            ),
            delegate: self
        )
        return HTTPCall(transfer: transfer)
    }

    private func start(_ call: HTTPCall, freshConnection: Bool) {
        guard let exchange = call.exchange else { preconditionFailure("a call that starts belongs to an exchange") }
        let transfer = call.transfer
        setURL(call, exchange)
        let list = transfer.requestHeaders
        list.removeAll()
        let lines = exchange.requestHeaders
        for index in 0..<lines.count { list.append(lines[index].name, lines[index].value) }
        list.append("X-Request-Id", exchange.requestId.view)
        // What libcurl would add by itself is left to the client.
        if exchange.requestBody.count >= Self.expectThreshold { list.suppress("Expect") }
        if !exchange.hasAccept { list.suppress("Accept") }
        if exchange.requestContentType.isEmpty { list.suppress("Content-Type") }
        let isPost = exchange.operation == .predict
        transfer.prepare(
            method: isPost ? .post : .get,
            body: isPost ? exchange.requestBody.view : .empty,
            freshConnection: freshConnection
        )
        exchange.sentAt = Clock.monotonic()
        out += 1
        call.isOut = true
        curl.add(transfer)
    }

    private func startNext() {
        while out < options.maxConnections, let call = waiting.first {
            waiting.remove(call)
            start(call, freshConnection: false)
        }
    }

    /// Takes a call out of everything; its exchange is told by the caller.
    private func abandon(_ call: HTTPCall) {
        deadlines.remove(call)
        if call.isOut {
            curl.remove(call.transfer)
            call.isOut = false
            out -= 1
            startNext()
        } else {
            waiting.remove(call)
        }
    }

    /// Predictions of the configured version go to the URL that the transfer was made with; the rest is told each time.
    private func setURL(_ call: HTTPCall, _ exchange: Exchange) {
        let isUsual = exchange.operation == .predict && exchange.wantedVersion.isEmpty
        if isUsual && !call.hasOtherURL { return }
        let version = exchange.wantedVersion.isEmpty ? nil : exchange.wantedVersion.view.string
        call.transfer.setURL(options.url.url(for: exchange.operation, version: version) ?? options.url.predict)
        call.hasOtherURL = !isUsual
    }

    private static func read(_ transfer: CurlTransfer) -> ModelAnswer {
        var answer = ModelAnswer(
            status: transfer.status,
            body: transfer.body,
            headers: transfer.headers.view,
            contentType: .empty
        )
        HeaderRules.forEachLine(in: answer.headers) { name, value in
            switch name.count {
            case 12: if name.equalsIgnoringCase(ByteView("Content-Type")) { answer.contentType = value }
            case 16:
                if name.equalsIgnoringCase(ByteView("Content-Encoding")),
                    !value.equalsIgnoringCase(ByteView("identity"))
                {
                    answer.isEncoded = true
                }
            case 31:
                if name.equalsIgnoringCase(ByteView("Inference-Header-Content-Length")) {
                    answer.jsonLength = value.decimal
                }
            default: break
            }
        }
        return answer
    }

    private static func explain(_ failure: CurlFailure, _ transfer: CurlTransfer) -> ExchangeFailure {
        let detail = transfer.errorView
        return switch failure.kind {
        case .refused:
            ExchangeFailure(cause: .refused, message: "the Model Service refuses connections", detail: detail)
        case .unreachable:
            ExchangeFailure(cause: .unreachable, message: "the Model Service can't be reached", detail: detail)
        case .dns:
            ExchangeFailure(cause: .dns, message: "the name of the Model Service can't be resolved", detail: detail)
        case .tls:
            ExchangeFailure(cause: .tls, message: "no trusted TLS connection to the Model Service", detail: detail)
        case .timeout:
            ExchangeFailure(cause: .timeout, message: "the Model Service did not answer in time", detail: detail)
        case .resetBeforeAnswer:
            ExchangeFailure(
                cause: .reset,
                message: "the Model Service closed the connection before it answered",
                detail: detail
            )
        case .resetInAnswer:
            ExchangeFailure(
                cause: .reset,
                message: "the Model Service closed the connection in the middle of its answer",
                detail: detail
            )
        case .malformed:
            ExchangeFailure(cause: .malformed, message: "the Model Service did not answer in HTTP", detail: detail)
        case .tooLarge:
            ExchangeFailure(cause: .tooLarge, message: "the answer of the Model Service is longer than allowed")
        case .wantsFreshConnection, .other:
            ExchangeFailure(cause: .other, message: "the call of the Model Service failed", detail: detail)
        }
    }
}
