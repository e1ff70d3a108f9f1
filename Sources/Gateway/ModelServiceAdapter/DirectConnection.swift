/// One kept connection to a Model Service: opened for a call, then carries one call after the other.
final class DirectConnection: CurlConnectionDelegate {
    private enum State { case connecting, sending, receiving, idle, closed }

    private static let readBytes = 16 << 10
    private static let largeReadBytes = 256 << 10
    /// So much of a body that goes on as it comes is kept when it has been sent, at most: should the connection turn out to have
    /// been dead, it can be sent again.
    private static let keptBytes = LongBuffers.bytes / 2
    /// After so many reads the other connections have their turn.
    private static let readsPerTurn = 16

    private unowned let transport: DirectTransport
    private var wire: CurlConnection!
    private var state = State.connecting
    private var call: DirectCall?
    private var parser = HTTP1ResponseParser(maxBodyBytes: 0)
    private var isReused = false
    /// When it became idle; nanoseconds of the monotonic clock.
    private(set) var idleSince: Int64 = 0
    /// Among the idle ones of its transport.
    var place = IdleConnections.Place()
    /// Of the request's head and body together.
    private var sent = 0
    /// Whether the last read found less than it had room for.
    private var hasReadAll = false
    /// The socket has no room for more of the request.
    private var isFull = false
    /// Nothing is read until there is room for it.
    private var isPaused = false
    /// What has come and is not yet read: the beginning of a line.
    private let inbox = ByteBuffer(capacity: 4096)

    init(target: CurlHandle.Target, curl: CurlMulti, transport: DirectTransport) {
        self.transport = transport
        self.wire = CurlConnection(target: target, multi: curl, delegate: self)
    }

    // MARK: From the transport

    /// Connects, and then carries the call.
    func open(for call: DirectCall) {
        self.call = call
        call.connection = self
        wire.connect()
    }

    /// Sends the call's request.
    func carry(_ call: DirectCall, isReused: Bool) {
        self.call = call
        self.isReused = isReused
        call.connection = self
        parser = HTTP1ResponseParser(maxBodyBytes: call.maxBodyBytes)
        inbox.removeAll(keepingAtMost: 2 * Self.readBytes)
        sent = 0
        isFull = false
        isPaused = false
        state = .sending
        send(call)
    }

    /// Whether nothing has come on an idle connection since its last answer, and the peer has not closed it.
    func isQuiet() -> Bool {
        if case .nothingYet = wire.receive(into: inbox, upTo: 1) { return true }
        return false
    }

    /// More of the request's body is there, or all of it.
    func sendOn() {
        // One that is full goes on when there is room.
        if state == .sending, !isFull, let call { send(call) }
    }

    /// There is room again for what comes.
    func resume() {
        guard isPaused else { return }
        isPaused = false
        wire.setInterest(output: isFull)
    }

    /// Closes; whoever waits for the call is told by the caller.
    func close() {
        state = .closed
        call = nil
        wire.close()
    }

    // MARK: CurlConnectionDelegate

    func connectionOpened(_ connection: CurlConnection) {
        guard let call else { return close() }
        carry(call, isReused: false)
    }

    func connectionFailed(_ connection: CurlConnection, _ failure: CurlFailure) {
        guard let call else { return }
        state = .closed
        finish(call, ExchangeFailure(failure.kind, detail: copied(connection.errorView, call)))
    }

    func connectionReady(_ connection: CurlConnection, _ readiness: Epoll.Readiness) {
        switch state {
        case .idle:
            transport.drop(self)
            close()
        case .sending, .receiving:
            if !readiness.isDisjoint(with: [.input, .hangUp, .error]) {
                if isPaused { wire.setInterest(input: false, output: isFull) } else { receive() }
            }
            if state == .sending, readiness.contains(.output), let call { send(call) }
        case .connecting, .closed: break
        }
    }

    // MARK: Sending

    /// Sends what the socket takes. A broken socket is left to `receive`: it may hold an answer that explains itself.
    private func send(_ call: DirectCall) {
        let head = call.requestHead.view
        let body = call.requestBody?.view ?? .empty
        // What is gone has been sent, and more than the head has.
        let before = head.count + call.goneBytes
        let total = before + body.count
        isFull = false
        while sent < total {
            let outcome = wire.write(
                head.dropFirst(min(sent, head.count)),
                body.dropFirst(max(sent - before, 0))
            )
            guard case .bytes(let count) = outcome, count > 0 else {
                isFull = true
                wire.setInterest(input: !isPaused, output: outcome != .failed)
                if call.passedLength != nil { noteSent(call, headBytes: head.count) }
                return
            }
            sent += count
        }
        wire.setInterest(input: !isPaused)
        guard let length = call.passedLength else {
            state = .receiving
            return
        }
        if sent == head.count + length { state = .receiving }
        noteSent(call, headBytes: head.count)
    }

    /// Some of a body has been sent that goes on as it comes: makes room for more where it is needed, and tells of it.
    private func noteSent(_ call: DirectCall, headBytes: Int) {
        guard let body = call.requestBody else { return }
        let done = max(sent - headBytes - call.goneBytes, 0)
        call.unsentBytes = body.count - done
        call.isAllSent = state == .receiving
        // Half of it at least, so that no byte is moved often.
        if body.count > Self.keptBytes, 2 * done >= body.count {
            body.removeFirst(done)
            call.goneBytes += done
        }
        transport.sent(call)
    }

