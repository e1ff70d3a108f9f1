import Synchronization

/// What one Reporter did, counted for the metrics. Any thread may read; each counter says who writes.
final class ReporterCounters: Sendable {
    /// Events delivered. Written by the Reporter's thread.
    let sent = Atomic<Int>(0)
    /// Events that the destination refused. Written by the Reporter's thread.
    let failed = Atomic<Int>(0)
    /// Of these, those that the failure file did not take, or has given up. Written by the Reporter's thread.
    let failuresLost = Atomic<Int>(0)
    /// Events that found no room in the queue. Written by every shard.
    let dropped = Atomic<Int>(0)
    /// Bytes waiting. Added to by shards once per loop turn, taken from by the Reporter's thread once per write.
    let queuedBytes = Atomic<Int>(0)
    /// How long events wait for their delivery. Written by the Reporter's thread.
    let deliveries = DurationHistogram()
    /// What somebody must mend before events go on.
    let block = ReporterBlock()
}

/// Why a Reporter is blocked: not for want of a destination that answers, but as that one, or the failure file, is set up.
final class ReporterBlock: Sendable {
    /// Who finds the cause.
    enum Place: Int, CaseIterable { case destination, failureFile }

    private let causes = LockedValue([String?](repeating: nil, count: Place.allCases.count))

    /// A stable word for programs, such as `status401`; nil: it is not blocked. From any thread.
    var cause: String? { causes.withLock { $0.compactMap { $0 }.first } }

    /// From the Reporter's thread.
    func set(_ cause: String?, by place: Place) { causes.withLock { $0[place.rawValue] = cause } }
}
