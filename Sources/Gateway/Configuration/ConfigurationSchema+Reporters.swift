/// The words of `reporting.reporters.N.type`.
enum ReporterType: String, CaseIterable, Sendable { case file, kafka, http }

// The keys of Reporters. Which of them one has depends on its type.
extension ConfigurationSchema {
    static let reporters: [ConfigurationKey] =
        [.words("reporting.reporters.N.type", reporterType, isRequired: true, "What kind of Reporter this is."), name]
        + file.ofReporters(.file) + kafka.ofReporters(.kafka) + http.ofReporters(.http)
        + failures.ofReporters(.kafka, .http)

    private static let reporterType = ConfigurationPlace<ReporterType>(
        defaultValue: .file,
        modify: { configuration, index, change in
            var type = ReporterType.file
            change(&type)
            configuration.reporting.reporters[index] =
                switch type {
                case .file: .file(Configuration.Reporter.File())
                case .kafka: .kafka(Configuration.Reporter.Kafka())
                case .http: .http(Configuration.Reporter.HTTP())
                }
        }
    )

    private static let name = ConfigurationKey.optionalText(
        "reporting.reporters.N.name",
        .file(\.name).or(.kafka(\.name)).or(.http(\.name)),
        allowed: "1 to 64 of the characters a-z, A-Z, 0-9, '.', '_' and '-', the first a letter or digit",
        "What it is called in metrics, log and spool, where its place goes by it; not set: by type and place, such as kafka-2.",
        check: checkName
    )

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

    private static let file: [ConfigurationKey] = [
        .text(
            "reporting.reporters.N.path",
            .file(\.path),
            type: "path",
            isRequired: true,
            "Events are appended to this file, one JSON object a line; relative to the working directory."
        ),
        .size(
            "reporting.reporters.N.maxBytes",
            .file(\.maxBytes),
            0...maxSize,
            "The file is rotated when it has grown past this; 0: never."
        ),
        .integer(
            "reporting.reporters.N.keep",
            .file(\.keep),
            1...1_000,
            "How many rotated files are kept; path.1 is the newest."
        ),
    ]

    private static let kafka: [ConfigurationKey] = [
        .brokers("reporting.reporters.N.brokers", .kafka(\.brokers), "Where the Kafka cluster is first asked."),
        .topic("reporting.reporters.N.topic", .kafka(\.topic), "The topic that events are produced to."),
        .words("reporting.reporters.N.key", .kafka(\.key), "What becomes the key of an event's message."),
        ConfigurationKey(
            members: .kafkaProperties,
            "reporting.reporters.N.properties.NAME",
            .kafka(\.properties),
            "Any of librdkafka's properties by its own name; the value may be ${env:NAME} or ${file:/path}."
        ),
    ]

    private static let http: [ConfigurationKey] = [
        .text(
            "reporting.reporters.N.url",
            .http(\.url),
            type: "URL",
            allowed: "http://host[:port]/path or https://host[:port]/path",
            isRequired: true,
            "Where events are sent with POST.",
            check: checkReceiver
        ),
        .words(
            "reporting.reporters.N.mode",
            .http(\.mode),
            "Of the CloudEvents HTTP binding: binary is one event a request, batch a JSON array of events."
        ),
        .integer(
            "reporting.reporters.N.maxBatchEvents",
            .http(\.maxBatchEvents),
            1...100_000,
            "The most events of one request in batch mode."
        ),
        .integer(
            "reporting.reporters.N.maxInFlight",
            .http(\.maxInFlight),
            1...1_000,
            "The most requests out at once."
        ),
        .duration(
            "reporting.reporters.N.timeout",
            .http(\.timeout),
            .milliseconds(1)...day,
            "How long one request may take."
        ),
        .integer(
            "reporting.reporters.N.maxAttempts",
            .http(\.maxAttempts),
            1...1_000,
            "How often an event is tried under best-effort; under at-least-once it is tried until it succeeds."
        ),
        .duration(
            "reporting.reporters.N.retryBackoff",
            .http(\.retryBackoff),
            .milliseconds(1)...hour,
            "The wait before the first repetition; it doubles with each."
        ),
        .duration(
            "reporting.reporters.N.maxRetryBackoff",
            .http(\.maxRetryBackoff),
            .milliseconds(1)...day,
            "The longest wait before a repetition."
        ),
        .duration(
            "reporting.reporters.N.maxRetryAfter",
            .http(\.maxRetryAfter),
            .milliseconds(1)...day,
            "The longest pause that the receiver gets when it asks for one (Retry-After); it holds for all requests."
        ),
        .optionalText(
            "reporting.reporters.N.caFile",
            .http(\.caFile),
            type: "path",
            "A PEM file of certificate authorities to trust instead of the system's."
        ),
        ConfigurationKey(
            members: .headers,
            "reporting.reporters.N.headers.NAME",
            .http(\.headers),
            "A header line of every request; the value may be ${env:NAME} or ${file:/path}."
        ),
    ]

    private static let failures: [ConfigurationKey] = [
        .text(
            "reporting.reporters.N.failurePath",
            .kafka(\.failurePath).or(.http(\.failurePath)),
            type: "path",
            "Takes the events that were refused for good, each with its cause; relative to the working directory."
        )
    ]

    @Sendable private static func checkReceiver(_ text: String) throws(InvalidValue) {
        let scheme = text.lowercased()
        guard scheme.hasPrefix("http://") || scheme.hasPrefix("https://") else {
            throw InvalidValue("does not start with http:// or https://", suggestion: ServiceURL.withHTTP(text))
        }
        _ = try ServiceURL.parse(text)
    }
}
