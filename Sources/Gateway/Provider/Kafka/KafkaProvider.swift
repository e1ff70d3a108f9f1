import Logging

/// The Kafka Provider: requests from a topic, answers to topics. One per shard, with a consumer and a producer of its own;
/// confined to the shard's thread, while librdkafka's threads do the network's work.
///
/// At least once: a request counts as done, and its offset may be committed, when the broker has acknowledged its answer,
/// and its dead letter where there is one. A turn of the shard starts calls in `takeIn` and sends answers in `deliver`.
final class KafkaProvider: Provider {
    let kind = ProviderKind.kafka

    let options: Options
    let flow: ExchangeFlow
    let router: Router
    let metrics: KafkaMetrics
    let log: KafkaLog
    let replies: KafkaReplies
    let requests = KafkaRequestPool()
    /// What is written over for each message.
    let headers = KafkaHeaderList()
    let scratch = ByteBuffer(capacity: 256)
    let requestTopic: ByteBuffer

    private let events: EventFD
    private let inbox: KafkaInbox
    private let header: KafkaRequestHeader
    private let model: ByteBuffer
    private let random = RandomPool()
    private var order = KeyOrder()
    /// Requests whose turn it is, by index.
    private var ready: [Int] = []
    private(set) var bytesInFlight = 0
    private var isDraining = false

    init(
        options: Options,
        flow: ExchangeFlow,
        router: Router,
        metrics: KafkaMetrics,
        log: Logger
    ) throws {
        self.options = options
        self.flow = flow
        self.router = router
        self.metrics = metrics
        self.log = KafkaLog(log, secrets: options.consumer.secrets)
        requestTopic = ByteBuffer(text: options.requestTopic)
        model = ByteBuffer(text: options.model ?? "")
        header = KafkaRequestHeader(maxBytes: options.maxHeaderBytes)
        events = try EventFD()
        replies = try KafkaReplies(
            settings: options.producer,
            wake: events,
            log: self.log,
            statistics: metrics.producer
        )
        inbox = try KafkaInbox(
            KafkaInbox.Options(settings: options.consumer, topic: options.requestTopic),
            wake: events,
            log: self.log,
            metrics: metrics
        )
        replies.delegate = self
        inbox.delegate = self
    }

    // MARK: Provider

    func deliver(_ exchange: Exchange) {
        let request = requests[exchange.providerContext]
        if exchange.stream == nil { answer(request, exchange) } else { endParts(request, exchange) }
    }

    func policy(of exchange: Exchange) -> (any Policy)? { self }

    func waits(for exchange: Exchange) -> Bool {
        !isDraining && requests[exchange.providerContext].partition?.isLeaving == false
    }

    func drop(_ exchange: Exchange) { drop(requests[exchange.providerContext]) }

    var leavesToOthers: Bool { true }
}

extension KafkaProvider: Policy {
    func decide(_ exchange: Exchange, after failure: ExchangeFailure) -> PolicyDecision {
        let request = requests[exchange.providerContext]
        switch FailureHandling(failure.cause, status: exchange.attempt.answer?.status ?? 0) {
        case .wait:
            request.waits += 1
            // One that was noted may be of a reply that is withdrawn, since its event could not be recorded.
            request.failure = nil
            return .again(after: options.backoff.delay(attempt: request.waits - 1, random: random.next()))
        case .tryAgain where exchange.tries < options.maxAttempts:
            metrics.countRetry()
            return .again(after: options.backoff.delay(attempt: exchange.tries - 1, random: random.next()))
        case .tryAgain, .giveUp:
            request.note(failure)
            return .over
        }
    }
}

@available(*, unavailable)
extension KafkaProvider: Sendable {}

// MARK: - The loop

extension KafkaProvider {
    /// Readable when librdkafka has something to tell.
    var wakeDescriptor: Int32 { events.descriptor }

    /// The descriptor has become readable.
    func wake() { events.clear() }

    var hasMore: Bool { !ready.isEmpty || replies.hasMore || inbox.hasMore }

    var nextDeadline: Int64 { min(replies.nextDeadline ?? .max, inbox.nextDeadline ?? .max) }

    /// Takes in what waits, as far as there is room for it. Once a turn, after the replies.
    func takeIn(now: Int64) {
        replies.run(now: now)
        inbox.run(now: now)
        startReady()
        if isDraining, requests.inUse == 0 { inbox.close() }
    }

    /// Also what becomes ready meanwhile.
    private func startReady() {
        var next = 0
        while next < ready.count {
            start(requests[ready[next]])
            next += 1
        }
        ready.removeAll(keepingCapacity: true)
    }

    func drain() {
        isDraining = true
        inbox.drain()
        dropWaiting()
    }

    /// How long the end of the shard may take when `drainTimeout` is over.
    private static let shutDownNanoseconds: Int64 = 1_000_000_000

    var isDrained: Bool { isDraining && requests.inUse == 0 && inbox.isClosed }

    func shutDown() {
        isDraining = true
        dropWaiting()
        let now = Clock.monotonic()
        replies.shutDown(deadline: now + Self.shutDownNanoseconds / 2)
        inbox.shutDown(deadline: now + Self.shutDownNanoseconds)
    }
}

// MARK: - Taking in

extension KafkaProvider: KafkaInboxDelegate {
    var hasRoom: Bool { requests.inUse < options.maxInFlight && bytesInFlight < options.maxInFlightBytes }

    var isHalfEmpty: Bool {
        requests.inUse <= options.maxInFlight / 2 && bytesInFlight <= options.maxInFlightBytes / 2
    }

