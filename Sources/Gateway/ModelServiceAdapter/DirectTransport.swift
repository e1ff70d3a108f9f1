/// Carries calls over connections that libcurl opens, with our own framing: HTTP/1.1 over TCP or Unix sockets, no TLS.
///
/// What libcurl's transfer engine does per transfer costs more than all the rest of a request together (see
/// docs/decisions/0005-cost-of-a-call.md).
final class DirectTransport: HTTPTransport {
    unowned var delegate: (any HTTPTransportDelegate)?

    private let url: ModelServiceURL
    private let target: CurlHandle.Target
    private let curl: CurlMulti
    /// Request line and Host of a usual prediction.
    private let predictHead: ByteBuffer
    /// The one used last is used next: the others may grow old and be closed by the Model Service.
    private var idle: [DirectConnection] = []

    init(url: ModelServiceURL, target: CurlHandle.Target, curl: CurlMulti) {
        self.url = url
        self.target = target
        self.curl = curl
        self.predictHead = ByteBuffer(text: Self.head("POST", url.predict))
    }

    func makeCall() -> HTTPCall { DirectCall(maxBodyBytes: target.maxBodyBytes) }

    func start(_ call: HTTPCall) {
        guard let call = call as? DirectCall else { return }
        writeRequest(call)
        if let connection = idle.popLast() {
            connection.carry(call, isReused: true)
        } else {
            open(for: call)
        }
    }

    func cancel(_ call: HTTPCall) {
        guard let call = call as? DirectCall else { return }
        call.connection?.close()
        call.connection = nil
    }

    func shutDown() {
        for connection in idle { connection.close() }
        idle.removeAll()
    }

    // MARK: From the connections

    /// A call is over and its connection fit for another.
    func keep(_ connection: DirectConnection) { idle.append(connection) }

    /// An idle connection was closed by the Model Service, or talks out of turn.
    func drop(_ connection: DirectConnection) {
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    /// A reused connection died before the first byte of the answer: once more, on a fresh one.
    func retry(_ call: DirectCall) { open(for: call) }

    func finished(_ call: DirectCall, failure: ExchangeFailure?) { delegate?.callFinished(call, failure: failure) }

    // MARK: Steps

    private func open(for call: DirectCall) {
        let connection = DirectConnection(target: target, curl: curl, transport: self)
        connection.open(for: call)
    }

    private func writeRequest(_ call: DirectCall) {
        guard let exchange = call.exchange else { preconditionFailure("a call that starts belongs to an exchange") }
        let out = call.requestHead
        out.removeAll(keepingAtMost: 16 << 10)
        let isPost = exchange.operation == .predict
        if isPost && exchange.wantedVersion.isEmpty {
            out.append(predictHead.view)
        } else {
            out.append(string: Self.head(isPost ? "POST" : "GET", url.url(for: exchange) ?? url.predict))
        }
        let lines = exchange.requestHeaders
        for index in 0..<lines.count {
            let (name, value) = lines[index]
            out.append(name)
            out.append(": ")
            out.append(value)
            out.append("\r\n")
        }
        if exchange.requestId.view.isFieldValue {
            out.append("X-Request-Id: ")
            out.append(exchange.requestId.view)
            out.append("\r\n")
        }
        if isPost {
            out.append("Content-Length: ")
            out.append(decimal: exchange.requestBody.count)
            out.append("\r\n")
        }
        out.append("\r\n")
        call.requestBody = isPost ? exchange.requestBody : nil
        call.body.removeAll(keepingAtMost: 256 << 10)
        call.headers.removeAll(keepingAtMost: 64 << 10)
    }

    private static func head(_ method: String, _ url: String) -> String {
        let (authority, path) = ModelServiceURL.split(url)
        return "\(method) \(path) HTTP/1.1\r\nHost: \(authority)\r\n"
    }
}

/// A call that a `DirectConnection` carries.
final class DirectCall: HTTPCall {
    let requestHead = ByteBuffer(capacity: 1024)
    fileprivate(set) var requestBody: ByteBuffer?
    let maxBodyBytes: Int
    /// While the call is out.
    var connection: DirectConnection?

    init(maxBodyBytes: Int) {
        self.maxBodyBytes = maxBodyBytes
        super.init(body: ByteBuffer(capacity: 4096), headers: ByteBuffer(capacity: 1024))
    }
}
