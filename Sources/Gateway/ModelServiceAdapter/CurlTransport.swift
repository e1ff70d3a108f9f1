/// Carries calls by libcurl's transfer engine: whatever libcurl can do, TLS included.
final class CurlTransport: HTTPTransport {
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

    init(url: ModelServiceURL, target: CurlHandle.Target, curl: CurlMulti) {
        self.url = url
        self.target = target
        self.curl = curl
        let (_, path) = ModelServiceURL.split(url.predict)
        predictTarget = ByteBuffer(text: path)
        predictHasQuery = path.contains("?")
    }

    func makeCall(_ index: Int) -> HTTPCall { CurlCall(index, transport: self, transfer: CurlTransfer(target: target)) }

    /// The connections are the multi handle's.
    var nextDeadline: Int64? { nil }

    func expire(now: Int64) {}

    /// The connections are the multi handle's, which closes them.
    func shutDown() {}

    // MARK: From the calls

    func cancel(_ call: CurlCall) { curl.remove(call.transfer) }

    func finished(_ call: CurlCall, _ failure: CurlFailure?) {
        guard let failure else {
            call.status = call.transfer.status
            delegate?.callFinished(call, failure: nil)
            return
        }
        if failure.kind == .wantsFreshConnection {
            start(call, freshConnection: true)
        } else {
            delegate?.callFinished(call, failure: ExchangeFailure(failure.kind, detail: call.transfer.errorView))
        }
    }

    /// The header of its answer is in; whether the body is taken away as it comes.
    func began(_ call: CurlCall) -> Bool { delegate?.callBegan(call) ?? false }

    /// Its answer has become long; whether it is taken away from now on.
    func outgrew(_ call: CurlCall) -> Bool { delegate?.callOutgrew(call) ?? false }

    /// More of its answer is in; whether there is room for more.
    func received(_ call: CurlCall) -> Bool { delegate?.callReceived(call) ?? true }

    /// How much of an answer's body is still to come, as far as it says.
    func expectedBytes(_ call: CurlCall) -> Int { min(call.transfer.expectedBodyBytes, target.maxBodyBytes) }

    var maxBodyBytes: Int { target.maxBodyBytes }

    /// How long the body is, as this header says; nil: it does not say.
    func announcedBytes(_ headers: ByteView) -> Int? {
        var length: Int?
        var isChunked = false
        HeaderRules.forEachLine(in: headers) { name, value in
            switch name.count {
            case 14: if name.equalsIgnoringCase(ByteView("Content-Length")) { length = value.decimal }
            case 17: if name.equalsIgnoringCase(ByteView("Transfer-Encoding")) { isChunked = true }
            default: break
            }
        }
        return isChunked ? nil : length
    }

    func start(_ call: CurlCall, freshConnection: Bool) {
        guard let exchange = call.attempt?.exchange else { preconditionFailure("a call that starts is an attempt's") }
        let transfer = call.transfer
        setTarget(call, exchange)
        let list = transfer.requestHeaders
        list.removeAll()
        list.append(exchange.request.headers)
        list.append("X-Request-Id", exchange.request.id.view)
        // What libcurl would add by itself is left to the client.
        if exchange.request.body.count >= Self.expectThreshold { list.suppress("Expect") }
        if !exchange.request.hasAccept { list.suppress("Accept") }
        if exchange.request.contentType.isEmpty { list.suppress("Content-Type") }
        let isPost = exchange.request.operation == .predict
        transfer.prepare(
            method: isPost ? .post : .get,
            body: isPost ? exchange.request.body.view : .empty,
            freshConnection: freshConnection
        )
        curl.add(transfer)
    }

    /// What is asked for, as the direct transport writes it: libcurl itself would change some of it (`/a/../b`, `%2F`). Told
    /// only where it is another one than before.
    private func setTarget(_ call: CurlCall, _ exchange: Exchange) {
        let isPrediction = exchange.request.operation == .predict && exchange.request.wantedVersion.isEmpty
        let isUsual = isPrediction && exchange.request.query.isEmpty
        if isUsual && call.hasUsualTarget { return }
        scratch.removeAll()
        if isPrediction {
            scratch.append(predictTarget.view)
            scratch.append(query: exchange.request.query.view, afterQuery: predictHasQuery)
        } else {
            let (_, path) = ModelServiceURL.split(url.url(for: exchange.request) ?? url.predict)
            scratch.append(string: path)
            scratch.append(query: exchange.request.query.view, afterQuery: path.contains("?"))
        }
        call.transfer.setTarget(scratch)
        call.hasUsualTarget = isUsual
    }
}

/// A call that libcurl's transfer engine makes.
final class CurlCall: HTTPCall, CurlTransferDelegate {
    let transfer: CurlTransfer
    /// Whether the transfer asks for the target of a usual prediction.
    fileprivate var hasUsualTarget = false
    private unowned let transport: CurlTransport

    init(_ index: Int, transport: CurlTransport, transfer: CurlTransfer) {
        self.transport = transport
        self.transfer = transfer
        super.init(index, body: transfer.body, headers: transfer.headers)
        transfer.delegate = self
    }

    override func start() { transport.start(self, freshConnection: false) }

    override func cancel() { transport.cancel(self) }

    override func resume() { transfer.resume() }

    func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) { transport.finished(self, failure) }

    func transferBegan(_ transfer: CurlTransfer) -> Bool {
        status = transfer.status
        let length = transport.announcedBytes(headers.view)
        let isTooLong = length.map { $0 > transport.maxBodyBytes } ?? false
        announced = isTooLong ? nil : length
        guard transport.began(self) else {
            // It will be refused; none of it goes on until then.
            if isTooLong { wholeBytes = .max }
            return false
        }
        transfer.isLimited = isLimited
        return true
    }

    func transferGrew(_ transfer: CurlTransfer) -> Bool {
        guard body.count > wholeBytes, transport.outgrew(self) else { return false }
        transfer.isLimited = isLimited
        return true
    }

    func transferReceived(_ transfer: CurlTransfer) -> Bool { transport.received(self) }

    func makeRoom(_ more: Int, in transfer: CurlTransfer) -> Bool {
        makeRoom(more, expected: transport.expectedBytes(self))
    }
}
