/// What Kafka and librdkafka take as names of topics and addresses of brokers.
enum KafkaText {
    /// Longer names do not fit the directory that a broker makes of one (org.apache.kafka.common.internals.Topic).
    static let maxTopicBytes = 249
    /// Kafka's own topics begin so, such as `__consumer_offsets`.
    static let internalPrefix: StaticString = "__"

    @Sendable static func checkTopic(_ name: Substring) throws(InvalidValue) {
        if name.isEmpty { throw InvalidValue("holds an empty name of a topic") }
        if name == "." || name == ".." { throw InvalidValue("is not the name of a topic") }
        if name.utf8.count > maxTopicBytes { throw InvalidValue("is too long a name of a topic") }
        guard name.utf8.allSatisfy(isTopicByte) else {
            throw InvalidValue("holds a character that no name of a topic has")
        }
    }

    /// librdkafka skips the spaces after a comma, so they are allowed.
    @Sendable static func checkBrokers(_ text: String) throws(InvalidValue) {
        for broker in list(text) {
            if let scheme = broker.firstRange(ofText: "://") {
                let rest = broker[scheme.upperBound...].prefix { $0 != "/" }
                throw InvalidValue(
                    "starts with \(broker[..<scheme.upperBound]), which no broker has",
                    suggestion: String(rest)
                )
            }
            if broker.contains("/") { throw InvalidValue("holds a path, which no broker has") }
            _ = try ServiceURL.hostAndPort(broker)
        }
    }

    /// Whether two lists have a broker in common, and so lead to the same cluster. (That they have none says little: a broker may
    /// have several names.)
    static func shareABroker(_ one: String, _ other: String) -> Bool {
        !Set(list(one).map(address)).isDisjoint(with: list(other).map(address))
    }

    /// `HOST` and `host:9092` are the same.
    private static func address(_ broker: Substring) -> String {
        let lower = String(broker.drop { $0 == " " }).lowercased()
        guard let parts = try? ServiceURL.hostAndPort(Substring(lower)) else { return lower }
        return "\(parts.host):\(parts.port ?? 9092)"
    }

    /// The entries of a text that joins them by commas, without the spaces before each.
    static func list(_ text: String) -> [Substring] {
        text.split(separator: ",", omittingEmptySubsequences: false).map { $0.drop { $0 == " " } }
    }

    private static func isTopicByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: isDigit(byte)
        }
    }
}
