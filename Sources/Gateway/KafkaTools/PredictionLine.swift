/// What `ameron-sidecar events` shows of a prediction event. Confined to one thread.
final class PredictionLine {
    /// How many characters of a value are shown.
    private static let valueWidth = 60
    private static let idWidth = 36

    /// Of the data that is shown.
    private let outline: JSONOutline
    private let hasColours: Bool
    /// How wide the column of the models has become, so that it seldom moves.
    private var modelWidth = 16
    private let padded = ByteBuffer(capacity: 64)

    init(_ outline: JSONOutline, hasColours: Bool) {
        self.outline = outline
        self.hasColours = hasColours
    }

    /// `model/version  request id  ms  status  value`.
    func append(_ members: EventMembers, to out: ByteBuffer) {
        appendModel(members, to: out)
        out.append("  ")
        out.append(padding(text(members["requestId"]), to: Self.idWidth))
        out.append(string: aligned(text(members["timeTakenInMs"]), to: 10))
        out.append(" ms  ")
        appendStatus(text(members["status"]), to: out)
        out.append("  ")
        appendOutcome(members, to: out)
    }

    private func appendModel(_ members: EventMembers, to out: ByteBuffer) {
        let start = out.count
        out.append(text(members["modelName"]))
        let version = text(members["modelVersion"])
        if !version.isEmpty {
            out.append("/")
            out.append(version)
        }
        let width = out[start..<out.count].characterCount
        modelWidth = min(max(modelWidth, width), 40)
        for _ in 0..<max(modelWidth - width, 0) { out.append(" ") }
    }

    private func appendStatus(_ status: ByteView, to out: ByteBuffer) {
        let isFailure = (status.decimal ?? 0) >= 400
        if hasColours && isFailure { out.append("\u{1B}[31m") }
        out.append(padding(status, to: 3))
        if hasColours && isFailure { out.append("\u{1B}[0m") }
    }

    private func appendOutcome(_ members: EventMembers, to out: ByteBuffer) {
        let line = ByteBuffer()
        if let cause = members["error.cause"] {
            line.append(text(cause))
            line.append(": ")
            line.append(text(members["error.message"]))
            if let detail = members["error.detail"] {
                line.append(": ")
                line.append(text(detail))
            }
        } else if let value = members["value"] {
            // Not the model's null, but a value that was too long for its event.
            if isLeftOut("value", members) {
                line.append("(left out: too long)")
            } else {
                line.append(json: outline.bytes(value))
            }
        }
        let shown = line.view.prefixOfCharacters(Self.valueWidth)
        out.append(shown)
        if shown.count < line.count { out.append("…") }
    }

    private func isLeftOut(_ name: StaticString, _ members: EventMembers) -> Bool {
        guard let list = members["truncated"], outline.isArray(list) else { return false }
        var node = list + 1
        while node < outline.after(list) {
            if outline.isString(node), outline.inside(node) == name { return true }
            node = outline.after(node)
        }
        return false
    }

    /// A string without its quotes, and with its escapes, so that no control character comes to the terminal; another
    /// value as it stands.
    private func text(_ node: Int?) -> ByteView {
        guard let node else { return .empty }
        return outline.isString(node) ? outline.inside(node) : outline.bytes(node)
    }

    private func padding(_ text: ByteView, to width: Int) -> ByteView {
        padded.removeAll()
        padded.append(text)
        for _ in 0..<max(width - text.characterCount, 0) { padded.append(" ") }
        return padded.view
    }

    private func aligned(_ text: ByteView, to width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 1)) + text.string
    }
}

@available(*, unavailable)
extension PredictionLine: Sendable {}

extension ByteView {
    /// How many characters the UTF-8 text has, counted as code points.
    fileprivate var characterCount: Int {
        var found = 0
        for index in 0..<count where self[index] & 0xC0 != 0x80 { found += 1 }
        return found
    }

    fileprivate func prefixOfCharacters(_ limit: Int) -> ByteView {
        var found = 0
        for index in 0..<count where self[index] & 0xC0 != 0x80 {
            if found == limit { return prefix(index) }
            found += 1
        }
        return self
    }
}
