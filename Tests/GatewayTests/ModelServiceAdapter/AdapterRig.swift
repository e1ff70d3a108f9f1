import TestSupport
import Testing

@testable import Gateway

/// A transport that sends nothing: the test ends its calls.
final class FakeTransport: HTTPTransport {
    /// Counts those that there are.
    private final class Call: HTTPCall {
        private let count: Locked<Int>
        private unowned let transport: FakeTransport

        init(_ index: Int, _ transport: FakeTransport) {
            self.transport = transport
            count = transport.count
            super.init(index, body: ByteBuffer(capacity: 256), headers: ByteBuffer(capacity: 256))
            count.withLock { $0 += 1 }
        }

        deinit { count.withLock { $0 -= 1 } }

        override func start() { transport.start(self) }
        override func cancel() { transport.cancel(self) }
        override func resume() { transport.resumed.append(self) }
    }

    weak var delegate: (any HTTPTransportDelegate)?
    var nextDeadline: Int64?
    var made = 0
    private let count = Locked(0)
    /// The calls that are with it, in the order in which they came.
    var out: [HTTPCall] = []
    var cancelled: [HTTPCall] = []
    /// Those for which there was room again, in order.
    var resumed: [HTTPCall] = []
    private var known: [Weak] = []

    private struct Weak { weak var call: HTTPCall? }

    /// All that there are.
    var calls: [HTTPCall] { known.compactMap(\.call) }

    var expired: [Int64] = []
    var shutDowns = 0
    /// Told of each call that starts.
    var onStart: (HTTPCall) -> Void = { _ in }

    func makeCall(_ index: Int) -> HTTPCall {
        made += 1
        let call = Call(index, self)
        known.append(Weak(call: call))
        return call
    }

    /// How many calls there are.
    var alive: Int { count.withLock { $0 } }

    private func start(_ call: HTTPCall) {
        out.append(call)
        onStart(call)
    }

    private func cancel(_ call: HTTPCall) {
        #expect(out.contains { $0 === call }, "only what is out can be cancelled")
        out.removeAll { $0 === call }
        cancelled.append(call)
    }

    func expire(now: Int64) { expired.append(now) }
    func shutDown() { shutDowns += 1 }
}

/// An adapter between a flow and a transport of the test's. Times are small numbers: what is asked for tells when.
final class AdapterRig {
    let transport = FakeTransport()
    let lane = FakeLane()
    let provider: FakeProvider
    let flow: ExchangeFlow
    let adapter: HTTPModelServiceAdapter
    private let route: ModelRoute
    private var exchanges: [Int: Exchange] = [:]
    /// The numbers of what was started, in order.
    private(set) var started: [Int] = []
    /// What was delivered and has been looked at.
    private var seen = 0

    init(maxConnections: Int, modelProtocol: ModelProtocol = .v1, memory: BodyMemory? = nil) throws {
        provider = FakeProvider(lane: lane)
        let reporting = EventReporting(
            lanes: [lane],
            observer: nil,
            encoder: PredictionEventEncoder(source: "//test"),
            policy: EventPolicy(),
            clock: ShardClock()
        )
        flow = ExchangeFlow(
            metrics: ShardMetrics(modelCount: 1),
            readiness: Readiness(modelCount: 1),
            maxInFlight: 10_000,
            reporting: reporting,
            notices: UnsplitNotices([.init(name: "iris", modelProtocol: modelProtocol, maxPredictions: 10_000)]) { _ in
            },
            clock: ShardClock()
        )
        var model = Configuration.Model()
        model.timeout = .seconds(1_000)
        model.maxConnections = maxConnections
        adapter = HTTPModelServiceAdapter(
            options: HTTPModelServiceAdapter.Options(
                url: ModelServiceURL("http://localhost/", model: "iris", version: nil, modelProtocol: modelProtocol),
                timeout: model.timeout.nanoseconds,
                partTimeout: model.idleTimeout.nanoseconds,
                maxStreamTime: model.maxStreamTime.nanoseconds,
                maxConnections: maxConnections,
                limits: CallLimits(key: "models.3", model),
                memory: memory
            ),
            transport: transport,
            sink: flow,
            freedMemory: flow.freedMemory,
            clock: flow.clock
        )
        route = ModelRoute(index: 0, name: "iris", version: "1", modelProtocol: modelProtocol, adapter: adapter)
        provider.flow = flow
        provider.finish = { [unowned flow] exchange in flow.end(exchange) }
        transport.onStart = { [unowned self] call in
            started.append(Self.number(call))
        }
    }

    /// What is out at the end outlives its exchange.
    deinit { for call in transport.calls { call.attempt = nil } }

    /// A request of this number that came at that time; its id is `r` and the number.
    func ask(_ number: Int, at time: Int64) {
        let exchange = flow.exchanges.take(for: provider)
        exchange.request.face = .v1
        exchange.request.operation = .predict
        exchange.route = route
        exchange.request.receivedAt = time
        exchange.attempt.begunAt = time
        exchange.request.id.append(string: "r\(number)")
        exchanges[number] = exchange
        #expect(flow.begin(exchange) == nil)
    }

    /// The exchange of a number: of that request until another one has taken its place.
    func exchange(_ number: Int) -> Exchange { exchanges[number]! }

    func call(_ number: Int) -> HTTPCall {
        let attempt = exchange(number).attempt
        return transport.calls.first { $0.attempt === attempt }!
    }

    /// What the transport has, in the order in which it came.
    var outNumbers: [Int] { transport.out.map(Self.number) }

    private static func number(_ call: HTTPCall) -> Int {
        Int(call.attempt?.exchange.request.id.view.string.dropFirst() ?? "") ?? -1
    }

    /// The transport's call of this number ends.
    func finish(
        _ number: Int,
        status: Int = 200,
        headers: String = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n",
        body: String = FlowRig.v1(rows: 1),
        failure: ExchangeFailure? = nil,
        errorText: String = ""
    ) {
        let call = call(number)
        #expect(transport.out.contains { $0 === call }, "\(number) is not out")
        transport.out.removeAll { $0 === call }
        call.status = status
        call.headers.removeAll()
        call.headers.append(string: headers)
        call.body.removeAll()
        call.body.append(string: body)
        call.errorText.append(string: errorText)
        transport.delegate?.callFinished(call, failure: failure)
    }

    /// Ends turns until nothing is left to do; what was delivered since the last time.
    func settle() -> ArraySlice<FakeProvider.Delivered> {
        while flow.hasWork { flow.endTurn() }
        defer { seen = provider.delivered.count }
        return provider.delivered[seen...]
    }
}
