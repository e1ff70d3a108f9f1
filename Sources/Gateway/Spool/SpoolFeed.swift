import Synchronization

/// What one Reporter reads from the spool.
final class SpoolFeed: EventFeed {
    private let lanes: [StoredLane]
    private let reader: Int
    private let settings: SpoolSettings

    init(lanes: [StoredLane], reader: Int, settings: SpoolSettings) {
        self.lanes = lanes
        self.reader = reader
        self.settings = settings
        let waiting = lanes.reduce(0) { $0 + $1.waiting(for: reader) }
        settings.reporters[reader].counters.queuedBytes.store(waiting, ordering: .relaxed)
    }

    var counters: ReporterCounters { settings.reporters[reader].counters }
    var wake: ReaderWake { settings.reporters[reader].wake }
    var isDurable: Bool { true }

    func makeSource() -> any EventSource { SpoolSource(lanes: lanes, reader: reader, settings: settings) }
}
