import TestSupport

@testable import Gateway

/// A shard's middle in simulated time, between clients, Model Services and Reporters that do what a seed says.
///
/// All that lies between is the real thing: flow, router, adapters, events, queues. What may be random comes from the seed, and
/// no other clock is read than the simulated one: a run can be had again.
final class Simulation {
    /// What all runs use: made once.
    final class Texts {
        fileprivate let answers: [ModelProtocol: SimulatedAnswers]
        fileprivate let request: ByteBuffer

        init() {
            var answers: [ModelProtocol: SimulatedAnswers] = [:]
            for modelProtocol in [ModelProtocol.native, .v1, .v2, .raw] {
                answers[modelProtocol] = SimulatedAnswers(modelProtocol)
            }
            self.answers = answers
            request = ByteBuffer(text: #"{"instances":[1,2,3]"# + String(repeating: " ", count: 600_000))
        }
    }

    /// A shard that has seen so many turns, or so many nanoseconds, is stopped: whatever is still there has an end then, too.
    private static let maxTurns = 4_000
    private static let longest: Int64 = 5_000_000_000
    /// In a row, with no pause in between, is no work but a loop that spins.
    private static let maxBusyTurns = 2_000

    private let world: SimulationWorld
    private let flow: ExchangeFlow
    private let readiness = Readiness(modelCount: 3)
    private let reporting: any SimulatedReporting
    private let transports: [SimulatedTransport]
    private let adapters: [HTTPModelServiceAdapter]
    private let rest: SimulatedREST
    private let kafka: SimulatedKafka
    private let memory: BodyMemory
    private var turns = 0
    private var busyTurns = 0
    private var isDraining = false
    private var isStopping = false

    var setup: SimulationSetup { world.setup }
    var findings: [String] { world.findings }
    var fingerprint: UInt64 { world.fingerprint }

    init(seed: UInt64, _ texts: Texts) throws {
        let world = SimulationWorld(seed: seed)
        let setup = world.setup
        let reporting: any SimulatedReporting =
            switch setup.delivery {
            case .none: NoReporting()
            case .bestEffort: try SimulatedQueues(world)
            case .atLeastOnce: setup.hasFiles ? try SimulatedSpoolFiles(world) : SimulatedSpool(world)
            }
        let memory = BodyMemory(BodyMemoryLimit(bytes: setup.bodyMemory))
        world.ledger.areEventsSafe = { [unowned reporting] in reporting.isTurnSafe }
        let flow = ExchangeFlow(
            metrics: ShardMetrics(modelCount: setup.models.count),
            readiness: readiness,
            maxInFlight: setup.maxInFlight,
            reporting: EventReporting(
                lanes: reporting.lanes,
                observer: nil,
                encoder: PredictionEventEncoder(source: "//test"),
                policy: EventPolicy(capture: setup.capture),
                clock: world.clock
            ),
            notices: UnsplitNotices(
                setup.models.enumerated().map { index, model in
                    UnsplitNotices.Route(
                        name: "m\(index)",
                        modelProtocol: model.modelProtocol,
                        maxPredictions: SimulatedAnswers.maxPredictions
                    )
                }
            ) { _ in },
            clock: world.clock,
            bodyMemory: memory
        )
        var transports: [SimulatedTransport] = []
        var adapters: [HTTPModelServiceAdapter] = []
        var routes: [ModelRoute] = []
        for (index, model) in setup.models.enumerated() {
            guard let answers = texts.answers[model.modelProtocol] else { throw TestFailure("no such protocol") }
            let transport = SimulatedTransport(world, model: index, answers: answers)
            let adapter = HTTPModelServiceAdapter(
                options: HTTPModelServiceAdapter.Options(
                    url: ModelServiceURL(
                        "http://model",
                        model: "m\(index)",
                        version: nil,
                        modelProtocol: model.modelProtocol
                    ),
                    timeout: model.timeout,
                    partTimeout: model.partTimeout,
                    maxStreamTime: model.maxStreamTime,
                    maxConnections: model.maxConnections,
                    limits: CallLimits(key: "models.\(index)", Configuration.Model()),
                    memory: memory
                ),
                transport: transport,
                sink: flow,
                freedMemory: flow.freedMemory,
                clock: flow.clock
            )
            transports.append(transport)
            adapters.append(adapter)
            routes.append(
                ModelRoute(
                    index: index,
                    name: "m\(index)",
                    version: nil,
                    modelProtocol: model.modelProtocol,
                    maxPredictions: SimulatedAnswers.maxPredictions,
                    retry: RetryPolicy(
                        RetryPolicy.Options(
                            attempts: model.maxCalls,
                            causes: [.connect, .reset, .timeout, .serverError],
                            budget: 50,
                            isRepeatable: model.isRepeatable
                        ),
                        random: { [unowned world] in world.random.next() }
                    ),
                    maxStreamBytes: model.maxStreamBytes,
                    adapter: adapter
                )
            )
        }
        let intake = SimulatedIntake(world: world, flow: flow, router: Router(routes: routes), text: texts.request)
        self.world = world
        self.reporting = reporting
        self.flow = flow
        self.memory = memory
        self.transports = transports
        self.adapters = adapters
        rest = SimulatedREST(world, flow: flow, intake: intake, memory: memory)
        kafka = SimulatedKafka(world, flow: flow, intake: intake)
    }

