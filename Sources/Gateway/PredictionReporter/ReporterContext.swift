import Synchronization

/// What a destination gets from its Reporter: the events, the format, and what is to be told and counted. Confined to the
/// Reporter's thread.
final class ReporterContext {
    let name: String
    let source: any EventSource
    let wake: ReaderWake
    let counters: ReporterCounters
    let format: any EventFormat
    /// Whether files of ours are synced before what stands in them is acknowledged.
    let synchronizes: Bool
    let log: ReporterLog
    private let control: ReporterControl

    init(
        name: String,
        feed: any EventFeed,
        control: ReporterControl,
        format: any EventFormat,
        synchronizes: Bool,
        log: @escaping ReporterLog
    ) {
        self.name = name
        source = feed.makeSource()
        wake = feed.wake
        counters = feed.counters
        self.control = control
        self.format = format
        self.synchronizes = synchronizes
        self.log = log
    }

    /// When the thread must have ended, on `Clock.monotonic`; nil: not asked to stop.
    var stopDeadline: Int64? { control.stopDeadline }

    /// Whether files are to be opened anew; once for each time that somebody asked.
    var wantsReopen: Bool { control.wantsReopen.exchange(false, ordering: .acquiring) }

    /// Whether events that are not acknowledged come again after a restart.
    var isDurable: Bool { source.isDurable }

    /// For the events that the destination refuses for good.
    func makeRefusedEvents(_ path: String) -> RefusedEvents {
        let file = FailureFile(
            path: path,
            reporter: name,
            keeping: FailureFile.Keeping(isDurable: isDurable, synced: synchronizes),
            log: log
        )
        return RefusedEvents(file: file, counters: counters)
    }

    /// - Parameter destination: what to call it in the log.
    func makeTrouble(_ destination: String) -> DeliveryTrouble {
        DeliveryTrouble(destination: destination, isDurable: isDurable, block: counters.block, log: log)
    }
}

@available(*, unavailable)
extension ReporterContext: Sendable {}

/// Events that were gathered from a source, and those of them that have not been passed on. Gives their memory back with the
/// last of them.
struct GatheredEvents {
    private let source: any EventSource
    private let wake: ReaderWake
    private var events: [WaitingEvent] = []
    private var next = 0
    /// When the oldest of them came, on `Clock.monotonic`.
    private(set) var arrival: Int64 = 0

    init(_ context: ReporterContext) {
        source = context.source
        wake = context.wake
    }

    var isEmpty: Bool { events.isEmpty }
    /// How many are left, and the first of them.
    var count: Int { events.count - next }
    var first: WaitingEvent? { next < events.count ? events[next] : nil }
    subscript(index: Int) -> WaitingEvent { events[next + index] }

    /// Gathers anew, once all are passed on.
    mutating func gather(limit: Int) {
        arrival = wake.takeOldestArrival() ?? Clock.monotonic()
        source.gather(into: &events, limit: limit)
    }

    /// The first ones have been passed on: copied.
    mutating func removeFirst(_ count: Int = 1) {
        next += count
        guard next == events.count else { return }
        events.removeAll(keepingCapacity: true)
        next = 0
        source.release()
    }
}

@available(*, unavailable)
extension GatheredEvents: Sendable {}
