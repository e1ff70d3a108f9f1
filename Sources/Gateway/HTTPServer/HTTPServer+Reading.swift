/// Reading requests, and refusing what is none.
extension HTTPServer {
    /// How much of what a refused client goes on to send is thrown away, beyond the length of a body.
    private static let patience = 1 << 20
    /// One read, of a head or a small body, and of a large one.
    private static let readBytes = 16 << 10
    private static let largeReadBytes = 256 << 10
    /// After so much the other connections have their turn.
    private static let bytesPerTurn = 1 << 20

    func read(_ client: ServerClient) -> HTTPDaemon.Received {
        now = Clock.monotonic()
        var left = Self.bytesPerTurn
        var isDrained = false
        while true {
            do throws(HTTP1Refusal) {
                if let inbox = client.inbox, try advance(client, inbox) { return handOver(client, inbox, isDrained) }
                if isDrained { return .nothing }
                if lacksRoom(client) { return client.peerHasClosed ? .ended : .nothing }
                guard left > 0 else { return .interrupted }
                let (outcome, wanted) = try readMore(client)
                switch outcome {
                case .bytes(let count):
                    left -= count
                    // What was less than there was room for was all there is.
                    isDrained = count < wanted
                case .nothingYet: return .nothing
                case .ended: return .ended
                case .failed: return .failed
                }
            } catch {
                refuse(client, error)
                return discard(client)
            }
        }
    }

    /// Reads once; what came of it, and for how much there was room.
    private func readMore(_ client: ServerClient) throws(HTTP1Refusal) -> (StreamSocket.Received, wanted: Int) {
        let inbox = client.inbox ?? spareInboxes.popLast() ?? RequestInbox()
        inbox.compact()
        let expected = client.state == .body ? inbox.body.expectedBytes : 0
        let outcome: StreamSocket.Received
        let wanted: Int
        if expected > 0, let body = client.body {
            // Past the inbox, and with it what follows the body.
            let room = client.passing == .gathered ? Self.largeReadBytes : Self.passedBytes - body.count
            let length = min(expected, room)
            try makeRoom(client, body, length)
            // Where there is room for a part of the body only, nothing that follows comes with it.
            let beyond = client.passing != .gathered && length < expected ? 0 : Self.readBytes
            wanted = length + beyond
            outcome = client.socket.receive(into: body, upTo: length, then: inbox.bytes, upTo: beyond)
            if case .bytes(let count) = outcome {
                inbox.body.count(min(count, length))
                if client.passing != .gathered { pass(client, body) }
            }
        } else {
            wanted = Self.readBytes
            outcome = client.socket.receive(into: inbox.bytes, upTo: wanted)
        }
        guard client.inbox == nil else { return (outcome, wanted) }
        if case .bytes = outcome {
            client.inbox = inbox
        } else {
            spareInboxes.append(inbox)
        }
        return (outcome, wanted)
    }

    /// Reads what is in the inbox; true when the request is whole.
    private func advance(_ client: ServerClient, _ inbox: RequestInbox) throws(HTTP1Refusal) -> Bool {
        if client.state == .idle {
            guard !inbox.isEmpty else { return false }
            client.state = .head
        }
        if client.state == .head {
            guard try inbox.head.read(inbox.unread, maxBytes: options.maxHeaderBytes) else {
                // Most come at once, and need no time. On a new connection it has begun with it.
                if !heads.has(client) { heads.enter(client, now: now) }
                return false
            }
            try begin(client, inbox)
        }
        guard let body = client.body else { return false }
        while !inbox.body.isComplete {
            let limits = HTTP1RequestBody.Limits(bodyBytes: options.maxBodyBytes, trailerBytes: options.maxHeaderBytes)
            let before = inbox.start
            let bytes = inbox.bytes.view
            let data = inbox.body.takeData(bytes, consumed: &inbox.start)
            if !data.isEmpty {
                try makeRoom(client, body, data.count)
                body.append(data)
                if client.passing != .gathered { pass(client, body) }
            }
            try inbox.body.readFraming(bytes, consumed: &inbox.start, received: body.count, limits: limits)
            guard inbox.start > before else {
                if !bodies.has(client) { bodies.enter(client, now: now) }
                return false
            }
        }
        return true
    }

