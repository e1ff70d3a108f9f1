/// What an open map holds: which names its members may have, and how each source writes them.
enum ConfigurationMembers: Sendable {
    /// librdkafka's properties, such as `sasl.password`.
    case kafkaProperties
    /// Header lines, whose names are the same in either case (RFC 9110, section 5.1) and are kept in lower case.
    case headers

    /// The name that the member is kept by.
    func canonical(_ name: String) -> String {
        switch self {
        case .kafkaProperties: name
        case .headers: name.lowercased()
        }
    }

    /// The name that an environment variable gives by the words after the map's own: `SASL_PASSWORD` is `sasl.password`.
    func name(ofEnvironment words: some Sequence<Substring>) -> String {
        let separator =
            switch self {
            case .kafkaProperties: "."
            case .headers: "-"
            }
        return words.joined(separator: separator).lowercased()
    }

    /// Throws the rest of a sentence that starts with the key.
    func checkName(_ name: String) throws(InvalidValue) {
        if name.isEmpty { throw InvalidValue("needs a name after it") }
        switch self {
        case .kafkaProperties:
            guard name.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                throw InvalidValue("is not the name of a property: it holds a space or another odd character")
            }
            if let reason = ConfigurationSchema.reservedKafkaProperties[name] { throw InvalidValue(reason) }
        case .headers:
            guard name.utf8.allSatisfy(ByteView.isTokenByte) else {
                throw InvalidValue("is not the name of a header (RFC 9110, section 5.1)")
            }
            if let reason = ConfigurationSchema.reservedHeaders[name] { throw InvalidValue(reason) }
            if name.hasPrefix("ce-") { throw InvalidValue("cannot be set: ce- headers tell the event's attributes") }
        }
    }

    /// Throws a reason that does not quote the value, which may be a secret.
    func checkValue(_ value: String) throws(InvalidValue) {
        switch self {
        case .kafkaProperties:
            // A key or a certificate in PEM has several lines, but to librdkafka NUL ends the text.
            if value.utf8.contains(0) { throw InvalidValue("holds a NUL character") }
        case .headers:
            if value.isEmpty { throw InvalidValue("is empty") }
            guard value.utf8.allSatisfy({ ($0 >= 0x20 && $0 != 0x7f) || $0 == UInt8(ascii: "\t") }) else {
                throw InvalidValue("holds a line break or another control character, which no header may")
            }
        }
    }
}

extension ConfigurationSchema {
    /// Kafka properties that the Sidecar sets itself, each with the rest of a sentence why they cannot be set.
    static let reservedKafkaProperties: [String: String] = [
        "bootstrap.servers": "cannot be set here; use brokers",
        "metadata.broker.list": "cannot be set here; use brokers",
        "group.id": "cannot be set here; the consumer's group is providers.kafka.group",
        "enable.auto.commit": "cannot be set: a request counts as consumed only when its answer is with the broker",
        "enable.auto.offset.store":
            "cannot be set: a request counts as consumed only when its answer is with the broker",
        "delivery.report.only.error": "cannot be set: the Sidecar must be told of every delivery",
        "transactional.id": "cannot be set: messages are sent outside of transactions",
        "log.queue": "cannot be set: the Sidecar takes librdkafka's log lines from a queue",
        "opaque": "cannot be set: the Sidecar keeps its own pointer there",
    ]

    /// Header lines that each request already has, or that say where it ends.
    static let reservedHeaders: [String: String] = [
        "content-type": "cannot be set: it tells the receiver the CloudEvents mode",
        "content-length": "cannot be set: it tells where the request ends",
        "transfer-encoding": "cannot be set: it tells where the request ends",
        "connection": "cannot be set: it belongs to the connection",
        "expect": "cannot be set: it would hold up each request",
    ]
}
