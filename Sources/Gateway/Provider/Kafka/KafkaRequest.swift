/// A record in the hands of the Sidecar, from its arrival until its answer is at the broker. Pooled.
final class KafkaRequest {
    enum State {
        /// In the pool.
        case idle
        /// Behind another one of the same key.
        case waiting
        /// It is its turn.
        case ready
        /// Its call is out, or waits until it is made again.
        case calling
        /// Its answer is with the producer.
        case answering
        /// It is left to the next owner of its partition, and parts of its answer are still with the producer.
        case dropped
    }

    /// Its place in the pool.
    let index: Int
    var state = State.idle

    // Where it comes from.
    let record = KafkaRecord()
    /// There while the request is in use.
    var partition: PartitionProgress?
    /// Of its entry in the partition's progress.
    var ticket = 0
    /// Its place among those of the same key; nil: it has no key, or has left its place.
    var key: UInt64?
    /// Nanoseconds of the monotonic clock.
    var receivedAt: Int64 = 0

    // The call.
    var exchange: Exchange?
    /// Calls that had begun when it was answered.
    var attempts = 0
    /// How often the Sidecar itself could not take it.
    var waits = 0

    // The answer.
    var parts = KafkaParts()
    /// Of an answer that was asked for in parts.
    let answerId = ByteBuffer(capacity: 64)
    var face = Face.native
    let requestId = ByteBuffer(capacity: 64)
    /// The topic that the request names for its answer; nil: the configured one.
    var replyTopic: String?
    /// Why it becomes a dead letter; nil: it does not.
    var failure: ExchangeFailure.Cause?
    var failureWord: StaticString = ""
    let failureMessage = ByteBuffer(capacity: 128)
    /// Messages that the broker has not acknowledged yet.
    var pending = 0
    /// Of those, and of what they took the place of.
    var answerBytes = 0
    /// How much smaller the messages were made because the broker did not take them: 0 not at all.
    var replyReduction = 0
    var deadLetterReduction = 0
    var hasDeadLetter = false

    init(index: Int) { self.index = index }

    /// Keeps why the request has failed: the failure's own bytes do not last.
    func note(_ failure: ExchangeFailure) {
        self.failure = failure.cause
        failureWord = failure.word
        failureMessage.removeAll()
        failureMessage.append(failure.message)
        if !failure.detail.isEmpty {
            failureMessage.append(": ")
            failureMessage.append(failure.detail)
        }
    }

    fileprivate func reset() {
        state = .waiting
        ticket = 0
        key = nil
        receivedAt = 0
        attempts = 0
        waits = 0
        parts = KafkaParts()
        answerId.removeAll()
        face = .native
        requestId.removeAll(keepingAtMost: 1 << 10)
        replyTopic = nil
        failure = nil
        failureWord = ""
        failureMessage.removeAll(keepingAtMost: 1 << 10)
        pending = 0
        answerBytes = 0
        replyReduction = 0
        deadLetterReduction = 0
        hasDeadLetter = false
    }
}

@available(*, unavailable)
extension KafkaRequest: Sendable {}

/// A shard's requests from Kafka: as many as were ever in flight at once, found by their index.
final class KafkaRequestPool {
    private var all: [KafkaRequest] = []
    private var free: [Int] = []

    var inUse: Int { all.count - free.count }

    subscript(index: Int) -> KafkaRequest { all[index] }

    func take() -> KafkaRequest {
        let request: KafkaRequest
        if let index = free.popLast() {
            request = all[index]
        } else {
            request = KafkaRequest(index: all.count)
            all.append(request)
        }
        request.reset()
        return request
    }

    func giveBack(_ request: KafkaRequest) {
        precondition(request.state != .idle, "a request is given back once")
        request.state = .idle
        request.record.clear()
        request.partition = nil
        free.append(request.index)
    }

    /// Shows each request in use. Not for the request path.
    func forEachInUse(_ body: (KafkaRequest) -> Void) {
        for request in all where request.state != .idle { body(request) }
    }
}
