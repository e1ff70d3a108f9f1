/// Carries calls over connections that libcurl opens, with our own framing: HTTP/1.1 over TCP or Unix sockets, no TLS.
///
/// What libcurl's transfer engine does per transfer costs more than all the rest of a request together (see
/// docs/decisions/0005-cost-of-a-call.md).
final class DirectTransport: HTTPTransport {
    unowned var delegate: (any HTTPTransportDelegate)?

    private let url: ModelServiceURL
    private let target: CurlHandle.Target
    private let curl: CurlMulti
    /// Method and target of a usual prediction, whether that has a query, and what follows a target.
    private let predictStart: ByteBuffer
    private let predictHasQuery: Bool
    private let afterTarget: ByteBuffer
    private var idle = IdleConnections()
    /// How long an idle connection is kept, in nanoseconds.
    private let keepAlive: Int64
    let isRepeatable: Bool

    init(url: ModelServiceURL, target: CurlHandle.Target, curl: CurlMulti) {
        self.url = url
        self.target = target
        self.curl = curl
        self.keepAlive = target.keepAlive ?? .max
        self.isRepeatable = target.isRepeatable
        let (authority, path) = ModelServiceURL.split(url.predict)
        self.predictStart = ByteBuffer(text: "POST \(path)")
        self.predictHasQuery = path.contains("?")
        self.afterTarget = ByteBuffer(text: " HTTP/1.1\r\nHost: \(authority)\r\n")
    }

    var takesBodies: Bool { true }

    func makeCall(_ index: Int) -> HTTPCall {
        DirectCall(index, transport: self, maxBodyBytes: target.maxBodyBytes)
    }

    fileprivate func start(_ call: DirectCall) {
        writeRequest(call)
        if let connection = takeIdle(now: call.attempt?.sentAt ?? 0) {
            connection.carry(call, isReused: true)
        } else {
            open(for: call)
        }
    }

    /// An idle connection that may be used: young enough, and nothing has come on it.
    ///
    /// What comes on an idle connection was not asked for, or is its end; taken for an answer it would be somebody else's.
    /// epoll tells of it, and it is dropped: so when a wait has been and all that it told is dealt with, nothing had come by
    /// then, and what has come since could as well have come after a look. Only where the wait may not have told all is
    /// looked.
    private func takeIdle(now: Int64) -> DirectConnection? {
        guard let youngest = idle.youngest else { return nil }
        guard now - youngest < keepAlive else {
            closeAllIdle()
            return nil
        }
        while let connection = idle.popLast() {
            if curl.hasHeardOfAll || connection.isQuiet() { return connection }
            connection.close()
        }
        return nil
    }

    private func closeAllIdle() {
        while let connection = idle.popLast() { connection.close() }
    }

    /// When the oldest idle connection is too old.
    var nextDeadline: Int64? {
        guard let oldest = idle.oldest else { return nil }
        let (deadline, isNever) = oldest.addingReportingOverflow(keepAlive)
        return isNever ? nil : deadline
    }

    func expire(now: Int64) {
        while let oldest = idle.oldest, now - oldest >= keepAlive { idle.popFirst()?.close() }
    }

    func shutDown() { closeAllIdle() }

    // MARK: From the connections

    /// A call is over and its connection fit for another.
    func keep(_ connection: DirectConnection) {
        if keepAlive > 0 { idle.append(connection) } else { connection.close() }
    }

    /// An idle connection was closed by the Model Service, or talks out of turn.
    func drop(_ connection: DirectConnection) { idle.remove(connection) }

    /// A reused connection died before the first byte of the answer, and the request may be sent again: on a fresh one.
    func retry(_ call: DirectCall) { open(for: call) }

    func finished(_ call: DirectCall, failure: ExchangeFailure?) { delegate?.callFinished(call, failure: failure) }

    /// The header of its answer is in; whether the body is taken away as it comes.
    func began(_ call: DirectCall) -> Bool { delegate?.callBegan(call) ?? false }

    /// Some of its request's body has been sent, which goes on as it comes.
    func sent(_ call: DirectCall) { delegate?.callSent(call) }

    /// Its answer has become long; whether it is taken away from now on.
    func outgrew(_ call: DirectCall) -> Bool { delegate?.callOutgrew(call) ?? false }

    /// More of its answer is in; whether there is room for more.
    func received(_ call: DirectCall) -> Bool { delegate?.callReceived(call) ?? true }

    // MARK: Steps

    private func open(for call: DirectCall) {
        let connection = DirectConnection(target: target, curl: curl, transport: self)
        connection.open(for: call)
    }

    private func writeRequest(_ call: DirectCall) {
        guard let request = call.attempt?.exchange.request else {
            preconditionFailure("a call that starts is an attempt's")
        }
        let out = call.requestHead
        out.removeAll(keepingAtMost: 16 << 10)
        let isPost = request.operation == .predict
        if isPost && request.wantedVersion.isEmpty {
            out.append(predictStart.view)
            out.append(query: request.query.view, afterQuery: predictHasQuery)
        } else {
            let (_, path) = ModelServiceURL.split(url.url(for: request) ?? url.predict)
            out.append(string: isPost ? "POST \(path)" : "GET \(path)")
            out.append(query: request.query.view, afterQuery: path.contains("?"))
        }
        out.append(afterTarget.view)
        let lines = request.headers
        for index in 0..<lines.count {
            let (name, value) = lines[index]
            out.append(name)
            out.append(": ")
            out.append(value)
            out.append("\r\n")
        }
        if request.id.view.isFieldValue {
            out.append("X-Request-Id: ")
            out.append(request.id.view)
            out.append("\r\n")
        }
        if isPost {
            out.append("Content-Length: ")
            out.append(decimal: request.passedLength ?? request.body.count)
            out.append("\r\n")
        }
        out.append("\r\n")
        call.requestBody = isPost ? request.body : nil
        call.passedLength = request.passedLength
        call.goneBytes = 0
        call.body.removeAll(keepingAtMost: BodyLoan.freeBytes)
        call.headers.removeAll(keepingAtMost: 64 << 10)
    }
}

/// A call that a `DirectConnection` carries.
final class DirectCall: HTTPCall {
    let requestHead = ByteBuffer(capacity: 1024)
    fileprivate(set) var requestBody: ByteBuffer?
    /// `Request.passedLength`; and how much of such a body is gone from the front of `requestBody`, since it has been sent.
    fileprivate(set) var passedLength: Int?
    var goneBytes = 0
    let maxBodyBytes: Int
    /// While the call is out.
    var connection: DirectConnection?
    private unowned let transport: DirectTransport

    init(_ index: Int, transport: DirectTransport, maxBodyBytes: Int) {
        self.transport = transport
        self.maxBodyBytes = maxBodyBytes
        super.init(index, body: ByteBuffer(capacity: 4096), headers: ByteBuffer(capacity: 1024))
    }

    override func start() { transport.start(self) }

    override func cancel() {
        connection?.close()
        connection = nil
    }

    override func resume() { connection?.resume() }

    override func sendOn() { connection?.sendOn() }
}
