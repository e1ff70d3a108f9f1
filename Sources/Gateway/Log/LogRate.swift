/// Lets so many lines of one kind through in a second, for what clients can cause as often as they like. Confined to its thread.
final class LogRate {
    /// Lines per second.
    static let limit = 10
    private static let second: Int64 = 1_000_000_000

    private var windowStart: Int64 = 0
    private var allowance = 0
    private var leftOut = 0

    /// What is to be added to the line, which says how many like it were left out before; nil: leave it out too.
    ///
    /// - Parameter now: nanoseconds of the monotonic clock.
    func admit(now: Int64) -> String? {
        if now - windowStart >= Self.second { (windowStart, allowance) = (now, Self.limit) }
        guard allowance > 0 else {
            leftOut += 1
            return nil
        }
        allowance -= 1
        defer { leftOut = 0 }
        return leftOut == 0 ? "" : " (and \(leftOut) like it before)"
    }
}

@available(*, unavailable)
extension LogRate: Sendable {}
