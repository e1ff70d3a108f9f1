import TestSupport

@testable import Gateway

/// As the REST Provider: clients that wait for their answers, leave when they like, and read at their own pace.
final class SimulatedREST: Provider {
    let kind = ProviderKind.rest
    let maxReplyHeaderBytes = HTTPDaemon.maxAnswerLineBytes

    private unowned let world: SimulationWorld
    private let flow: ExchangeFlow
    private let intake: SimulatedIntake
    private let memory: BodyMemory

    init(_ world: SimulationWorld, flow: ExchangeFlow, intake: SimulatedIntake, memory: BodyMemory) {
        self.world = world
        self.flow = flow
        self.intake = intake
        self.memory = memory
    }

    func arrive(_ request: SimulatedRequest) {
        request.hasArrived = true
        let exchange = flow.exchanges.take(for: self)
        exchange.request.receivedAt = world.now
        exchange.attempt.begunAt = world.now
        world.own(exchange, request)
        guard memory.take(request.bodyBytes) else {
            return refuse(request, exchange, ExchangeFailure(cause: .overloaded, message: "no memory"))
        }
        request.lentBytes = request.bodyBytes
        if let failure = intake.fill(exchange, request) { return refuse(request, exchange, failure) }
        guard exchange.request.operation == .predict || exchange.route?.canAnswer(exchange.request.operation) == true
        else {
            // As a question that the Sidecar answers itself.
            return refuse(request, exchange, ExchangeFailure(cause: .unknownPath, message: "nobody can say"))
        }
        request.beginTry()
        if let failure = flow.begin(exchange) { return refuse(request, exchange, failure) }
        request.isCalled = true
    }

    private func refuse(_ request: SimulatedRequest, _ exchange: Exchange, _ failure: ExchangeFailure) {
        flow.replaceMissingRequestId(exchange)
        ErrorAnswer.write(failure, to: exchange)
        exchange.reply.completedAt = world.now
        exchange.transition(to: .replying)
        world.refused(request, exchange)
        request.isDelivered = true
        giveReply(request, exchange)
    }

    func deliver(_ exchange: Exchange) {
        guard let request = world.owner(of: exchange) else { return }
        world.expect(request.isCalled && !request.isDelivered, "request \(request.number) is delivered again")
        request.isDelivered = true
        switch exchange.state {
        case .replying: world.replied(request, exchange)
        case .abandoned: world.abandoned(request, exchange)
        default: world.expect(false, "request \(request.number) is delivered in the state \(exchange.state)")
        }
        if request.hasLeft { finish(request, exchange) } else { giveReply(request, exchange) }
    }

    private func giveReply(_ request: SimulatedRequest, _ exchange: Exchange) {
        // A copy only where time passes: that is where others might write to it.
        if request.readsFor > 0 { request.reply = exchange.replyBody.array }
        world.schedule.add(at: world.now + request.readsFor, .replyRead(request))
    }

    /// The client has all of its answer.
    func replyRead(_ request: SimulatedRequest) {
        guard let exchange = request.exchange, request.isDelivered else { return }
        if let reply = request.reply {
            let isTheSame = reply.withByteView { $0 == exchange.replyBody }
            world.expect(isTheSame, "the answer to request \(request.number) has changed as it was sent")
        }
        finish(request, exchange)
    }

    /// The client is gone: before the answer, or while it is sent.
    func depart(_ request: SimulatedRequest) {
        guard let exchange = request.exchange, !request.hasLeft else { return }
        if request.isDelivered { return finish(request, exchange) }
        request.hasLeft = true
        flow.clientLeft(exchange)
        // epoll tells of it, and libmicrohttpd too.
        if world.random.chance(50) { flow.clientLeft(exchange) }
    }

    private func finish(_ request: SimulatedRequest, _ exchange: Exchange) {
        memory.giveBack(request.lentBytes)
        world.disown(exchange)
        flow.end(exchange)
    }
}

/// As the Kafka Provider: requests wait for room, failures that may pass are tried again later, answers are copied at once.
final class SimulatedKafka: Provider {
    let kind = ProviderKind.kafka

    private struct Retry {
        let request: SimulatedRequest
        let exchange: Exchange
        let due: Int64
    }

    private unowned let world: SimulationWorld
    private let flow: ExchangeFlow
    private let intake: SimulatedIntake
    private let backoff = RetryBackoff(
        initial: 5 * SimulationSetup.millisecond,
        maximum: 200 * SimulationSetup.millisecond
    )
    private var waiting: [SimulatedRequest] = []
    private var retries: [Retry] = []
    private var delay: Int64 = 0
    private var inHand = 0
    private var isDraining = false

