/// Which topics requests may name for their answers.
struct ReplyTopics {
    /// Topics are no longer than this, and of the characters a-z, A-Z, 0-9, `.`, `_`, `-` (Kafka, Topic.validate).
    private static let maxBytes = 249

    private let names: [ByteBuffer]
    private let prefixes: [ByteBuffer]
    private let requestTopic: ByteBuffer
    private let reserved: [ByteBuffer]

    /// - Parameters:
    ///   - list: names joined by commas, `*` at the end of one for any rest.
    ///   - replyTopic: always allowed.
    ///   - requestTopic: never allowed: an answer there would be the next request.
    ///   - reserved: what the Sidecar itself writes to; no `*` stands for them. (Nor for Kafka's own topics, `__*`.)
    init(_ list: String, replyTopic: String, requestTopic: String, reserved: [String] = []) {
        let entries = list.split(separator: ",").map { Self.trimmed(String($0)) }
        names = entries.filter { !$0.view.hasSuffix(ByteView("*")) } + [ByteBuffer(text: replyTopic)]
        prefixes = entries.filter { $0.view.hasSuffix(ByteView("*")) }
        for prefix in prefixes { prefix.truncate(to: prefix.count - 1) }
        self.requestTopic = ByteBuffer(text: requestTopic)
        self.reserved = reserved.map { ByteBuffer(text: $0) }
    }

    func allows(_ name: ByteView) -> Bool {
        guard Self.isTopicName(name), name != requestTopic.view else { return false }
        if names.contains(where: { $0.view == name }) { return true }
        if name.hasPrefix(ByteView(KafkaText.internalPrefix)) || reserved.contains(where: { $0.view == name }) {
            return false
        }
        return prefixes.contains { name.hasPrefix($0.view) }
    }

    private static func trimmed(_ text: String) -> ByteBuffer {
        let whole = ByteBuffer(text: text)
        let trimmed = ByteBuffer(capacity: max(whole.count, 1))
        withExtendedLifetime(whole) { trimmed.append(whole.view.trimmed) }
        return trimmed
    }

    private static func isTopicName(_ name: ByteView) -> Bool {
        guard (1...maxBytes).contains(name.count), !(name == "."), !(name == "..") else { return false }
        for index in 0..<name.count {
            switch name[index] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                continue
            default: return false
            }
        }
        return true
    }
}
