/// One key that can be set: its path, type, default, limits and meaning, and where its value goes.
public struct ConfigurationKey: Sendable {
    /// Starts the name of each environment variable that sets a key.
    public static let environmentPrefix = "AMERON_"

    /// Such as `models.N.url`, N being an index from 0.
    public var path: String { pattern.documented }
    /// Such as `AMERON_MODELS_0_URL`; underscores within a key may be left out.
    public var environmentName: String { pattern.environmentName }
    /// "size", "duration", "integer", "text", "word", "URL" or "path".
    public let type: String
    /// Which values are allowed, for people; empty: any.
    public let allowed: String
    /// As it would be written; empty: not set.
    public let defaultText: String
    /// Whether each element of the list must have it.
    public let isRequired: Bool
    /// One sentence.
    public let documentation: String

    let pattern: ConfigurationPath
    /// Words of the contract that this version does not have yet.
    let reservedWords: [String]
    /// Parses a text (nil: nothing was written) and stores the value; the index is that of the list element.
    let set: @Sendable (inout Configuration, Int, String?) throws(InvalidValue) -> Void

    private init<Value>(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<Value>,
        type: String,
        allowed: String,
        isRequired: Bool = false,
        reservedWords: [String] = [],
        _ documentation: String,
        describe: (Value) -> String,
        parse: @escaping @Sendable (String?) throws(InvalidValue) -> Value
    ) {
        self.pattern = pattern
        self.type = type
        self.allowed = allowed
        self.defaultText = describe(place.get(.prototype, 0))
        self.isRequired = isRequired
        self.documentation = documentation
        self.reservedWords = reservedWords
        self.set = { (configuration, index, text) throws(InvalidValue) in
            place.set(&configuration, index, try parse(text))
        }
    }
}

/// Where a value lives in the Configuration, the index being that of a list element.
struct ConfigurationPlace<Value>: Sendable {
    let get: @Sendable (Configuration, Int) -> Value
    let set: @Sendable (inout Configuration, Int, Value) -> Void

    /// Outside of lists.
    static func at(_ path: any WritableKeyPath<Configuration, Value> & Sendable) -> Self {
        Self(get: { configuration, _ in configuration[keyPath: path] }, set: { $0[keyPath: path] = $2 })
    }

    static func model(_ path: any WritableKeyPath<Configuration.Model, Value> & Sendable) -> Self {
        Self(get: { $0.models[$1][keyPath: path] }, set: { $0.models[$1][keyPath: path] = $2 })
    }

    static func file(_ path: any WritableKeyPath<Configuration.Reporter.File, Value> & Sendable) -> Self {
        Self(
            get: { configuration, index in
                switch configuration.reporting.reporters[index] {
                case .file(let file): return file[keyPath: path]
                case .kafka, .http: return Configuration.Reporter.File()[keyPath: path]
                }
            },
            set: { configuration, index, value in
                switch configuration.reporting.reporters[index] {
                case .file(var file):
                    file[keyPath: path] = value
                    configuration.reporting.reporters[index] = .file(file)
                case .kafka, .http: break
                }
            }
        )
    }
}

// The types of values.
extension ConfigurationKey {
    static func integer(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<Int>,
        _ range: ClosedRange<Int>,
        _ documentation: String
    ) -> Self {
        Self(
            pattern,
            place,
            type: "integer",
            allowed: "\(range.lowerBound) to \(range.upperBound)",
            documentation,
            describe: { "\($0)" },
            parse: { (text) throws(InvalidValue) in
                let text = try present(text)
                guard let number = Int(text) else { throw InvalidValue("is not a whole number") }
                return try inRange(number, range)
            }
        )
    }

    static func size(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<Int>,
        _ range: ClosedRange<Int>,
        _ documentation: String
    ) -> Self {
        let allowed = "\(SizeText.describe(range.lowerBound)) to \(SizeText.describe(range.upperBound))"
        return Self(
            pattern,
            place,
            type: "size",
            allowed: allowed,
            documentation,
            describe: SizeText.describe,
            parse: { (text) throws(InvalidValue) in try inRange(SizeText.parse(present(text)), range) }
        )
    }

    static func duration(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<Duration>,
        _ range: ClosedRange<Duration>,
        _ documentation: String
    ) -> Self {
        let allowed = "\(DurationText.describe(range.lowerBound)) to \(DurationText.describe(range.upperBound))"
        return Self(
            pattern,
            place,
            type: "duration",
            allowed: allowed,
            documentation,
            describe: DurationText.describe,
            parse: { (text) throws(InvalidValue) in try inRange(DurationText.parse(present(text)), range) }
        )
    }

    static func words<Word: RawRepresentable<String> & CaseIterable & Sendable>(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<Word>,
        isRequired: Bool = false,
        reserved: [String] = [],
        _ documentation: String
    ) -> Self {
        let words = Word.allCases.map(\.rawValue)
        return Self(
            pattern,
            place,
            type: "word",
            allowed: words.joined(separator: ", "),
            isRequired: isRequired,
            reservedWords: reserved,
            documentation,
            describe: { isRequired ? "" : $0.rawValue },
            parse: { (text) throws(InvalidValue) in
                let text = try present(text)
                if let word = Word(rawValue: text) { return word }
                if reserved.contains(text) { throw InvalidValue(ConfigurationSchema.reservedReason) }
                throw InvalidValue("is not one of the words", suggestion: nearest(to: text, in: words))
            }
        )
    }

    /// Text without control characters that is not empty.
    static func text(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<String>,
        type: String = "text",
        allowed: String = "",
        isRequired: Bool = false,
        _ documentation: String,
        check: @escaping @Sendable (String) throws(InvalidValue) -> Void = { _ in }
    ) -> Self {
        Self(
            pattern,
            place,
            type: type,
            allowed: allowed,
            isRequired: isRequired,
            documentation,
            describe: { $0 },
            parse: { (text) throws(InvalidValue) in
                let text = try present(text)
                try checkCharacters(text)
                try check(text)
                return text
            }
        )
    }

    /// The same, but nothing and the empty text mean "not set".
    static func optionalText(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<String?>,
        type: String = "text",
        allowed: String = "",
        _ documentation: String,
        check: @escaping @Sendable (String) throws(InvalidValue) -> Void = { _ in }
    ) -> Self {
        Self(
            pattern,
            place,
            type: type,
            allowed: allowed,
            documentation,
            describe: { $0 ?? "" },
            parse: { (text) throws(InvalidValue) in
                guard let text, !text.isEmpty else { return nil }
                try checkCharacters(text)
                try check(text)
                return text
            }
        )
    }

    private static func present(_ text: String?) throws(InvalidValue) -> String {
        guard let text, !text.isEmpty else { throw InvalidValue("is empty") }
        return text
    }

    private static func checkCharacters(_ text: String) throws(InvalidValue) {
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            throw InvalidValue("holds a control character")
        }
    }

    private static func inRange<Value>(_ value: Value, _ range: ClosedRange<Value>) throws(InvalidValue) -> Value {
        guard range.contains(value) else { throw InvalidValue("is out of range") }
        return value
    }
}

extension Configuration {
    /// One element in each list, so that the defaults of their keys can be read.
    fileprivate static let prototype: Configuration = {
        var configuration = Configuration()
        configuration.models = [Model()]
        configuration.reporting.reporters = [.file(Reporter.File())]
        return configuration
    }()
}
