/// Everything that is wrong with a configuration, found in one go.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What a program exits with because of it (EX_CONFIG of sysexits.h).
    public static let exitCode: Int32 = 78

    /// In the order of their sources: file by line, environment by name, flags.
    public let problems: [Problem]

    init(_ problems: [Problem]) { self.problems = problems }

    /// One line per problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }

    /// Where a setting comes from.
    public enum Source: Hashable, Sendable, CustomStringConvertible {
        /// Line and column count from 1; nil: the file as a whole.
        case file(String, line: Int?, column: Int?)
        case environment(String)
        case flag(String)
        /// Nothing was written anywhere.
        case none

        public var description: String {
            switch self {
            case .file(let path, let line, let column):
                [line, column].reduce(path) { $0 + ($1.map { ":\($0)" } ?? "") }
            case .environment(let name): name
            case .flag(let name): name
            case .none: "configuration"
            }
        }
    }

    /// One thing that is wrong.
    public struct Problem: Equatable, Sendable, CustomStringConvertible {
        public let source: Source
        /// The path of the key, such as `models.0.url`; empty where no key is at fault.
        public let key: String
        /// The value at fault, fit to be printed; nil where none is.
        public let value: String?
        /// The rest of a sentence that starts with the value, or else with the key.
        public let reason: String
        /// Which values are allowed.
        public let allowed: String?
        /// What may have been meant.
        public let suggestion: String?

        init(
            _ source: Source,
            key: String,
            value: String? = nil,
            _ reason: String,
            allowed: String? = nil,
            suggestion: String? = nil
        ) {
            self.source = source
            self.key = printable(key, maxScalars: 100)
            self.value = value.map { printable(withoutCredentials($0), maxScalars: 100) }
            // A YAML error quotes the file.
            self.reason = printable(reason, maxScalars: 300)
            self.allowed = allowed
            self.suggestion = suggestion
        }

        public var description: String {
            "\(printable(source.description, maxScalars: 300)): \(withoutSource)"
        }

        /// The same without where it comes from.
        var withoutSource: String {
            var text = ""
            if !key.isEmpty { text += "\(key): " }
            if let value { text += "'\(value)' " }
            text += reason
            if let allowed { text += "; allowed: \(allowed)" }
            if let suggestion { text += "; did you mean '\(suggestion)'?" }
            return text
        }
    }
}

/// `text` without the user name and the password of a URL: messages end up in logs.
private func withoutCredentials(_ text: String) -> String {
    guard let separator = text.firstRange(ofText: "://"), let end = text.lastIndex(of: "@"),
        separator.upperBound <= end
    else { return text }
    return text[..<separator.upperBound] + "***" + text[end...]
}
