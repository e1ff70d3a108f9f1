import TestSupport
import Testing

@testable import Gateway

/// What a client gets of each failure, in the manner of its face.
@Suite struct ErrorAnswerTests {
    private let rig = FlowRig()

    private func makeExchange(_ face: Face, id: String = "the-id") -> Exchange {
        let exchange = rig.flow.exchanges.take(for: rig.provider)
        exchange.request.face = face
        exchange.request.id.append(string: id)
        return exchange
    }

    private func headers(_ exchange: Exchange) -> [String] {
        (0..<exchange.reply.headers.count).map { index in
            "\(exchange.reply.headers[index].name.string): \(exchange.reply.headers[index].value.string)"
        }
    }

    @Test(arguments: ExchangeFailure.Cause.allCases, [Face.native, .v1, .v2])
    func `each cause has its body`(_ cause: ExchangeFailure.Cause, _ face: Face) throws {
        let exchange = makeExchange(face)
        let failure = ExchangeFailure(cause: cause, message: "it \"failed\"", detail: ByteView("say \"2s\"\n"))
        // The message is ours, and stands in the source as it goes into JSON; the detail may be anything.
        ErrorAnswer.write(
            ExchangeFailure(cause: cause, message: "it failed", detail: failure.detail),
            to: exchange
        )
        #expect(exchange.reply.status == failure.status)
        #expect((400...599).contains(exchange.reply.status))
        #expect(exchange.reply.failure == cause)
        let body = try JSON(parsing: exchange.replyBody.string)
        let message: JSON = "it failed: say \"2s\"\n"
        if face == .native {
            #expect(body.names == ["type", "title", "status", "detail", "cause", "requestId"])
            #expect(body["type"] == "about:blank")
            #expect(body["title"]?.string == "\(failure.title)")
            #expect(body["status"]?.int == failure.status)
            #expect(body["detail"] == message)
            #expect(body["cause"]?.string == "\(failure.word)")
            #expect(body["requestId"] == "the-id")
        } else {
            #expect(body == ["error": message])
        }
        let type = face == .native ? "application/problem+json" : "application/json"
        #expect(headers(exchange) == (failure.status == 503 ? ["Retry-After: 1"] : []) + ["Content-Type: \(type)"])
    }

    /// RFC 9110 says of each status what it is called; nobody gets 502 for a fault of his own.
    @Test func `statuses and titles fit the causes`() {
        let titles = [
            400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
            413: "Content Too Large", 414: "URI Too Long", 431: "Request Header Fields Too Large",
            499: "Client Closed Request", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
            504: "Gateway Timeout", 505: "HTTP Version Not Supported",
        ]
        let statuses: [ExchangeFailure.Cause: Int] = [
            .emptyRequest: 400, .badReplyTopic: 400, .requestTimeout: 408, .targetTooLong: 414, .unknownCoding: 501,
            .unknownHTTPVersion: 505, .notRecorded: 503, .replyTooLarge: 502, .replyRejected: 502,
        ]
        for cause in ExchangeFailure.Cause.allCases {
            let failure = ExchangeFailure(cause: cause, message: "")
            #expect(titles[failure.status] == "\(failure.title)", "\(cause)")
            if let status = statuses[cause] { #expect(failure.status == status, "\(cause)") }
        }
        // One word each, but for the two headers that may be too long.
        let words = ExchangeFailure.Cause.allCases.map { "\(ExchangeFailure(cause: $0, message: "").word)" }
        #expect(Set(words).count == words.count - 1)
    }

    @Test func `without a detail there is the message alone`() throws {
        for face in [Face.native, .v2] {
            let exchange = makeExchange(face)
            ErrorAnswer.write(.notRecorded, to: exchange)
            let body = try JSON(parsing: exchange.replyBody.string)
            #expect(body[face == .native ? "detail" : "error"] == "the Prediction could not be recorded")
        }
    }

    /// It takes the place of an answer that was on its way: of its status, its lines, its body.
    @Test(arguments: [Face.native, .v1]) func `nothing of another answer is left`(_ face: Face) throws {
        let exchange = makeExchange(face)
        exchange.reply.status = 200
        exchange.reply.headers.append("Content-Type", ByteView("text/csv"))
        exchange.reply.headers.append("Set-Cookie", ByteView("a=b"))
        exchange.reply.ownBody.append("half an answ")
        exchange.attempt.answer = rig.makeAnswer(bytes: Array("the model's".utf8))
        exchange.reply.bodySource = .answer
        ErrorAnswer.write(ExchangeFailure(cause: .timeout, message: "late"), to: exchange)
        #expect(exchange.reply.status == 504)
        #expect(headers(exchange).count == 1 && !headers(exchange).contains("Content-Type: text/csv"))
        let body = try JSON(parsing: exchange.replyBody.string)
        #expect(body[face == .native ? "detail" : "error"] == "late")
    }

    @Test(arguments: [
        [UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x0a, 0x00, 0x1f, 0x7f], [0xff, 0xc3, 0x28], Array("é🙂\u{2028}".utf8),
    ])
    func `details and ids may be any bytes`(_ bytes: [UInt8]) throws {
        for face in [Face.native, .v2] {
            let exchange = makeExchange(face, id: "")
            exchange.request.id.append(contentsOf: bytes)
            bytes.withByteView {
                ErrorAnswer.write(ExchangeFailure(cause: .malformed, message: "m", detail: $0), to: exchange)
            }
            let body = try JSON(parsing: exchange.replyBody.array)
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(body[face == .native ? "detail" : "error"]?.string == "m: " + text)
            if face == .native { #expect(body["requestId"]?.string == text) }
        }
    }

    @Test(arguments: [
        (HTTP1Refusal.Kind.malformed, ExchangeFailure.Cause.badRequest), (.tls, .badRequest),
        (.targetTooLong, .targetTooLong), (.headTooLong, .headersTooLarge), (.bodyTooLong, .bodyTooLarge),
        (.unknownCoding, .unknownCoding), (.unknownVersion, .unknownHTTPVersion), (.http2, .unknownHTTPVersion),
        (.timedOut, .requestTimeout), (.noRoom, .overloaded),
    ])
    func `what is refused as no request has a cause`(_ kind: HTTP1Refusal.Kind, _ cause: ExchangeFailure.Cause) {
        let failure = ExchangeFailure(HTTP1Refusal(kind: kind, reason: "the reason"))
        #expect(failure.cause == cause)
        #expect("\(failure.message)" == "the reason" && failure.detail.isEmpty)
    }
}
