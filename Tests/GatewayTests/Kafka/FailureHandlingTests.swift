import Testing

@testable import Gateway

@Suite struct FailureHandlingTests {
    @Test(
        arguments: [
            (.overloaded, 0, .wait), (.draining, 0, .wait), (.notRecorded, 200, .wait),
            (.refused, 0, .tryAgain), (.unreachable, 0, .tryAgain), (.dns, 0, .tryAgain), (.timeout, 0, .tryAgain),
            (.reset, 0, .tryAgain),
            (.modelError, 500, .tryAgain), (.modelError, 502, .tryAgain), (.modelError, 503, .tryAgain),
            (.modelError, 504, .tryAgain), (.modelError, 599, .tryAgain), (.modelError, 408, .tryAgain),
            (.modelError, 429, .tryAgain),
            (.modelError, 501, .giveUp), (.modelError, 505, .giveUp), (.modelError, 400, .giveUp),
            (.modelError, 404, .giveUp), (.modelError, 422, .giveUp), (.modelError, 302, .giveUp),
            (.modelError, 600, .giveUp),
            (.tls, 0, .giveUp), (.malformed, 200, .giveUp), (.tooLarge, 200, .giveUp), (.other, 0, .giveUp),
            (.badRequest, 0, .giveUp), (.emptyRequest, 0, .giveUp), (.badReplyTopic, 0, .giveUp),
            (.unknownModel, 0, .giveUp), (.unknownVersion, 0, .giveUp), (.bodyTooLarge, 0, .giveUp),
            (.headersTooLarge, 0, .giveUp), (.replyTooLarge, 0, .giveUp), (.replyRejected, 0, .giveUp),
        ] as [(ExchangeFailure.Cause, Int, FailureHandling)]
    )
    func `a failure is tried again only where that may help`(
        cause: ExchangeFailure.Cause,
        status: Int,
        handling: FailureHandling
    ) {
        #expect(FailureHandling(cause, status: status) == handling)
    }
}
