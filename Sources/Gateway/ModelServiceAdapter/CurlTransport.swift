/// Carries calls by libcurl's transfer engine: whatever libcurl can do, TLS included.
final class CurlTransport: HTTPTransport, CurlTransferDelegate {
    unowned var delegate: (any HTTPTransportDelegate)?

    /// libcurl asks for leave (`Expect: 100-continue`) to send bodies of 1 MiB and more; below, with some distance.
    private static let expectThreshold = 512 << 10

    private let url: ModelServiceURL
    private let target: CurlHandle.Target
    private let curl: CurlMulti
    /// The target of a usual prediction, and whether it has a query.
    private let predictTarget: ByteBuffer
    private let predictHasQuery: Bool
    private let scratch = ByteBuffer(capacity: 256)

    /// A call and its easy handle.
    private final class Call: HTTPCall {
        let transfer: CurlTransfer
        /// Whether the transfer asks for the target of a usual prediction.
        var hasUsualTarget = false

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
        let (_, path) = ModelServiceURL.split(url.predict)
        predictTarget = ByteBuffer(text: path)
        predictHasQuery = path.contains("?")
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

    func makeRoom(_ more: Int, in transfer: CurlTransfer) -> Bool {
        guard let call = transfer.owner as? Call else { return true }
        return call.makeRoom(more, expected: min(transfer.expectedBodyBytes, target.maxBodyBytes))
    }

    private func start(_ call: Call, freshConnection: Bool) {
        guard let exchange = call.exchange else { preconditionFailure("a call that starts belongs to an exchange") }
        let transfer = call.transfer
        setTarget(call, exchange)
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

    /// What is asked for, as the direct transport writes it: libcurl itself would change some of it (`/a/../b`, `%2F`). Told
    /// only where it is another one than before.
    private func setTarget(_ call: Call, _ exchange: Exchange) {
        let isPrediction = exchange.operation == .predict && exchange.wantedVersion.isEmpty
        let isUsual = isPrediction && exchange.query.isEmpty
        if isUsual && call.hasUsualTarget { return }
        scratch.removeAll()
        if isPrediction {
            scratch.append(predictTarget.view)
            scratch.append(query: exchange.query.view, afterQuery: predictHasQuery)
        } else {
            let (_, path) = ModelServiceURL.split(url.url(for: exchange) ?? url.predict)
            scratch.append(string: path)
            scratch.append(query: exchange.query.view, afterQuery: path.contains("?"))
        }
        call.transfer.setTarget(scratch)
        call.hasUsualTarget = isUsual
    }
}
