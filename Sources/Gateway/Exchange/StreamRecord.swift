/// What is recorded of an answer that comes in parts: the list of its data, or its text, cut where an event would be too long.
/// Used for stream after stream; confined to its shard.
final class StreamRecord {
    /// What is left of an event's length for everything that is not its value.
    private static let roomForTheRest = 8 << 10
    private static let keptBytes = 16 << 10

    /// A JSON array that is not closed yet, or the bytes as they came.
    private let value = ByteBuffer(capacity: 1_024)
    /// The line at hand, as far as it has come, and the data of the event at hand.
    private let line = ByteBuffer(capacity: 256)
    private let datum = ByteBuffer(capacity: 256)
    private let outline = JSONOutline()
    private var kind = StreamKind.bytes
    private var maxBytes = 0
    private var memory: BodyMemory?
    private var loan = BodyLoan()
    private var hasDatum = false
    /// Whether the bytes so far end within a line.
    private(set) var isInLine = false
    private var isOpen = false

    /// How many parts there were: events, lines, or pieces as they came.
    private(set) var parts = 0
    /// Whether there was more than is recorded.
    private(set) var isCut = false
    /// An event said that it was the last one: `data: [DONE]`.
    private(set) var isDone = false

    /// - Parameters:
    ///   - maxBytes: of the event; 0: nothing is recorded, and the parts are counted only.
    ///   - memory: where room beyond 64 KiB comes from; nil: there is no limit.
    func begin(_ kind: StreamKind, maxBytes: Int, memory: BodyMemory?) {
        self.kind = kind
        self.maxBytes = max(maxBytes - Self.roomForTheRest, 0)
        self.memory = memory
        isOpen = true
    }

    /// Takes what has come. How many of these bytes come before the event that says it is the last, where that one ends in them.
    func take(_ bytes: ByteView) -> Int? {
        switch kind {
        case .bytes:
            parts += 1
            append(bytes)
            return nil
        case .document:
            isCut = true
            return nil
        case .events, .lines: return takeLines(bytes)
        }
    }

    /// The answer is at its end: what was begun counts.
    func close() {
        guard isOpen else { return }
        isOpen = false
        switch kind {
        case .document: break
        case .bytes:
            // No character is cut in itself.
            if isCut { value.truncate(to: value.view.prefixOfText(max(value.count - 3, 0)).count) }
        case .events:
            // An event that no empty line ends is none (HTML, section 9.2.6).
            finishValue()
        case .lines:
            if !line.isEmpty { takeLine(line.view) }
            finishValue()
        }
    }

    /// What goes into the event; after `close`, valid until `end`.
    var part: PredictionEvent.Part {
        switch kind {
        case .events, .lines: PredictionEvent.Part(bytes: value.view)
        case .bytes: PredictionEvent.Part(bytes: value.view, encoding: value.view.isText ? .text : .base64)
        case .document: PredictionEvent.Part()
        }
    }

    /// Lets go of everything.
    func end() {
        for buffer in [value, line, datum] { buffer.removeAll(keepingAtMost: Self.keptBytes) }
        if let memory { _ = loan.end(memory) }
        memory = nil
        hasDatum = false
        isInLine = false
        isOpen = false
        parts = 0
        isCut = false
        isDone = false
    }

    // MARK: Lines

    private func takeLines(_ bytes: ByteView) -> Int? {
        var start = 0
        var beforeLast: Int?
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            let rest = bytes[start..<end]
            if !isInLine || start > 0 {
                takeLine(rest)
            } else {
                append(rest, to: line)
                takeLine(line.view)
                line.removeAll()
            }
            if isDone, beforeLast == nil { beforeLast = start }
            start = end + 1
        }
        isInLine = start < bytes.count || start == 0 && isInLine
        if start < bytes.count { append(bytes.dropFirst(start), to: line) }
        return beforeLast
    }

    private func takeLine(_ raw: ByteView) {
        let text = raw.hasSuffix(ByteView("\r")) ? raw.prefix(raw.count - 1) : raw
        switch kind {
        case .bytes, .document: break
        case .lines:
            let text = text.trimmed
            if !text.isEmpty { takeDatum(text) }
        case .events:
            if text.isEmpty { return endEvent() }
            guard text.hasPrefix(ByteView("data")) else { return }
            var data = text.dropFirst(4)
            guard data.isEmpty || data[0] == UInt8(ascii: ":") else { return }
            data = data.dropFirst(1)
            if data.hasPrefix(ByteView(" ")) { data = data.dropFirst(1) }
            if hasDatum { append(ByteView("\n"), to: datum) }
            hasDatum = true
            append(data, to: datum)
            if data == "[DONE]" { isDone = true }
        }
    }

    private func endEvent() {
        guard hasDatum else { return }
        hasDatum = false
        if !(datum.view == "[DONE]") { takeDatum(datum.view) }
        datum.removeAll()
    }

    /// What is too long to be recorded is not kept either.
    private func append(_ bytes: ByteView, to buffer: ByteBuffer) {
        let room = max(min(maxBytes, BodyLoan.freeBytes) - buffer.count, 0)
        if bytes.count > room { isCut = true }
        buffer.append(bytes.prefix(room))
    }

    // MARK: The value

    /// One more element of the list: JSON as it is, anything else as a string.
    private func takeDatum(_ bytes: ByteView) {
        parts += 1
        // One that is longer than what is kept of a line is not whole: no element of the list is cut in itself.
        guard !isCut, room(for: bytes.count + 4) else {
            isCut = true
            return
        }
        let before = value.count
        value.append(value.isEmpty ? "[" : ",")
        if isPlainJSON(bytes) { value.append(json: bytes) } else { value.appendJSON(string: bytes) }
        // What had to be escaped has grown.
        guard value.count < maxBytes else {
            value.truncate(to: before)
            isCut = true
            return
        }
    }

    private func isPlainJSON(_ bytes: ByteView) -> Bool {
        do throws(JSONOutline.Fault) {
            try outline.read(bytes, depth: 0)
            return !outline.hasDuplicates
        } catch {
            return false
        }
    }

    private func finishValue() {
        guard maxBytes > 0 else { return }
        value.append(value.isEmpty ? "[]" : "]")
    }

    private func append(_ bytes: ByteView) {
        // As text with escapes it may be twice as long in the event, as base64 longer by a third.
        let length = min(bytes.count, max(maxBytes / 2 - value.count, 0))
        if length < bytes.count { isCut = true }
        guard length > 0 else { return }
        guard room(for: length) else {
            isCut = true
            return
        }
        value.append(bytes.prefix(length))
    }

    /// Whether so much more may be recorded.
    private func room(for more: Int) -> Bool {
        guard value.count + more <= maxBytes else { return false }
        guard let memory else { return true }
        return loan.makeRoom(in: value, more, expected: 0, copies: 1, from: memory)
    }
}

@available(*, unavailable)
extension StreamRecord: Sendable {}
