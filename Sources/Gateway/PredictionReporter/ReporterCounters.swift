import Synchronization

/// What one Reporter did, counted for the metrics. Any thread may read; each counter says who writes.
final class ReporterCounters: Sendable {
    /// Events delivered. Written by the Reporter's thread.
    let sent = Atomic<Int>(0)
    /// Events that the destination refused. Written by the Reporter's thread.
    let failed = Atomic<Int>(0)
    /// Events that found no room in the queue. Written by every shard.
    let dropped = Atomic<Int>(0)
    /// Bytes waiting. Added to by shards once per loop turn, taken from by the Reporter's thread once per write.
    let queuedBytes = Atomic<Int>(0)
    /// How long events wait for their delivery. Written by the Reporter's thread.
    let deliveries = DurationHistogram()
}
