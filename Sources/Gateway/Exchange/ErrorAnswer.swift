/// What a client gets when it does not get Predictions: the one place where failures become bodies.
enum ErrorAnswer {
    /// Writes status, headers and body of the reply: `{"error":...}` for the V1 and V2 faces, a problem document (RFC 9457)
    /// for the native one.
    static func write(_ failure: ExchangeFailure, to exchange: Exchange) {
        let body = exchange.reply.ownBody
        body.removeAll()
        exchange.reply.headers.removeAll()
        exchange.reply.bodySource = .own
        exchange.reply.status = failure.status
        exchange.reply.failure = failure.cause
        if failure.status == 503 { exchange.reply.headers.append("Retry-After", ByteView("1")) }
        let isProblem = exchange.request.face == .native
        let type: StaticString = isProblem ? "application/problem+json" : "application/json"
        exchange.reply.headers.append("Content-Type", ByteView(type))
        writeObject(failure, exchange.request, to: body)
    }

    /// Appends the same as a JSON object.
    static func writeObject(_ failure: ExchangeFailure, _ request: Request, to body: ByteBuffer) {
        if request.face == .native {
            body.append("{\"type\":\"about:blank\",\"title\":\"")
            body.append(failure.title)
            body.append("\",\"status\":")
            body.append(decimal: failure.status)
            body.append(",\"detail\":\"")
            writeMessage(failure, to: body)
            body.append("\",\"cause\":\"")
            body.append(failure.word)
            body.append("\",\"requestId\":\"")
            body.appendJSON(escaping: request.id.view)
            body.append("\"}")
        } else {
            body.append("{\"error\":\"")
            writeMessage(failure, to: body)
            body.append("\"}")
        }
    }

    /// Appends the message and its detail as the inside of a JSON string.
    private static func writeMessage(_ failure: ExchangeFailure, to buffer: ByteBuffer) {
        buffer.append(failure.message)
        guard !failure.detail.isEmpty else { return }
        buffer.append(": ")
        buffer.appendJSON(escaping: failure.detail)
    }
}