    private func begin(_ client: ServerClient, _ inbox: RequestInbox) throws(HTTP1Refusal) {
        let head = inbox.head
        let bytes = inbox.unread
        (client.request, client.body) = delegate.requestBegan(head, in: bytes, client: client.index, now: now)
        client.standIn = HTTPStandIn(
            isHead: bytes[head.method] == "HEAD",
            isHTTP10: head.isHTTP10,
            keepsAlive: head.keepsAlive
        )
        client.announced = nil
        if case .sized(let length) = head.framing {
            guard length <= options.maxBodyBytes else { throw .bodyTooLong }
            client.announced = length
        }
        inbox.body = HTTP1RequestBody(head.framing)
        inbox.start += head.length
        client.state = .body
        ClientQueue.leave(client)
        client.progressBefore = 0
        // Who has begun to send it needs no leave; HTTP/1.0 knows none (RFC 9110, section 10.1.1).
        if head.expectsContinue, !head.isHTTP10, inbox.isEmpty, !inbox.body.isComplete {
            _ = client.socket.write(ByteView("HTTP/1.1 100 Continue\r\n\r\n"), .empty)
        }
        if let length = client.announced, length > BodyLoan.freeBytes { try beginPassing(client, length) }
    }

    /// Room for `more` bytes of the body, no more than it can need where its length is known.
    func makeRoom(_ client: ServerClient, _ body: ByteBuffer, _ more: Int) throws(HTTP1Refusal) {
        let needed = body.count + more
        var capacity = body.capacity
        if needed > capacity {
            capacity = max(needed, capacity * 2)
            if client.passing != .gathered { capacity = Self.passedBytes }
            if let announced = client.announced { capacity = max(needed, min(capacity, announced)) }
        } else if !body.isEmpty {
            return
        }
        guard delegate.mayHoldBody(of: client.request, capacity: capacity) else {
            throw .noRoom
        }
        body.reserve(total: capacity)
    }

    private func handOver(_ client: ServerClient, _ inbox: RequestInbox, _ isDrained: Bool) -> HTTPDaemon.Received {
        ClientQueue.leave(client)
        client.state = .handedOver
        client.isStarted = false
        client.mayHaveMore = !isDrained || !inbox.isEmpty
        if inbox.isEmpty {
            giveBackInbox(of: client)
        } else {
            inbox.beginRequest()
        }
        delegate.requestReceived(client.request, now: now)
        return .request(client.standIn)
    }

    func giveBackInbox(of client: ServerClient) {
        guard let inbox = client.inbox else { return }
        client.inbox = nil
        inbox.reset()
        spareInboxes.append(inbox)
    }

    /// Answers at once, past libmicrohttpd, which knows nothing of the request; then closes, but not so soon that a client which is
    /// still sending would lose the answer to a reset (RFC 9112, section 9.6).
    func refuse(_ client: ServerClient, _ refusal: HTTP1Refusal) {
        scratch.removeAll()
        if client.request != 0 {
            let hasBody = !client.standIn.isHead
            delegate.requestRefused(refusal, client.request, path: .empty, hasBody: hasBody, to: scratch)
        } else if let inbox = client.inbox {
            let (head, bytes) = (inbox.head, inbox.unread)
            let hasBody = !(bytes[head.method] == "HEAD")
            delegate.requestRefused(refusal, 0, path: bytes[head.path], hasBody: hasBody, to: scratch)
        }
        leave(client)
    }

    /// Sends what is in the scratch space, the last that the client gets.
    func leave(_ client: ServerClient) {
        client.endRequest()
        giveBackInbox(of: client)
        // What the socket has no room for at once is lost.
        _ = client.socket.write(scratch.view, .empty)
        client.socket.endSending()
        client.state = .leaving
        client.discarded = 0
        leaving.enter(client, now: now)
    }

    func discard(_ client: ServerClient) -> HTTPDaemon.Received {
        var left = Self.bytesPerTurn
        while left > 0 {
            scratch.removeAll(keepingAtMost: 64 << 10)
            switch client.socket.receive(into: scratch, upTo: 64 << 10) {
            case .bytes(let count):
                left -= count
                client.discarded += count
                // By then it does not listen.
                if client.discarded > 4 * min(options.maxBodyBytes, 16 << 20) + Self.patience { return .failed }
            case .nothingYet: return .nothing
            case .ended: return .ended
            case .failed: return .failed
            }
        }
        return .interrupted
    }
}
