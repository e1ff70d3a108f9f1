/// Sends Predictions on for later use: monitoring, training.
///
/// One object per configured Reporter, shared by all shards. Its events come from an `EventFeed`, on the Reporter's own
/// thread: nothing of a Reporter happens on a shard's.
protocol PredictionReporter: AnyObject, Sendable {
    /// The value of the label `reporter` in the metrics.
    var name: String { get }
    /// Counters, readable from any thread.
    var counters: ReporterCounters { get }
    /// Opens what must be open and starts the Reporter's thread.
    func start() throws
    /// Asks the Reporter to open its file anew (SIGHUP). Returns at once.
    func reopen()
    /// Asks the Reporter to deliver what waits, but not beyond that, on `Clock.monotonic`, and then to end. What is left counts
    /// as dropped, or stays in the spool. Returns at once.
    func orderStop(by deadline: Int64)
    /// Waits until it has ended, but not beyond that, on `Clock.monotonic`: one that hangs is told of, and left to itself.
    func waitForEnd(until limit: Int64)
}

extension PredictionReporter {
    /// Gives it so long to deliver what waits, and two seconds more to end.
    func stop(timeout: Duration) {
        let nanoseconds = min(timeout, .seconds(86_400)).nanoseconds
        let deadline = Clock.monotonic() + max(0, nanoseconds)
        orderStop(by: deadline)
        waitForEnd(until: deadline + 2_000_000_000)
    }
}

/// Where one shard leaves its events, for one Reporter or for all. Confined to the shard's thread.
protocol EventLane: AnyObject {
    /// Takes events of one turn of the loop, all or the first of them, and counts as dropped what it does not take.
    ///
    /// - Parameter isLast: Whether the turn brings no more. Until then nobody need see them.
    /// - Returns: false where events were to be kept safe and are not, of this turn so far: the clients of the turn must not
    ///   be answered as if they were.
    func submit(_ batch: EventBatch, isLast: Bool) -> Bool
    /// Whether requests should be refused because there is no more room for their events.
    var isFull: Bool { get }
    /// Whether so many events, which will come over several turns, find room as things are; where not, counts them as refused.
    func hasRoom(forEvents events: Int, bytes: Int) -> Bool
    /// More bytes of events than this, of one answer, never find room.
    var maxAnswerBytes: Int { get }
}

extension EventLane {
    /// Takes all events of a turn.
    func submit(_ batch: EventBatch) -> Bool { submit(batch, isLast: true) }

    /// Events over its bound are dropped one by one.
    func hasRoom(forEvents events: Int, bytes: Int) -> Bool { true }
    var maxAnswerBytes: Int { .max }
}