    func run() {
        if setup.delivery != .none { world.schedule.add(at: world.now, .report) }
        while !isStopping, turns < Self.maxTurns, world.findings.isEmpty, passTime() {
            turn()
            check()
            turns += 1
        }
        guard world.findings.isEmpty else { return }
        stop()
        checkEnd()
        world.trace(turns)
    }

    // MARK: The loop

    /// Lets time pass until something is to be done; false when nothing is any more.
    private func passTime() -> Bool {
        if flow.hasWork || kafka.hasMore {
            busyTurns += 1
            world.expect(busyTurns < Self.maxBusyTurns, "the loop spins")
            world.clock.advance(to: world.now + 1 + Int64(world.random.below(Int(100 * SimulationSetup.microsecond))))
            return true
        }
        busyTurns = 0
        if !isDone {
            var next = world.schedule.nextTime ?? .max
            for adapter in adapters { next = min(next, adapter.nextDeadline ?? .max) }
            next = min(next, flow.retries.nextDue)
            if next < .max, next - SimulationWorld.start < Self.longest {
                // epoll's time has milliseconds: it is often a little late.
                let late = world.random.chance(50) ? Int64(world.random.below(Int(SimulationSetup.millisecond))) : 0
                world.clock.advance(to: max(world.now, next + late))
                return true
            }
            world.expect(next < .max, "nothing will happen any more, and requests wait")
        }
        return false
    }

    /// Nobody waits, and nobody comes. What is planned beyond that may be left out.
    private var isDone: Bool {
        flow.exchanges.inUse == 0 && kafka.isIdle && world.arrivalsLeft == 0
    }

    /// As `Shard.turn`.
    private func turn() {
        reporting.beginTurn()
        // What the wait brought comes in any order.
        var requests: [SimulatedRequest] = []
        var events: [SimulationWorld.Action] = []
        while let action = world.schedule.take(dueBy: world.now) {
            if case .arrival(let request) = action { requests.append(request) } else { events.append(action) }
        }
        events.shuffle(using: &world.random)
        for event in events { perform(event) }
        for adapter in adapters { adapter.expire(now: world.now) }
        flow.startRetries(now: world.now)
        flow.endTurn()
        for request in requests { arrive(request) }
        kafka.takeIn()
        // Some calls are over at once.
        while let action = world.schedule.take(dueBy: world.now) { perform(action) }
    }

    private func perform(_ action: SimulationWorld.Action) {
        switch action {
        case .arrival(let request): arrive(request)
        case .departure(let request): rest.depart(request)
        case .replyRead(let request): rest.replyRead(request)
        case .streamRead(let request):
            if request.provider == .rest { rest.streamRead(request) } else { kafka.partIsTaken(request) }
        case .progress(let model, let token): transports[model].progress(token: token)
        case .report:
            reporting.read()
            let pause = Int64(world.random.below(Int(20 * SimulationSetup.millisecond)))
            world.schedule.add(at: world.now + pause + 1, .report)
        case .tick: break
        case .drain:
            isDraining = true
            readiness.startDraining()
            kafka.drain()
        case .stop: isStopping = true
        }
    }

    private func arrive(_ request: SimulatedRequest) {
        world.arrivalsLeft -= 1
        if request.provider == .rest { rest.arrive(request) } else { kafka.arrive(request) }
    }

