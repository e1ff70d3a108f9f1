/// An API through which clients get Predictions. One object per shard; confined to the shard's thread.
protocol Provider: AnyObject {
    var kind: ProviderKind { get }
    /// The most that the header lines of a reply may take, as they go to the client: name, colon, space, value, CR LF. What a
    /// Model Service sends beyond is no answer that the client can get.
    var maxReplyHeaderBytes: Int { get }
    /// The exchange's reply is complete: send it on. Or, in the state `retrying`, `retries` was true of its failure.
    func deliver(_ exchange: Exchange)
    /// Whether the exchange will be tried again after this failure, of which then nobody is told; `deliver` follows at the
    /// end of the turn.
    func retries(_ exchange: Exchange, after failure: ExchangeFailure) -> Bool
}

extension Provider {
    var maxReplyHeaderBytes: Int { .max }
    func retries(_ exchange: Exchange, after failure: ExchangeFailure) -> Bool { false }
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
