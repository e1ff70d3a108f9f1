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

    static func boolean(
        _ pattern: ConfigurationPath,
        _ place: ConfigurationPlace<Bool>,
        _ documentation: String
    ) -> Self {
        Self(
            pattern,
            place,
            type: "boolean",
            allowed: "true, false",
            documentation,
            describe: { "\($0)" },
            parse: { (text) throws(InvalidValue) in
                let text = try present(text)
                guard let value = Bool(text) else {
                    throw InvalidValue("is neither true nor false", suggestion: Synonyms.boolean(text))
                }
                return value
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
        _ documentation: String
    ) -> Self {
        let words = Word.allCases.map(\.rawValue)
        return Self(
            pattern,
            place,
            type: "word",
            allowed: words.joined(separator: ", "),
            isRequired: isRequired,
            documentation,
            describe: { isRequired ? "" : $0.rawValue },
            parse: { (text) throws(InvalidValue) in
                let text = try present(text)
                if let word = Word(rawValue: text) { return word }
                throw InvalidValue("is not one of the words", suggestion: Synonyms.word(text, in: words))
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
