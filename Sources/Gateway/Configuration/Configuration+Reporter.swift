extension Configuration {
    /// Where events are sent on to.
    public enum Reporter: Sendable, Equatable {
        case file(File)
        case kafka(Kafka)
        case http(HTTP)

        public struct File: Sendable, Equatable {
            /// nil: called by type and place.
            public var name: String?
            public var path = ""
            /// The file is rotated when it has grown past this; 0: never.
            public var maxBytes = 0
            /// How many rotated files (`path.1` is the newest) are kept.
            public var keep = 5

            public init() {}
        }

        public struct Kafka: Sendable, Equatable {
            /// What becomes the key of an event's message.
            public enum Key: String, Sendable, CaseIterable { case requestId, predictionId, modelName, none }

            /// nil: called by type and place.
            public var name: String?
            /// `host:port`, joined by commas.
            public var brokers = ""
            public var topic = "predictions"
            public var key = Key.requestId
            /// Takes the events that the broker refuses for good, each with its cause.
            public var failurePath = "failed-predictions.jsonl"
            /// Any of librdkafka's properties by its own name, secrets resolved.
            public var properties: [String: String] = [:]

            public init() {}
        }

        public struct HTTP: Sendable, Equatable {
            /// CloudEvents HTTP binding: one event per request with its attributes as headers, or a JSON array of events.
            public enum Mode: String, Sendable, CaseIterable { case binary, batch }

            /// nil: called by type and place.
            public var name: String?
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
            public var failurePath = "failed-predictions.jsonl"
            /// Header lines of every request by name, secrets resolved.
            public var headers: [String: String] = [:]

            public init() {}
        }
    }
}
