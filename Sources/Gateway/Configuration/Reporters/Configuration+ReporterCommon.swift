extension Configuration.Reporter {
    /// What every Reporter has, whatever its kind: values and keys.
    public struct Common: Sendable, Equatable {
        /// nil: called by type and place.
        public var name: String?

        public init() {}
    }
}

extension Configuration.Reporter.Common {
    static let keys: [ConfigurationKey] = [
        .optionalText(
            "reporting.reporters.N.name",
            .anyReporter(\.name),
            allowed: "1 to 64 of the characters a-z, A-Z, 0-9, '.', '_' and '-', the first a letter or digit",
            "What it is called in metrics, log and spool, where its place goes by it; not set: by type and place, such as kafka-2.",
            check: checkName
        )
    ]

    /// It becomes the name of a file, and the value of a label.
    @Sendable private static func checkName(_ text: String) throws(InvalidValue) {
        if text.utf8.count > 64 { throw InvalidValue("is too long") }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            default: isDigit(byte)
            }
        }
        guard text.utf8.allSatisfy({ isAlphanumeric($0) || [0x2d, 0x2e, 0x5f].contains($0) }) else {
            throw InvalidValue("holds a character that no name has")
        }
        guard let first = text.utf8.first, isAlphanumeric(first) else {
            throw InvalidValue("does not begin with a letter or digit")
        }
    }
}

extension ConfigurationPlace {
    /// Of any Reporter.
    fileprivate static func anyReporter(_ path: Path<Configuration.Reporter.Common>) -> Self {
        Self(
            defaultValue: Configuration.Reporter.Common()[keyPath: path],
            modify: { $2(&$0.reporting.reporters[$1].section.common[keyPath: path]) }
        )
    }
}
