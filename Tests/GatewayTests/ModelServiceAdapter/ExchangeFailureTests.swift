import Testing

@testable import Gateway

@Suite struct ExchangeFailureTests {
    @Test(arguments: [
        (ExchangeFailure.Cause.badRequest, "badRequest", 400, "Bad Request"),
        (.forbidden, "forbidden", 403, "Forbidden"),
        (.unknownPath, "unknownPath", 404, "Not Found"), (.unknownModel, "unknownModel", 404, "Not Found"),
        (.unknownVersion, "unknownVersion", 404, "Not Found"),
        (.methodNotAllowed, "methodNotAllowed", 405, "Method Not Allowed"),
        (.bodyTooLarge, "bodyTooLarge", 413, "Content Too Large"),
        (.headersTooLarge, "headersTooLarge", 431, "Request Header Fields Too Large"),
        (.clientClosed, "clientClosed", 499, "Client Closed Request"),
        (.overloaded, "overloaded", 503, "Service Unavailable"), (.draining, "draining", 503, "Service Unavailable"),
        (.timeout, "timeout", 504, "Gateway Timeout"), (.refused, "refused", 502, "Bad Gateway"),
        (.unreachable, "unreachable", 502, "Bad Gateway"), (.dns, "dns", 502, "Bad Gateway"),
        (.tls, "tls", 502, "Bad Gateway"), (.reset, "reset", 502, "Bad Gateway"),
        (.answerHeadersTooLarge, "headersTooLarge", 502, "Bad Gateway"),
        (.malformed, "malformed", 502, "Bad Gateway"), (.tooLarge, "tooLarge", 502, "Bad Gateway"),
        (.modelError, "modelError", 502, "Bad Gateway"), (.other, "other", 502, "Bad Gateway"),
    ])
    func hasAStatus(_ cause: ExchangeFailure.Cause, _ word: String, _ status: Int, _ title: String) {
        let failure = ExchangeFailure(cause: cause, message: "x")
        #expect("\(failure.word)" == word)
        #expect(failure.status == status)
        #expect("\(failure.title)" == title)
    }

    @Test(arguments: [
        (CurlFailure.Kind.refused, ExchangeFailure.Cause.refused), (.unreachable, .unreachable), (.dns, .dns),
        (.tls, .tls), (.resetBeforeAnswer, .reset), (.resetInAnswer, .reset), (.malformed, .malformed),
        (.tooLarge, .tooLarge), (.timeout, .timeout), (.other, .other),
    ])
    func comesFromTheTransport(_ kind: CurlFailure.Kind, _ cause: ExchangeFailure.Cause) {
        let failure = ExchangeFailure(kind, detail: ByteView("told"))
        #expect(failure.cause == cause)
        #expect(failure.detail == (kind == .tooLarge ? "" : "told"))
    }
}
