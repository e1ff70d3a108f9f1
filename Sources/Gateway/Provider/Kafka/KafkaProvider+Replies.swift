// What goes to the broker, and what becomes of it there.
extension KafkaProvider: KafkaRepliesDelegate {
    /// Which of a request's messages a ticket stands for; the request's index is in the bits above.
    enum Message: Int {
        case reply = 1
        case deadLetter = 2
        /// Any but the last one of an answer in parts.
        case part = 3

        func ticket(_ request: KafkaRequest) -> Int { request.index << 2 | rawValue }
    }

    func sendReply(_ request: KafkaRequest, _ exchange: Exchange) {
        let record = request.record
        let isBare = request.replyReduction > 1
        KafkaReplyHeader.write(
            exchange,
            part: finalPart(of: request),
            answering: record,
            carriesOver: !isBare,
            scratch: scratch,
            to: headers
        )
        request.pending += 1
        countAnswer(request, exchange.replyBody.count + headers.byteCount)
        replies.send(
            to: request.replyTopic ?? options.replyTopic,
            key: isBare ? nil : record.key,
            value: exchange.replyBody,
            headers: headers,
            ticket: Message.reply.ticket(request)
        )
    }

    func sendDeadLetter(_ request: KafkaRequest) {
        if !request.hasDeadLetter { metrics.countDeadLetter() }
        request.hasDeadLetter = true
        let reduction = DeadLetter.Reduction(rawValue: request.deadLetterReduction) ?? .withoutKeyAndHeaders
        DeadLetter.writeHeaders(of: request, from: requestTopic.view, reduction, scratch: scratch, to: headers)
        request.pending += 1
        countAnswer(request, request.record.size)
        replies.send(
            to: options.deadLetterTopic,
            key: reduction == .withoutKeyAndHeaders ? nil : request.record.key,
            value: reduction == .none ? request.record.value : nil,
            headers: headers,
            ticket: Message.deadLetter.ticket(request)
        )
    }

    func settle(_ outcome: KafkaReplies.Outcome) -> Bool {
        let request = requests[outcome.ticket >> 2]
        guard let message = Message(rawValue: outcome.ticket & 3) else { return true }
        if message == .part { return settlePart(request, outcome) }
        if let error = outcome.error {
            let isSettled = message == .reply ? replyFailed(request, error) : deadLetterFailed(request, error)
            guard isSettled else { return false }
        }
        // What has taken the place of a refused message is counted already.
        request.pending -= 1
        if request.pending == 0 { finish(request) }
        return true
    }

    func partition(of ticket: Int) -> Int32? {
        ticket & 3 == Message.deadLetter.rawValue ? nil : requests[ticket >> 2].parts.partition
    }

    /// The broker refuses an answer. Whether that is the end of this message; then another has taken its place, or it was
    /// the last way to tell the requester.
    private func replyFailed(_ request: KafkaRequest, _ error: KafkaError) -> Bool {
        if error.isMessageTooLarge || error.isRecordInvalid || leavesPartition(request, error) {
            guard request.replyReduction < 2 else {
                log.error("no answer could be sent, not even that it is too large: \(error)")
                return true
            }
            // An error answer that is too large is so for the headers that it carries over.
            request.replyReduction = request.failure == nil ? 1 : 2
            replace(
                request,
                error.isMessageTooLarge
                    ? ExchangeFailure(cause: .replyTooLarge, message: "the answer is larger than the broker takes")
                    : ExchangeFailure(cause: .replyRejected, message: "the broker does not take the answer")
            )
            return true
        }
        if leavesTopic(request, error) {
            replace(request, .unfitReplyTopic)
            return true
        }
        return false
    }

    /// Sends an error answer in place of the one that was refused, and the request to the dead letters.
    private func replace(_ request: KafkaRequest, _ failure: ExchangeFailure) {
        if !request.hasDeadLetter {
            request.note(failure)
            sendDeadLetter(request)
        }
        let exchange = flow.exchanges.take(for: self)
        exchange.providerContext = request.index
        exchange.request.face = request.face
        exchange.request.receivedAt = request.receivedAt
        exchange.request.id.append(request.requestId.view)
        ErrorAnswer.write(failure, to: exchange)
        sendReply(request, exchange)
        flow.end(exchange)
    }

    private func deadLetterFailed(_ request: KafkaRequest, _ error: KafkaError) -> Bool {
        guard error.isMessageTooLarge else { return false }
        guard request.deadLetterReduction < DeadLetter.Reduction.withoutKeyAndHeaders.rawValue else {
            log.error("a dead letter is lost: not even its headers are small enough for the broker")
            return true
        }
        request.deadLetterReduction += 1
        log.error("a dead letter is too large for the broker: its value is left out")
        sendDeadLetter(request)
        return true
    }
}

extension ExchangeFailure {
    static var unfitReplyTopic: ExchangeFailure {
        ExchangeFailure(
            cause: .badReplyTopic,
            message: "the topic in ameron-reply-topic does not take the answer"
        )
    }
}

extension KafkaError {
    /// The broker does not take what the message says, such as no key where the topic wants one (INVALID_RECORD).
    var isRecordInvalid: Bool { code == 87 }

    /// The topic is not there, may not be written to, or can't be a topic (TOPIC_EXCEPTION).
    var isOfTopic: Bool {
        self == .unknownTopic || self == .unknownTopicOrPartition || self == .topicAuthorizationFailed || code == 17
    }
}
