extension Configuration {
    public struct Model: Sendable, Equatable {
        public enum ServiceProtocol: String, Sendable, CaseIterable { case native, v1, v2, raw }

        /// What carries the calls: `direct` (our framing, no TLS), `curl` (libcurl's transfers), `auto` (direct where it can).
        public enum Transport: String, Sendable, CaseIterable { case auto, direct, curl }

        /// Which answers go on to the client as they come: those of `text/event-stream` and `application/x-ndjson`, all, none.
        public enum Stream: String, Sendable, CaseIterable { case auto, always, never }

        public struct Retry: Sendable, Equatable {
            /// All calls of a request; 1: none is made again.
            public var attempts = 1
            /// After what, of `connect`, `reset`, `timeout` and `5xx`, separated by commas.
            public var on = "connect"
            /// At most so many of a hundred predictions.
            public var budget = 20

            public init() {}
        }

        public var name = ""
        /// Used where the Model Service does not say; nil: not known.
        public var version: String?
        /// What the Model Service speaks.
        public var `protocol`: ServiceProtocol = .native
        /// `http://`, `https://` or `http+unix://%2Fpath%2Fof%2Fsocket/path`.
        public var url = ""
        /// The whole call, the wait for a free connection included.
        public var timeout: Duration = .seconds(2)
        /// Per shard.
        public var maxConnections = 256
        public var maxResponseBytes = 64 << 20
        public var stream = Stream.auto
        /// How long the next part of an answer that comes in parts may take; `timeout` is for its first line.
        public var idleTimeout: Duration = .seconds(30)
        /// How long such an answer may take in all.
        public var maxStreamTime: Duration = .seconds(600)
        /// How much of it may wait for its client.
        public var maxStreamBufferBytes = 256 << 10
        /// How long a connection stays open without a call.
        public var keepAlive: Duration = .seconds(4)
        /// When a call over REST is made again.
        public var retry = Retry()
        /// Whether the Model Service may be asked again although it may have read the request.
        public var repeatable = false
        /// Of one answer; more are recorded as one.
        public var maxPredictions = 10_000
        public var transport = Transport.auto
        /// Asked with GET to learn whether the Model Service is ready; nil: chosen by protocol.
        public var healthUrl: String?
        /// A PEM file of certificate authorities to trust instead of the system's.
        public var caFile: String?

        public init() {}
    }
}

extension Configuration.Model {
    static let keys: [ConfigurationKey] = [
        .text(
            "models.N.name",
            .model(\.name),
            allowed: nameRule,
            isRequired: true,
            "The name that clients ask for; unique together with the version."
        ),
        .optionalText(
            "models.N.version",
            .model(\.version),
            allowed: nameRule,
            "The version, used where the Model Service does not say."
        ),
        .words("models.N.protocol", .model(\.protocol), "What the Model Service speaks."),
        .text(
            "models.N.url",
            .model(\.url),
            type: "URL",
            allowed: ServiceURL.rule,
            isRequired: true,
            "Where the Model Service takes predictions.",
            check: checkURL
        ),
        .duration(
            "models.N.timeout",
            .model(\.timeout),
            .milliseconds(1)...ConfigurationSchema.day,
            "How long the whole call may take, the wait for a free connection included; of a stream, until it begins."
        ),
        .integer(
            "models.N.maxConnections",
            .model(\.maxConnections),
            1...65_535,
            "The most connections to this Model Service, per shard."
        ),
        .size(
            "models.N.maxResponseBytes",
            .model(\.maxResponseBytes),
            1...ConfigurationSchema.maxSize,
            "The largest response taken from the Model Service; a stream may be longer."
        ),
        .words(
            "models.N.stream",
            .model(\.stream),
            "Which answers go on to the client as they come: server-sent events and lines of JSON (auto), all, or none."
        ),
        .duration(
            "models.N.idleTimeout",
            .model(\.idleTimeout),
            .milliseconds(1)...ConfigurationSchema.day,
            "How long the next part of a stream may take."
        ),
        .duration(
            "models.N.maxStreamTime",
            .model(\.maxStreamTime),
            .milliseconds(1)...ConfigurationSchema.day,
            "How long a stream may take in all."
        ),
        .size(
            "models.N.maxStreamBufferBytes",
            .model(\.maxStreamBufferBytes),
            16 << 10...1 << 30,
            "How much of a stream may wait for its client; then the Model Service waits."
        ),
        .duration(
            "models.N.keepAlive",
            .model(\.keepAlive),
            .zero...ConfigurationSchema.hour,
            "How long a connection to the Model Service stays open without a call: less than the service's own time; 0s: not at all."
        ),
        .integer(
            "models.N.retry.attempts",
            .model(\.retry.attempts),
            1...10,
            "How many calls a request over REST may take; 1: one that failed is not made again."
        ),
        .text(
            "models.N.retry.on",
            .model(\.retry.on),
            type: ConfigurationKey.listType,
            allowed: "connect, reset, timeout, 5xx",
            "After which failures a call is made again; all but `connect` only with `repeatable`.",
            check: checkRetryCauses
        ),
        .integer(
            "models.N.retry.budget",
            .model(\.retry.budget),
            1...100,
            "How many calls may be made again, of a hundred predictions; ten at once after a quiet time."
        ),
        .boolean(
            "models.N.repeatable",
            .model(\.repeatable),
            "Whether a request is sent once more where a kept connection dies, also when the Model Service may have read it."
        ),
        .integer(
            "models.N.maxPredictions",
            .model(\.maxPredictions),
            1...1_000_000,
            "The most Predictions of one answer; one that has more is passed on and recorded as one."
        ),
        .optionalText(
            "models.N.healthUrl",
            .model(\.healthUrl),
            type: "URL",
            allowed: ServiceURL.rule,
            "Asked with GET to learn whether the Model Service is ready; not set: chosen by protocol.",
            check: checkURL
        ),
        .words(
            "models.N.transport",
            .model(\.transport),
            "What carries the calls: direct (without TLS), curl, or auto: direct where it can."
        ),
        .optionalText(
            "models.N.caFile",
            .model(\.caFile),
            type: "path",
            "A PEM file of certificate authorities to trust instead of the system's."
        ),
    ]

    private static let nameRule = "text without control characters"

    @Sendable private static func checkRetryCauses(_ text: String) throws(InvalidValue) {
        _ = try Configuration.Model.Retry.parse(text)
    }

    @Sendable private static func checkURL(_ text: String) throws(InvalidValue) { _ = try ServiceURL.parse(text) }
}
