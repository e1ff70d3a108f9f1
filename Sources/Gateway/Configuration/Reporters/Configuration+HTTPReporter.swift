extension Configuration.Reporter {
    /// A Reporter that posts events to a URL.
    public struct HTTP: Sendable, Equatable {
        /// CloudEvents HTTP binding: one event per request with its attributes as headers, or a JSON array of events.
        public enum Mode: String, Sendable, CaseIterable { case binary, batch }

        public var common = Common()
        public var url = ""
        public var mode = Mode.batch
        /// The most events of one request in batch mode.
        public var maxBatchEvents = 100
        /// The most requests out at once.
        public var maxInFlight = 4
        /// Per request.
        public var timeout: Duration = .seconds(10)
        /// How often an event is tried under best effort; under at-least-once it is tried until it succeeds.
        public var maxAttempts = 5
        public var retryBackoff: Duration = .milliseconds(100)
        public var maxRetryBackoff: Duration = .seconds(10)
        /// The longest pause that the receiver may ask for.
        public var maxRetryAfter: Duration = .seconds(300)
        /// A PEM file of certificate authorities to trust instead of the system's.
        public var caFile: String?
        /// Takes the events that the receiver refuses for good, each with its cause.
        public var failurePath = Configuration.Reporter.failurePath
        /// Header lines of every request by name, secrets resolved.
        public var headers: [String: String] = [:]

        public init() {}
    }
}

extension Configuration.Reporter.HTTP: FailureFileSection {
    static let keys: [ConfigurationKey] = [
        .text(
            "reporting.reporters.N.url",
            .reporter(\Self.url),
            type: "URL",
            allowed: "http://host[:port]/path or https://host[:port]/path",
            isRequired: true,
            "Where events are sent with POST.",
            check: checkReceiver
        ),
        .words(
            "reporting.reporters.N.mode",
            .reporter(\Self.mode),
            "Of the CloudEvents HTTP binding: binary is one event a request, batch a JSON array of events."
        ),
        .integer(
            "reporting.reporters.N.maxBatchEvents",
            .reporter(\Self.maxBatchEvents),
            1...100_000,
            "The most events of one request in batch mode."
        ),
        .integer(
            "reporting.reporters.N.maxInFlight",
            .reporter(\Self.maxInFlight),
            1...1_000,
            "The most requests out at once."
        ),
        .duration(
            "reporting.reporters.N.timeout",
            .reporter(\Self.timeout),
            .milliseconds(1)...ConfigurationSchema.day,
            "How long one request may take."
        ),
        .integer(
            "reporting.reporters.N.maxAttempts",
            .reporter(\Self.maxAttempts),
            1...1_000,
            "How often an event is tried under best-effort; under at-least-once it is tried until it succeeds."
        ),
        .duration(
            "reporting.reporters.N.retryBackoff",
            .reporter(\Self.retryBackoff),
            .milliseconds(1)...ConfigurationSchema.hour,
            "The wait before the first repetition; it doubles with each."
        ),
        .duration(
            "reporting.reporters.N.maxRetryBackoff",
            .reporter(\Self.maxRetryBackoff),
            .milliseconds(1)...ConfigurationSchema.day,
            "The longest wait before a repetition."
        ),
        .duration(
            "reporting.reporters.N.maxRetryAfter",
            .reporter(\Self.maxRetryAfter),
            .milliseconds(1)...ConfigurationSchema.day,
            "The longest pause that the receiver gets when it asks for one (Retry-After); it holds for all requests."
        ),
        .optionalText(
            "reporting.reporters.N.caFile",
            .reporter(\Self.caFile),
            type: "path",
            "A PEM file of certificate authorities to trust instead of the system's."
        ),
        ConfigurationKey(
            members: .headers,
            "reporting.reporters.N.headers.NAME",
            .reporter(\Self.headers),
            "A header line of every request; the value may be ${env:NAME} or ${file:/path}."
        ),
    ]

    @Sendable private static func checkReceiver(_ text: String) throws(InvalidValue) {
        let scheme = text.lowercased()
        guard scheme.hasPrefix("http://") || scheme.hasPrefix("https://") else {
            throw InvalidValue("does not start with http:// or https://", suggestion: ServiceURL.withHTTP(text))
        }
        _ = try ServiceURL.parse(text)
    }

    var reporter: Configuration.Reporter { .http(self) }

    /// The query may hold a key, and changes with it.
    var destination: ReporterDestination { ReporterDestination(type: "http", place: String(url.prefix { $0 != "?" })) }

    var summary: String {
        "reporter http: \(mode.rawValue) to \(SummaryText.withoutQuery(url)), failures to \(failurePath)"
            + SummaryText.names("headers", headers)
    }

    /// Two eventfds, the failure file, and the next one while that is changed; libcurl's; a connection for each request.
    var descriptors: Int { 4 + 3 + maxInFlight }

    func check(
        _ path: ConfigurationPath,
        _ delivery: Configuration.Reporting.Delivery,
        _ all: inout ConfigurationSettings
    ) {
        all.checkBackoff(path, retryBackoff, most: maxRetryBackoff)
    }

    func fileFindings(_ key: String) -> [ConfigurationFinding] {
        ConfigurationFinding.authorities(in: caFile, "\(key).caFile")
    }
}
