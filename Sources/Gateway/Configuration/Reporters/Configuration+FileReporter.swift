extension Configuration.Reporter {
    /// A Reporter that appends events to a file.
    public struct File: Sendable, Equatable {
        public var common = Common()
        public var path = ""
        /// The file is rotated when it has grown past this; 0: never.
        public var maxBytes = 0
        /// How many rotated files (`path.1` is the newest) are kept.
        public var keep = 5

        public init() {}
    }
}

extension Configuration.Reporter.File: ReporterSection {
    static let keys: [ConfigurationKey] = [
        .text(
            "reporting.reporters.N.path",
            .reporter(\Self.path),
            type: "path",
            isRequired: true,
            "Events are appended to this file, one JSON object a line; relative to the working directory."
        ),
        .size(
            "reporting.reporters.N.maxBytes",
            .reporter(\Self.maxBytes),
            0...ConfigurationSchema.maxSize,
            "The file is rotated when it has grown past this; 0: never."
        ),
        .integer(
            "reporting.reporters.N.keep",
            .reporter(\Self.keep),
            1...1_000,
            "How many rotated files are kept; path.1 is the newest."
        ),
    ]

    var reporter: Configuration.Reporter { .file(self) }

    var destination: ReporterDestination {
        ReporterDestination(type: "file", place: ConfigurationSettings.normalized(path))
    }

    var summary: String { "reporter file: \(path)" }

    /// Two eventfds, the file, and the next one while that is changed.
    var descriptors: Int { 4 }

    func diskBound(_ key: String) -> Bounds.Row? {
        if maxBytes == 0 {
            return Bounds.Row(what: path, most: "no bound", from: "\(key).maxBytes is 0: it is not rotated")
        }
        return Bounds.Row(
            what: path,
            most: Bounds.size(Bounds.times(keep + 1, maxBytes)),
            from: "(\(key).keep + 1) x maxBytes, and a batch of events"
        )
    }

    var eventPath: String? { path }

    func fileFindings(_ key: String) -> [ConfigurationFinding] {
        ConfigurationFinding.appending(to: path, "\(key).path")
    }
}
