import Logging
import Synchronization

/// What the file Reporter's own thread does: gather what waits in all lanes, append it with one call, rest a little.
final class FileReporterThread {
    /// How much one append takes: enough for the disk, not too much for rotation.
    private static let writeLimit = 1 << 20
    /// The rest after an append. Under load the events of several turns come together in the next one, and shards need
    /// no system call to wake a thread that does not sleep.
    private static let lingerNanoseconds: Int64 = 1_000_000

    private let queue: ReportQueue
    private let reader: ReportQueueReader
    private let control: FileReporterControl
    private let file: RotatingFile
    private let log: FileReporter.Log
    private let list = GatherList()
    /// Trouble that has been logged and has not yet ended.
    private var writeError: SystemError?
    private var fileError: FileReporterError?
    /// Events lost since the trouble began.
    private var lost = 0

    init(queue: ReportQueue, control: FileReporterControl, file: RotatingFile, log: @escaping FileReporter.Log) {
        self.queue = queue
        self.reader = ReportQueueReader(queue: queue)
        self.control = control
        self.file = file
        self.log = log
    }

    /// Returns when the Reporter has been stopped and every event is accounted for.
    func run() {
        while true {
            if control.wantsReopen.exchange(false, ordering: .acquiring) { reopen() }
            let deadline = control.stopDeadline
            if let deadline, Clock.monotonic() > deadline { break }
            if deliver() {
                let isBehind = queue.counters.queuedBytes.load(ordering: .relaxed) > queue.maxBytes / 4
                if deadline == nil && !isBehind { queue.pause(nanoseconds: Self.lingerNanoseconds) }
            } else if deadline != nil {
                break
            } else {
                queue.sleep(unless: { reader.hasEvents })
            }
        }
        reader.close()
        do {
            try file.synchronize()
        } catch {
            log(.error, "\(error)")
        }
        control.signalEnd()
    }

    /// Appends what waits; false where nothing did.
    private func deliver() -> Bool {
        list.removeAll()
        let arrival = queue.takeOldestArrival()
        let events = reader.gather(into: list, limit: Self.writeLimit)
        if events == 0 { return false }

        prepareFile()
        // The last line was cut off: ours must not become its end.
        let startsWithLineFeed = file.endsWithinLine
        if startsWithLineFeed { list.insertFirst(ByteView("\n")) }
        let outcome = write()
        file.finish()

        let sent: Int
        if list.isWritten {
            sent = events
        } else {
            sent = max(0, list.writtenLines - (startsWithLineFeed ? 1 : 0))
        }
        if list.written > 0 { file.endsWithinLine = list.endsWithinLine }
        queue.counters.sent.add(sent, ordering: .relaxed)
        let now = Clock.monotonic()
        if sent > 0 { queue.counters.deliveries.observe(now - (arrival ?? now), times: sent) }
        switch outcome {
        case .written: recover()
        case .outOfTime: queue.counters.dropped.add(events - sent, ordering: .relaxed)
        case .failed(let error):
            queue.counters.failed.add(events - sent, ordering: .relaxed)
            fail(error, lost: events - sent)
        }
        reader.release()
        return true
    }

    private enum WriteOutcome {
        case written
        case outOfTime
        case failed(SystemError)
    }

    private func write() -> WriteOutcome {
        while !list.isWritten {
            switch list.write(to: file.descriptor) {
            case .progress: continue
            case .failed(let error): return .failed(error)
            case .wouldBlock:
                let left = (control.stopDeadline ?? Int64.max) - Clock.monotonic()
                if left <= 0 { return .outOfTime }
                queue.pause(nanoseconds: left, orUntilWritable: file.descriptor)
            }
        }
        return .written
    }

    private func prepareFile() {
        do {
            try file.prepare(for: list.byteCount)
            if fileError != nil {
                fileError = nil
                log(.notice, "\(file.path) can be rotated again")
            }
        } catch {
            if error != fileError { log(.error, "\(error); going on with the file that is open") }
            fileError = error
        }
    }

    private func reopen() {
        do {
            try file.reopen()
        } catch {
            log(.error, "\(error); going on with the file that is open")
        }
    }

    private func fail(_ error: SystemError, lost events: Int) {
        lost += events
        if error != writeError { log(.error, "cannot write to \(file.path): \(error.reason); its events are lost") }
        writeError = error
    }

    private func recover() {
        guard writeError != nil else { return }
        log(.notice, "\(file.path) can be written to again; \(lost) events were lost")
        writeError = nil
        lost = 0
    }
}

@available(*, unavailable)
extension FileReporterThread: Sendable {}
