private import CCurl

/// A connection that libcurl opens (names, Unix sockets) and we use: CURLOPT_CONNECT_ONLY(3). Confined to its shard.
///
/// The bytes go over the socket itself; only the closing is libcurl's again. Not for TLS.
final class CurlConnection: CurlHandle, CurlSocketOwner {
    private unowned let multi: CurlMulti
    private unowned let delegate: any CurlConnectionDelegate
    private var socket = StreamSocket(descriptor: -1)
    private var isInMulti = false

    init(target: Target, multi: CurlMulti, delegate: any CurlConnectionDelegate) {
        self.multi = multi
        self.delegate = delegate
        super.init(target: target)
        setNumber(CURLOPT_CONNECT_ONLY.rawValue, 1)
        setNumber(CURLOPT_FRESH_CONNECT.rawValue, 1)
    }

    /// Starts to connect; the delegate hears of the end.
    func connect() {
        clearError()
        isInMulti = true
        multi.add(self)
    }

    override func finished(result: UInt32, in multi: CurlMulti) {
        guard result == CURLE_OK.rawValue else {
            close()
            delegate.connectionFailed(self, CurlFailure(kind: kind(of: result), code: result))
            return
        }
        // The handle stays in the multi handle: taking it out closes the connection.
        var active: curl_socket_t = -1
        _ = CCurl_easy_getinfo_socket(easy, &active)
        socket = StreamSocket(descriptor: active)
        multi.adopt(active, owner: self)
        delegate.connectionOpened(self)
    }

    func socketReady(_ readiness: Epoll.Readiness) { delegate.connectionReady(self, readiness) }

    /// Sends one run of bytes and then another, as much as the socket takes.
    func write(_ first: ByteView, _ second: ByteView) -> StreamSocket.Written { socket.write(first, second) }

    /// Appends up to `length` bytes that have come.
    func receive(into buffer: ByteBuffer, upTo length: Int) -> StreamSocket.Received {
        socket.receive(into: buffer, upTo: length)
    }

    /// Whether `connectionReady` is wanted when the socket takes bytes.
    func setWantsOutput(_ wants: Bool) { multi.setWantsOutput(socket.descriptor, wants) }

    /// Closes the connection, or ends the attempt to open it. Nothing more is heard of it.
    func close() {
        guard isInMulti else { return }
        isInMulti = false
        multi.remove(self)
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
