/// Carries calls by libcurl's transfer engine: whatever libcurl can do, TLS included.
final class CurlTransport: HTTPTransport, CurlTransferDelegate {
    unowned var delegate: (any HTTPTransportDelegate)?

    /// libcurl asks for leave (`Expect: 100-continue`) to send bodies of 1 MiB and more; below, with some distance.
    private static let expectThreshold = 512 << 10

    private let url: ModelServiceURL
    private let target: CurlHandle.Target
    private let curl: CurlMulti

    /// A call and its easy handle.
    private final class Call: HTTPCall {
        let transfer: CurlTransfer
        /// Whether the transfer was pointed at something else than the prediction URL.
        var hasOtherURL = false

        init(transfer: CurlTransfer) {
            self.transfer = transfer
            super.init(body: transfer.body, headers: transfer.headers)
            transfer.owner = self
        }
    }

    init(url: ModelServiceURL, target: CurlHandle.Target, curl: CurlMulti) {
        self.url = url
        self.target = target
        self.curl = curl
    }

    func makeCall() -> HTTPCall { Call(transfer: CurlTransfer(target: target, delegate: self)) }

    func start(_ call: HTTPCall) {
        guard let call = call as? Call else { return }
        start(call, freshConnection: false)
    }

    func cancel(_ call: HTTPCall) {
        guard let call = call as? Call else { return }
        curl.remove(call.transfer)
    }

    /// The connections are the multi handle's.
    var nextDeadline: Int64? { nil }

    func expire(now: Int64) {}

    /// The connections are the multi handle's, which closes them.
    func shutDown() {}

    func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) {
        guard let call = transfer.owner as? Call else { return }
        guard let failure else {
            call.status = transfer.status
            delegate?.callFinished(call, failure: nil)
            return
        }
        if failure.kind == .wantsFreshConnection {
            start(call, freshConnection: true)
        } else {
            delegate?.callFinished(call, failure: ExchangeFailure(failure.kind, detail: transfer.errorView))
        }
    }

    private func start(_ call: Call, freshConnection: Bool) {
        guard let exchange = call.exchange else { preconditionFailure("a call that starts belongs to an exchange") }
        let transfer = call.transfer
        setURL(call, exchange)
        let list = transfer.requestHeaders
        list.removeAll()
        list.append(exchange.requestHeaders)
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
        curl.add(transfer)
    }

    /// Predictions of the configured version go to the URL that the transfer was made with; the rest is told each time.
    private func setURL(_ call: Call, _ exchange: Exchange) {
        let isUsual = exchange.operation == .predict && exchange.wantedVersion.isEmpty
        if isUsual && !call.hasOtherURL { return }
        call.transfer.setURL(url.url(for: exchange) ?? url.predict)
        call.hasOtherURL = !isUsual
    }
}
