extension Configuration {
    /// The APIs beside REST, which is always there: the list of those that there are. What each is, its own type says.
    public struct Providers: Sendable, Equatable {
        /// nil: no requests come over Kafka.
        public var kafka: Kafka?

        public init() {}

        /// In the order of the table of keys.
        static let kinds: [any ProviderSection.Type] = [Kafka.self]

        /// What is said of those that are to run.
        var sections: [any ProviderSection] {
            let all: [(any ProviderSection)?] = [kafka]
            return all.compactMap { $0 }
        }
    }
}
