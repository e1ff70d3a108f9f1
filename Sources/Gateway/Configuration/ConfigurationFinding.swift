/// What was found where the configuration meets the machine: at one of its keys.
public struct ConfigurationFinding: Sendable, Equatable {
    /// The path of the key, such as `models.0.caFile`; empty where it is about the whole.
    public var key: String
    /// nil: it is not to be shown, or there is none.
    public var value: String?
    /// The rest of a sentence that starts with the value, or else with the key.
    public var reason: String

    init(_ key: String, value: String? = nil, _ reason: String) {
        (self.key, self.value, self.reason) = (key, value, reason)
    }

    /// Such as `models.0.caFile: '/x.pem' cannot be read: No such file or directory`.
    public var description: String {
        ConfigurationError.Problem(.none, key: key, value: value, reason).withoutSource
    }
}

extension ConfigurationSettings {
    /// Reports what was found, but for keys that are wrong in themselves.
    mutating func report(_ findings: [ConfigurationFinding]) {
        let wrong = Set(problems.map(\.key))
        for finding in findings where !wrong.contains(finding.key) {
            let source = source(of: ConfigurationPath(text: finding.key))
            report(Problem(source, key: finding.key, value: finding.value, finding.reason))
        }
    }
}
