/// A whole response as bytes, for those that can't go through libmicrohttpd: answers before the request's end.
enum RawResponse {
    /// Status line, header and body of the exchange's reply, whose header lines are complete (RFC 9112, section 4).
    static func write(_ exchange: Exchange, title: StaticString, hasBody: Bool, to buffer: ByteBuffer) {
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: exchange.reply.status)
        buffer.append(" ")
        buffer.append(title)
        buffer.append("\r\n")
        for index in 0..<exchange.reply.headers.count {
            let line = exchange.reply.headers[index]
            buffer.append(line.name)
            buffer.append(": ")
            buffer.append(line.value)
            buffer.append("\r\n")
        }
        buffer.append("Content-Length: ")
        buffer.append(decimal: exchange.replyBody.count)
        buffer.append("\r\n\r\n")
        if hasBody { buffer.append(exchange.replyBody) }
    }
}
