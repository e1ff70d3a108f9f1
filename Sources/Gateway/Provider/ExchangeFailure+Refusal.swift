extension ExchangeFailure {
    /// What it means for an exchange that its request was refused.
    init(_ refusal: HTTP1Refusal) {
        let cause: Cause =
            switch refusal.kind {
            case .malformed: .badRequest
            case .targetTooLong: .targetTooLong
            case .headTooLong: .headersTooLarge
            case .bodyTooLong: .bodyTooLarge
            case .unknownCoding: .unknownCoding
            case .unknownVersion: .unknownHTTPVersion
            case .timedOut: .requestTimeout
            case .noRoom: .overloaded
            }
        self.init(cause: cause, message: refusal.reason)
    }
}
