import Foundation

/// A Model Service of which every answer, and every way of not answering, is scripted: HTTP/1.1 over plain sockets on
/// loopback, a thread per connection.
///
/// Requests other than POST are answered `{"ready":true}` with `Connection: close` unless `other` says otherwise, so
/// that a health check neither counts as a call nor leaves a connection for one.
package final class FakeModelService: Sendable {
    package typealias Behaviour = @Sendable (ReceivedRequest) -> Reply

    package let endpoint: Endpoint
    private let listener: Locked<ListeningSocket?>
    private let behaviour: Behaviour
    private let other: Behaviour
    private let beforeBody: @Sendable () -> Reply?
    private let record = Locked(Record())
    private let stopped = Gate()

    private struct Record {
        var requests: [ReceivedRequest] = []
        var connections = 0
        var openConnections = 0
        /// Requests that ended before their body was whole.
        var broken = 0
        /// Indices of requests whose peer closed before the answer was out.
        var abandoned: Set<Int> = []
    }

    /// - Parameters:
    ///   - endpoint: where to listen; port 0 is a free one.
    ///   - listening: false: the port is taken but refuses connections until `startListening()`.
    ///   - other: what requests other than POST are answered.
    ///   - beforeBody: what is done when a request's head is in, before its body is read; nil: nothing.
    ///   - behaviour: what a POST is answered; called on the connection's thread.
    package init(
        at endpoint: Endpoint = .tcp(port: 0),
        listening: Bool = true,
        other: @escaping Behaviour = { _ in .ready },
        beforeBody: @escaping @Sendable () -> Reply? = { nil },
        _ behaviour: @escaping Behaviour
    ) throws {
        let listener = try ListeningSocket(endpoint)
        self.endpoint = listener.endpoint
        self.listener = Locked(listener)
        self.behaviour = behaviour
        self.other = other
        self.beforeBody = beforeBody
        if listening { try startListening() }
    }

    deinit { stop() }

    /// A port that refuses connections for as long as the service lives.
    package static func refusing() throws -> FakeModelService {
        try FakeModelService(listening: false) { _ in .close }
    }

    /// Where it is, with a path: `http://127.0.0.1:PORT/path`, or `http+unix://%2F.../path`.
    package func url(_ path: String, scheme: String = "http") -> String {
        switch endpoint {
        case .tcp(let port): "\(scheme)://127.0.0.1:\(port)\(path)"
        case .unix(let file): "http+unix://\(file.replacingOccurrences(of: "/", with: "%2F"))\(path)"
        }
    }

    package func startListening() throws {
        guard let socket = listener.withLock({ $0 }) else { return }
        try socket.startListening()
        let stopped = stopped
        startThread(name: "fake model") { [weak self] in
            while let descriptor = socket.accept(until: stopped) {
                guard let service = self else {
                    close(descriptor)
                    return
                }
                let number = service.record.withLock {
                    $0.connections += 1
                    $0.openConnections += 1
                    return $0.connections - 1
                }
                let connection = StreamSocket(descriptor: descriptor, interrupt: stopped)
                startThread(name: "fake model \(number)") { [weak service] in
                    FakeModelService.serve(connection, number: number) { service }
                    service?.record.withLock { $0.openConnections -= 1 }
                }
            }
        }
    }

    /// Closes the port and all connections; threads that hang let go.
    package func stop() {
        stopped.open()
        listener.withLock { $0 = nil }
    }

    /// Every request so far, in the order of arrival.
    package var requests: [ReceivedRequest] { record.withLock { $0.requests } }

    /// The POST requests so far: the calls of the model.
    package var calls: [ReceivedRequest] { requests.filter { $0.method == "POST" } }

    /// How many requests broke off before their body was whole.
    package var brokenRequests: Int { record.withLock { $0.broken } }

    /// How many connections were accepted.
    package var connectionCount: Int { record.withLock { $0.connections } }

    /// How many of them are open.
    package var openConnectionCount: Int { record.withLock { $0.openConnections } }

    /// The calls whose caller closed the connection before the answer was out: cancelled ones.
    package var abandonedCalls: [ReceivedRequest] {
        record.withLock { record in record.requests.filter { record.abandoned.contains($0.index) } }
    }

    private static func serve(_ socket: StreamSocket, number: Int, _ service: () -> FakeModelService?) {
        let reader = HTTPReader(socket)
        var onConnection = 0
        while true {
            let message: HTTPReader.RequestMessage
            do {
                message = try reader.request(Deadline(seconds: 600)) {
                    // Health checks have no body.
                    guard reader.isPost, let reply = service()?.beforeBody() else { return true }
                    return try reply.perform(on: socket)
                }
            } catch HTTPError.malformed {
                // Such as the first bytes of TLS: what a plain server says to that.
                try? socket.write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".utf8)
                return
            } catch HTTPError.truncated {
                service()?.record.withLock { $0.broken += 1 }
                return
            } catch {
                return
            }
            // The service itself is not held while the reply goes on: a hanging one must not keep it alive.
            guard let (request, reply) = service()?.take(message, connection: number, indexOnConnection: onConnection)
            else { return }
            onConnection += 1
            do {
                guard try reply.perform(on: socket) else { return }
            } catch SocketError.reset {
                service()?.record.withLock { _ = $0.abandoned.insert(request.index) }
                return
            } catch {
                return
            }
        }
    }

    /// Notes a request down and decides what is done with it.
    private func take(
        _ message: HTTPReader.RequestMessage,
        connection: Int,
        indexOnConnection: Int
    ) -> (ReceivedRequest, Reply) {
        let request = record.withLock { record in
            let request = ReceivedRequest(
                index: record.requests.count,
                connection: connection,
                indexOnConnection: indexOnConnection,
                method: message.method,
                target: message.target,
                headers: message.headers,
                body: message.body,
                head: message.head
            )
            record.requests.append(request)
            return request
        }
        return (request, request.method == "POST" ? behaviour(request) : other(request))
    }
}

/// A request as the fake Model Service got it.
package struct ReceivedRequest: Sendable {
    /// Of all requests of the service.
    package var index: Int
    /// Which connection it came over, and the how manieth request there it is (from 0).
    package var connection: Int
    package var indexOnConnection: Int
    package var method: String
    package var target: String
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// The request line and the header lines as they came, the blank one too.
    package var head: [UInt8]

    package var text: String { String(decoding: body, as: UTF8.self) }
}
