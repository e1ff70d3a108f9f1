/// A client's connection as the server sees it. Pooled by its index; confined to the server's thread.
final class ServerClient {
    enum State {
        /// Nothing of a request has come.
        case idle
        /// A head, a body is coming in.
        case head, body
        /// The request is whole, and libmicrohttpd is to be told.
        case whole
        /// The request is whole, and with libmicrohttpd until its answer has been sent.
        case handedOver
        /// It was refused and told so: what it still sends is thrown away.
        case leaving
        case closed
    }

    enum BodyPassing {
        /// It stays in the buffer until it is whole.
        case gathered
        /// It goes on as it comes.
        case passed
        /// It went on, and nobody wants the rest.
        case thrownAway
    }

    let index: Int
    /// Counts the connections that had this index.
    var generation: UInt32 = 0
    var connection: DaemonConnection?
    var socket = StreamSocket(descriptor: -1)
    var state = State.closed
    /// While bytes of a request are there.
    var inbox: RequestInbox?

    // The request.
    /// The delegate's word for it; 0: there is none.
    var request = 0
    /// Where its body goes.
    var body: ByteBuffer?
    /// Of the body, where that is known beforehand.
    var announced: Int?
    /// What becomes of its body.
    var passing = BodyPassing.gathered
    /// There is no room for more of a body that goes on as it comes.
    var isBlocked = false
    var standIn = HTTPStandIn(isHead: false, isHTTP10: false, keepsAlive: false)
    /// libmicrohttpd has begun on it.
    var isStarted = false
    /// More may be in the socket, or in the inbox, than the request.
    var mayHaveMore = false
    var peerHasClosed = false

    // Time and progress.
    /// How much of what is measured had been done when the time at hand began.
    var progressBefore = 0
    var discarded = 0
    /// When its time is over in the queue it stands in: nanoseconds of the monotonic clock.
    fileprivate(set) var deadline: Int64 = 0
    // Not retained, not even for a moment: a client lives as long as its server, and so do the queues.
    fileprivate var queue: Link<ClientQueue>?
    fileprivate var previous: Link<ServerClient>?
    fileprivate var next: Link<ServerClient>?

    init(index: Int) { self.index = index }

    /// How much of a body has come.
    var receivedBytes: Int {
        guard passing != .gathered, let announced else { return body?.count ?? 0 }
        return announced - (inbox?.body.expectedBytes ?? 0)
    }

    /// Forgets its request.
    func endRequest() {
        request = 0
        body = nil
        passing = .gathered
        isBlocked = false
    }
}

@available(*, unavailable)
extension ServerClient: Sendable {}

/// Clients that have equally long to do something, so that the first to come is the first whose time is over. A client stands in
/// one queue at most.
final class ClientQueue {
    /// Nanoseconds.
    let timeout: Int64
    private var head: Link<ServerClient>?
    private var tail: Link<ServerClient>?

    init(timeout: Duration) { self.timeout = timeout.nanoseconds }

    var first: ServerClient? { head?.object }

    /// When the first one's time is over; `.max`: nobody is in it.
    var nextDeadline: Int64 { head?.use { $0.deadline } ?? .max }

    func has(_ client: ServerClient) -> Bool { client.queue?.isTo(self) ?? false }

    /// Puts a client at the end, out of whichever queue it stood in.
    func enter(_ client: ServerClient, now: Int64) {
        Self.leave(client)
        let entry = Link(client)
        let (deadline, overflows) = now.addingReportingOverflow(timeout)
        client.deadline = overflows ? .max : deadline
        client.queue = Link(self)
        client.previous = tail
        if let tail { tail.use { $0.next = entry } } else { head = entry }
        tail = entry
    }

    /// Takes a client out of the queue it stands in, if any.
    static func leave(_ client: ServerClient) {
        guard let queue = client.queue else { return }
        let (previous, next) = (client.previous, client.next)
        if let previous {
            previous.use { $0.next = next }
        } else {
            queue.use { $0.head = next }
        }
        if let next {
            next.use { $0.previous = previous }
        } else {
            queue.use { $0.tail = previous }
        }
        client.queue = nil
        client.previous = nil
        client.next = nil
    }
}

@available(*, unavailable)
extension ClientQueue: Sendable {}
