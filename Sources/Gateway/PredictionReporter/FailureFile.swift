import Logging

/// The events that a Reporter's destination refused for good, one line of JSON each, with the cause:
/// `{"reporter":…,"cause":…,"message":…,"failedAt":…,"event":{…}}`. Confined to the Reporter's thread.
///
/// Opened at the first failure. Several Reporters may name the same file. Bounded: with its one predecessor `path.1` it
/// takes 128 MiB. What cannot be written is told of once, and is lost; it counts as failed all the same.
final class FailureFile {
    private static let maxBytes = 64 << 20
    /// So much is collected before it is written without being asked for.
    private static let flushLength = 256 << 10

    private let path: String
    private let reporter: String
    private let log: ReporterLog
    private var file: RotatingFile?
    private var error: String?
    private let lines = ByteBuffer(capacity: 4096)
    private let list = GatherList()
    private let timestamps = TimestampWriter()

    init(path: String, reporter: String, log: @escaping ReporterLog) {
        self.path = path
        self.reporter = reporter
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
        if lines.count >= Self.flushLength { flush() }
    }

    private func append(string: String) { Array(string.utf8).withByteView { lines.appendJSON(string: $0) } }

    /// Writes what was entered. To be called before its events are acknowledged.
    func flush() {
        if lines.isEmpty { return }
        do {
            let file = try open()
            if let trouble = write(file) {
                tell(trouble)
            } else if error != nil {
                log(.notice, "\(path) can be written to again")
                error = nil
            }
        } catch {
            tell("\(error)")
        }
        lines.removeAll(keepingAtMost: Self.flushLength)
    }

    /// Opens the file anew if it is open.
    func reopen() {
        // At the next failure. What is written in between the two goes to the new file in any case.
        file = nil
    }

    private func open() throws(FileReporterError) -> RotatingFile {
        if let file { return file }
        let file = try RotatingFile(path: path, maxBytes: Self.maxBytes, keep: 1)
        self.file = file
        return file
    }

    /// Says what went wrong, if anything did.
    private func write(_ file: RotatingFile) -> String? {
        list.removeAll()
        // The last line was cut off: ours must not become its end.
        if file.endsWithinLine { list.append(ByteView("\n")) }
        list.append(lines.view)
        do {
            try file.prepare(for: list.byteCount)
        } catch {
            // It cannot be rotated, and grows no further.
            return "\(error)"
        }
        defer {
            file.finish()
            if list.written > 0 { file.endsWithinLine = list.endsWithinLine }
        }
        while !list.isWritten {
            switch list.write(to: file.descriptor) {
            case .progress: continue
            case .wouldBlock: return "\(path) takes nothing for now"
            case .failed(let error): return "cannot write to \(path): \(error.reason)"
            }
        }
        return nil
    }

    /// Once for each kind of trouble.
    private func tell(_ text: String) {
        if text != error { log(.error, "\(text); events that were refused are not kept") }
        error = text
    }
}

@available(*, unavailable)
extension FailureFile: Sendable {}
