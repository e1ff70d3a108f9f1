extension KafkaSettings {
    /// Parts of the names of settings that hold secrets.
    private static let secretWords = ["password", "secret", "key.pem", "sasl.jaas", "oauthbearer.config"]

    /// Those settings whose values must not be shown: `secrets.redacted(text)` is a text of the library without any of them.
    var secrets: KafkaSettings {
        KafkaSettings(pairs.filter { pair in Self.secretWords.contains { pair.name.contains($0) } })
    }
}

extension String {
    fileprivate func contains(_ other: String) -> Bool {
        let (bytes, wanted) = (Array(utf8), Array(other.utf8))
        guard wanted.count <= bytes.count else { return false }
        return (0...bytes.count - wanted.count).contains { bytes[$0...].starts(with: wanted) }
    }
}
