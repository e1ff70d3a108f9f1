private import CMicroHTTPD
private import CReceiveTap
private import Glibc

/// What happens on an `HTTPDaemon`'s connections. All calls come from `HTTPDaemon.run` and `stop`, on their thread.
protocol HTTPDaemonDelegate: AnyObject {
    /// A client has connected. Returns a word (not 0) that stays with the connection.
    func connectionOpened(_ connection: DaemonConnection) -> Int
    func connectionClosed(context: Int)
    /// Bytes may have come on a connection: what they come to. Whoever says that a request is in keeps it until
    /// `requestStarted`, and does not read on before `requestCompleted`.
    func receive(context: Int) -> HTTPDaemon.Received
    /// Whether a connection that was to be read again still is: no request of it has been handed over since.
    func readsOn(context: Int) -> Bool
    /// The request that `receive` told of is the connection's turn. Returns a word (not 0) that stays with the request.
    func requestStarted(_ request: HTTPRequest) -> Int
    /// The request was started, or resumed, or it waits. `mayWait`: for one that waits, to go on is worth while.
    func requestReady(context: Int, mayWait: Bool) -> HTTPDaemon.Step
    /// How many requests wait (`HTTPDaemon.Step.wait`).
    var waitingCount: Int { get }
    /// How many answers are being made as they are sent (`HTTPBodySource`).
    var streamingCount: Int { get }
    /// libmicrohttpd sends so many bytes on a connection: sends those that are lent (`HTTPPart.lent`) instead. nil: none are.
    func sendLent(context: Int, upTo length: Int) -> StreamSocket.Written?
    /// The answer has been sent, or the connection is lost: the request and all that its response points to are free.
    func requestCompleted(context: Int)
}

/// A libmicrohttpd daemon in external-epoll mode: it runs when its owner's loop says so, on that loop's thread.
///
/// It waits and sends; connections are brought to it, and requests are read by the delegate. What libmicrohttpd reads of a request is a line that stands for
/// it (`HTTPStandIn`): its own reader takes heads that are none (docs/decisions/0012-request-reader.md).
final class HTTPDaemon {
    /// What reading a connection came to.
    enum Received {
        /// The socket has no more for now.
        case nothing
        /// There may be more; others have their turn.
        case interrupted
        case request(HTTPStandIn)
        /// The client has ended its sending, or the connection is to be closed.
        case ended
        /// The connection is broken.
        case failed
    }

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
        /// Any more are closed at once.
        var maxConnections = 1000
    }

    /// How much the header of an answer may take, status line and all lines.
    static let maxAnswerHeaderBytes = maxAnswerLineBytes + 1 << 10
    /// How much its lines may take that are not the Sidecar's own, which are below 1 KiB: an id of 256 bytes, times, a date.
    static let maxAnswerLineBytes = 8 << 10
    /// What libmicrohttpd keeps in a connection's memory beside that: the stand-in, and what it notes of its lines.
    private static let connectionOverhead = 1 << 10
    /// The memory of a connection. It is cleared for each request, so it must stay within the processor's cache for all
    /// connections together.
    static let connectionBytes = maxAnswerHeaderBytes + connectionOverhead

    private let daemon: OpaquePointer
    private let delegateBox: DelegateBox

    /// Readable when `run` has something to do.
    let pollDescriptor: Int32

    init(
        options: Options,
        delegate: any HTTPDaemonDelegate,
        log: @escaping (String) -> Void
    ) throws(SystemError) {
        let box = DelegateBox(delegate: delegate, log: log)
        let context = Unmanaged.passUnretained(box).toOpaque()
        var items = [
            CMicroHTTPD_option_log({ context, format, arguments in logMessage(context, format, arguments) }, context),
            CMicroHTTPD_option_number(.CONNECTION_MEMORY_LIMIT, Self.connectionBytes),
            CMicroHTTPD_option_number(.CONNECTION_LIMIT, options.maxConnections),
            CMicroHTTPD_option_completed(
                { context, _, request, _ in completed(context, request) },
                context
            ),
            CMicroHTTPD_option_connection(
                { context, connection, word, event in connectionChanged(context, connection, word, event) },
                context
            ),
            CMicroHTTPD_option_number(.END, 0),
        ]
        let flags =
            MHD_USE_EPOLL.rawValue | MHD_ALLOW_SUSPEND_RESUME.rawValue | MHD_USE_ERROR_LOG.rawValue
            | MHD_USE_NO_LISTEN_SOCKET.rawValue
        let started = CMicroHTTPD_start_daemon(
            flags,
            0,
            { context, connection, _, _, _, _, _, word in access(context, connection, word) },
            context,
            &items
        )
        guard let started else { throw SystemError.last("start the HTTP daemon") }
        self.daemon = started
        self.delegateBox = box
        self.pollDescriptor = CMicroHTTPD_epoll_fd(started)
    }

    /// Reads, calls the delegate, writes: whatever can be done without waiting.
    ///
    /// - Parameter isIdle: nothing has happened in the loop since the last run: what waits is better suspended.
    func run(isIdle: Bool = false) {
        delegateBox.beginRun(isIdle: isIdle)
        CReceiveTap_begin(
            { context, socket, buffer, length in receive(context, socket, buffer, length) },
            Unmanaged.passUnretained(delegateBox).toOpaque()
        )
        _ = MHD_run(daemon)
        CReceiveTap_end()
        delegateBox.endRun()
    }

    /// How long the loop may wait before it must call `run`; nil: until the descriptor is readable.
    var timeoutMilliseconds: Int? {
        var milliseconds: UInt64 = 0
        if delegateBox.readsAgain { return 0 }
        guard MHD_get_timeout(daemon, &milliseconds) == .YES else { return nil }
        // While a request waits, libmicrohttpd wants to be run all the time, just to ask for it.
        let delegate = delegateBox.delegate
        if milliseconds == 0, !delegateBox.leftWork, delegate.waitingCount > 0, delegate.streamingCount == 0 {
            return 1
        }
        return Int(clamping: milliseconds)
    }

    /// Serves a client's connection from the next `run` on, and owns its socket; the delegate is told from within this
    /// function. Where it cannot, it closes the socket.
    func add(_ connection: StreamSocket) { CMicroHTTPD_add_connection(daemon, connection.descriptor) }

    /// Closes everything. Each suspended request must have been resumed.
    func stop() { MHD_stop_daemon(daemon) }
}

