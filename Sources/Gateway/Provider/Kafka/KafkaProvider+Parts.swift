/// Answers that go out part after part, where the request says so: one record each, and a last one that tells of the end.
extension KafkaProvider {
    // MARK: Provider

    func takesParts(_ exchange: Exchange) -> Bool { requests[exchange.providerContext].parts.areWanted }

    /// No head goes out by itself.
    func beginReply(_ exchange: Exchange) {
        exchange.stream?.leaveInParts()
        deliverParts(exchange)
    }

    func deliverParts(_ exchange: Exchange) { sendParts(requests[exchange.providerContext], exchange) }

    func hasShownStream(_ exchange: Exchange) -> Bool { requests[exchange.providerContext].parts.count > 0 }

    // MARK: Steps

    func wantParts(_ request: KafkaRequest) {
        request.parts.areWanted = true
        flow.reporting.newRequestId(request.answerId)
    }

    /// The mark of the record that ends an answer; nil: nobody asked for parts. That of an answer in one piece is the only one.
    func finalPart(of request: KafkaRequest) -> KafkaReplyHeader.Part? {
        guard request.parts.areWanted else { return nil }
        return KafkaReplyHeader.Part(number: request.parts.count, isFinal: true, id: request.answerId.view)
    }

    /// The stream is over, as far as the Model Service and the event are concerned.
    func endParts(_ request: KafkaRequest, _ exchange: Exchange) {
        if let failure = exchange.stream?.failure, request.parts.failure == nil {
            // Not told: whoever has the partition next asks again, from the first part on.
            if failure.cause == .draining { return drop(request) }
            request.note(failure)
        }
        request.parts.hasEnd = true
        sendParts(request, exchange)
    }

    /// The partition is gone: whoever has it now asks again, and two Sidecars must not send parts of one answer for long.
    func abortParts(_ request: KafkaRequest, _ exchange: Exchange) {
        guard request.partition?.isGone == true, exchange.state == .streaming else { return }
        let failure = ExchangeFailure(cause: .draining, message: "another Sidecar has the partition")
        flow.abortStream(exchange, failure)
    }

    /// Sends what may leave now, and the final record after the last part: when the broker has all of them, so that nobody takes for
    /// complete what is not.
    private func sendParts(_ request: KafkaRequest, _ exchange: Exchange) {
        guard let stream = exchange.stream else { return }
        while request.parts.mayGo(hasRoom: hasRoomForParts) {
            guard request.parts.failure == nil, let part = stream.takePart() else {
                if request.parts.hasEnd, request.parts.underWay == 0 { sendEnd(request, exchange, stream) }
                return
            }
            send(part, request, exchange)
            flow.tookPart(exchange)
        }
    }

    private var hasRoomForParts: Bool { !replies.isHeldUp && bytesInFlight < options.maxInFlightBytes }

    private func send(_ part: StreamPart, _ request: KafkaRequest, _ exchange: Exchange) {
        KafkaReplyHeader.write(
            exchange,
            part: .init(number: request.parts.count, goesOn: !part.isWhole, id: request.answerId.view),
            answering: request.record,
            carriesOver: true,
            scratch: scratch,
            to: headers
        )
        let bytes = size(ofPart: part.bytes.count, of: request)
        request.parts.sent(bytes)
        countAnswer(request, bytes)
        replies.send(
            to: request.replyTopic ?? options.replyTopic,
            key: request.record.key,
            value: part.bytes,
            headers: headers,
            ticket: Message.part.ticket(request)
        )
    }

    /// What a part is counted as; the same when it is sent and when the broker has it.
    private func size(ofPart bytes: Int, of request: KafkaRequest) -> Int {
        bytes + request.record.headers.byteCount + KafkaParts.headerBytes
    }

    private func sendEnd(_ request: KafkaRequest, _ exchange: Exchange, _ stream: AnswerStream) {
        if let failure = request.parts.failure ?? stream.failure { ErrorAnswer.write(failure, to: exchange) }
        answer(request, exchange)
    }

    // MARK: From the broker

    /// What became of a part; false: it is to be sent again later.
    func settlePart(_ request: KafkaRequest, _ outcome: KafkaReplies.Outcome) -> Bool {
        if let error = outcome.error {
            guard request.state == .dropped || partFailed(request, error) else {
                request.parts.delay()
                return false
            }
        } else if request.parts.partition == nil, request.parts.failure == nil {
            request.parts.partition = outcome.partition
        }
        let bytes = size(ofPart: outcome.bytes, of: request)
        request.parts.settled(bytes)
        countAnswer(request, -bytes)
        if request.state == .dropped {
            if request.parts.underWay == 0 { forget(request) }
        } else if let exchange = request.exchange {
            sendParts(request, exchange)
        }
        return true
    }

    /// The broker refuses a part. Whether that is the end of the answer.
    private func partFailed(_ request: KafkaRequest, _ error: KafkaError) -> Bool {
        if error.isMessageTooLarge {
            fail(request, .init(cause: .replyTooLarge, message: "a part of the answer is larger than the broker takes"))
        } else if error.isRecordInvalid || leavesPartition(request, error) {
            fail(request, .init(cause: .replyRejected, message: "the broker does not take a part of the answer"))
        } else if leavesTopic(request, error) {
            fail(request, .unfitReplyTopic)
        } else {
            return false
        }
        return true
    }

    /// The answer goes no further: the final record says why, and the request goes to the dead letters.
    private func fail(_ request: KafkaRequest, _ failure: ExchangeFailure) {
        guard request.parts.failure == nil else { return }
        request.parts.failure = failure
        request.note(failure)
        guard let exchange = request.exchange, exchange.state == .streaming else { return }
        flow.abortStream(exchange, failure)
    }

    /// The topic that the request names is no good: from now on its answer goes to the usual one.
    func leavesTopic(_ request: KafkaRequest, _ error: KafkaError) -> Bool {
        guard error.isOfTopic, request.replyTopic != nil else { return false }
        request.replyTopic = nil
        request.parts.partition = nil
        return true
    }

    /// The partition of the parts is no more, as the topic was made anew with fewer: the rest may go anywhere.
    func leavesPartition(_ request: KafkaRequest, _ error: KafkaError) -> Bool {
        guard error.isUnknownPartition, request.parts.partition != nil else { return false }
        request.parts.partition = nil
        return true
    }
}

extension KafkaError {
    /// A message for a partition that the topic does not have (RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION).
    fileprivate var isUnknownPartition: Bool { code == -190 }
}
