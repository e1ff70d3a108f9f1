// The types of values that only Kafka has.
extension ConfigurationKey {
    static func brokers(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<String>,
        _ documentation: String
    ) -> Self {
        text(
            pattern,
            place,
            type: "brokers",
            allowed: "host[:port] joined by commas, IPv6 addresses in brackets",
            isRequired: true,
            documentation,
            check: KafkaText.checkBrokers
        )
    }

    static func topic(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<String>,
        _ documentation: String
    ) -> Self {
        text(
            pattern,
            place,
            type: "topic",
            allowed: "1 to \(KafkaText.maxTopicBytes) of the characters a-z, A-Z, 0-9, '.', '_' and '-'",
            documentation,
            check: { (text) throws(InvalidValue) in try KafkaText.checkTopic(text[...]) }
        )
    }
}
