private import CMicroHTTPD
private import Glibc

/// What happens on an `HTTPDaemon`'s connections. All calls come from `HTTPDaemon.run` and `stop`, on their thread.
protocol HTTPDaemonDelegate: AnyObject {
    /// A client has connected. Returns a word (not 0) that stays with the connection.
    func connectionOpened(socket: Int32) -> Int
    func connectionClosed(context: Int)
    /// The header of a request is in. Returns a word (not 0) that stays with the request. An answer given here leaves
    /// the body unread and closes the connection afterwards; `requestReady` is then not called.
    func requestStarted(_ request: HTTPRequest, method: ByteView, target: ByteView) -> Int
    /// A piece of the body. The view is valid during the call. False ends the connection.
    func requestBody(context: Int, _ bytes: ByteView) -> Bool
    /// The whole request is in, or it was resumed, or it waits. `mayWait`: for one that waits, to go on is worth while.
    func requestReady(context: Int, mayWait: Bool) -> HTTPDaemon.Step
    /// How many requests wait (`HTTPDaemon.Step.wait`).
    var waitingCount: Int { get }
    /// How many answers are being made as they are sent (`HTTPBodySource`).
    var streamingCount: Int { get }
    /// The answer has been sent, or the connection is lost: the request and all that its response points to are free.
    func requestCompleted(context: Int)
}

/// A libmicrohttpd daemon in external-epoll mode: it runs when its owner's loop says so, on that loop's thread.
final class HTTPDaemon {
    /// What the delegate did with a request that is ready.
    enum Step {
        /// It gave the response to `HTTPRequest.reply`.
        case replied
        /// It will give the response to `HTTPRequest.reply` soon, from outside of the daemon. Until then each `run` asks again:
        /// dear for a long wait, and cheap for a short one, which saves taking the socket out of epoll and putting it back.
        case wait
        /// It will resume the request later.
        case suspend
        /// The connection is to be closed without an answer.
        case close
    }

    struct Options {
        /// Bounds the request line and the header lines of a request, and what is kept for each header.
        var connectionMemoryBytes = 12 << 10
        var maxConnections = 1000
        /// Connections on which nothing moves for so long are closed.
        var idleTimeoutSeconds = 75
    }

    private let daemon: OpaquePointer
    private let delegateBox: DelegateBox
    private var socket: ListeningSocket?

    /// Readable when `run` has something to do.
    let pollDescriptor: Int32

    /// Starts serving on a socket, which it owns from here on, also where it fails.
    init(
        socket: ListeningSocket,
        options: Options,
        delegate: any HTTPDaemonDelegate,
        log: @escaping (String) -> Void
    ) throws(SystemError) {
        let box = DelegateBox(delegate: delegate, log: log)
        let context = Unmanaged.passUnretained(box).toOpaque()
        var items = [
            CMicroHTTPD_option_log({ context, format, arguments in logMessage(context, format, arguments) }, context),
            CMicroHTTPD_option_number(.LISTEN_SOCKET, Int(socket.descriptor)),
            CMicroHTTPD_option_number(.CONNECTION_MEMORY_LIMIT, options.connectionMemoryBytes),
            CMicroHTTPD_option_number(.CONNECTION_LIMIT, options.maxConnections),
            CMicroHTTPD_option_number(.CONNECTION_TIMEOUT, options.idleTimeoutSeconds),
            CMicroHTTPD_option_number(.STRICT_FOR_CLIENT, 1),
            CMicroHTTPD_option_completed(
                { context, _, request, _ in completed(context, request) },
                context
            ),
            CMicroHTTPD_option_connection(
                { context, connection, word, event in connectionChanged(context, connection, word, event) },
                context
            ),
            // Paths are decoded by our router, segment by segment: decoded here, %2F would look like a separator.
            CMicroHTTPD_option_unescape({ _, _, text in text.map { strlen($0) } ?? 0 }, nil),
            CMicroHTTPD_option_number(.END, 0),
        ]
        let flags =
            MHD_USE_EPOLL.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue | MHD_USE_TURBO.rawValue
            | MHD_USE_ERROR_LOG.rawValue
        let started = CMicroHTTPD_start_daemon(
            flags,
            0,
            { context, connection, url, method, _, data, dataSize, word in
                access(context, connection, url, method, data, dataSize, word)
            },
            context,
            &items
        )
        guard let started else {
            socket.closeSocket()
            throw SystemError.last("start the HTTP daemon")
        }
        self.daemon = started
        self.delegateBox = box
        self.socket = socket
        self.pollDescriptor = CMicroHTTPD_epoll_fd(started)
    }

    /// Accepts, reads, calls the delegate, writes: whatever can be done without waiting.
    ///
    /// - Parameter isIdle: nothing has happened in the loop since the last run: what waits is better suspended.
    func run(isIdle: Bool = false) {
        delegateBox.beginRun(isIdle: isIdle)
        _ = MHD_run(daemon)
        delegateBox.endRun()
    }

