/// Who may hold how many of the process's descriptors: what is always needed comes first, then the Model Services'
/// connections, then clients, so that clients cannot take what a call needs.
public struct DescriptorPlan: Sendable, Equatable {
    /// A part that needs descriptors whatever happens.
    public struct Part: Sendable, Equatable {
        public var what: String
        public var count: Int
    }

    /// What the plan is made for, besides the configuration.
    public struct Circumstances: Sendable, Equatable {
        public var shards: Int
        /// How many descriptors the process may have open (RLIMIT_NOFILE).
        public var limit: Int
        /// Those that are open already.
        public var open: Int
        /// The spool's lanes, of earlier runs too.
        public var lanes: Int

        public init(shards: Int, limit: Int, open: Int, lanes: Int) {
            (self.shards, self.limit, self.open, self.lanes) = (shards, limit, open, lanes)
        }
    }

    public let limit: Int
    public let parts: [Part]
    /// Connections to Model Services, over all models and shards, health checks included.
    public let modelConnections: Int
    /// The most connections of each model and shard; less than what is configured where descriptors are short.
    public let mostPerModel: Int
    /// The most client connections, over all shards.
    public let clientConnections: Int

    /// Descriptors that are open for a moment only: name servers, files of certificates, files that are opened anew.
    private static let passing = 16
    /// Fewer client connections per shard are not worth serving.
    private static let leastClients = 8
    /// What a broker costs a librdkafka client: its connection and the pipe that wakes its thread.
    private static let perBroker = 3
    /// Clusters are taken to have at least so many brokers, the coordinator and the client's own counted.
    private static let leastBrokers = 5

    public init(_ configuration: Configuration, _ now: Circumstances) throws(DescriptorShortage) {
        limit = now.limit
        parts = Self.parts(configuration, now)
        let own = parts.reduce(0) { $0 + $1.count }
        let models = configuration.models
        func connections(_ most: Int) -> Int {
            models.reduce(0) { $0 + min($1.maxConnections, most) * now.shards + 1 }
        }
        let wanted = configuration.server.maxConnections
        let leastClients = min(max(wanted / now.shards, 1), Self.leastClients) * now.shards
        let room = now.limit - own
        guard room >= connections(1) + leastClients else {
            throw DescriptorShortage(
                limit: now.limit,
                parts: parts + [
                    Part(what: "models: a connection per shard, and the health check", count: connections(1)),
                    Part(what: "clients", count: leastClients),
                ]
            )
        }
        // Models get what they may have, unless that is more than half: then the half, evenly.
        let half = max(room - max(min(wanted, room / 2), leastClients), connections(1))
        var (low, high) = (1, models.map(\.maxConnections).max() ?? 1)
        while low < high {
            let middle = (low + high + 1) / 2
            if connections(middle) <= half { low = middle } else { high = middle - 1 }
        }
        mostPerModel = low
        modelConnections = connections(low)
        clientConnections = max(min(wanted, room - modelConnections) / now.shards, 1) * now.shards
    }

    private static func parts(_ configuration: Configuration, _ now: Circumstances) -> [Part] {
        // Two epolls, three eventfds, and what wakes libcurl; and the listening socket and the log's two.
        var parts = [
            Part(what: "open already", count: now.open),
            Part(what: "\(now.shards) shard(s)", count: 8 * now.shards + 2),
            Part(what: "passing", count: passing),
        ]
        for provider in configuration.providers.sections {
            let count = provider.descriptors(shards: now.shards)
            parts.append(Part(what: type(of: provider).path.description, count: count))
        }
        let reporters = configuration.reporting.reporters
        for (index, reporter) in reporters.enumerated() {
            parts.append(Part(what: "reporting.reporters.\(index)", count: reporter.section.descriptors))
        }
        if configuration.reporting.delivery == .atLeastOnce, !reporters.isEmpty {
            // The lock and the thread that syncs; per lane a segment that is written and its successor, and where the newest
            // begins; per Reporter its place, the next one of that, and the segment that it reads.
            let count = 3 + now.lanes * (3 + 3 * reporters.count)
            parts.append(Part(what: "spool of \(now.lanes) lane(s)", count: count))
        }
        return parts
    }

    /// What a client of librdkafka needs, by its list of brokers.
    static func kafkaClient(_ brokers: String) -> Int {
        perBroker * max(KafkaText.list(brokers).count + 2, leastBrokers)
    }
}

/// The system allows fewer descriptors than the least that the configuration needs.
public struct DescriptorShortage: Error, CustomStringConvertible {
    let limit: Int
    let parts: [DescriptorPlan.Part]

    public var description: String {
        let sum = parts.map { "\($0.count) \($0.what)" }.joined(separator: " + ")
        return
            "the system allows \(limit) open descriptors, and at least \(parts.reduce(0) { $0 + $1.count }) are needed: "
            + "\(sum); raise the hard limit (ulimit -n, LimitNOFILE=, --ulimit nofile=) or lower server.shards"
    }
}
