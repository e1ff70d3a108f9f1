extension Configuration {
    /// The APIs beside REST, which is always there.
    public struct Providers: Sendable, Equatable {
        /// nil: no requests come over Kafka.
        public var kafka: Kafka?

        public init() {}

        public struct Kafka: Sendable, Equatable {
            public enum Face: String, Sendable, CaseIterable { case native, v1, v2 }
            /// When the next request of a key starts: when the broker has the answer before, or when that is sent.
            public enum KeyOrder: String, Sendable, CaseIterable { case strict, pipelined }

            /// `host:port`, joined by commas.
            public var brokers = ""
            public var group = "ameron"
            public var requestTopic = "prediction-requests"
            public var replyTopic = "prediction-replies"
            public var deadLetterTopic = "prediction-dead-letters"
            /// Which other topics a request may name for its reply: names joined by commas, `*` at the end of one for any rest.
            public var allowedReplyTopics = ""
            /// The model of requests that name none; nil: the first one configured.
            public var model: String?
            /// What answers look like where the request does not say.
            public var face = Face.native
            public var keyOrder = KeyOrder.strict
            /// On how many shards a member of the group runs; 0, or more than there are: on each.
            public var consumers = 0
            /// The most requests taken from the broker and not yet done, over all shards.
            public var maxInFlight = 1_000
            /// The most bytes that these may hold, over all shards.
            public var maxInFlightBytes = 64 << 20
            /// How often a request is tried before it becomes a dead letter.
            public var maxAttempts = 5
            public var retryBackoff: Duration = .milliseconds(100)
            public var maxRetryBackoff: Duration = .seconds(10)
            /// Any of librdkafka's properties by its own name, secrets resolved; for consumer and producer alike.
            public var properties: [String: String] = [:]

            public init() {}

            /// How many members of the group there are.
            func consumerCount(shards: Int) -> Int { consumers == 0 ? shards : min(consumers, shards) }
        }
    }
}