    // MARK: Receiving

    private func receive() {
        for _ in 0..<Self.readsPerTurn {
            guard let call else { return }
            let expected = parser.expectedBodyBytes
            let isLarge = expected >= Self.readBytes && inbox.isEmpty
            let wanted = isLarge ? min(expected, largeRead(of: call)) : Self.readBytes
            guard call.isStreamed || call.makeRoom(wanted, expected: expected) else {
                return fail(call, ExchangeFailure(.noMemory, detail: .empty))
            }
            switch wire.receive(into: isLarge ? call.body : inbox, upTo: wanted) {
            case .nothingYet: return
            case .ended: return peerEnded(call, parser.end(), .ended)
            case .failed: return peerEnded(call, false, .reset)
            case .bytes(let count):
                hasReadAll = count < wanted
                if isLarge {
                    parser.countBody(count)
                    if parser.expectedBodyBytes == 0 { return complete(call) }
                    if call.isStreamed, !goesOn(call) { return }
                } else if !read(call) {
                    return
                }
                // The socket is empty, most likely.
                if hasReadAll { return }
            }
        }
    }

    /// How much of a body is read at once, straight to where it belongs: of one that is taken away as it comes, what there is
    /// room for.
    private func largeRead(of call: DirectCall) -> Int {
        guard call.isStreamed else { return Self.largeReadBytes }
        return min(max(call.body.capacity - call.body.count, Self.readBytes), Self.largeReadBytes)
    }

    /// Reads what is in the inbox; false when the call is over, or must wait for room.
    private func read(_ call: DirectCall) -> Bool {
        var consumed = 0
        do throws(HTTP1ResponseParser.Malformed) {
            let progress = try parser.consume(
                inbox.view,
                headers: call.headers,
                body: call.body,
                consumed: &consumed
            )
            inbox.removeFirst(consumed)
            switch progress {
            case .incomplete: return goesOn(call)
            case .complete: complete(call)
            case .tooLarge:
                if !call.hasBegun, begins(call) { return read(call) }
                fail(call, ExchangeFailure(.tooLarge, detail: .empty))
            }
        } catch {
            call.errorText.append(error.reason)
            fail(call, ExchangeFailure(.malformed, detail: call.errorText.view))
        }
        return false
    }

    /// More of the answer is to come: whether it is read now.
    private func goesOn(_ call: DirectCall) -> Bool {
        if !call.hasBegun {
            guard parser.hasHeader else { return true }
            _ = begins(call)
        }
        if !call.isStreamed, call.body.count > call.wholeBytes { _ = transport.outgrew(call) }
        guard call.isStreamed, !transport.received(call) else { return true }
        // Most have room again before more comes; else epoll is told when it does.
        isPaused = true
        return false
    }

    /// The header is in: whether the body is taken away as it comes.
    private func begins(_ call: DirectCall) -> Bool {
        call.status = parser.status
        call.announced = parser.announcedBodyBytes
        guard transport.began(call) else { return false }
        if !call.isLimited { parser.takeAnyLength() }
        return true
    }

    private func complete(_ call: DirectCall) {
        // Retained once here.
        let transport = transport
        call.status = parser.status
        call.connection = nil
        // Bytes beyond the answer were not asked for; an answer before the request's end leaves the rest unsent.
        if parser.keepsAlive && state == .receiving && nothingFollows() {
            state = .idle
            idleSince = Clock.monotonic()
            self.call = nil
            transport.keep(self)
        } else {
            close()
        }
        transport.finished(call, failure: nil)
    }

    /// Whether nothing has come past the answer: the next call may be sent at once, and would take it for its own answer.
    private func nothingFollows() -> Bool {
        guard inbox.isEmpty else { return false }
        return hasReadAll || isQuiet()
    }

    /// The Model Service has closed the connection, or it broke.
    private func peerEnded(_ call: DirectCall, _ isComplete: Bool, _ death: Repetition.Death) {
        if isComplete { return complete(call) }
        let hadBegun = parser.hasBegun
        // A GET changes nothing (RFC 9110, section 9.2.2).
        let mayRepeat = transport.isRepeatable || call.requestBody == nil
        // What is gone cannot be sent again.
        let isSentAgain = isReused && !hadBegun && call.goneBytes == 0 && (mayRepeat || isUnread(death))
        close()
        call.connection = nil
        if isSentAgain {
            transport.retry(call)
        } else {
            finish(call, ExchangeFailure(hadBegun ? .resetInAnswer : .resetBeforeAnswer, detail: .empty))
        }
    }

    private func isUnread(_ death: Repetition.Death) -> Bool {
        Repetition.isUnread(sent: sent, unacknowledged: wire.unacknowledgedBytes, death)
    }

    private func fail(_ call: DirectCall, _ failure: ExchangeFailure) {
        close()
        finish(call, failure)
    }

    private func finish(_ call: DirectCall, _ failure: ExchangeFailure) {
        call.connection = nil
        transport.finished(call, failure: failure)
    }

    /// The text outlives the connection with the call.
    private func copied(_ text: ByteView, _ call: DirectCall) -> ByteView {
        call.errorText.append(text)
        return call.errorText.view
    }
}
