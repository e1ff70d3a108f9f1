/// Bodies that go on as they come, through a buffer of bounded length.
extension HTTPServer {
    /// How much of such a body is here at most.
    static let passedBytes = LongBuffers.bytes
    /// With less room than this nothing is read: many small reads cost more than some waiting.
    private static let leastRoom = 32 << 10

    /// A long body begins: asks whether it goes on as it comes.
    func beginPassing(_ client: ServerClient, _ length: Int) throws(HTTP1Refusal) {
        guard let body = client.body, delegate.passesBody(client.request, length: length, now: now) else { return }
        client.passing = .passed
        try makeRoom(client, body, min(length, Self.passedBytes))
    }

    /// Some of it has come.
    func pass(_ client: ServerClient, _ body: ByteBuffer) {
        if client.passing == .thrownAway {
            body.removeAll()
        } else {
            delegate.bodyCame(client.request)
        }
    }

    /// Whether there is no room for more of such a body; then nothing is read before `readOn`.
    func lacksRoom(_ client: ServerClient) -> Bool {
        guard client.passing != .gathered, client.state == .body, let body = client.body, let inbox = client.inbox
        else { return false }
        let room = Self.passedBytes - body.count
        client.isBlocked = room < min(Self.leastRoom, inbox.body.expectedBytes)
        return client.isBlocked
    }

    // MARK: From the delegate

    /// There may be room for more of a body that goes on as it comes.
    func readOn(client index: Int) {
        let client = clients[index]
        guard client.isBlocked, client.state == .body else { return }
        client.isBlocked = false
        switch read(client) {
        case .nothing: break
        case .request:
            // libmicrohttpd takes it where it reads.
            client.state = .whole
            client.connection?.readAgain()
        case .interrupted, .ended, .failed: client.connection?.readAgain()
        }
    }

    /// Whether some of the body of a client's request is still to come.
    func readsBody(of index: Int) -> Bool { clients[index].state == .body }

    /// Nobody wants the rest of a body that went on as it came. It is read all the same: the request has to be whole before it is
    /// answered by libmicrohttpd.
    func throwAway(client index: Int) {
        let client = clients[index]
        guard client.passing == .passed, client.state == .body else { return }
        client.passing = .thrownAway
        client.body?.removeAll()
        readOn(client: index)
    }

    /// Answers a request whose body is not whole, past libmicrohttpd, and lets go of the client.
    ///
    /// - Parameter write: appends the whole answer, which says that the connection closes. It must be short: what the socket has
    ///   no room for is lost.
    func answerEarly(client index: Int, _ write: (ByteBuffer) -> Void) {
        let client = clients[index]
        scratch.removeAll()
        write(scratch)
        leave(client)
        // What has come and was not read is thrown away.
        client.connection?.readAgain()
    }
}
