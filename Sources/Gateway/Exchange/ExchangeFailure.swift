/// Why a request got no answer from its model, or not the one it should have: the one place where a cause becomes a status.
struct ExchangeFailure {
    enum Cause: Int, CaseIterable {
        // The client's doing.
        case badRequest, unknownPath, unknownModel, unknownVersion, methodNotAllowed, bodyTooLarge, headersTooLarge
        case targetTooLong, unknownCoding, unknownHTTPVersion, requestTimeout, clientClosed, forbidden
        // The client's doing, over Kafka.
        case emptyRequest, badReplyTopic
        // The Sidecar's state.
        case overloaded, draining, notRecorded
        // The Model Service's doing.
        case refused, unreachable, dns, tls, timeout, reset, malformed, tooLarge, answerHeadersTooLarge, modelError,
            other
        // The broker's doing: it does not take the answer.
        case replyTooLarge, replyRejected
    }

    var cause: Cause
    /// One sentence for a person.
    var message: StaticString
    /// What libcurl or the JSON reader has to add; empty: nothing. Valid until the exchange is over.
    var detail = ByteView.empty

    /// The Reporters could not be left its events.
    static var notRecorded: ExchangeFailure {
        ExchangeFailure(cause: .notRecorded, message: "the Prediction could not be recorded")
    }

    /// Nor can they ever be, so long as the configuration stays as it is: to ask again is in vain.
    static var neverRecorded: ExchangeFailure {
        ExchangeFailure(
            cause: .tooLarge,
            message: "the events of the answer are longer than reporting.spool.maxBytes allows"
        )
    }

    /// The stable word under `error.cause` in events and `cause` in native answers.
    var word: StaticString {
        switch cause {
        case .badRequest: "badRequest"
        case .unknownPath: "unknownPath"
        case .unknownModel: "unknownModel"
        case .unknownVersion: "unknownVersion"
        case .methodNotAllowed: "methodNotAllowed"
        case .bodyTooLarge: "bodyTooLarge"
        case .headersTooLarge, .answerHeadersTooLarge: "headersTooLarge"
        case .targetTooLong: "targetTooLong"
        case .unknownCoding: "unknownCoding"
        case .unknownHTTPVersion: "unknownHTTPVersion"
        case .requestTimeout: "requestTimeout"
        case .clientClosed: "clientClosed"
        case .forbidden: "forbidden"
        case .emptyRequest: "emptyRequest"
        case .badReplyTopic: "badReplyTopic"
        case .overloaded: "overloaded"
        case .draining: "draining"
        case .notRecorded: "notRecorded"
        case .refused: "refused"
        case .unreachable: "unreachable"
        case .dns: "dns"
        case .tls: "tls"
        case .timeout: "timeout"
        case .reset: "reset"
        case .malformed: "malformed"
        case .tooLarge: "tooLarge"
        case .modelError: "modelError"
        case .other: "other"
        case .replyTooLarge: "replyTooLarge"
        case .replyRejected: "replyRejected"
        }
    }

    /// The HTTP status that the client gets. A model's own error keeps its own status.
    var status: Int {
        switch cause {
        case .badRequest, .emptyRequest, .badReplyTopic: 400
        case .forbidden: 403
        case .unknownPath, .unknownModel, .unknownVersion: 404
        case .methodNotAllowed: 405
        case .requestTimeout: 408
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .headersTooLarge: 431
        // Not in any RFC: nginx's word for a client that left, understood by those who read metrics.
        case .clientClosed: 499
        case .unknownCoding: 501
        case .overloaded, .draining, .notRecorded: 503
        case .timeout: 504
        case .unknownHTTPVersion: 505
        case .refused, .unreachable, .dns, .tls, .reset, .malformed, .tooLarge, .answerHeadersTooLarge, .modelError,
            .other, .replyTooLarge, .replyRejected:
            502
        }
    }

    /// The reason phrase of the status (RFC 9110, section 15), the title of a problem document.
    var title: StaticString {
        switch status {
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 431: "Request Header Fields Too Large"
        case 499: "Client Closed Request"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Bad Gateway"
        }
    }
}
