import TestSupport

@testable import Gateway

/// As the REST Provider: clients that wait for their answers, leave when they like, and read at their own pace.
final class SimulatedREST: Provider, Policy {
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

    func policy(of exchange: Exchange) -> (any Policy)? { self }

    /// As the route's policy.
    func decide(_ exchange: Exchange, after failure: ExchangeFailure) -> PolicyDecision {
        guard let request = world.owner(of: exchange), let policy = exchange.route?.retry else { return .over }
        let decision = policy.decide(exchange, after: failure)
        if decision == .over { return .over }
        world.expect(!request.streamHasBegun, "request \(request.number) is asked again after a part of its answer")
        request.beginTry()
        request.isCalled = true
        return decision
    }

    func takesParts(_ exchange: Exchange) -> Bool { true }

    func beginReply(_ exchange: Exchange) {
        guard let request = world.owner(of: exchange) else { return }
        world.expect(!request.streamHasBegun && !request.isDelivered, "request \(request.number) is begun again")
        request.streamHasBegun = true
        deliverParts(exchange)
    }

    func deliverParts(_ exchange: Exchange) {
        guard let request = world.owner(of: exchange) else { return }
        world.expect(request.streamHasBegun, "request \(request.number) gets parts before its head")
        readSoon(request)
    }

    private func readSoon(_ request: SimulatedRequest) {
        guard !request.isReading else { return }
        request.isReading = true
        world.schedule.add(at: world.now + request.readsFor, .streamRead(request))
    }

    /// The client takes some of a stream.
    func streamRead(_ request: SimulatedRequest) {
        request.isReading = false
        guard let exchange = request.exchange, let stream = exchange.stream else { return }
        let part = stream.take(upTo: 1 + world.random.below(20_000))
        if part.isEmpty {
            if request.isDelivered { finishStream(request, exchange) }
            return
        }
        request.streamRead += part.array
        flow.tookPart(exchange)
        world.readOfStream(request, exchange)
        readSoon(request)
    }

    /// The shard ends: what is there is sent.
    func readToTheEnd(_ request: SimulatedRequest) {
        guard let exchange = request.exchange, let stream = exchange.stream else { return replyRead(request) }
        request.streamRead += stream.take(upTo: .max).array
        world.readOfStream(request, exchange)
        finishStream(request, exchange)
    }

    private func finishStream(_ request: SimulatedRequest, _ exchange: Exchange) {
        if exchange.state == .replying { world.streamIsRead(request, exchange) }
        finish(request, exchange)
    }