    /// How long the loop may wait before it must call `run`; nil: until the descriptor is readable.
    var timeoutMilliseconds: Int? {
        var milliseconds: UInt64 = 0
        guard MHD_get_timeout(daemon, &milliseconds) == .YES else { return nil }
        // While a request waits, libmicrohttpd wants to be run all the time, just to ask for it.
        let delegate = delegateBox.delegate
        if milliseconds == 0, !delegateBox.leftWork, delegate.waitingCount > 0, delegate.streamingCount == 0 {
            return 1
        }
        return Int(clamping: milliseconds)
    }

    /// Accepts no more connections; those that are open are served on.
    func stopAccepting() {
        guard let socket else { return }
        self.socket = nil
        _ = MHD_quiesce_daemon(daemon)
        socket.closeSocket()
    }

    /// Closes everything. Each suspended request must have been resumed.
    func stop() {
        stopAccepting()
        MHD_stop_daemon(daemon)
    }
}

@available(*, unavailable)
extension HTTPDaemon: Sendable {}

/// What the C callbacks get as their context. Kept alive by the daemon's owner.
private final class DelegateBox {
    unowned let delegate: any HTTPDaemonDelegate
    let log: (String) -> Void
    /// Whether the last run may have left more to do at once than requests that wait: libmicrohttpd does not tell them
    /// apart. What the callbacks do not show (a long answer between two writes) is found a millisecond later.
    private(set) var leftWork = true
    private(set) var isIdle = false
    /// The request of which something was read last, while it is not all in; 0: none.
    private var halfRead = 0

    init(delegate: any HTTPDaemonDelegate, log: @escaping (String) -> Void) {
        self.delegate = delegate
        self.log = log
    }

    func beginRun(isIdle: Bool) {
        self.isIdle = isIdle
        leftWork = false
        halfRead = 0
    }

    func endRun() { if halfRead != 0 { leftWork = true } }

    /// Of this request something was read. The callbacks for one request follow each other while there are bytes of it.
    func readsRequest(_ context: Int) {
        if halfRead != 0 && halfRead != context { leftWork = true }
        halfRead = context
    }

    func hasReadRequest(_ context: Int) { if halfRead == context { halfRead = 0 } }

    /// An answer is to be sent, or it was and the next request may be there.
    func movesOn() { leftWork = true }

    static func from(_ context: UnsafeMutableRawPointer?) -> DelegateBox {
        Unmanaged<DelegateBox>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }
}

private func access(
    _ context: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _ url: UnsafePointer<CChar>?,
    _ method: UnsafePointer<CChar>?,
    _ data: UnsafePointer<CChar>?,
    _ dataSize: UnsafeMutablePointer<Int>?,
    _ word: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection, let dataSize, let word else { return .NO }
    let box = DelegateBox.from(context)
    let delegate = box.delegate
    guard let known = word.pointee else {
        let request = delegate.requestStarted(
            HTTPRequest(connection: connection),
            method: ByteView(cString: method),
            target: ByteView(cString: url)
        )
        word.pointee = UnsafeMutableRawPointer(bitPattern: request)
        box.readsRequest(request)
        return .YES
    }
    let request = Int(bitPattern: known)
    if dataSize.pointee > 0 {
        box.readsRequest(request)
        let bytes = ByteView(
            base: data.map { UnsafeRawPointer($0).assumingMemoryBound(to: UInt8.self) },
            count: dataSize.pointee
        )
        dataSize.pointee = 0
        return delegate.requestBody(context: request, bytes) ? .YES : .NO
    }
    box.hasReadRequest(request)
    switch delegate.requestReady(context: request, mayWait: !box.isIdle) {
    case .replied:
        box.movesOn()
        return .YES
    case .wait: return .YES
    case .close: return .NO
    case .suspend:
        MHD_suspend_connection(connection)
        return .YES
    }
}

private func completed(
    _ context: UnsafeMutableRawPointer?,
    _ word: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) {
    guard let word, let known = word.pointee else { return }
    word.pointee = nil
    let box = DelegateBox.from(context)
    box.hasReadRequest(Int(bitPattern: known))
    box.movesOn()
    box.delegate.requestCompleted(context: Int(bitPattern: known))
}

private func connectionChanged(
    _ context: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _ word: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    _ event: MHD_ConnectionNotificationCode
) {
    guard let connection, let word else { return }
    let delegate = DelegateBox.from(context).delegate
    switch event {
    case .CONNECTION_NOTIFY_STARTED:
        let new = delegate.connectionOpened(socket: CMicroHTTPD_connection_fd(connection))
        word.pointee = UnsafeMutableRawPointer(bitPattern: new)
    default:
        if let known = word.pointee { delegate.connectionClosed(context: Int(bitPattern: known)) }
    }
}

private func logMessage(
    _ context: UnsafeMutableRawPointer?,
    _ format: UnsafePointer<CChar>,
    _ arguments: CVaListPointer?
) {
    guard let arguments else { return }
    var text = [CChar](repeating: 0, count: 512)
    vsnprintf(&text, text.count, format, arguments)
    // Its messages end with a line break.
    let end = text.firstIndex { $0 == 0 || $0 == 0x0a } ?? text.count
    let message = String(decoding: text[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    DelegateBox.from(context).log(message)
}