@available(*, unavailable)
extension HTTPDaemon: Sendable {}

/// A client's connection, until `HTTPDaemonDelegate.connectionClosed`.
struct DaemonConnection {
    fileprivate let raw: OpaquePointer
    fileprivate unowned let owner: DelegateBox

    var socket: StreamSocket { StreamSocket(descriptor: CMicroHTTPD_connection_fd(raw)) }

    /// Has the delegate asked to `receive` again in the run after the next one, also where libmicrohttpd sees no reason to: the
    /// delegate may have read more than the request that is over, or have missed the end. Nothing comes of it where a request
    /// has been handed over by then.
    func readAgain() { owner.readAgain(raw) }
}

@available(*, unavailable)
extension DaemonConnection: Sendable {}

/// What the C callbacks get as their context. Kept alive by the daemon's owner.
private final class DelegateBox {
    // Not counted: the delegate owns the daemon, and so the box.
    unowned(unsafe) let delegate: any HTTPDaemonDelegate
    let log: (String) -> Void
    /// Whether the last run may have left more to do at once than requests that wait: libmicrohttpd does not tell them
    /// apart. What the callbacks do not show (a long answer between two writes) is found a millisecond later.
    private(set) var leftWork = true
    private(set) var isIdle = false
    /// The connections, by descriptor, that libmicrohttpd is to read again after this run.
    private var toReadAgain: [Int] = []
    /// Some were told to libmicrohttpd, which reads them in its next run.
    private(set) var readsAgain = false
    /// By descriptor: the client's connection, and its word.
    private var clients: [(connection: OpaquePointer, context: Int)?] = []

    init(delegate: any HTTPDaemonDelegate, log: @escaping (String) -> Void) {
        self.delegate = delegate
        self.log = log
    }

    func beginRun(isIdle: Bool) {
        self.isIdle = isIdle
        leftWork = false
        readsAgain = false
    }

    func endRun() {
        // A connection that is resumed counts as one whose socket has bytes. (To suspend one twice would spoil libmicrohttpd's
        // lists.)
        for descriptor in toReadAgain {
            guard let (connection, context) = clients[descriptor], delegate.readsOn(context: context) else { continue }
            MHD_suspend_connection(connection)
            MHD_resume_connection(connection)
            readsAgain = true
        }
        toReadAgain.removeAll(keepingCapacity: true)
    }

