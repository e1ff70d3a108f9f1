import CCurl
private import Glibc

/// A connection that libcurl opens (names, Unix sockets) and we use: CURLOPT_CONNECT_ONLY(3). Confined to its shard.
///
/// The bytes go over the socket itself; only the closing is libcurl's again. Not for TLS.
final class CurlConnection: CurlHandle, CurlSocketOwner {
    enum Written: Equatable {
        /// How many bytes; fewer than there were: the socket is full.
        case bytes(Int)
        /// The connection is broken.
        case failed
    }

    enum Received: Equatable {
        case bytes(Int)
        case nothingYet
        /// The peer has ended its sending.
        case ended
        /// The connection is broken.
        case failed
    }

    private unowned let multi: CurlMulti
    private unowned let delegate: any CurlConnectionDelegate
    private var socket: Int32 = -1
    private var isInMulti = false

    init(target: Target, multi: CurlMulti, delegate: any CurlConnectionDelegate) {
        self.multi = multi
        self.delegate = delegate
        super.init(target: target)
        setNumber(CURLOPT_CONNECT_ONLY, 1)
        setNumber(CURLOPT_FRESH_CONNECT, 1)
    }

    /// Starts to connect; the delegate hears of the end.
    func connect() {
        clearError()
        isInMulti = true
        multi.add(self)
    }

    override func finished(result: UInt32, in multi: CurlMulti) {
        let code = CURLcode(rawValue: result)
        guard code == CURLE_OK else {
            close()
            delegate.connectionFailed(self, CurlFailure(kind: kind(of: code), code: result))
            return
        }
        // The handle stays in the multi handle: taking it out closes the connection.
        var active: curl_socket_t = -1
        _ = CCurl_easy_getinfo_socket(easy, &active)
        socket = active
        multi.adopt(active, owner: self)
        delegate.connectionOpened(self)
    }

    func socketReady(_ readiness: Epoll.Readiness) { delegate.connectionReady(self, readiness) }

    /// Sends the end of one run of bytes and then another, as much as the socket takes.
    func write(_ first: ByteView, _ second: ByteView) -> Written {
        var parts = (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: first.base), iov_len: first.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: second.base), iov_len: second.count)
        )
        let written = withUnsafeMutablePointer(to: &parts) { pointer in
            var message = msghdr()
            message.msg_iov = UnsafeMutableRawPointer(pointer).assumingMemoryBound(to: iovec.self)
            message.msg_iovlen = 2
            return sendmsg(socket, &message, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        }
        if written >= 0 { return .bytes(written) }
        return errno == EAGAIN || errno == EINTR ? .bytes(0) : .failed
    }

    /// Appends up to `length` bytes that have come.
    func receive(into buffer: ByteBuffer, upTo length: Int) -> Received {
        var received = 0
        buffer.append(upTo: length) { room in
            received = recv(socket, room, length, Int32(MSG_DONTWAIT))
            return max(received, 0)
        }
        if received > 0 { return .bytes(received) }
        if received == 0 { return .ended }
        return errno == EAGAIN || errno == EINTR ? .nothingYet : .failed
    }

    /// Whether `connectionReady` is wanted when the socket takes bytes.
    func setWantsOutput(_ wants: Bool) { multi.setWantsOutput(socket, wants) }

    /// Closes the connection, or ends the attempt to open it. Nothing more is heard of it.
    func close() {
        guard isInMulti else { return }
        isInMulti = false
        socket = -1
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
