// One by one: some of its types are called as some of the Gateway's.
import class TestSupport.Gate
import class TestSupport.HTTPConnection
import class TestSupport.Locked
import func TestSupport.eventually
import func TestSupport.startConcurrently

@testable import Gateway

/// An `HTTPServer` on a thread of its own, and a delegate that answers as the target says and writes down all that it is told.
///
/// The answer's body repeats method, target and body. Targets: `/wait` and `/suspend` are answered when `release` is called,
/// `/close` never, `/long` with 8 MiB; all others at once.
final class HTTPServerRig: Sendable {
    struct Seen: Sendable {
        /// Method, target and body of each request that was whole, in the order in which they were answered or left.
        var requests: [String] = []
        /// How many requests began, and by what they ended.
        var began = 0
        var refused: [String] = []
        /// Refused before a head was whole.
        var refusedAtOnce: [String] = []
        var abandoned = 0
        var completed = 0
        var left = 0
        var clients = 0
        var opened = 0
        /// What must not happen.
        var faults: [String] = []

        var ended: Int { refused.count + abandoned + completed }
    }

    let port: UInt16
    private let seen = Locked(Seen())
    private let isReleased = Locked(false)
    private let isStopping = Locked(false)
    private let hasStopped = Gate()

    /// A server by itself.
    ///
    /// - Parameter mayHoldBodies: false: there is no memory for any.
    convenience init(
        _ options: HTTPServer.Options = .init(),
        maxConnections: Int = 1_000,
        mayHoldBodies: Bool = true
    ) throws {
        let socket = try ListeningSocket(host: "127.0.0.1", port: 0)
        let connections = try ConnectionBalancer([socket], maxConnections: maxConnections)
        try self.init(connections, place: 0, options, mayHoldBodies: mayHoldBodies)
    }

    /// One of some servers that share a port.
    init(
        _ connections: ConnectionBalancer,
        place: Int,
        _ options: HTTPServer.Options = .init(),
        mayHoldBodies: Bool = true
    ) throws {
        port = UInt16(connections.port)
        let (seen, isReleased, isStopping, hasStopped) = (seen, isReleased, isStopping, hasStopped)
        _ = startConcurrently(1) { _ in
            defer { hasStopped.open() }
            let loop = Loop(seen: seen, mayHoldBodies: mayHoldBodies)
            try loop.run(connections, place, options, isReleased: isReleased, isStopping: isStopping)
        }
    }

    deinit {
        isStopping.withLock { $0 = true }
        _ = hasStopped.wait()
    }

    var now: Seen { seen.withLock { $0 } }

    /// Answers what waits, and all that comes later, too.
    func release() { isReleased.withLock { $0 = true } }

    func connect() throws -> HTTPConnection { try HTTPConnection(port: port) }

    /// Whether everybody has left, and each request that began has ended once.
    func isQuiet() -> Bool {
        eventually {
            let now = now
            return now.clients == 0 && now.ended == now.began
        }
    }
}

/// What runs on the server's thread.
private final class Loop: HTTPServerDelegate {
    private enum Token {
        static let server: UInt8 = 1
    }

    private final class Slot {
        let requestBody = ByteBuffer()
        let answer = ByteBuffer()
        var line = ""
        var target = ""
        var client = 0
        var request: HTTPRequest?
        var state = State.free

        enum State { case free, incoming, whole, started, waiting, suspended, released, replied }
        /// The client is gone while it waited.
        var isLeft = false
    }

    private let seen: Locked<HTTPServerRig.Seen>
    private let mayHoldBodies: Bool
    private var slots: [Slot] = []
    private var isReleased = false
    private var server: HTTPServer!
    private(set) var waitingCount = 0
    let streamingCount = 0

    init(seen: Locked<HTTPServerRig.Seen>, mayHoldBodies: Bool) {
        self.seen = seen
        self.mayHoldBodies = mayHoldBodies
    }

    func run(
        _ connections: ConnectionBalancer,
        _ place: Int,
        _ options: HTTPServer.Options,
        isReleased: Locked<Bool>,
        isStopping: Locked<Bool>
    ) throws {
        let epoll = try Epoll()
        server = try HTTPServer(
            connections,
            place: place,
            options: options,
            delegate: self,
            epoll: epoll,
            tokenKind: Token.server
        ) { _ in }
        while !isStopping.withLock({ $0 }) {
            if isReleased.withLock({ $0 }), !self.isReleased { release() }
            let count = try epoll.wait(timeoutMilliseconds: server.nextDeadline <= Clock.monotonic() ? 0 : 5)
            for index in 0..<count { server.ready(epoll.event(index)) }
            server.expire(now: Clock.monotonic())
            server.run(isIdle: count == 0)
        }
        release()
        server.run()
        server.stop()
    }

    private func release() {
        isReleased = true
        for slot in slots where slot.state == .suspended {
            slot.state = .released
            slot.request?.resume()
        }
    }