    /// An answer is to be sent, or it was and the next request may be there.
    func movesOn() { leftWork = true }

    func readAgain(_ connection: OpaquePointer) { toReadAgain.append(Int(CMicroHTTPD_connection_fd(connection))) }

    func opened(_ connection: OpaquePointer, _ context: Int) {
        let descriptor = Int(CMicroHTTPD_connection_fd(connection))
        while clients.count <= descriptor { clients.append(nil) }
        clients[descriptor] = (connection, context)
    }

    func closed(_ connection: OpaquePointer) { clients[Int(CMicroHTTPD_connection_fd(connection))] = nil }

    /// The word of the client's connection on a socket; nil: it is none of ours.
    func context(ofSocket socket: Int32) -> Int? {
        let index = Int(socket)
        return index >= 0 && index < clients.count ? clients[index]?.context : nil
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> DelegateBox {
        Unmanaged<DelegateBox>.fromOpaque(context.unsafelyUnwrapped).takeUnretainedValue()
    }

    /// The same without a retain: libmicrohttpd's calls come within `run`, so somebody holds the box.
    static func use<Result>(_ context: UnsafeMutableRawPointer?, _ body: (DelegateBox) -> Result) -> Result {
        Unmanaged<DelegateBox>.fromOpaque(context.unsafelyUnwrapped)._withUnsafeGuaranteedRef(body)
    }
}

/// In the place of recv(2), while libmicrohttpd runs.
private func receive(
    _ context: UnsafeMutableRawPointer?,
    _ socket: Int32,
    _ buffer: UnsafeMutableRawPointer,
    _ length: Int
) -> Int {
    DelegateBox.use(context) { box in
        guard let client = box.context(ofSocket: socket) else { return Int(CReceiveTap_pass) }
        switch box.delegate.receive(context: client) {
        case .nothing: return Int(-EAGAIN)
        case .interrupted:
            // libmicrohttpd takes the socket for readable still, and reads it in its next run.
            box.movesOn()
            return Int(-EINTR)
        case .request(let standIn): return standIn.write(to: buffer, length) ?? Int(-ECONNRESET)
        case .ended: return 0
        case .failed: return Int(-ECONNRESET)
        }
    }
}

/// In the place of send(2), while libmicrohttpd runs and bytes are lent.
private func send(_ context: UnsafeMutableRawPointer?, _ socket: Int32, _ length: Int) -> Int {
    DelegateBox.use(context) { box in
        guard let client = box.context(ofSocket: socket),
            let written = box.delegate.sendLent(context: client, upTo: length)
        else { return Int(CReceiveTap_pass) }
        guard case .bytes(let count) = written else { return Int(-EPIPE) }
        return count > 0 ? count : Int(-EAGAIN)
    }
}

extension HTTPDaemon {
    /// From now on what libmicrohttpd sends on this thread may be lent. It stays so: it costs a look at each send.
    static func lendBytes() { CReceiveTap_set_sender { context, socket, length in send(context, socket, length) } }
}

private func access(
    _ context: UnsafeMutableRawPointer?,
    _ connection: OpaquePointer?,
    _ word: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection, let word else { return .NO }
    return DelegateBox.use(context) { box in
        let delegate = box.delegate
        guard let known = word.pointee else {
            let request = delegate.requestStarted(HTTPRequest(connection: connection))
            word.pointee = UnsafeMutableRawPointer(bitPattern: request)
            return request == 0 ? .NO : .YES
        }
        switch delegate.requestReady(context: Int(bitPattern: known), mayWait: !box.isIdle) {
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
}

private func completed(
    _ context: UnsafeMutableRawPointer?,
    _ word: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) {
    guard let word, let known = word.pointee else { return }
    word.pointee = nil
    let box = DelegateBox.from(context)
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
    let box = DelegateBox.from(context)
    switch event {
    case .CONNECTION_NOTIFY_STARTED:
        let new = box.delegate.connectionOpened(DaemonConnection(raw: connection, owner: box))
        word.pointee = UnsafeMutableRawPointer(bitPattern: new)
        box.opened(connection, new)
    default:
        box.closed(connection)
        if let known = word.pointee { box.delegate.connectionClosed(context: Int(bitPattern: known)) }
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
