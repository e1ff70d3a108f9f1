extension Configuration {
    public struct Log: Sendable, Equatable {
        public enum Level: String, Sendable, CaseIterable { case trace, debug, info, notice, warning, error, critical }

        /// `auto`: text on a terminal, with colours, and JSON elsewhere.
        public enum Format: String, Sendable, CaseIterable { case auto, text, json }

        public var level = Level.info
        public var format = Format.auto

        public init() {}
    }
}

extension Configuration.Log {
    static let keys: [ConfigurationKey] = [
        .words("log.level", .at(\.log.level), "The least important messages that are logged."),
        .words(
            "log.format",
            .at(\.log.format),
            "How the log looks: lines of text, JSON objects, or auto: text on a terminal, JSON elsewhere."
        ),
    ]
}
