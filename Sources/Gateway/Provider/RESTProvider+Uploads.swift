/// Requests whose body goes on as it comes: their call is out before they are whole.
extension RESTProvider {
    /// Answers up to this length are sent before a body is in; a socket that nothing was sent on has room for so much.
    private static let maxEarlyBytes = 8 << 10

    func passesBody(_ word: Int, length: Int, now: Int64) -> Bool {
        let exchange = flow.exchanges[word - 1]
        // Its room is asked for first: once the call is out, there is some. What is too much for a body that is gathered goes back
        // when it asks for its own.
        guard inbound[exchange.index].failure == nil, mayHoldBody(of: word, capacity: LongBuffers.bytes),
            flow.beginAtHead(exchange, bodyLength: length, now: now)
        else { return false }
        inbound[exchange.index].isUploading = true
        inbound[exchange.index].hasLongRoom = true
        inbound[exchange.index].stage = .uploading
        flow.freedMemory.longBuffers.lend(to: exchange.request.body)
        return true
    }

    /// A long body is not needed any more.
    func giveBackLong(_ exchange: Exchange, _ bytes: Int) {
        flow.freedMemory.note(bytes)
        guard inbound[exchange.index].hasLongRoom else { return }
        inbound[exchange.index].hasLongRoom = false
        flow.freedMemory.longBuffers.takeBack(from: exchange.request.body)
    }

    func bodyCame(_ word: Int) { flow.bodyCame(flow.exchanges[word - 1]) }

    func sentBody(_ exchange: Exchange) {
        if inbound[exchange.index].isUploading { server.readOn(client: inbound[exchange.index].client) }
    }

    /// The reply is complete before libmicrohttpd has been told of the request. A short failure is sent at once, and the connection
    /// is closed. For any other reply the rest of the body is read first, which nobody gets: libmicrohttpd answers whole requests
    /// only, and the connection can be kept.
    func deliverEarly(_ exchange: Exchange) {
        let index = exchange.index
        let client = inbound[index].client
        let isShort = exchange.stream == nil && exchange.replyBody.count <= Self.maxEarlyBytes
        guard isShort, exchange.reply.status >= 300, server.readsBody(of: client) else {
            if exchange.stream != nil { count(exchange) }
            inbound[index].stage = .delivered
            return server.throwAway(client: client)
        }
        inbound[index].isUploading = false
        exchange.reply.closesConnection = true
        addReplyLines(exchange)
        server.answerEarly(client: client) { RawResponse.write(exchange, title: "", hasBody: true, to: $0) }
        count(exchange)
        giveBack(exchange)
    }

    /// The rest of the body does not come in time.
    func refuseUpload(_ refusal: HTTP1Refusal, _ word: Int, to answer: ByteBuffer) {
        let exchange = flow.exchanges[word - 1]
        let failure = ExchangeFailure(refusal)
        guard flow.refuseUpload(exchange, failure) else { return abandonUpload(word) }
        inbound[exchange.index].isUploading = false
        exchange.reply.closesConnection = true
        addReplyLines(exchange)
        RawResponse.write(exchange, title: failure.title, hasBody: true, to: answer)
        count(exchange)
        giveBack(exchange)
    }

    /// The client is gone before the request was whole.
    func abandonUpload(_ word: Int) {
        let exchange = flow.exchanges[word - 1]
        inbound[exchange.index].isUploading = false
        // A reply that was delivered is nobody's; one that is yet to be delivered ends the exchange.
        if inbound[exchange.index].stage == .delivered { return finish(exchange) }
        flow.clientLeft(exchange)
    }
}
