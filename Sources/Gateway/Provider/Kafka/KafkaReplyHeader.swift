/// Writes the headers of an answer, or of a part of one.
enum KafkaReplyHeader {
    /// Which part of an answer that was asked for in parts.
    struct Part {
        var number: Int
        var isFinal = false
        /// Whether it ends within what should be one part.
        var goesOn = false
        /// Of the answer: the same in all parts.
        var id: ByteView
    }

    /// The request's own headers, by which its sender knows the answer again, and what there is to say about the answer.
    ///
    /// - Parameters:
    ///   - part: nil: nobody asked for parts.
    ///   - carriesOver: false: without the request's own, where these were too much for the broker.
    static func write(
        _ exchange: Exchange,
        part: Part?,
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
        let isInside = part.map { !$0.isFinal } ?? false
        scratch.removeAll()
        // One that has broken off meanwhile has begun well all the same.
        scratch.append(decimal: isInside ? exchange.attempt.answer?.status ?? 200 : exchange.reply.status)
        list.append("ameron-status", scratch.view)
        list.append("x-request-id", exchange.request.id.view)
        if let part { write(part, scratch: scratch, to: list) }
        // How long it took is known at the end.
        if isInside { return }
        scratch.removeAll()
        exchange.writeServerTiming(to: scratch, now: Clock.monotonic())
        list.append("server-timing", scratch.view)
    }

    private static func write(_ part: Part, scratch: ByteBuffer, to list: KafkaHeaderList) {
        list.append("ameron-answer", part.id)
        scratch.removeAll()
        scratch.append(decimal: part.number)
        list.append("ameron-part", scratch.view)
        if part.isFinal { list.append("ameron-final", ByteView("true")) }
        if part.goesOn { list.append("ameron-continues", ByteView("true")) }
    }

    /// Whether a header of the request says something about the request only, or is set anew.
    static func isAboutOneMessage(_ name: ByteView) -> Bool {
        switch name.count {
        case 11: name.equalsIgnoringCase(ByteView("ameron-part"))
        case 12:
            name.equalsIgnoringCase(ByteView("content-type")) || name.equalsIgnoringCase(ByteView("x-request-id"))
                || name.equalsIgnoringCase(ByteView("ameron-final"))
        case 13:
            name.equalsIgnoringCase(ByteView("server-timing")) || name.equalsIgnoringCase(ByteView("ameron-status"))
                || name.equalsIgnoringCase(ByteView("ameron-answer"))
        case 14: name.equalsIgnoringCase(ByteView("content-length"))
        case 16:
            name.equalsIgnoringCase(ByteView("content-encoding"))
                || name.equalsIgnoringCase(ByteView("ameron-continues"))
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
