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
    private var timer: Int64?
    /// Those that are to start, and those that cannot. libcurl does not know of them.
    private var waiting: [CurlHandle] = []
    private var failed: [Failure] = []
    private var lastTicket = 0
    /// The handle whose request goes out on a kept connection, until libcurl says that it waits for the answer.
    private weak var starting: CurlHandle?
    /// When the oldest of libcurl's idle connections may be too old, in nanoseconds of the monotonic clock.
    private var idleDeadline = Int64.max
    /// When libcurl is to close those that have been made to look dead, in nanoseconds of the monotonic clock.
    private var sweepDeadline = Int64.max
    private var sweep: CurlSweep?

    /// A call that is over although libcurl does not say so.
    private struct Failure {
        var handle: CurlHandle
        /// The call's: the handle may have ended it and begun another meanwhile.
        var ticket: Int
        var code: UInt32
        /// nil: the code says it.
        var text: String?
    }

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
        /// The call that uses the connection, or used it last, and its ticket then.
        weak var user: CurlHandle?
        var ticket = 0
        /// How many bytes the peer's machine had acknowledged when the connection became idle, and the time before.
        var acknowledged: UInt64?
        var acknowledgedBefore: UInt64?
        /// Its transfer is paused: nobody reads.
        var isPaused = false
        /// When it will have been idle for too long, in nanoseconds of the monotonic clock.
        var tooOldAt = Int64.max

        /// Whether it is one of libcurl's connections without a transfer, and nothing has come on it yet.
        var isIdle: Bool { isConnection && owner == nil && wanted.isEmpty && !registered.isEmpty && !isPaused }
    }

    /// How long the look for too old connections may be put off, so that there are not too many of them; nanoseconds.
    private static let idleGrain: Int64 = 50_000_000
    /// libcurl looks for dead connections once a second at most; nanoseconds.
    private static let sweepInterval: Int64 = 1_100_000_000

    /// - Parameter maxIdleConnections: how many connections are kept open over all Model Services of this shard.
    init(epoll: Epoll, tokenKind: UInt8, maxIdleConnections: Int) {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        guard let multi = curl_multi_init() else { fatalError("out of memory") }
        self.multi = multi
        self.epoll = epoll
        self.tokenKind = tokenKind
        let me = Unmanaged.passUnretained(self).toOpaque()
        let codes = [
            CCurl_multi_setopt_pointer(multi, CURLMOPT_SOCKETDATA, me),
            CCurl_multi_setopt_socket_function(multi) { easy, socket, what, context, _ in
                CurlMulti.from(context).watch(socket, what, CurlHandle.of(easy: easy.unsafelyUnwrapped))
                return 0
            },
            CCurl_multi_setopt_pointer(multi, CURLMOPT_TIMERDATA, me),
            CCurl_multi_setopt_timer_function(multi) { _, milliseconds, context in
                CurlMulti.from(context).setTimer(milliseconds)
                return 0
            },
            CCurl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, maxIdleConnections),
            CCurl_multi_setopt_long(multi, CURLMOPT_PIPELINING, 0),
        ]
        // They fail only where libcurl does not know the option.
        precondition(codes.allSatisfy { $0 == CURLM_OK }, "libcurl is too old")
    }

    /// Closes all connections. The last call; no transfer may be out.
    func shutDown() {
        if let sweep { remove(sweep) }
        curl_multi_cleanup(multi)
    }

    /// When `runTimers` or `deliverFinished` has something to do; nil: nothing is waited for. Nanoseconds of the monotonic
    /// clock.
    var deadline: Int64? {
        if !waiting.isEmpty || !failed.isEmpty { return 0 }
        let next = min(timer ?? .max, idleDeadline, sweepDeadline)
        return next == .max ? nil : next
    }

    /// Starts a prepared transfer; it moves at the next `runTimers`. One that cannot start ends in the next
    /// `deliverFinished`.
    func add(_ handle: CurlHandle) {
        lastTicket += 1
        handle.begin(in: self, ticket: lastTicket)
        if let code = handle.setupFailure { return fail(handle, code) }
        handle.stage = .waiting
        waiting.append(handle)
    }

    private func fail(_ handle: CurlHandle, _ code: UInt32) {
        handle.stage = .failed
        failed.append(Failure(handle: handle, ticket: handle.ticket, code: code))
    }

    /// Ends a transfer before its time; its connection is closed.
    func remove(_ handle: CurlHandle) {
        switch handle.stage {
        case .idle, .failed: break
        case .waiting: waiting.removeAll { $0 === handle }
        case .out: curl_multi_remove_handle(multi, handle.easy)
        }
        handle.stage = .idle
    }

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
            // Whatever it is is found when somebody reads again.
            if sockets[index].isPaused { return }
            // An idle connection that turns up readable is closed by its peer, or talks out of turn.
            spoil(socket)
            return
        }
        var mask: Int32 = 0
        if event.readiness.contains(.input) { mask |= CURL_CSELECT_IN }
        if event.readiness.contains(.output) { mask |= CURL_CSELECT_OUT }
        if !event.readiness.isDisjoint(with: [.error, .hangUp]) { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        curl_multi_socket_action(multi, socket, mask, &running)
    }

    /// Starts the transfers just added, and runs libcurl's timers if they are due.
    func runTimers(now: Int64) {
        if idleDeadline <= now { closeOld(now: now) }
        if sweepDeadline <= now { beginSweep() }
        if !waiting.isEmpty { start() }
        // Bounded, so that timers that are due again at once can't hold up the loop.
        for _ in 0..<8 {
            guard let timer, timer <= now else { return }
            self.timer = nil
            var running: Int32 = 0
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
        }
    }

    /// Hands the added transfers to libcurl. Not before all that the last wait has brought is dealt with: a connection that
    /// turned up readable while it was idle is not used for them.
    private func start() {
        if !epoll.hasToldAll { spoilIdle() }
        for handle in waiting {
            let code = curl_multi_add_handle(multi, handle.easy)
            if code == CURLM_OK {
                handle.stage = .out
            } else {
                fail(handle, (code == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT).rawValue)
            }
        }
        waiting.removeAll(keepingCapacity: true)
    }

    /// Tells the delegates of the transfers that are finished.
    func deliverFinished() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else { continue }
            CurlHandle.of(easy: easy).finished(result: CCurl_message_result(message).rawValue, in: self)
        }
        while let failure = failed.popLast() {
            let handle = failure.handle
            guard handle.ticket == failure.ticket, handle.stage != .idle else { continue }
            if let text = failure.text { handle.setError(text) } else { handle.setError(failure.code) }
            handle.finished(result: failure.code, in: self)
        }
    }

    /// Takes a connected socket away from `handle`, which is done: its events go to `owner` until `closeAdopted`.
    ///
    /// Left with libcurl, the socket would be closed behind the owner's back: libcurl takes it for an idle connection, and
    /// closes those that look dead or are old (CURLOPT_MAXAGE_CONN(3)) when it opens another.
    ///
    /// Throws where its events cannot be heard of: then the socket is closed.
    func adopt(_ socket: Int32, from handle: CurlHandle, owner: any CurlSocketOwner) throws(SystemError) {
        let index = Int(socket)
        while sockets.count <= index { sockets.append(Watch()) }
        sockets[index].owner = owner
        remove(handle)
        guard sockets[index].registered != .input else { return }
        do throws(SystemError) {
            try register(socket, index, .input)
        } catch {
            closeAdopted(socket)
            throw error
        }
    }

    /// Whether every socket that had something at the last wait has been dealt with.
    var hasHeardOfAll: Bool { epoll.hasToldAll }

    /// Closes a socket that was taken over.
    func closeAdopted(_ socket: Int32) {
        sockets[Int(socket)].owner = nil
        sockets[Int(socket)].isConnection = false
        socketIsClosed(socket)
    }

    /// What the owner of a socket wants to know: when it has bytes, when it takes some.
    func setInterest(_ socket: Int32, _ interest: Epoll.Readiness) {
        guard sockets[Int(socket)].registered != interest else { return }
        // Another interest in what is registered takes no memory: that fails only where there is no such socket.
        do throws(SystemError) {
            try register(socket, Int(socket), interest)
        } catch {
            fatalError("\(error)")
        }
    }

    // MARK: Kept connections

    /// A request goes out on a kept connection.
    func requestBegins(_ handle: CurlHandle) { starting = handle }

    /// A connection has no transfer any more, or is about to be closed.
    ///
    /// Before it takes a kept connection, libcurl looks only whether the peer has closed it, and with TLS not even for that
    /// (7.88, cf-socket.c, openssl.c): what came unasked would be the next answer. So that is looked for here.
    private func becomesIdle(_ socket: Int32, _ index: Int, _ handle: CurlHandle) {
        sockets[index].acknowledgedBefore = sockets[index].acknowledged
        let connection = StreamSocket(descriptor: socket)
        guard connection.isQuiet else { return spoil(socket) }
        if !handle.isRepeatable { sockets[index].acknowledged = connection.acknowledgedBytes }
        if handle.keepAlive < .max {
            sockets[index].tooOldAt = Clock.monotonic() + handle.keepAlive
            idleDeadline = min(idleDeadline, sockets[index].tooOldAt)
        }
    }

    private func closeOld(now: Int64) {
        idleDeadline = .max
        for index in sockets.indices where sockets[index].isIdle {
            if sockets[index].tooOldAt <= now {
                spoil(Int32(index))
            } else {
                idleDeadline = min(idleDeadline, max(sockets[index].tooOldAt, now + Self.idleGrain))
            }
        }
    }

    /// Makes libcurl find a connection dead.
    private func spoil(_ socket: Int32) {
        StreamSocket(descriptor: socket).spoil()
        // What it reports from now on is not news.
        epoll.remove(socket)
        sockets[Int(socket)].registered = []
        if sweepDeadline == .max { sweepDeadline = Clock.monotonic() + Self.sweepInterval }
    }

    private func beginSweep() {
        sweepDeadline = .max
        let sweep = sweep ?? CurlSweep()
        self.sweep = sweep
        if sweep.stage == .idle { add(sweep) }
    }

    /// How many connections libcurl has open.
    var connectionCount: Int { sockets.count { $0.isConnection && $0.owner == nil } }

    /// Looks at all kept connections.
    private func spoilIdle() {
        for index in sockets.indices where sockets[index].isIdle {
            if !StreamSocket(descriptor: Int32(index)).isQuiet { spoil(Int32(index)) }
        }
    }

    /// A connection is closed: if a request was on it, its handle hears whether that was read.
    private func noteDeath(_ socket: Int32, _ watch: Watch) {
        let acknowledged = StreamSocket(descriptor: socket).acknowledgedBytes
        if let user = watch.user, user.stage == .out, user.ticket == watch.ticket {
            guard let acknowledged, let before = watch.acknowledgedBefore else {
                return user.connectionDied(unread: false)
            }
            user.connectionDied(unread: acknowledged <= before)
        } else if let starting {
            // It broke while the request was sent.
            guard let acknowledged, let before = watch.acknowledged else {
                return starting.connectionDied(unread: false)
            }
            starting.connectionDied(unread: acknowledged <= before)
        }
    }

    // MARK: Callbacks

    private static func from(_ context: UnsafeMutableRawPointer?) -> CurlMulti {
        Unmanaged<CurlMulti>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }

    private func setTimer(_ milliseconds: Int) {
        timer = milliseconds < 0 ? nil : milliseconds == 0 ? 0 : Clock.monotonic() + Int64(milliseconds) * 1_000_000
    }

    private func watch(_ socket: Int32, _ what: Int32, _ handle: CurlHandle) {
        let index = Int(socket)
        while sockets.count <= index { sockets.append(Watch()) }
        var wanted: Epoll.Readiness = []
        switch what {
        case CURL_POLL_IN: wanted = .input
        case CURL_POLL_OUT: wanted = .output
        case CURL_POLL_INOUT: wanted = [.input, .output]
        default: break  // CURL_POLL_REMOVE
        }
        sockets[index].isPaused = wanted.isEmpty && handle.isPaused
        if !wanted.isEmpty { handle.isWatched = true }
        let wasIdle = sockets[index].wanted.isEmpty
        sockets[index].wanted = wanted
        if sockets[index].isPaused { return watchPaused(socket, index) }
        if sockets[index].isConnection, sockets[index].owner == nil, handle.leavesConnections {
            if wanted.isEmpty {
                becomesIdle(socket, index, handle)
            } else if wasIdle {
                sockets[index].user = handle
                sockets[index].ticket = handle.ticket
                sockets[index].tooOldAt = .max
                starting = nil
            }
        }
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
        do throws(SystemError) {
            try register(socket, index, wanted)
        } catch {
            // Without its events the transfer would stand still until its time is over.
            sockets[index].registered = []
            failed.append(
                Failure(handle: handle, ticket: handle.ticket, code: CURLE_OUT_OF_MEMORY.rawValue, text: "\(error)")
            )
        }
    }

    /// Nobody reads: that there is something to read must not be reported all the time.
    private func watchPaused(_ socket: Int32, _ index: Int) {
        do throws(SystemError) {
            try register(socket, index, .edgeTriggered)
        } catch {
            // Another interest in what is registered takes no memory.
            fatalError("\(error)")
        }
    }

    private func register(_ socket: Int32, _ index: Int, _ interest: Epoll.Readiness) throws(SystemError) {
        let token = Epoll.Token(kind: tokenKind, generation: sockets[index].generation, value: socket)
        if sockets[index].registered.isEmpty {
            try epoll.add(socket, interest, token: token)
        } else {
            try epoll.modify(socket, interest, token: token)
        }
        sockets[index].registered = interest
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
            if sockets[index].isConnection { noteDeath(socket, sockets[index]) }
            let generation = sockets[index].generation
            sockets[index] = Watch()
            sockets[index].generation = generation &+ 1
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