    init(_ world: SimulationWorld, flow: ExchangeFlow, intake: SimulatedIntake) {
        self.world = world
        self.flow = flow
        self.intake = intake
    }

    // MARK: Provider

    func deliver(_ exchange: Exchange) {
        guard let request = world.owner(of: exchange) else { return }
        world.expect(request.isCalled && !request.isDelivered, "request \(request.number) is delivered again")
        switch exchange.state {
        case .retrying: wait(request, exchange)
        case .replying:
            request.isDelivered = true
            world.replied(request, exchange)
            giveBack(request, exchange)
        default: world.expect(false, "request \(request.number) is delivered in the state \(exchange.state)")
        }
    }

    func retries(_ exchange: Exchange, after failure: ExchangeFailure) -> Bool {
        guard let request = world.owner(of: exchange) else { return false }
        switch FailureHandling(failure.cause, status: exchange.attempt.answer?.status ?? 0) {
        case .wait: break
        case .tryAgain: if request.attempts >= world.setup.maxAttempts { return false }
        case .giveUp: return false
        }
        delay = backoff.delay(attempt: request.attempts, random: world.random.next())
        return true
    }

    // MARK: The loop

    var hasMore: Bool { !waiting.isEmpty && inHand < world.setup.maxKafkaInFlight }
    var isIdle: Bool { waiting.isEmpty && inHand == 0 }

    func arrive(_ request: SimulatedRequest) {
        // What comes no more is left at the broker.
        if !isDraining { waiting.append(request) }
    }

    func takeIn() {
        let due = retries.filter { $0.due <= world.now }
        retries.removeAll { $0.due <= world.now }
        for retry in due { call(retry.request, retry.exchange) }
        while hasMore { start(waiting.removeFirst()) }
    }

    /// The broker keeps what has not been begun, and gives it to others.
    func drain() {
        isDraining = true
        waiting.removeAll()
        for retry in retries { drop(retry.request, retry.exchange) }
        retries.removeAll()
    }

    // MARK: Steps

    private func start(_ request: SimulatedRequest) {
        request.hasArrived = true
        inHand += 1
        let exchange = flow.exchanges.take(for: self)
        exchange.request.receivedAt = world.now
        world.own(exchange, request)
        if let failure = intake.fill(exchange, request) { return refuse(request, exchange, failure) }
        call(request, exchange)
    }

    private func call(_ request: SimulatedRequest, _ exchange: Exchange) {
        exchange.attempt.begunAt = world.now
        request.beginTry()
        guard let failure = flow.begin(exchange) else {
            request.isCalled = true
            return
        }
        // A try that could not begin is none.
        request.attempts -= 1
        if retries(exchange, after: failure) { wait(request, exchange) } else { refuse(request, exchange, failure) }
    }

    private func wait(_ request: SimulatedRequest, _ exchange: Exchange) {
        guard !isDraining else { return drop(request, exchange) }
        flow.beginAnotherTry(exchange)
        let due = world.now + delay
        retries.append(Retry(request: request, exchange: exchange, due: due))
        world.schedule.add(at: due, .tick)
    }

    private func refuse(_ request: SimulatedRequest, _ exchange: Exchange, _ failure: ExchangeFailure) {
        flow.replaceMissingRequestId(exchange)
        ErrorAnswer.write(failure, to: exchange)
        request.isDelivered = true
        world.refused(request, exchange)
        giveBack(request, exchange)
    }

    private func drop(_ request: SimulatedRequest, _ exchange: Exchange) {
        request.beginTry()
        request.endings += 1
        giveBack(request, exchange)
    }

    private func giveBack(_ request: SimulatedRequest, _ exchange: Exchange) {
        inHand -= 1
        world.disown(exchange)
        flow.end(exchange)
    }
}

/// Makes exchanges of requests, for both Providers.
struct SimulatedIntake {
    let world: SimulationWorld
    let flow: ExchangeFlow
    let router: Router
    /// So much as the longest request.
    let text: ByteBuffer

    /// Why the request is refused at once; nil: it is not.
    func fill(_ exchange: Exchange, _ request: SimulatedRequest) -> ExchangeFailure? {
        exchange.request.face = request.face
        exchange.request.operation = request.operation
        exchange.request.body.append(text.view.prefix(request.bodyBytes - 1))
        exchange.request.body.append("}")
        if request.hasId {
            Array("r\(request.number)".utf8).withByteView { exchange.request.takeId($0, from: .request) }
        }
        flow.ensureRequestId(exchange)
        world.noteId(of: exchange, request)
        let name = request.model.map { router.routes[$0].name.view } ?? ByteView("unknown")
        return router.assignRoute(to: exchange, name: name, version: .empty)
    }
}
