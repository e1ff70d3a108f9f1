import Logging

/// The events that a Reporter's destination refused for good, one line of JSON each, with the cause:
/// `{"reporter":…,"cause":…,"message":…,"failedAt":…,"event":{…}}`. Confined to the Reporter's thread.
///
/// Opened at the first failure. Several Reporters may name the same file. Bounded: with its one predecessor `path.1` it takes
/// 128 MiB. What happens then, and where it cannot be written, is a matter of `Keeping`.
final class FailureFile {
    /// How safe the events in it must be.
    enum Keeping {
        /// Best effort: what cannot be written is lost and counted; of two full files the older one is replaced, and
        /// counted.
        case bestEffort
        /// At least once: what cannot be written is kept and tried again, also where both files are full, and nobody may
        /// acknowledge it before. `synced`: not before it is on the disk either.
        case everything(synced: Bool)

        init(isDurable: Bool, synced: Bool) { self = isDurable ? .everything(synced: synced) : .bestEffort }
    }

    static let maxBytes = 64 << 20
    /// So much memory is kept for the next lines.
    private static let keptLength = 256 << 10

    private let path: String
    private let reporter: String
    private let keeping: Keeping
    private let maxBytes: Int
    private let log: ReporterLog
    private var file: RotatingFile?
    private var error: String?
    private let lines = ByteBuffer(capacity: 4096)
    /// Where each of the entered lines ends, and how many of them are in the file: those before `settled` have been told of.
    private var ends: [Int] = []
    private let list = GatherList()
    private let timestamps = TimestampWriter()
    private(set) var lost = 0

    /// - Parameter maxBytes: The most of the file; its predecessor has as much.
    init(
        path: String,
        reporter: String,
        keeping: Keeping,
        maxBytes: Int = FailureFile.maxBytes,
        log: @escaping ReporterLog
    ) {
        self.path = path
        self.reporter = reporter
        self.keeping = keeping
        self.maxBytes = maxBytes
        self.log = log
    }

    /// Enters an event, a JSON object on one line, with or without its line feed. In the file after `flush`.
    ///
    /// - Parameters:
    ///   - cause: a stable word for programs.
    ///   - message: what to tell a person.
    func append(_ event: ByteView, cause: String, message: String) {
        let event = event.hasSuffix(ByteView("\n")) ? event.prefix(event.count - 1) : event
        lines.append(#"{"reporter":"#)
        append(string: reporter)
        lines.append(#","cause":"#)
        append(string: cause)
        lines.append(#","message":"#)
        append(string: message)
        lines.append(#","failedAt":""#)
        timestamps.append(Clock.wall(), to: lines)
        lines.append(#"","event":"#)
        lines.append(event)
        lines.append("}\n")
        ends.append(lines.count)
    }

    private func append(string: String) { Array(string.utf8).withByteView { lines.appendJSON(string: $0) } }

    /// Writes what was entered, and returns how many of the events, the first ones, are settled: as safe as they must be, or
    /// lost and counted. All of them, under best effort. To be called before they are acknowledged.
    func flush() -> Int {
        if ends.isEmpty { return 0 }
        var written = 0
        do throws(FileReporterError) {
            written = try write(open())
            // It was removed just then: there is a new one to be made.
            if file == nil { written = try write(open()) }
        } catch {
            tell(error.description)
        }
        if written == ends.count, error != nil {
            log(.notice, "\(path) can be written to again")
            error = nil
        }
        return settle(written)
    }

    private func settle(_ written: Int) -> Int {
        let count = ends.count
        if case .bestEffort = keeping {
            lost += count - written
            forget(count)
            return count
        }
        forget(written)
        return written
    }

    /// Takes the first lines out of what waits.
    private func forget(_ count: Int) {
        guard count > 0 else { return }
        if count == ends.count {
            lines.removeAll(keepingAtMost: Self.keptLength)
            ends.removeAll(keepingCapacity: true)
        } else {
            let length = ends[count - 1]
            let rest = ByteBuffer(capacity: lines.count - length)
            rest.append(lines.view.dropFirst(length))
            lines.removeAll()
            withExtendedLifetime(rest) { lines.append(rest.view) }
            ends.removeFirst(count)
            for index in ends.indices { ends[index] -= length }
        }
    }

    /// Opens the file anew if it is open.
    func reopen() {
        // At the next failure. What is written in between the two goes to the new file in any case.
        file = nil
    }

    private func open() throws(FileReporterError) -> RotatingFile {
        if let file { return file }
        let oldest: RotatingFile.Oldest
        switch keeping {
        case .bestEffort: oldest = .isReplacedAndCounted
        case .everything: oldest = .stays
        }
        let file = try RotatingFile(path: path, maxBytes: maxBytes, keep: 1, oldest: oldest)
        self.file = file
        return file
    }

    /// Appends the lines, and returns how many of them are safe: none, and there is no `file` any more, where it was removed
    /// meanwhile. Says what went wrong, if anything did.
    private func write(_ file: RotatingFile) throws(FileReporterError) -> Int {
        list.removeAll()
        // The last line was cut off: ours must not become its end.
        let startsWithLineFeed = file.endsWithinLine
        if startsWithLineFeed { list.append(ByteView("\n")) }
        list.append(lines.view)
        let replaced = file.replacedLines
        defer { lost += file.replacedLines - replaced }
        // Where it cannot be rotated it grows no further.
        try file.prepare(for: list.byteCount)
        defer {
            file.finish()
            if list.written > 0 { file.endsWithinLine = list.endsWithinLine }
        }
        writing: while !list.isWritten {
            switch list.write(to: file.descriptor) {
            case .progress: continue
            case .wouldBlock:
                tell("\(path) takes nothing for now")
                break writing
            case .failed(let error):
                tell("cannot write to \(path): \(error.reason)")
                break writing
            }
        }
        if file.isRemoved {
            self.file = nil
            return 0
        }
        let whole = list.writtenLines - (startsWithLineFeed && list.written > 0 ? 1 : 0)
        if case .everything(synced: true) = keeping, whole > 0 { try file.synchronize() }
        return whole
    }

    /// Once for each kind of trouble.
    private func tell(_ text: String) {
        if text != error {
            switch keeping {
            case .bestEffort: log(.error, "\(text); events that were refused are not kept")
            case .everything: log(.error, "\(text); no event gets through until those that were refused can be kept")
            }
        }
        error = text
    }
}

@available(*, unavailable)
extension FailureFile: Sendable {}
