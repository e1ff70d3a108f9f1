/// What is done about a request from Kafka that has failed.
enum FailureHandling {
    /// The Model Service may be well again later: the call is made again, so many times as the configuration says.
    case tryAgain
    /// The Sidecar itself can't take it now: it waits, for as long as that lasts.
    case wait
    /// It will fail again: it becomes a dead letter.
    case giveUp

    /// - Parameter status: what the Model Service answered; 0: it did not.
    init(_ cause: ExchangeFailure.Cause, status: Int) {
        switch cause {
        case .overloaded, .draining, .notRecorded: self = .wait
        case .refused, .unreachable, .dns, .timeout, .reset: self = .tryAgain
        case .modelError: self = Self.isTemporary(status) ? .tryAgain : .giveUp
        case .badRequest, .forbidden, .unknownPath, .unknownModel, .unknownVersion, .methodNotAllowed, .bodyTooLarge,
            .headersTooLarge, .targetTooLong, .unknownCoding, .unknownHTTPVersion, .requestTimeout, .clientClosed,
            .emptyRequest, .badReplyTopic, .tls, .malformed, .tooLarge, .answerHeadersTooLarge, .other, .replyTooLarge,
            .replyRejected:
            self = .giveUp
        }
    }

    /// Whether the same request may get another answer later (RFC 9110, section 15; 429: RFC 6585): a method or a version
    /// of HTTP that a server does not know (501, 505), it will not know then either.
    private static func isTemporary(_ status: Int) -> Bool {
        switch status {
        case 408, 429: true
        case 501, 505: false
        default: (500..<600).contains(status)
        }
    }
}
