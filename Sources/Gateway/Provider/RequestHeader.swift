/// Reads the header lines of a request: what is to be forwarded, and what the Sidecar itself must know.
final class RequestHeader: HTTPHeaderVisitor {
    /// Name, value and line ends of all lines, and the target.
    private(set) var bytes = 0
    private(set) var contentLength: Int?
    private(set) var expectsContinue = false
    /// Valid until the request is completed.
    private(set) var sender = BrowserGuard.Sender()

    private var exchange: Exchange?
    /// The values of the Connection lines: what they name ends here.
    private var connections: [ByteView] = []

    /// Fills the exchange from the lines of a request.
    func read(_ request: HTTPRequest, target: ByteView, into exchange: Exchange) {
        bytes = target.count
        contentLength = nil
        expectsContinue = false
        sender = BrowserGuard.Sender()
        connections.removeAll(keepingCapacity: true)
        self.exchange = exchange
        request.visitHeaders(self)
        self.exchange = nil
        for value in connections { HeaderRules.removeNamed(in: value, from: exchange.requestHeaders) }
    }

    func visitHeader(name: ByteView, value: ByteView) {
        guard let exchange else { return }
        bytes += name.count + value.count + 4
        note(name, value, exchange)
        if HeaderRules.forwardsToModel(name) { exchange.requestHeaders.append(name, value) }
    }

    private func note(_ name: ByteView, _ value: ByteView, _ exchange: Exchange) {
        switch name.count {
        case 4: if name.equalsIgnoringCase(ByteView("Host")) { sender.host = value }
        case 5: if name.equalsIgnoringCase(ByteView("Ce-Id")) { exchange.takeRequestId(value, from: .cloudEvent) }
        case 6:
            if name.equalsIgnoringCase(ByteView("Accept")) {
                exchange.hasAccept = true
            } else if name.equalsIgnoringCase(ByteView("Expect")) {
                expectsContinue = value.equalsIgnoringCase(ByteView("100-continue"))
            } else if name.equalsIgnoringCase(ByteView("Origin")) {
                sender.origin = value
            }
        case 10: if name.equalsIgnoringCase(ByteView("Connection")) { connections.append(value) }
        case 11:
            if name.equalsIgnoringCase(ByteView("Traceparent")), exchange.traceparent.isEmpty {
                exchange.traceparent.append(value)
            }
        case 12:
            if name.equalsIgnoringCase(ByteView("X-Request-Id")) {
                exchange.takeRequestId(value, from: .request)
            } else if name.equalsIgnoringCase(ByteView("Content-Type")), exchange.requestContentType.isEmpty {
                exchange.requestContentType.append(value)
            }
        case 14:
            if name.equalsIgnoringCase(ByteView("Content-Length")) {
                contentLength = value.decimal
            } else if name.equalsIgnoringCase(ByteView("Sec-Fetch-Site")) {
                sender.site = value
            }
        case 16:
            if name.equalsIgnoringCase(ByteView("Content-Encoding")), !value.equalsIgnoringCase(ByteView("identity")) {
                exchange.bodyIsEncoded = true
            }
        case 31:
            if name.equalsIgnoringCase(ByteView("Inference-Header-Content-Length")) {
                exchange.requestJSONLength = value.decimal
            }
        default: break
        }
    }
}
