/// Sends Predictions on for later use: monitoring, training.
///
/// One object per configured Reporter, shared by all shards. What happens on a shard's thread goes through a
/// `ReporterLane` and never blocks; the rest runs on the Reporter's own thread.
protocol PredictionReporter: AnyObject, Sendable {
    /// The value of the label `reporter` in the metrics.
    var name: String { get }
    /// Counters, readable from any thread.
    var counters: ReporterCounters { get }
    /// Opens what must be open and starts the Reporter's thread.
    func start() throws
    /// A shard's way in. Called once per shard before it runs.
    func openLane() -> any ReporterLane
    /// Asks the Reporter to open its file anew (SIGHUP). Returns at once.
    func reopen()
    /// Delivers what is queued, but for no longer than `timeout`, then ends the thread. What is left counts as dropped.
    func stop(timeout: Duration)
}

/// Where one shard leaves its events for one Reporter. Confined to the shard's thread.
protocol ReporterLane: AnyObject {
    /// Takes the events of one turn of the loop: copies them, wakes the Reporter, never blocks. Events over the bound
    /// of the queue are dropped and counted.
    func submit(_ batch: EventBatch)
}