    func deliver(_ exchange: Exchange) {
        guard let request = world.owner(of: exchange) else { return }
        world.expect(request.isCalled && !request.isDelivered, "request \(request.number) is delivered again")
        request.isDelivered = true
        if exchange.stream != nil, exchange.state == .replying {
            world.replied(request, exchange)
            return readSoon(request)
        }
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
        guard let exchange = request.exchange, request.isDelivered, exchange.stream == nil else { return }
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
final class SimulatedKafka: Provider, Policy {
    let kind = ProviderKind.kafka

    fileprivate unowned let world: SimulationWorld
    fileprivate let flow: ExchangeFlow
    private let intake: SimulatedIntake
    private let backoff = RetryBackoff(
        initial: 5 * SimulationSetup.millisecond,
        maximum: 200 * SimulationSetup.millisecond
    )
    private var waiting: [SimulatedRequest] = []
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
        if let stream = exchange.stream { return endParts(request, exchange, stream) }
        switch exchange.state {
        case .replying:
            request.isDelivered = true
            world.replied(request, exchange)
            giveBack(request, exchange)
        default: world.expect(false, "request \(request.number) is delivered in the state \(exchange.state)")
        }
    }

    func policy(of exchange: Exchange) -> (any Policy)? { self }
    var leavesToOthers: Bool { true }

    func decide(_ exchange: Exchange, after failure: ExchangeFailure) -> PolicyDecision {
        guard let request = world.owner(of: exchange) else { return .over }
        switch FailureHandling(failure.cause, status: exchange.attempt.answer?.status ?? 0) {
        case .wait: break
        case .tryAgain: if exchange.tries >= world.setup.maxAttempts { return .over }
        case .giveUp: return .over
        }
        world.expect(request.streamRead.isEmpty, "request \(request.number) is asked again after a part of its answer")
        request.beginTry()
        request.isCalled = true
        return .again(after: backoff.delay(attempt: exchange.tries, random: world.random.next()))
    }

    func waits(for exchange: Exchange) -> Bool { !isDraining }

    func drop(_ exchange: Exchange) {
        guard let request = world.owner(of: exchange) else { return }
        drop(request, exchange)
    }

    // MARK: The loop

    var hasMore: Bool { !waiting.isEmpty && inHand < world.setup.maxKafkaInFlight }
    var isIdle: Bool { waiting.isEmpty && inHand == 0 }

    func arrive(_ request: SimulatedRequest) {
        // What comes no more is left at the broker.
        if !isDraining { waiting.append(request) }
    }

    func takeIn() {
        while hasMore { start(waiting.removeFirst()) }
    }

    /// The broker keeps what has not been begun, and gives it to others.
    func drain() {
        isDraining = true
        waiting.removeAll()
        flow.exchanges.forEachInUse { exchange in
            if exchange.retryAt != nil, exchange.provider === self { drop(exchange) }
        }
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
        request.beginTry()
        request.isCalled = true
        flow.ask(exchange)
    }

    private func refuse(_ request: SimulatedRequest, _ exchange: Exchange, _ failure: ExchangeFailure) {
        flow.replaceMissingRequestId(exchange)
        ErrorAnswer.write(failure, to: exchange)
        request.isDelivered = true
        world.refused(request, exchange)
        giveBack(request, exchange)
    }

    fileprivate func drop(_ request: SimulatedRequest, _ exchange: Exchange) {
        request.beginTry()
        request.endings += 1
        giveBack(request, exchange)
    }

    fileprivate func giveBack(_ request: SimulatedRequest, _ exchange: Exchange) {
        inHand -= 1
        world.disown(exchange)
        flow.end(exchange)
    }
}

/// Answers in parts: the broker has one after the other, each after some time.
extension SimulatedKafka {
    func takesParts(_ exchange: Exchange) -> Bool { world.owner(of: exchange)?.wantsParts == true }

    func hasShownStream(_ exchange: Exchange) -> Bool { world.owner(of: exchange)?.streamRead.isEmpty == false }

    func beginReply(_ exchange: Exchange) {
        exchange.stream?.leaveInParts()
        deliverParts(exchange)
    }

    func deliverParts(_ exchange: Exchange) {
        guard let request = world.owner(of: exchange), !request.isReading else { return }
        sendPart(request)
    }

    /// The broker has the last part: the next one may go.
    func partIsTaken(_ request: SimulatedRequest) {
        request.isReading = false
        sendPart(request)
    }

    private func sendPart(_ request: SimulatedRequest) {
        guard let exchange = request.exchange, let stream = exchange.stream else { return }
        guard let part = stream.takePart() else {
            if request.isDelivered { finishParts(request, exchange) }
            return
        }
        let isEvent = part.bytes.hasSuffix(ByteView("\n\n"))
        world.expect(isEvent || !part.isWhole, "a part of request \(request.number) is not whole")
        request.streamRead += part.bytes.array
        flow.tookPart(exchange)
        world.readOfStream(request, exchange)
        request.isReading = true
        world.schedule.add(at: world.now + request.readsFor, .streamRead(request))
    }

    private func endParts(_ request: SimulatedRequest, _ exchange: Exchange, _ stream: AnswerStream) {
        if stream.failure?.cause == .draining {
            // Others ask again; what there was is recorded.
            world.ledger.expectedEvents += 1
            return drop(request, exchange)
        }
        request.isDelivered = true
        world.replied(request, exchange)
        if !request.isReading { sendPart(request) }
    }

    private func finishParts(_ request: SimulatedRequest, _ exchange: Exchange) {
        world.partsAreRead(request, exchange)
        giveBack(request, exchange)
    }

    /// The shard ends with parts under way.
    func leaveParts(_ request: SimulatedRequest) {
        if let exchange = request.exchange, request.isDelivered { giveBack(request, exchange) }
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
