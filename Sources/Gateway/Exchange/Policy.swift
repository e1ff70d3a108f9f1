/// What is done when the call of an exchange has failed, or could not begin: what stands between the exchange and the adapters.
///
/// One per shard and rule; confined to its thread. Where there is none, each call is made once.
protocol Policy: AnyObject {
    /// Asked once for each failure of a prediction of which its client has seen nothing.
    func decide(_ exchange: Exchange, after failure: ExchangeFailure) -> PolicyDecision
}

enum PolicyDecision: Equatable {
    /// The failure is the outcome.
    case over
    /// Nobody is told of it: the call is made again after so many nanoseconds.
    case again(after: Int64)
}
