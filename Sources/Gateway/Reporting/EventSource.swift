/// Where a Reporter's events come from: its queue in memory (best effort), or the spool (at least once).
protocol EventFeed: AnyObject, Sendable {
    var counters: ReporterCounters { get }
    /// Wakes the Reporter's thread.
    var wake: ReaderWake { get }
    /// As its source's: whether what is not acknowledged comes again after a restart.
    var isDurable: Bool { get }
    /// The reading end, for the Reporter's thread. Called once.
    func makeSource() -> any EventSource
}

/// One event that waits. Its bytes are the source's, valid until `EventSource.release`.
struct WaitingEvent {
    var frame: EventFrame
    /// The shard's lane through which it came, and the position after it there: what an acknowledgement names.
    var lane: Int
    var end: Int64
}

/// The reading end of a feed. Confined to the Reporter's thread.
protocol EventSource: AnyObject {
    /// Whether what is not acknowledged comes again after a restart. A Reporter then tries on where it would otherwise give
    /// an event up, and may end at any time without loss.
    var isDurable: Bool { get }
    /// How many lanes there are; `WaitingEvent.lane` is below it. Lanes may join, none leaves.
    var laneCount: Int { get }
    /// Whether events wait that have not been gathered.
    var hasEvents: Bool { get }
    /// Whether so much waits that the Reporter should not rest.
    var isBehind: Bool { get }
    /// Adds waiting events, in the order of each lane, and stops soon after `limit` bytes. Not before `release` of the last.
    func gather(into events: inout [WaitingEvent], limit: Int)
    /// Gives the memory of the gathered events back: they have been sent, or copied.
    func release()
    /// The events of a lane up to this position are done with: delivered, or failed for good, and counted as such.
    func acknowledge(lane: Int, through position: Int64)
    /// Ends the reading. What was not gathered, or not acknowledged: of a queue, the former is counted as dropped here, the
    /// latter is for the Reporter to count; of the spool, it stays for the next start.
    func close()
}
