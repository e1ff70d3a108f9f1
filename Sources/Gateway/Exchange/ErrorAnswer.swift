/// What a client gets when it does not get Predictions: the one place where failures become replies.
enum ErrorAnswer {
    /// Writes status, headers and body of the reply, in the manner of the client's face.
    static func write(_ failure: ExchangeFailure, to exchange: Exchange) {
        let body = exchange.reply.ownBody
        body.removeAll()
        exchange.reply.headers.removeAll()
        exchange.reply.bodySource = .own
        exchange.reply.status = failure.status
        exchange.reply.failure = failure.cause
        if failure.status == 503 { exchange.reply.headers.append("Retry-After", ByteView("1")) }
        let face = exchange.request.face.codec
        exchange.reply.headers.append("Content-Type", ByteView(face.failureType))
        face.write(failure, of: exchange.request, to: body)
    }

    /// Appends `{"error":"..."}`, as V1 and V2 tell failures.
    static func writeObject(_ failure: ExchangeFailure, to body: ByteBuffer) {
        body.append("{\"error\":\"")
        writeMessage(failure, to: body)
        body.append("\"}")
    }

    /// Appends the message and its detail as the inside of a JSON string.
    static func writeMessage(_ failure: ExchangeFailure, to buffer: ByteBuffer) {
        buffer.append(failure.message)
        guard !failure.detail.isEmpty else { return }
        buffer.append(": ")
        buffer.appendJSON(escaping: failure.detail)
    }
}
