import Logging
import Synchronization

/// Appends events to a file, one after the other: gathers what waits in all lanes, appends it with one call, rests a little.
///
/// Each append consists of whole lines, so several Sidecars can share a file. (A pipe keeps lines whole only up to 4 KiB
/// each, PIPE_BUF.) Under best effort, an event that the file refuses is counted as failed and not tried again; under
/// at-least-once the file is tried until it takes it.
final class FileDestination: EventDestination {
    /// How much one append takes: enough for the disk, not too much for rotation.
    private static let writeLimit = 1 << 20
    /// The rest after an append. Under load the events of several turns come together in the next one, and shards need
    /// no system call to wake a thread that does not sleep.
    private static let lingerNanoseconds: Int64 = 5_000_000
    /// How often in a row events are written again at once because the file was removed.
    private static let maxRemovals = 3
    /// How long to wait before a durable event is tried again.
    private static let retryNanoseconds: Int64 = 200_000_000

    private let context: ReporterContext
    private let source: any EventSource
    private let wake: ReaderWake
    private let counters: ReporterCounters
    private let format: any EventFormat
    private let file: RotatingFile
    private let log: ReporterLog
    private var events: [WaitingEvent] = []
    private let list = GatherList()
    /// There was something to append, last time; as much as may be at once.
    private var hasDelivered = false
    private var isMoreWaiting = false
    /// Trouble that has been logged and has not yet ended.
    private var writeError: SystemError?
    private var fileError: FileReporterError?
    /// Events lost since the trouble began.
    private var lost = 0

    static let word = "file"

    static func hang(_ settings: Configuration.Reporter.File) -> String {
        "\(settings.path) does not answer; its last events may be lost"
    }

    static func open(
        _ settings: Configuration.Reporter.File,
        reporter: String,
        feed: any EventFeed
    ) throws -> sending RotatingFile {
        try RotatingFile(path: settings.path, maxBytes: settings.maxBytes, keep: settings.keep)
    }

    init(_ settings: Configuration.Reporter.File, _ opened: RotatingFile, _ context: ReporterContext) {
        self.context = context
        file = opened
        source = context.source
        wake = context.wake
        counters = context.counters
        format = context.format
        log = context.log
    }

    func advance() { hasDelivered = deliver() }

    var isIdle: Bool { !hasDelivered }

    func rest(until deadline: Int64?) {
        if !hasDelivered {
            wake.waitForEvents(unless: { source.hasEvents })
        } else if deadline == nil && !isMoreWaiting && !source.isBehind {
            wake.pause(nanoseconds: Self.lingerNanoseconds)
        }
    }

    /// Nothing is under way between two appends.
    func end() {}

    func shutDown() {
        do {
            try file.synchronize()
        } catch {
            log(.error, "\(error)")
        }
    }

    private var isOutOfTime: Bool { context.stopDeadline.map { Clock.monotonic() > $0 } ?? false }

    /// Appends what waits; false where nothing did.
    private func deliver() -> Bool {
        let arrival = wake.takeOldestArrival()
        source.gather(into: &events, limit: Self.writeLimit)
        if events.isEmpty { return false }
        isMoreWaiting = events.reduce(0) { $0 + $1.frame.bytes.count } >= Self.writeLimit

        var sent = 0
        var outcome = WriteOutcome.written
        var removals = 0
        repeat {
            sent += append(events[sent...], &outcome)
        } while sent < events.count && triesAgain(after: outcome, &removals)

        counters.sent.add(sent, ordering: .relaxed)
        let now = Clock.monotonic()
        if sent > 0 { counters.deliveries.observe(now - (arrival ?? now), times: sent) }
        if !source.isDurable { countUnsent(events.count - sent, outcome) }
        acknowledge(source.isDurable ? events[..<sent] : events[...])
        events.removeAll(keepingCapacity: true)
        source.release()
        return true
    }

    /// Waits before what is left is tried again; false where it is not.
    private func triesAgain(after outcome: WriteOutcome, _ removals: inout Int) -> Bool {
        if case .removed = outcome, removals < Self.maxRemovals {
            removals += 1
            return true
        }
        guard source.isDurable, !isOutOfTime else { return false }
        let left = (context.stopDeadline ?? Int64.max) - Clock.monotonic()
        wake.pause(nanoseconds: min(left, Self.retryNanoseconds))
        if context.wantsReopen { reopen() }
        return true
    }