    private func expect(_ isRight: Bool, _ fault: String) {
        if !isRight { seen.withLock { $0.faults.append(fault) } }
    }

    // MARK: HTTPServerDelegate

    func requestBegan(
        _ head: HTTP1RequestHead,
        in bytes: ByteView,
        client: Int,
        now: Int64
    ) -> (word: Int, body: ByteBuffer) {
        let index = slots.firstIndex { $0.state == .free } ?? slots.count
        if index == slots.count { slots.append(Slot()) }
        let slot = slots[index]
        slot.requestBody.removeAll()
        slot.target = bytes[head.target].string
        slot.line = "\(bytes[head.method].string) \(slot.target)"
        slot.client = client
        slot.request = nil
        slot.state = .incoming
        slot.isLeft = false
        seen.withLock { $0.began += 1 }
        return (index + 1, slot.requestBody)
    }

    func mayHoldBody(of word: Int, capacity: Int) -> Bool {
        expect(slots[word - 1].state == .incoming, "a body grows that is not coming in")
        return mayHoldBodies
    }

    func requestReceived(_ word: Int, now: Int64) {
        expect(slots[word - 1].state == .incoming, "a request is whole twice")
        slots[word - 1].state = .whole
    }

    func requestRefused(_ refusal: HTTP1Refusal, _ word: Int, path: ByteView, hasBody: Bool, to answer: ByteBuffer) {
        let reason = "\(refusal.kind)"
        answer.append(
            string: "HTTP/1.1 400 \(reason)\r\nConnection: close\r\nContent-Length: \(reason.utf8.count)\r\n\r\n"
        )
        if hasBody { answer.append(string: reason) }
        guard word > 0 else {
            seen.withLock { $0.refusedAtOnce.append(reason) }
            return
        }
        expect(slots[word - 1].state == .incoming, "a request is refused that is whole")
        slots[word - 1].state = .free
        seen.withLock { $0.refused.append(reason) }
    }

    func requestAbandoned(_ word: Int) {
        let slot = slots[word - 1]
        expect(slot.state == .incoming || slot.state == .whole, "a request is abandoned that was started")
        slot.state = .free
        seen.withLock { $0.abandoned += 1 }
    }

    func requestStarted(_ word: Int, _ request: HTTPRequest) {
        expect(slots[word - 1].state == .whole, "a request is started that is not whole")
        slots[word - 1].state = .started
        slots[word - 1].request = request
        let line = "\(slots[word - 1].line) \(slots[word - 1].requestBody.view.string)"
        seen.withLock { $0.requests.append(line) }
    }

    func requestReady(_ word: Int, mayWait: Bool) -> HTTPDaemon.Step {
        let slot = slots[word - 1]
        switch slot.state {
        case .free, .incoming, .whole, .replied:
            expect(false, "a request is asked for in the state \(slot.state)")
            return .close
        case .started where slot.target == "/close": return .close
        case .started where slot.target == "/suspend" && !isReleased && !slot.isLeft:
            slot.state = .suspended
            return .suspend
        case .started where slot.target == "/wait" && !isReleased && !slot.isLeft:
            slot.state = .waiting
            waitingCount += 1
            return .wait
        case .waiting where !isReleased && !slot.isLeft: return .wait
        case .suspended: return .suspend
        case .waiting: waitingCount -= 1
        case .started, .released: break
        }
        if slot.isLeft {
            slot.state = .replied
            return .close
        }
        slot.state = .replied
        slot.answer.removeAll()
        slot.answer.append(string: "\(slot.line) ")
        slot.answer.append(slot.requestBody.view)
        if slot.target == "/long" { slot.answer.append(contentsOf: [UInt8](repeating: 0x78, count: 8 << 20)) }
        let response = HTTPResponse(body: slot.answer.view)
        server.watchAnswer(client: slot.client, bytes: slot.answer.count)
        guard let request = slot.request, request.reply(status: 200, response) else { return .close }
        return .replied
    }

    func clientLeft(_ word: Int) {
        // Told again where the end of the client's sending was followed by a reset.
        if !slots[word - 1].isLeft { seen.withLock { $0.left += 1 } }
        slots[word - 1].isLeft = true
        guard slots[word - 1].state == .suspended else { return }
        slots[word - 1].state = .released
        slots[word - 1].request?.resume()
    }

    func requestCompleted(_ word: Int) {
        let slot = slots[word - 1]
        if slot.state == .waiting { waitingCount -= 1 }
        expect(slot.request != nil && slot.state != .free, "a request is completed that was not started")
        slot.state = .free
        slot.request = nil
        seen.withLock { $0.completed += 1 }
    }

    func clientsChanged(by change: Int) {
        seen.withLock {
            $0.clients += change
            $0.opened += max(change, 0)
        }
    }
}
