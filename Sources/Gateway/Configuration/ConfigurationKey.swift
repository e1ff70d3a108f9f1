/// One key that can be set: its path, type, default, limits and meaning, and where its value goes.
public struct ConfigurationKey: Sendable {
    /// Starts the name of each environment variable that sets a key.
    public static let environmentPrefix = "AMERON_"

    /// Such as `models.N.url`, N being an index from 0, or `providers.kafka.properties.NAME`, NAME being any.
    public var path: String { pattern.documented }
    /// Such as `AMERON_MODELS_0_URL`; underscores within a key may be left out.
    public var environmentName: String { pattern.environmentName }
    /// "size", "duration", "integer", "boolean", "text", "word", "URL", "path", "brokers" or "topic".
    public let type: String
    /// The type of words joined by commas, which a file may also write as a list.
    static let listType = "list"
    /// Which values are allowed, for people; empty: any.
    public let allowed: String
    /// As it would be written; empty: not set.
    public let defaultText: String
    /// Whether each list element, or the section, must have it.
    public let isRequired: Bool
    /// The types of Reporter that have it; empty: it does not depend on the type.
    public internal(set) var reporterTypes: [String] = []
    /// One sentence.
    public let documentation: String

    let pattern: ConfigurationPath
    /// Of an open map, whose values may be secrets: they are resolved, and never shown; nil: not of one.
    let members: ConfigurationMembers?
    /// Parses a text (nil: nothing was written) and stores the value of the path, which has the pattern of this key.
    let set: @Sendable (inout Configuration, ConfigurationPath, String?) throws(InvalidValue) -> Void

    init<Value>(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<Value>,
        type: String,
        allowed: String,
        isRequired: Bool = false,
        _ documentation: String,
        describe: (Value) -> String,
        parse: @escaping @Sendable (String?) throws(InvalidValue) -> Value
    ) {
        self.pattern = pattern
        self.type = type
        self.allowed = allowed
        self.defaultText = describe(place.defaultValue)
        self.isRequired = isRequired
        self.documentation = documentation
        self.members = nil
        self.set = { (configuration, path, text) throws(InvalidValue) in
            let value = try parse(text)
            place.modify(&configuration, path.index ?? 0) { $0 = value }
        }
    }

    /// The members of an open map.
    init(
        members: ConfigurationMembers,
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<[String: String]>,
        _ documentation: String
    ) {
        self.pattern = pattern
        self.type = "text"
        self.allowed = ""
        self.defaultText = ""
        self.isRequired = false
        self.documentation = documentation
        self.members = members
        self.set = { (configuration, path, text) throws(InvalidValue) in
            guard let text else { throw InvalidValue("has no value") }
            try members.checkValue(text)
            place.modify(&configuration, path.index ?? 0) { $0[path.member ?? ""] = text }
        }
    }
}

extension [ConfigurationKey] {
    /// The same keys, which only Reporters of these types have.
    func ofReporters(_ types: [ReporterType]) -> Self {
        map {
            var key = $0
            key.reporterTypes = types.map(\.rawValue)
            return key
        }
    }
}
