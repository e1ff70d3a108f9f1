/// Why a request is refused before it is a request: what its bytes break, and in whose words that is told.
struct HTTP1Refusal: Error {
    enum Kind {
        /// The bytes are not HTTP/1.1, or can be read in more than one way.
        case malformed
        /// The request line, the header, the body is longer than allowed.
        case targetTooLong, headTooLong, bodyTooLong
        /// A transfer coding other than `chunked` alone.
        case unknownCoding
        case unknownVersion
        /// The first bytes of another protocol.
        case tls, http2
        /// It did not come in time.
        case timedOut
        /// There is no room for its body now.
        case noRoom

        var isOtherProtocol: Bool { self == .tls || self == .http2 }
    }

    let kind: Kind
    /// One sentence for a person, without a full stop.
    let reason: StaticString

    static func malformed(_ reason: StaticString) -> HTTP1Refusal { HTTP1Refusal(kind: .malformed, reason: reason) }

    static var bodyTooLong: HTTP1Refusal {
        HTTP1Refusal(kind: .bodyTooLong, reason: "the body is longer than server.maxBodyBytes allows")
    }

    static var noRoom: HTTP1Refusal {
        HTTP1Refusal(kind: .noRoom, reason: "all bodies together are longer than server.maxInFlightBytes allows")
    }

    static var headTooSlow: HTTP1Refusal {
        HTTP1Refusal(kind: .timedOut, reason: "the header did not come within server.headTimeout")
    }

    static var bodyTooSlow: HTTP1Refusal {
        HTTP1Refusal(kind: .timedOut, reason: "the body came too slowly (server.bodyTimeout)")
    }
}