    func take(_ message: KafkaMessage, of partition: PartitionProgress) -> Int {
        let request = requests.take()
        let headerCount = request.record.take(message)
        message.recycle()
        request.partition = partition
        request.ticket = partition.begin(request.record.offset)
        request.receivedAt = flow.clock.monotonic()
        bytesInFlight += request.record.size
        begin(request)
        return headerCount
    }

    private func begin(_ request: KafkaRequest) {
        guard let partition = request.partition else { return }
        if let key = request.record.key {
            let hash = KeyOrder.hash(assignment: partition.assignment, key: key)
            request.key = hash
            guard order.enter(request.index, key: hash) else { return }
        }
        setReady(request.index)
    }

    func dropWaiting() {
        requests.forEachInUse { request in
            guard isDraining || request.partition?.isLeaving == true else { return }
            switch request.state {
            case .waiting, .ready: drop(request)
            case .calling:
                guard let exchange = request.exchange else { return }
                if exchange.retryAt != nil { drop(request) } else { abortParts(request, exchange) }
            case .idle, .answering, .dropped: break
            }
        }
        ready.removeAll { requests[$0].state != .ready }
    }

    /// Leaves a request to the next owner of its partition.
    func drop(_ request: KafkaRequest) {
        if let exchange = request.exchange { giveBack(exchange, of: request) }
        request.partition?.drop()
        leavePlace(request)
        // What becomes of its parts is still to be heard.
        if request.parts.underWay > 0 { request.state = .dropped } else { forget(request) }
    }

    private func setReady(_ index: Int) {
        requests[index].state = .ready
        ready.append(index)
    }

    /// Lets the next request of the same key have its turn.
    private func leavePlace(_ request: KafkaRequest) {
        guard let key = request.key else { return }
        request.key = nil
        if let next = order.leave(request.index, key: key) { setReady(next) }
    }

    /// What is with the producer, or held for it, is in flight until the broker has it.
    func countAnswer(_ request: KafkaRequest, _ bytes: Int) {
        request.answerBytes += bytes
        bytesInFlight += bytes
    }

    func forget(_ request: KafkaRequest) {
        bytesInFlight -= request.record.size + request.answerBytes
        requests.giveBack(request)
    }

    private func giveBack(_ exchange: Exchange, of request: KafkaRequest) {
        request.exchange = nil
        flow.end(exchange)
    }
}

// MARK: - Calling

extension KafkaProvider {
    /// Makes an exchange of a request whose turn it is, and has its model called.
    private func start(_ request: KafkaRequest) {
        let exchange = flow.exchanges.take(for: self)
        exchange.providerContext = request.index
        exchange.request.operation = .predict
        exchange.request.receivedAt = request.receivedAt
        request.exchange = exchange
        header.begin()
        request.record.headers.forEachHeader { header.visit($0, $1, exchange) }
        header.end(exchange)
        exchange.request.face = header.face ?? options.face
        if header.wantsParts { wantParts(request) }
        if let failure = fill(exchange, request) {
            refuse(request, exchange, failure)
        } else {
            flow.ensureRequestId(exchange)
            request.state = .calling
            flow.ask(exchange)
        }
    }

    /// Gives the exchange its body and its route; why that cannot be.
    private func fill(_ exchange: Exchange, _ request: KafkaRequest) -> ExchangeFailure? {
        if !header.replyTopic.isEmpty {
            guard options.replyTopics.allows(header.replyTopic) else {
                return ExchangeFailure(
                    cause: .badReplyTopic,
                    message: "the topic in ameron-reply-topic is not one that allowedReplyTopics allows"
                )
            }
            request.replyTopic = header.replyTopic.string
        }
        if request.record.hasTooManyHeaders {
            return ExchangeFailure(cause: .headersTooLarge, message: "the record has more than 1,000 headers")
        }
        if let failure = header.failure { return failure }
        guard let value = request.record.value, !value.isEmpty else {
            return ExchangeFailure(cause: .emptyRequest, message: "the record has no value")
        }
        guard value.count <= options.maxBodyBytes else {
            return ExchangeFailure(cause: .bodyTooLarge, message: "the value is longer than server.maxBodyBytes allows")
        }
        exchange.request.body.append(value)
        let name = header.model.isEmpty ? model.view : header.model
        return router.assignRoute(to: exchange, name: name, version: header.version)
    }

    private func refuse(_ request: KafkaRequest, _ exchange: Exchange, _ failure: ExchangeFailure) {
        request.note(failure)
        flow.replaceMissingRequestId(exchange)
        ErrorAnswer.write(failure, to: exchange)
        exchange.reply.completedAt = flow.clock.monotonic()
        answer(request, exchange)
    }
}

// MARK: - Answering

extension KafkaProvider {
    /// Hands the answer to the producer, and the dead letter where the request has failed.
    func answer(_ request: KafkaRequest, _ exchange: Exchange) {
        request.state = .answering
        request.attempts = exchange.tries
        request.face = exchange.request.face
        request.requestId.append(exchange.request.id.view)
        flow.metrics.countRequest(
            by: .kafka,
            model: exchange.route?.index,
            code: exchange.reply.status,
            failure: exchange.reply.failure
        )
        if request.failure != nil { sendDeadLetter(request) }
        sendReply(request, exchange)
        giveBack(exchange, of: request)
        if !options.keepsOrderStrictly { leavePlace(request) }
    }

    /// All of a request is at the broker. Where order is kept strictly, only then has the next one of its key its turn: whatever
    /// becomes of messages that are under way together, no two of them are of one key.
    func finish(_ request: KafkaRequest) {
        request.partition?.end(request.ticket)
        leavePlace(request)
        forget(request)
    }
}
