private import CCurl
private import Glibc

/// A libcurl multi handle on the shard's epoll (libcurl-multi(3), curl_multi_socket_action(3)). Confined to its shard.
final class CurlMulti {
    private let multi: UnsafeMutableRawPointer
    private let epoll: Epoll
    private let tokenKind: UInt8
    /// By descriptor: how it stands in epoll.
    private var sockets: [Watch] = []
    /// When libcurl wants to be called for its timers; nil: never. Nanoseconds of the monotonic clock.
    private(set) var deadline: Int64?

    private struct Watch {
        var registered: Epoll.Readiness = []
        /// What libcurl asks for now. A socket stays registered for input between transfers, which saves two system
        /// calls per request.
        var wanted: Epoll.Readiness = []
        var generation: UInt32 = 0
        /// Whether it is a connection; otherwise it is libcurl's own, which it closes without a word (its resolver's).
        var isConnection = false
        /// Who has taken over a socket that libcurl opened.
        var owner: (any CurlSocketOwner)?
    }

    /// - Parameter maxIdleConnections: how many connections are kept open over all Model Services of this shard.
    init(epoll: Epoll, tokenKind: UInt8, maxIdleConnections: Int) {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        guard let multi = curl_multi_init() else { fatalError("out of memory") }
        self.multi = multi
        self.epoll = epoll
        self.tokenKind = tokenKind
        let me = Unmanaged.passUnretained(self).toOpaque()
        _ = CCurl_multi_setopt_pointer(multi, CURLMOPT_SOCKETDATA, me)
        _ = CCurl_multi_setopt_socket_function(multi) { _, socket, what, context, _ in
            CurlMulti.from(context).watch(socket, what)
            return 0
        }
        _ = CCurl_multi_setopt_pointer(multi, CURLMOPT_TIMERDATA, me)
        _ = CCurl_multi_setopt_timer_function(multi) { _, milliseconds, context in
            CurlMulti.from(context).setTimer(milliseconds)
            return 0
        }
        _ = CCurl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, maxIdleConnections)
        _ = CCurl_multi_setopt_long(multi, CURLMOPT_PIPELINING, 0)
    }

    /// Closes all connections. The last call; no transfer may be out.
    func shutDown() { curl_multi_cleanup(multi) }

    /// Starts a prepared transfer; it moves at the next `runTimers`.
    func add(_ handle: CurlHandle) {
        handle.setSocketWatcher(Unmanaged.passUnretained(self).toOpaque())
        curl_multi_add_handle(multi, handle.easy)
    }

    /// Ends a transfer before its time; its connection is closed.
    func remove(_ handle: CurlHandle) { curl_multi_remove_handle(multi, handle.easy) }

    /// A socket of ours is ready.
    func socketReady(_ event: Epoll.Event) {
        let socket = event.token.value
        let index = Int(socket)
        guard index < sockets.count, sockets[index].generation & 0xFF_FFFF == event.token.generation else { return }
        if let owner = sockets[index].owner {
            owner.socketReady(event.readiness)
            return
        }
        guard !sockets[index].wanted.isEmpty else {
            // An idle connection that turns up readable is closed by its peer, or talks out of turn: libcurl finds that
            // out when it wants to use it.
            epoll.remove(socket)
            sockets[index].registered = []
            return
        }
        var mask: Int32 = 0
        if event.readiness.contains(.input) { mask |= CURL_CSELECT_IN }
        if event.readiness.contains(.output) { mask |= CURL_CSELECT_OUT }
        if !event.readiness.isDisjoint(with: [.error, .hangUp]) { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, mask, &running)
    }

    /// Runs libcurl's timers if they are due, which also starts the transfers just added.
    func runTimers(now: Int64) {
        // Bounded, so that timers that are due again at once can't hold up the loop.
        for _ in 0..<8 {
            guard let deadline, deadline <= now else { return }
            self.deadline = nil
            var running: Int32 = 0
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
        }
    }

    /// Tells the delegates of the transfers that are finished.
    func deliverFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            let result = CCurl_message_result(message).rawValue
            CurlHandle.of(easy: easy).finished(result: result, in: self)
        }
    }

    /// Takes a connected socket away from `handle`, which is done: its events go to `owner` until `closeAdopted`.
    ///
    /// Left with libcurl, the socket would be closed behind the owner's back: libcurl takes it for an idle connection, and
    /// closes those that look dead or are old (CURLOPT_MAXAGE_CONN(3)) when it opens another.
    func adopt(_ socket: Int32, from handle: CurlHandle, owner: any CurlSocketOwner) {
        let index = Int(socket)
        while sockets.count <= index { sockets.append(Watch()) }
        sockets[index].owner = owner
        remove(handle)
        if sockets[index].registered != .input { register(socket, index, .input) }
    }

    /// Closes a socket that was taken over.
    func closeAdopted(_ socket: Int32) {
        sockets[Int(socket)].owner = nil
        socketIsClosed(socket)
    }

    /// Whether the owner of a socket wants to know when it takes bytes.
    func setWantsOutput(_ socket: Int32, _ wants: Bool) {
        let interest: Epoll.Readiness = wants ? [.input, .output] : .input
        if sockets[Int(socket)].registered != interest { register(socket, Int(socket), interest) }
    }

    // MARK: Callbacks

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlMulti {
        Unmanaged<CurlMulti>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }

    private func setTimer(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : Clock.monotonic() + Int64(milliseconds) * 1_000_000
    }

    private func watch(_ socket: Int32, _ what: Int32) {
        let index = Int(socket)
        while sockets.count <= index { sockets.append(Watch()) }
        var wanted: Epoll.Readiness = []
        switch what {
        case CURL_POLL_IN: wanted = .input
        case CURL_POLL_OUT: wanted = .output
        case CURL_POLL_INOUT: wanted = [.input, .output]
        default: break  // CURL_POLL_REMOVE
        }
        sockets[index].wanted = wanted
        if wanted.isEmpty && !sockets[index].isConnection {
            if !sockets[index].registered.isEmpty { epoll.remove(socket) }
            sockets[index].registered = []
            return
        }
        if wanted.isEmpty || sockets[index].registered == wanted {
            // Interest in output must go, or it would be reported all the time.
            guard sockets[index].registered.contains(.output), wanted.isEmpty else { return }
            wanted = .input
        }
        register(socket, index, wanted)
    }

    private func register(_ socket: Int32, _ index: Int, _ interest: Epoll.Readiness) {
        let token = Epoll.Token(kind: tokenKind, generation: sockets[index].generation, value: socket)
        do throws(SystemError) {
            if sockets[index].registered.isEmpty {
                try epoll.add(socket, interest, token: token)
            } else {
                try epoll.modify(socket, interest, token: token)
            }
            sockets[index].registered = interest
        } catch {
            // Without its events the transfer runs into its timeout, which is reported.
            sockets[index].registered = []
        }
    }

    /// libcurl has opened a socket for a connection.
    fileprivate func socketIsOpened(_ socket: Int32) {
        let index = Int(socket)
        while sockets.count <= index { sockets.append(Watch()) }
        sockets[index].isConnection = true
    }

    /// libcurl closes a socket: closing takes it out of epoll, so only our own record is left to mend.
    fileprivate func socketIsClosed(_ socket: Int32) {
        let index = Int(socket)
        if index < sockets.count {
            // It is being taken over: libcurl lets go of it, and it stays open.
            if sockets[index].owner != nil { return }
            sockets[index].registered = []
            sockets[index].wanted = []
            sockets[index].isConnection = false
            sockets[index].generation &+= 1
        }
        close(socket)
    }

    /// For `CurlHandle` alone: CURLOPT_SOCKOPTFUNCTION(3).
    static func socketIsOpened(_ context: UnsafeMutableRawPointer?, _ socket: Int32) -> Int32 {
        from(context).socketIsOpened(socket)
        return CURL_SOCKOPT_OK
    }

    /// For `CurlHandle` alone: CURLOPT_CLOSESOCKETFUNCTION(3).
    static func socketIsClosed(_ context: UnsafeMutableRawPointer?, _ socket: Int32) -> Int32 {
        from(context).socketIsClosed(socket)
        return 0
    }
}

@available(*, unavailable)
extension CurlMulti: Sendable {}

/// Has taken over a socket that libcurl opened.
protocol CurlSocketOwner: AnyObject {
    /// It has bytes, takes bytes, or is broken.
    func socketReady(_ readiness: Epoll.Readiness)
}
