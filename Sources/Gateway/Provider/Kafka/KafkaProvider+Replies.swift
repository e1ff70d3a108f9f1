// What goes to the broker, and what becomes of it there.
extension KafkaProvider: KafkaRepliesDelegate {
    /// Which of a request's messages a ticket stands for; the request's index is in the bits above.
    private enum Part: Int {
        case reply = 1
        case deadLetter = 2

        func ticket(_ request: KafkaRequest) -> Int { request.index << 2 | rawValue }
    }

    func sendReply(_ request: KafkaRequest, _ exchange: Exchange) {
        let record = request.record
        let isBare = request.replyReduction > 1
        KafkaReplyHeader.write(exchange, answering: record, carriesOver: !isBare, scratch: scratch, to: headers)
        request.pending += 1
        countAnswer(request, exchange.replyBody.count + headers.byteCount)
        replies.send(
            to: request.replyTopic ?? options.replyTopic,
            key: isBare ? nil : record.key,
            value: exchange.replyBody,
            headers: headers,
            ticket: Part.reply.ticket(request)
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
            ticket: Part.deadLetter.ticket(request)
        )
    }

    func settle(ticket: Int, error: KafkaError?) -> Bool {
        let request = requests[ticket >> 2]
        if let error {
            let isSettled =
                ticket & 3 == Part.reply.rawValue
                ? replyFailed(request, error) : deadLetterFailed(request, error)
            guard isSettled else { return false }
        }
        // What has taken the place of a refused message is counted already.
        request.pending -= 1
        if request.pending == 0 { finish(request) }
        return true
    }

    /// The broker refuses an answer. Whether that is the end of this message; then another has taken its place, or it was
    /// the last way to tell the requester.
    private func replyFailed(_ request: KafkaRequest, _ error: KafkaError) -> Bool {
        if error.isMessageTooLarge || error.isRecordInvalid {
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
        if error.isOfTopic, request.replyTopic != nil {
            request.replyTopic = nil
            replace(
                request,
                ExchangeFailure(
                    cause: .badReplyTopic,
                    message: "the topic in ameron-reply-topic does not take the answer"
                )
            )
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

extension KafkaError {
    /// The broker does not take what the message says, such as no key where the topic wants one (INVALID_RECORD).
    fileprivate var isRecordInvalid: Bool { code == 87 }

    /// The topic is not there, may not be written to, or can't be a topic (TOPIC_EXCEPTION).
    fileprivate var isOfTopic: Bool {
        self == .unknownTopic || self == .unknownTopicOrPartition || self == .topicAuthorizationFailed || code == 17
    }
}
