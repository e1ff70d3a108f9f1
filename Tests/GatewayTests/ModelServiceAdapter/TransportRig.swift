import TestSupport
import Testing

@testable import Gateway

/// What carries the calls of a test.
enum TransportKind: String, CaseIterable, Sendable { case direct, curl }

/// A transport in a loop as small as can be: calls of exchanges that the test fills, whatever a Provider would let in.
final class TransportRig: HTTPTransportDelegate {
    private final class NoProvider: Provider {
        let kind = ProviderKind.rest
        func deliver(_ exchange: Exchange) {}
    }

    /// How a call ended.
    struct Outcome: Equatable {
        var status = 0
        var body = ""
        /// nil: an answer came.
        var failure: ExchangeFailure.Cause?
        var detail = ""
    }

    let epoll: Epoll
    let curl: CurlMulti
    let transport: any HTTPTransport
    private let provider = NoProvider()
    /// Calls do not keep theirs.
    private var exchanges: [Exchange] = []
    private var outcomes: [ObjectIdentifier: Outcome] = [:]

    init(
        _ kind: TransportKind,
        url: String,
        modelProtocol: ModelProtocol = .native,
        keepAlive: Int64 = .max,
        isRepeatable: Bool = false,
        maxBodyBytes: Int? = nil,
        maxEvents: Int = 256
    ) throws {
        epoll = try Epoll(maxEvents: maxEvents)
        curl = CurlMulti(epoll: epoll, tokenKind: 1, maxIdleConnections: 16)
        let service = ModelServiceURL(url, model: "iris", version: nil, modelProtocol: modelProtocol)
        var target = CurlHandle.Target(
            url: service.predict,
            unixSocketPath: service.unixSocketPath,
            keepAlive: keepAlive,
            isRepeatable: isRepeatable
        )
        if let maxBodyBytes { target.maxBodyBytes = maxBodyBytes }
        transport =
            switch kind {
            case .direct: DirectTransport(url: service, target: target, curl: curl)
            case .curl: CurlTransport(url: service, target: target, curl: curl)
            }
        transport.delegate = self
    }

    /// A prediction, ready to be changed and asked.
    func exchange(body: String = "{}") -> Exchange {
        let exchange = Exchange(index: 0, provider: provider)
        exchange.begin(for: provider)
        exchange.request.operation = .predict
        exchange.request.body.append(string: body)
        exchange.request.id.append(string: "the-id")
        return exchange
    }

    /// Starts a call, which moves as the loop does.
    func start(_ exchange: Exchange) -> HTTPCall {
        let call = transport.makeCall(0)
        exchanges.append(exchange)
        call.attempt = exchange.attempt
        call.hasBegun = false
        call.isStreamed = false
        call.announced = nil
        call.isLimited = false
        call.wholeBytes = wholeBytes
        // Its place in memory may have been another's.
        outcomes[ObjectIdentifier(call)] = nil
        call.start()
        return call
    }

    /// Asks, and waits for what comes of it.
    func ask(_ exchange: Exchange) throws -> Outcome { try outcome(of: start(exchange)) }

    func isOver(_ call: HTTPCall) -> Bool { outcomes[ObjectIdentifier(call)] != nil }

    func outcome(of call: HTTPCall) throws -> Outcome {
        let id = ObjectIdentifier(call)
        guard try run(until: { self.outcomes[id] != nil }) else { throw TestFailure("the call does not end") }
        return outcomes[id] ?? Outcome()
    }

    /// Turns the loop; false when that does not come.
    func run(until done: () -> Bool) throws -> Bool {
        try eventually {
            // As in a shard's turn: what was begun before the wait has started.
            curl.runTimers(now: Clock.monotonic())
            curl.deliverFinished()
            try turn()
            return done()
        }
    }

    /// One wait, and what comes of it.
    func turn() throws {
        for index in 0..<(try epoll.wait(timeoutMilliseconds: 1)) {
            let event = epoll.event(index)
            if event.token.kind == 1 { curl.socketReady(event) }
        }
        curl.runTimers(now: Clock.monotonic())
        curl.deliverFinished()
    }

    func shutDown() {
        transport.shutDown()
        curl.shutDown()
    }

    /// How answers come, by call; none: whole.
    var streamed: (HTTPCall) -> Bool = { _ in false }
    /// Told of what was sent of a body that goes on as it comes.
    var sent: (HTTPCall) -> Void = { _ in }
    /// A longer one is asked about again.
    var wholeBytes = Int.max
    /// Takes what has come of one that comes in parts; whether there is room for more.
    var received: (HTTPCall) -> Bool = { _ in true }

    func callBegan(_ call: HTTPCall) -> Bool {
        call.hasBegun = true
        call.isStreamed = streamed(call)
        return call.isStreamed
    }

    func callOutgrew(_ call: HTTPCall) -> Bool {
        call.isStreamed = streamed(call)
        return call.isStreamed
    }

    func callSent(_ call: HTTPCall) { sent(call) }

    func callReceived(_ call: HTTPCall) -> Bool { received(call) }

    func callFinished(_ call: HTTPCall, failure: ExchangeFailure?) {
        outcomes[ObjectIdentifier(call)] = Outcome(
            status: failure == nil ? call.status : 0,
            body: call.body.view.string,
            failure: failure?.cause,
            detail: failure?.detail.string ?? ""
        )
    }
}
