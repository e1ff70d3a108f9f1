@testable import Gateway

/// What must be so whenever a request ends, and in the end.
final class SimulationLedger {
    /// Events that there must be, where none is refused.
    var expectedEvents = 0
    var isStopping = false
    var areEventsSafe: () -> Bool = { true }
}

extension SimulationWorld {
    private var isAtLeastOnce: Bool { setup.delivery == .atLeastOnce }

    /// A request ends before its call began: nobody records that.
    func refused(_ request: SimulatedRequest, _ exchange: Exchange) {
        trace(exchange.reply.status)
        request.replies += 1
        let isRefusal = exchange.reply.failure != nil && exchange.reply.status >= 400
        expect(isRefusal, "request \(request.number) is refused with success")
    }

    /// A request whose client has left ends.
    func abandoned(_ request: SimulatedRequest, _ exchange: Exchange) {
        trace(499)
        request.endings += 1
        expect(request.hasLeft, "request \(request.number) is abandoned, and its client is there")
        let events = request.operation == .predict ? 1 : 0
        ledger.expectedEvents += events
        if isAtLeastOnce, !request.isStream {
            expectEvents(request, rows: 0, failures: ledger.areEventsSafe() ? events : 0)
        } else if isAtLeastOnce, request.rowEvents == 0 {
            // Of a stream there is one event, whatever became of it.
            expect(!ledger.areEventsSafe(), "request \(request.number) is abandoned without an event")
        }
        request.eventsAtEnd = request.rowEvents + request.failureEvents
    }

    /// A reply goes out.
    func replied(_ request: SimulatedRequest, _ exchange: Exchange) {
        trace(request.number)
        trace(exchange.reply.status)
        if request.hasLeft { request.endings += 1 } else { request.replies += 1 }
        checkReply(request, exchange)
        if request.operation == .predict { checkEvents(request, exchange) }
        request.eventsAtEnd = request.rowEvents + request.failureEvents
    }

    /// Each Prediction has its event before it is given to anybody, and each failed call has one.
    private func checkEvents(_ request: SimulatedRequest, _ exchange: Exchange) {
        if exchange.reply.failure == .notRecorded {
            return expect(isAtLeastOnce, "request \(request.number) is not recorded, which nobody has promised")
        }
        var rows = 0
        if request.isStream {
            ledger.expectedEvents += 1
            if isAtLeastOnce { expectEvents(request, rows: 1, failures: 0) }
            return
        }
        if exchange.reply.failure == nil, case .answered(_, let body, _) = request.outcome { rows = body.rows }
        let failures = exchange.reply.failure == nil ? 0 : 1
        ledger.expectedEvents += rows + failures
        if isAtLeastOnce {
            expect(ledger.areEventsSafe(), "request \(request.number) is answered, and the turn's events are lost")
            expectEvents(request, rows: rows, failures: failures)
        }
    }

    private func expectEvents(_ request: SimulatedRequest, rows: Int, failures: Int) {
        expect(
            request.rowEvents == rows && request.failureEvents == failures,
            "request \(request.number) has \(request.rowEvents) events and \(request.failureEvents) of failures, "
                + "not \(rows) and \(failures), when it ends in \(request.exchange?.reply.status ?? 0) "
                + "(\(request.exchange?.reply.failure.map { "\($0)" } ?? "no failure"))"
        )
    }

    /// The reply is what the Model Service has said, or says why not.
    private func checkReply(_ request: SimulatedRequest, _ exchange: Exchange) {
        let (status, failure) = (exchange.reply.status, exchange.reply.failure)
        let isSaid = exchange.stream != nil || !exchange.replyBody.isEmpty || failure == nil || failure == .modelError
        expect(isSaid, "request \(request.number) fails without a word")
        if failure == .notRecorded || failure == .draining && ledger.isStopping {
            return expect(status == 503, "request \(request.number) has \(status)")
        }
        let isRight =
            switch request.outcome {
            case .streamed(nil): failure == .timeout && status == 504 || failure == nil && isDone(request)
            case .streamed(.complete): failure == nil && status == 200
            case .streamed(.failed(let cause)): failure == cause && status >= 400 || failure == nil && isDone(request)
            case .answered(let modelStatus, let body, let headerBytes):
                if headerBytes > exchange.provider.maxReplyHeaderBytes && !isMadeAnew(request, modelStatus) {
                    failure == .answerHeadersTooLarge
                } else if isMadeAnew(request, modelStatus) {
                    status == 200 && failure == nil && !exchange.replyBody.isEmpty
                } else {
                    status == modelStatus && exchange.replyBody == body.bytes.view
                        && (failure == nil || failure == .modelError && modelStatus >= 400)
                }
            case .failed(let cause): failure == cause && status >= 400
            case .none:
                failure == .timeout && now >= exchange.attempt.begunAt + timeout(of: request)
                    // A call that was to be made again could not be.
                    || request.attempts > 1 && status == 503
            }
        expect(
            isRight,
            "request \(request.number) has \(status), \(failure.map { "\($0)" } ?? "no failure"), after \(request.outcome)"
        )
    }

    private func isDone(_ request: SimulatedRequest) -> Bool {
        request.streamSent.withByteView { $0.hasSuffix(ByteView("data: [DONE]\n\n")) }
    }

    /// A client has read some of a stream: the last event only when the answer is recorded.
    func readOfStream(_ request: SimulatedRequest, _ exchange: Exchange) {
        let hasAll = request.streamRead.withByteView { $0.hasSuffix(ByteView("[DONE]\n\n")) }
        if hasAll, isAtLeastOnce {
            expect(request.rowEvents == 1, "request \(request.number) has its last event, and is not recorded")
        }
        let failure = exchange.reply.failure
        let isPrefix = request.streamSent.starts(with: request.streamRead)
        expect(isPrefix || failure != nil, "request \(request.number) has read what was not sent")
    }

    /// A client has all of a stream that it will get.
    func streamIsRead(_ request: SimulatedRequest, _ exchange: Exchange) {
        trace(request.streamRead.count)
        if exchange.reply.failure == nil {
            expect(request.streamRead == request.streamSent, "request \(request.number) lacks some of its stream")
        } else {
            let text = String(decoding: request.streamRead, as: UTF8.self)
            expect(text.contains("event: error\n"), "request \(request.number) is not told that it broke off")
        }
    }

    /// The broker has all parts of an answer that it will get.
    func partsAreRead(_ request: SimulatedRequest, _ exchange: Exchange) {
        trace(request.streamRead.count)
        if exchange.reply.failure == nil {
            expect(request.streamRead == request.streamSent, "request \(request.number) lacks some of its parts")
        } else {
            let isPrefix = request.streamSent.starts(with: request.streamRead)
            expect(isPrefix, "request \(request.number) has parts that were not sent")
        }
    }

    private func isMadeAnew(_ request: SimulatedRequest, _ modelStatus: Int) -> Bool {
        request.face == .native && request.operation == .predict && modelStatus < 300
    }

    private func timeout(of request: SimulatedRequest) -> Int64 {
        request.model.map { setup.models[$0].timeout } ?? .max
    }

    /// Each request that came has ended once, and nothing was recorded of it later.
    func checkRequests() {
        for request in requests where request.hasArrived {
            expect(
                request.replies + request.endings == 1,
                "request \(request.number) has \(request.replies) replies, and \(request.endings) ends without one"
            )
            expect(request.exchange == nil, "request \(request.number) still has an exchange")
            if isAtLeastOnce {
                expect(
                    request.rowEvents + request.failureEvents == request.eventsAtEnd,
                    "request \(request.number) is recorded after its end"
                )
            }
        }
    }
}
