/// Replies whose body goes out as it comes in.
extension RESTProvider {
    /// How much of an answer is sent before the daemon is told of it.
    private static let mostAhead = 1 << 20

    var takesParts: Bool { true }
    var passesBodies: Bool { true }

    func beginReply(_ exchange: Exchange) {
        let index = exchange.index
        // The daemon asks for it when the rest of its body is in.
        if inbound[index].isUploading { inbound[index].stage = .streaming }
        guard let request = inbound[index].request else { return }
        let stage = inbound[index].stage
        inbound[index].stage = .streaming
        switch stage {
        case .suspended: request.resume()
        case .waiting:
            waitingCount -= 1
            if send(exchange) == .close { inbound[index].stage = .refused }
        case .incoming, .uploading, .streaming, .delivered, .refused:
            preconditionFailure("a reply is begun once, after a call")
        }
    }

    /// Hands the head of the reply to the daemon, which then asks for the parts.
    func sendStream(_ exchange: Exchange, _ request: HTTPRequest) -> HTTPDaemon.Step {
        let parts = StreamParts(exchange, self)
        inbound[exchange.index].parts = parts
        streamingCount += 1
        let response = HTTPResponse(parts: parts, length: exchange.stream?.length, of: request)
        let lines = exchange.reply.headers
        for index in 0..<lines.count { response.add(lines[index].name, lines[index].value) }
        server.watchAnswer(client: inbound[exchange.index].client, bytes: .max)
        // One that has broken off meanwhile has begun well all the same.
        let status = exchange.attempt.answer?.status ?? exchange.reply.status
        return request.reply(status: status, response) ? .replied : .close
    }

    func deliverParts(_ exchange: Exchange) {
        if let request = inbound[exchange.index].request { wake(exchange.index, request) }
    }

    /// The daemon's next run asks for more.
    func wake(_ index: Int, _ request: HTTPRequest) {
        guard let parts = inbound[index].parts, parts.isSuspended else { return }
        parts.isSuspended = false
        streamingCount += 1
        request.resume()
    }

    fileprivate func nextPart(of exchange: Exchange, _ parts: StreamParts, upTo room: Int) -> HTTPPart {
        guard let stream = exchange.stream else { return .broken }
        parts.isAsked = true
        if stream.length != nil, parts.ahead + stream.ready > 0 {
            // Sent from where they are, or sent already.
            parts.lent = min(parts.ahead + stream.ready, room)
            return .lent(parts.lent)
        }
        let bytes = stream.take(upTo: room)
        if !bytes.isEmpty {
            flow.tookPart(exchange)
            return .bytes(bytes)
        }
        switch stream.end {
        case .complete: return .end
        case .broken: return .broken
        case .open:
            parts.isSuspended = true
            streamingCount -= 1
            return .nothingYet
        }
    }

    func sendLent(_ word: Int, upTo length: Int, to socket: StreamSocket) -> StreamSocket.Written? {
        guard let parts = inbound[word - 1].parts, parts.lent > 0 else { return nil }
        let wanted = min(length, parts.lent)
        let done = min(wanted, parts.ahead)
        parts.ahead -= done
        parts.lent -= done
        // Fewer than it wants to send would mean that the socket is full, and that it has to wait until that has room.
        guard done < wanted else { return .bytes(done) }
        let exchange = flow.exchanges[word - 1]
        // One that is given up meanwhile has nothing, and no other bytes go in the place of its own.
        guard let stream = exchange.stream, stream.ready > 0 else { return .failed }
        guard case .bytes(let count) = socket.write(stream.front(upTo: wanted - done), .empty) else { return .failed }
        stream.drop(count)
        parts.lent -= count
        if count > 0 { flow.tookPart(exchange) }
        return .bytes(done + count)
    }

    func sendAhead(_ exchange: Exchange) -> Bool {
        let index = exchange.index
        // Not before the daemon has sent the head.
        guard let parts = inbound[index].parts, parts.isAsked, let stream = exchange.stream, stream.ready > 0 else {
            return false
        }
        let bytes = stream.front(upTo: stream.ready)
        let count = server.write(client: inbound[index].client, bytes)
        stream.drop(count)
        parts.ahead += count
        // The daemon is told now and then: it counts them a piece of 64 KiB in each run, so no more than 16 runs at once.
        if parts.ahead >= Self.mostAhead, let request = inbound[index].request { wake(index, request) }
        return count > 0
    }

    func endParts(_ index: Int) {
        guard let parts = inbound[index].parts else { return }
        inbound[index].parts = nil
        if !parts.isSuspended { streamingCount -= 1 }
    }

    func waitsForClient(_ word: Int) -> Bool {
        guard let stream = flow.exchanges[word - 1].stream else { return true }
        if case .open = stream.end { return stream.ready > 0 }
        return true
    }
}

/// What the daemon reads the stream of an exchange from. It lives no longer than the request: nobody asks it after that.
final class StreamParts: HTTPPartSource {
    private unowned let exchange: Exchange
    private unowned let provider: RESTProvider
    /// Whether the daemon waits for more.
    var isSuspended = false
    /// How many bytes the daemon was told to send that it has not sent yet.
    var lent = 0
    /// How many bytes have been sent of which the daemon does not know; and whether it has asked for any, so that the head is sent.
    var ahead = 0
    var isAsked = false

    init(_ exchange: Exchange, _ provider: RESTProvider) {
        self.exchange = exchange
        self.provider = provider
    }

    func next(upTo room: Int) -> HTTPPart { provider.nextPart(of: exchange, self, upTo: room) }
}

@available(*, unavailable)
extension StreamParts: Sendable {}
