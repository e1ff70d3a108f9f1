/// Why a command gets nowhere: the most telling of the errors that its clients have had since something succeeded.
struct KafkaTrouble {
    private(set) var error: KafkaError?

    mutating func note(_ error: KafkaError) {
        if Self.rank(error) >= self.error.map(Self.rank) ?? 0 { self.error = error }
    }

    mutating func end() { error = nil }

    /// Whether waiting does not help: somebody has to change something.
    var isLasting: Bool { error.map { Self.rank($0) == Self.lasting } ?? false }

    private static let lasting = 4

    /// What a broker or TLS says, before what the network says, before that nobody answers.
    private static func rank(_ error: KafkaError) -> Int {
        switch error {
        case .tls, .authentication, .saslAuthenticationFailed, .topicAuthorizationFailed: lasting
        case .unknownTopic, .unknownTopicOrPartition, .resolve: 3
        case .transport: error.detail == nil ? 1 : 2
        case .allBrokersDown, .timedOut, .messageTimedOut: 1
        default: 2
        }
    }

    /// For people; nil: there is no trouble.
    func description(brokers: String, topic: String, hiding secrets: KafkaSettings) -> String? {
        guard let error else { return nil }
        let detail = secrets.redacted(error.detail ?? error.reason)
        switch error {
        case .tls: return "TLS with \(brokers) fails (ssl.ca.location?): \(detail)"
        case .authentication, .saslAuthenticationFailed:
            return "\(brokers) refuses us (sasl.mechanism, sasl.username, sasl.password?): \(detail)"
        case .topicAuthorizationFailed: return "\(brokers) does not let us at \(topic): \(detail)"
        case .unknownTopic, .unknownTopicOrPartition: return "there is no topic \(topic) at \(brokers)"
        case _ where error.isUnreachable: return "no broker can be reached at \(brokers) (\(detail))"
        default: return secrets.redacted("\(error)")
        }
    }
}