    /// Of each lane, the last of these is what counts.
    private func acknowledge(_ done: ArraySlice<WaitingEvent>) {
        for index in done.indices where index + 1 == done.endIndex || done[index + 1].lane != done[index].lane {
            source.acknowledge(lane: done[index].lane, through: done[index].end)
        }
    }

    private func countUnsent(_ count: Int, _ outcome: WriteOutcome) {
        switch outcome {
        case .written: break
        case .outOfTime: counters.dropped.add(count, ordering: .relaxed)
        case .removed, .failed: counters.failed.add(count, ordering: .relaxed)
        }
    }

    private enum WriteOutcome {
        case written
        case outOfTime
        /// The file was removed while it was written; there is a new one.
        case removed
        case failed(SystemError)
    }

    /// Appends events, and returns how many of the first are in the file as whole lines, and as safe there as they must be.
    private func append(_ events: ArraySlice<WaitingEvent>, _ outcome: inout WriteOutcome) -> Int {
        list.removeAll()
        // Retained once here and not for each event.
        let format = format
        for event in events { list.append(format.line(of: event.frame)) }
        guard prepareFile() else {
            outcome = .outOfTime
            return 0
        }
        // The last line was cut off: ours must not become its end.
        let startsWithLineFeed = file.endsWithinLine
        if startsWithLineFeed { list.insertFirst(ByteView("\n")) }
        outcome = write()
        file.finish()
        if list.written > 0 { file.endsWithinLine = list.endsWithinLine }
        var sent = list.isWritten ? events.count : max(0, list.writtenLines - (startsWithLineFeed ? 1 : 0))
        if list.isWritten, context.synchronizes {
            do {
                try file.synchronize()
            } catch {
                // Nobody knows what of it is on the disk: it is written again.
                outcome = .failed(error.error)
                sent = 0
            }
        }
        if sent > 0, file.isRemoved {
            // What was written is gone with the file.
            sent = 0
            outcome = goOnInNewFile()
        }
        switch outcome {
        case .written: recover()
        case .outOfTime, .removed: break
        case .failed(let error): fail(error, lost: source.isDurable ? 0 : events.count - sent)
        }
        return sent
    }

    private func goOnInNewFile() -> WriteOutcome {
        do {
            try file.reopen()
            log(.warning, "\(file.path) was removed while it was written; going on with a new one")
            return .removed
        } catch {
            return .failed(error.error)
        }
    }

    private func write() -> WriteOutcome {
        while !list.isWritten {
            switch list.write(to: file.descriptor) {
            case .progress: continue
            case .failed(let error): return .failed(error)
            case .wouldBlock:
                let left = (context.stopDeadline ?? Int64.max) - Clock.monotonic()
                if left <= 0 { return .outOfTime }
                wake.pause(nanoseconds: left, orUntilWritable: file.descriptor)
            }
        }
        return .written
    }

    /// Makes the file ready for what is to be appended; false where the time was over before.
    private func prepareFile() -> Bool {
        while true {
            do throws(FileReporterError) {
                try file.prepare(for: list.byteCount)
                if fileError != nil {
                    fileError = nil
                    log(.notice, "\(file.path) can be rotated again")
                }
                return true
            } catch {
                // Another process has the lock, and may rotate the file: nothing is written beside it.
                let consequence = error.error.isForNow ? "waiting for it" : "going on with the file that is open"
                if error != fileError { log(.error, "\(error); \(consequence)") }
                fileError = error
                if !error.error.isForNow { return true }
                if isOutOfTime { return false }
            }
        }
    }

    func reopen() {
        do {
            try file.reopen()
        } catch {
            log(.error, "\(error); going on with the file that is open")
        }
    }

    private func fail(_ error: SystemError, lost events: Int) {
        lost += events
        if error != writeError {
            let consequence = source.isDurable ? "its events wait in the spool" : "its events are lost"
            log(.error, "cannot write to \(file.path): \(error.reason); \(consequence)")
        }
        writeError = error
        counters.block.set("cannotWrite", by: .destination)
    }

    private func recover() {
        guard writeError != nil else { return }
        let loss = source.isDurable ? "nothing was lost" : "\(lost) events were lost"
        log(.notice, "\(file.path) can be written to again; \(loss)")
        writeError = nil
        lost = 0
        counters.block.set(nil, by: .destination)
    }
}

@available(*, unavailable)
extension FileDestination: Sendable {}

typealias FileReporter = EventReporter<FileDestination>