    /// As `Shard.stop`.
    private func stop() {
        world.ledger.isStopping = true
        reporting.beginTurn()
        flow.abortAll()
        flow.endTurn()
        // The daemon's last run gives everybody the answer, and its end closes what is still there.
        for request in world.requests where request.provider == .rest && request.hasArrived {
            if request.isDelivered { rest.readToTheEnd(request) } else { rest.depart(request) }
        }
        for request in world.requests where request.provider == .kafka { kafka.leaveParts(request) }
        reporting.beginTurn()
        flow.endTurn()
        kafka.drain()
        for adapter in adapters { adapter.shutDown() }
    }

    // MARK: What must be so

    /// After each turn.
    private func check() {
        checkWakes()
        var calling = [Int](repeating: 0, count: adapters.count)
        var inFlight = 0
        flow.exchanges.forEachInUse { exchange in
            let isOut = exchange.state == .streaming && exchange.stream?.callIsOver == false
            if exchange.state == .calling || exchange.state == .recording || isOut { inFlight += 1 }
            if isOut, let index = exchange.route?.index { calling[index] += 1 }
            guard exchange.state == .calling, let route = exchange.route else { return }
            calling[route.index] += 1
            let deadline = exchange.attempt.begunAt + setup.models[route.index].timeout
            world.expect(deadline > world.now, "a call is out beyond its time")
        }
        world.expect(flow.inFlight == inFlight, "\(inFlight) requests are in flight, not \(flow.inFlight)")
        world.expect(flow.metrics.inFlight == inFlight, "the metrics have \(flow.metrics.inFlight) in flight")
        world.expect(inFlight <= setup.maxInFlight, "\(inFlight) requests are in flight of \(setup.maxInFlight)")
        for (index, transport) in transports.enumerated() {
            // Nobody stands in line while there is room, and nothing is out that nobody waits for.
            let wanted = min(calling[index], setup.models[index].maxConnections)
            world.expect(
                transport.callsOut == wanted,
                "\(calling[index]) wait for model \(index), and \(transport.callsOut) calls are out, not \(wanted)"
            )
        }
        reporting.check()
    }

    /// Whoever waits is come back for: by a turn that the flow asks for, or by the adapter that is told to read on.
    private func checkWakes() {
        guard !flow.hasWork else { return }
        let before = progress
        flow.endTurn()
        world.expect(progress == before && !flow.hasWork, "there is work for which nobody asks for a turn")
        flow.exchanges.forEachInUse { exchange in
            guard exchange.state == .streaming, let stream = exchange.stream, let index = exchange.route?.index else {
                return
            }
            world.expect(
                stream.ready > 0 || stream.callIsOver || !transports[index].isHeld(exchange.attempt),
                "a Model Service waits for room that there is"
            )
        }
    }

    /// What a turn would change.
    private var progress: [Int] {
        var progress: [Int] = []
        flow.exchanges.forEachInUse { exchange in
            let state = Int(unsafeBitCast(exchange.state, to: UInt8.self))
            progress += [exchange.index, state, exchange.replyBody.count, exchange.reply.eventBytes]
            progress.append(exchange.stream?.ready ?? 0)
        }
        return progress
    }

    private func checkEnd() {
        world.checkRequests()
        world.expect(flow.inFlight == 0 && flow.metrics.inFlight == 0, "\(flow.inFlight) are in flight in the end")
        world.expect(flow.exchanges.inUse == 0, "\(flow.exchanges.inUse) exchanges are in use in the end")
        world.expect(!flow.hasWork && kafka.isIdle, "something is left to do in the end")
        reporting.end(expectedEvents: world.ledger.expectedEvents)
        // Calls that are not in use are let go of within two seconds: those that are not, somebody still has.
        for _ in 0..<4 {
            for adapter in adapters {
                guard let next = adapter.nextDeadline else { continue }
                world.clock.advance(to: max(world.now, next))
                adapter.expire(now: world.now)
            }
        }
        for (adapter, transport) in zip(adapters, transports) {
            world.expect(adapter.nextDeadline == nil, "an adapter waits for something in the end")
            world.expect(
                transport.callsOut == 0 && transport.callsThere == 0,
                "\(transport.callsOut) calls are out in the end, \(transport.callsThere) were not given back"
            )
        }
        world.expect(memory.take(setup.bodyMemory), "memory of bodies is missing in the end")
        world.expect(!memory.take(1), "there is more memory for bodies in the end than there was")
    }
}
