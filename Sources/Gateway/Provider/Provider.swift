/// An API through which clients get Predictions. One object per shard; confined to the shard's thread.
protocol Provider: AnyObject {
    var kind: ProviderKind { get }
    /// The most that the header lines of a reply may take, as they go to the client: name, colon, space, value, CR LF. What a
    /// Model Service sends beyond is no answer that the client can get.
    var maxReplyHeaderBytes: Int { get }
    /// The exchange's reply is complete: send it on.
    func deliver(_ exchange: Exchange)
    /// Who decides about its failures; nil: each of them is the outcome.
    func policy(of exchange: Exchange) -> (any Policy)?
    /// Whether a call that is to be made again still is; else `drop` follows.
    func waits(for exchange: Exchange) -> Bool
    /// Nobody needs an outcome of the exchange any more: end it.
    func drop(_ exchange: Exchange)
    /// Whether what is not done when the shard ends is left to other Sidecars.
    var leavesToOthers: Bool { get }
    /// Whether its clients can be sent an answer as it comes: then the next two are called.
    var takesParts: Bool { get }
    /// Whether long bodies go on as they come, which are no streams: of no use where a reply is sent whole in the end.
    var passesBodies: Bool { get }
    /// Some of a request's body has been sent that goes on as it comes: there may be room for more of it.
    func sentBody(_ exchange: Exchange)
    /// Status and header lines of the exchange's reply are known, and its body comes in parts: `Exchange.stream`. `deliver` follows
    /// at the end.
    func beginReply(_ exchange: Exchange)
    /// More of a body has come whose length is known: it may leave before the end of the turn. Whether some has.
    func sendAhead(_ exchange: Exchange) -> Bool
    /// More of the stream may leave. The Provider says `ExchangeFlow.tookPart` of what it takes.
    func deliverParts(_ exchange: Exchange)
}

extension Provider {
    var maxReplyHeaderBytes: Int { .max }
    func policy(of exchange: Exchange) -> (any Policy)? { exchange.route?.retry }
    func waits(for exchange: Exchange) -> Bool { true }
    func drop(_ exchange: Exchange) { preconditionFailure("somebody waits for it") }
    var leavesToOthers: Bool { false }
    var takesParts: Bool { false }
    var passesBodies: Bool { false }
    func sentBody(_ exchange: Exchange) {}
    func sendAhead(_ exchange: Exchange) -> Bool { false }
    func beginReply(_ exchange: Exchange) { preconditionFailure("it takes no parts") }
    func deliverParts(_ exchange: Exchange) { preconditionFailure("it takes no parts") }
}

/// The Providers there are, in the order of the metrics.
enum ProviderKind: Int, CaseIterable {
    case rest, kafka

    /// The word for it in events and metrics.
    var name: StaticString {
        switch self {
        case .rest: "rest"
        case .kafka: "kafka"
        }
    }
}

/// Which of the APIs a request came through: it decides what answers and errors look like.
enum Face {
    case native, v1, v2

    /// The word for it in events.
    var name: StaticString {
        switch self {
        case .native: "native"
        case .v1: "v1"
        case .v2: "v2"
        }
    }
}
