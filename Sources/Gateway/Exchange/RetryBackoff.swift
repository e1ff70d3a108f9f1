/// How long to wait before a try is repeated: longer after each failure, and spread at random, so that many who failed
/// together do not come back together (exponential backoff with full jitter).
struct RetryBackoff: Equatable {
    /// The most that is waited after the first failure, and ever, in nanoseconds.
    let initial: Int64
    let maximum: Int64

    init(initial: Int64, maximum: Int64) {
        self.initial = max(initial, 1)
        self.maximum = max(maximum, self.initial)
    }

    /// Nanoseconds from 0 up to the limit of this attempt.
    ///
    /// - Parameters:
    ///   - attempt: how many failures there were before this one: 0 after the first.
    ///   - random: any 64 random bits.
    func delay(attempt: Int, random: UInt64) -> Int64 {
        // The upper half of the product: a fraction of the limit, without a division.
        Int64(UInt64(limit(attempt: attempt)).multipliedFullWidth(by: random).high)
    }

    /// The limit doubles with each attempt until it reaches the maximum.
    func limit(attempt: Int) -> Int64 {
        let doublings = max(attempt, 0)
        // A shift by so much would push bits out, and the limit is then far above any maximum.
        guard doublings < initial.leadingZeroBitCount - 1 else { return maximum }
        return min(initial << Int64(doublings), maximum)
    }
}
