/// Writes the headers of an answer.
enum KafkaReplyHeader {
    /// The request's own headers, by which its sender knows the answer again, and what there is to say about the answer.
    ///
    /// - Parameter carriesOver: false: without the request's own, where these were too much for the broker.
    static func write(
        _ exchange: Exchange,
        answering record: KafkaRecord,
        carriesOver: Bool,
        scratch: ByteBuffer,
        to list: KafkaHeaderList
    ) {
        list.removeAll()
        if carriesOver {
            record.headers.forEachHeader { name, value in
                if !isAboutOneMessage(name) { list.append(name: name, value: value) }
            }
        }
        for index in 0..<exchange.reply.headers.count {
            let line = exchange.reply.headers[index]
            if let name = kafkaName(line.name) { list.append(name, line.value) }
        }
        scratch.removeAll()
        scratch.append(decimal: exchange.reply.status)
        list.append("ameron-status", scratch.view)
        list.append("x-request-id", exchange.request.id.view)
        scratch.removeAll()
        exchange.writeServerTiming(to: scratch, now: Clock.monotonic())
        list.append("server-timing", scratch.view)
    }

    /// Whether a header of the request says something about the request only, or is set anew.
    static func isAboutOneMessage(_ name: ByteView) -> Bool {
        switch name.count {
        case 12:
            name.equalsIgnoringCase(ByteView("content-type")) || name.equalsIgnoringCase(ByteView("x-request-id"))
        case 13:
            name.equalsIgnoringCase(ByteView("server-timing")) || name.equalsIgnoringCase(ByteView("ameron-status"))
        case 14: name.equalsIgnoringCase(ByteView("content-length"))
        case 16: name.equalsIgnoringCase(ByteView("content-encoding"))
        case 18: name.equalsIgnoringCase(ByteView("ameron-reply-topic"))
        case 31: name.equalsIgnoringCase(ByteView("inference-header-content-length"))
        default: false
        }
    }

    /// Of a Model Service's header lines those without which its body can't be read.
    private static func kafkaName(_ name: ByteView) -> StaticString? {
        if name.equalsIgnoringCase(ByteView("Content-Type")) { return "content-type" }
        if name.equalsIgnoringCase(ByteView("Content-Encoding")) { return "content-encoding" }
        if name.equalsIgnoringCase(ByteView("Inference-Header-Content-Length")) {
            return "inference-header-content-length"
        }
        return nil
    }
}
