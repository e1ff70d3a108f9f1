private import CCurl

/// A connection that libcurl opens (names, Unix sockets) and we use: CURLOPT_CONNECT_ONLY(3). Confined to its shard.
///
/// Once it is open, libcurl has no part in it any more. Not for TLS.
final class CurlConnection: CurlHandle, CurlSocketOwner {
    private unowned let multi: CurlMulti
    private unowned let delegate: any CurlConnectionDelegate
    private var socket = StreamSocket(descriptor: -1)
    private var state = State.closed

    private enum State { case connecting, open, closed }

    init(target: Target, multi: CurlMulti, delegate: any CurlConnectionDelegate) {
        self.multi = multi
        self.delegate = delegate
        super.init(target: target)
        setNumber(CURLOPT_CONNECT_ONLY.rawValue, 1)
        setNumber(CURLOPT_FRESH_CONNECT.rawValue, 1)
    }

    override var leavesConnections: Bool { false }

    /// Starts to connect; the delegate hears of the end.
    func connect() {
        clearError()
        state = .connecting
        multi.add(self)
    }

    override func finished(result: UInt32, in multi: CurlMulti) {
        guard result == CURLE_OK.rawValue else {
            close()
            delegate.connectionFailed(self, CurlFailure(kind: kind(of: result), code: result))
            return
        }
        var active: curl_socket_t = -1
        _ = CCurl_easy_getinfo_socket(easy, &active)
        guard active >= 0 else {
            // It has died meanwhile, and libcurl has noticed first.
            close()
            delegate.connectionFailed(self, CurlFailure(kind: .resetBeforeAnswer, code: result))
            return
        }
        do throws(SystemError) {
            try multi.adopt(active, from: self, owner: self)
        } catch {
            state = .closed
            setError("\(error)")
            delegate.connectionFailed(self, CurlFailure(kind: .other, code: result))
            return
        }
        socket = StreamSocket(descriptor: active)
        state = .open
        delegate.connectionOpened(self)
    }

    func socketReady(_ readiness: Epoll.Readiness) { delegate.connectionReady(self, readiness) }

    /// Sends one run of bytes and then another, as much as the socket takes.
    func write(_ first: ByteView, _ second: ByteView) -> StreamSocket.Written { socket.write(first, second) }

    /// Appends up to `length` bytes that have come.
    func receive(into buffer: ByteBuffer, upTo length: Int) -> StreamSocket.Received {
        socket.receive(into: buffer, upTo: length)
    }

    /// How many of the bytes that were written the peer's machine has not acknowledged; nil where this is no TCP.
    var unacknowledgedBytes: Int? { socket.unacknowledgedBytes }

    /// Whether `connectionReady` is wanted when the socket has bytes, and when it takes some.
    func setInterest(input: Bool = true, output: Bool = false) {
        // That it is broken is always reported: once, and not all the time, where nobody reads.
        var interest: Epoll.Readiness = input ? .input : .edgeTriggered
        if output { interest.insert(.output) }
        multi.setInterest(socket.descriptor, interest)
    }

    /// Closes the connection, or ends the attempt to open it. Nothing more is heard of it.
    func close() {
        defer { state = .closed }
        switch state {
        case .connecting: multi.remove(self)
        case .open: multi.closeAdopted(socket.descriptor)
        case .closed: break
        }
    }
}

/// Hears of a connection. Called from within `CurlMulti.socketReady` and `deliverFinished`.
protocol CurlConnectionDelegate: AnyObject {
    func connectionOpened(_ connection: CurlConnection)
    /// The connection is closed already.
    func connectionFailed(_ connection: CurlConnection, _ failure: CurlFailure)
    /// It has bytes, takes bytes, or is broken.
    func connectionReady(_ connection: CurlConnection, _ readiness: Epoll.Readiness)
}
