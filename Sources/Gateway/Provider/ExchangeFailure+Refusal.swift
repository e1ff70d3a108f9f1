extension ExchangeFailure {
    /// What it means for an exchange that its request was refused.
    init(_ refusal: HTTP1Refusal) {
        let cause: Cause =
            switch refusal.kind {
            case .malformed, .tls: .badRequest
            case .targetTooLong: .targetTooLong
            case .headTooLong: .headersTooLarge
            case .bodyTooLong: .bodyTooLarge
            case .unknownCoding: .unknownCoding
            case .unknownVersion, .http2: .unknownHTTPVersion
            case .timedOut: .requestTimeout
            case .noRoom: .overloaded
            }
        self.init(cause: cause, message: refusal.reason)
    }
}
