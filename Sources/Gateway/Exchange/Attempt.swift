/// One call of one Model Service for an exchange: its times, its answer, what of the adapter's belongs to it.
///
/// Confined to its shard's thread. The flow gives it to an adapter by `submit`, hears of it as an `AttemptSink`, and takes it
/// back by `release`.
final class Attempt {
    // Which lives as long: not counted.
    private unowned(unsafe) var owner: Exchange?

    /// Whose it is.
    var exchange: Exchange {
        guard let owner else { preconditionFailure("an attempt belongs to an exchange") }
        return owner
    }

    // Nanoseconds of the monotonic clock, 0: not reached.
    /// When it began, the wait for a connection included: its time limit counts from here.
    var begunAt: Int64 = 0
    var sentAt: Int64 = 0
    var answeredAt: Int64 = 0

    /// Valid until it is released.
    var answer: ModelAnswer?
    /// The adapter's own number for the call, from `submit` to `release`; nil: no adapter has it.
    var call: Int?

    /// Once, by the exchange that owns it.
    func belong(to exchange: Exchange) { owner = exchange }

    /// How long the Model Service took, in nanoseconds; 0: it was not asked, or has not answered.
    var modelTime: Int64 { sentAt > 0 ? max(answeredAt - sentAt, 0) : 0 }

    /// Makes ready for another one. No adapter has it.
    func reset() {
        begunAt = 0
        sentAt = 0
        answeredAt = 0
    }
}

@available(*, unavailable)
extension Attempt: Sendable {}
