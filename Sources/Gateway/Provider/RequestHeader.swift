/// Reads the header lines of a request: what is to be forwarded, and what the Sidecar itself must know. One per shard.
struct RequestHeader {
    /// Whom a browser says the request is from. Its views are valid as long as the head's bytes.
    private(set) var sender = BrowserGuard.Sender()
    /// What the Connection lines name ends here.
    private var connectionNames = ConnectionNames()

    /// Fills the exchange from a head, whose offsets are into `bytes`.
    mutating func read(_ head: HTTP1RequestHead, _ bytes: ByteView, into exchange: Exchange) {
        sender = BrowserGuard.Sender()
        for line in head.lines {
            let name = bytes[line.name]
            let value = bytes[line.value]
            note(name, value, exchange)
            if HeaderRules.forwardsToModel(name) { exchange.request.headers.append(checked: name, value) }
        }
        // A target in absolute form counts before Host (RFC 9112, section 3.2.2).
        if !head.authority.isEmpty { sender.host = bytes[head.authority] }
        connectionNames.remove(from: exchange.request.headers)
    }

    private mutating func note(_ name: ByteView, _ value: ByteView, _ exchange: Exchange) {
        switch name.count {
        case 4: if name.equalsIgnoringCase(ByteView("Host")) { sender.host = value }
        case 5: if name.equalsIgnoringCase(ByteView("Ce-Id")) { exchange.request.takeId(value, from: .cloudEvent) }
        case 6:
            if name.equalsIgnoringCase(ByteView("Accept")) {
                exchange.request.hasAccept = true
            } else if name.equalsIgnoringCase(ByteView("Origin")) {
                sender.origin = value
            }
        case 10: if name.equalsIgnoringCase(ByteView("Connection")) { connectionNames.add(value) }
        case 11:
            if name.equalsIgnoringCase(ByteView("Traceparent")), exchange.request.traceparent.isEmpty {
                exchange.request.traceparent.append(value)
            }
        case 12:
            if name.equalsIgnoringCase(ByteView("X-Request-Id")) {
                exchange.request.takeId(value, from: .request)
            } else if name.equalsIgnoringCase(ByteView("Content-Type")), exchange.request.contentType.isEmpty {
                exchange.request.contentType.append(value)
            }
        case 14: if name.equalsIgnoringCase(ByteView("Sec-Fetch-Site")) { sender.site = value }
        case 16:
            if name.equalsIgnoringCase(ByteView("Content-Encoding")), !value.equalsIgnoringCase(ByteView("identity")) {
                exchange.request.isEncoded = true
            }
        case 31:
            if name.equalsIgnoringCase(ByteView("Inference-Header-Content-Length")) {
                exchange.request.jsonLength = value.decimal
            }
        default: break
        }
    }
}
