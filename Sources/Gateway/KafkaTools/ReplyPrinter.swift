/// Prints a reply on standard output, or the parts of one as they come.
struct ReplyPrinter {
    /// Of the answer whose parts are printed, and the number of its next one.
    private var answer: [UInt8] = []
    private var next = 0

    init() {}

    /// The exit code of the command where that was the end of the reply; nil: more follows.
    mutating func show(_ message: KafkaMessage) -> Int32? {
        let part = message.header(named: "ameron-part")?.decimal
        if let part, !isNews(part, of: message.header(named: "ameron-answer")?.array ?? []) { return nil }
        let isEnd = part == nil || message.header(named: "ameron-final") != nil
        let out = ByteBuffer()
        if let value = message.value { out.append(value) }
        // Parts bring the ends of their lines with them.
        if part == nil || isEnd && !out.isEmpty { out.append(UInt8(ascii: "\n")) }
        _ = withExtendedLifetime(out) { StandardOutput.write(out.view) }
        guard isEnd else { return nil }
        guard let status = message.header(named: "ameron-status"), status != ByteView("200") else { return 0 }
        StandardError.print("status \(status.string)")
        return 1
    }

    /// Whether a part was not printed yet: each may come twice, and all of them again where another Sidecar asks again.
    private mutating func isNews(_ part: Int, of id: [UInt8]) -> Bool {
        if id != answer {
            if !answer.isEmpty { StandardError.print("the answer begins again") }
            answer = id
            next = 0
        }
        guard part >= next else { return false }
        next = part + 1
        return true
    }
}
