/// What the program may come to hold at most, each computed from the configuration and from what the machine allows.
public struct Bounds: Sendable {
    /// One thing that is bounded.
    public struct Row: Sendable, Equatable {
        /// Such as `request bodies`.
        public var what: String
        /// With its unit.
        public var most: String
        /// From what it comes: keys of the configuration, and a sum where it is one.
        public var from: String

        /// `bodies: 1GiB (server.maxInFlightBytes)`.
        public var line: String { "\(what): \(most) (\(from))" }
    }

    /// What the machine has to say.
    public struct Circumstances: Sendable {
        public var shards: Int
        /// Bytes that the process may have.
        public var memory: Int
        /// Bytes of all bodies of requests and answers together.
        public var bodyMemory: Int
        public var descriptors: DescriptorPlan?

        public init(shards: Int, memory: Int, bodyMemory: Int, descriptors: DescriptorPlan?) {
            (self.shards, self.memory, self.bodyMemory, self.descriptors) = (shards, memory, bodyMemory, descriptors)
        }
    }

    public private(set) var rows: [Row] = []
    /// All that may be in memory at once. Not counted: the program itself, and what librdkafka and TLS have beside messages.
    public private(set) var memory = 0
    private let configuration: Configuration
    private let now: Circumstances

    /// Beside the header: what a connection has been read ahead, and libmicrohttpd's own.
    private static let perConnection = 24 << 10
    /// Up to so much a model's answer is not counted among the bodies (`BodyLoan.freeBytes`).
    private static let shortAnswer = 64 << 10
    /// The last Predictions for the page, and what the log holds back.
    private static let page = 1280 << 10
    private static let log = 512 << 10
    /// Fetched by librdkafka for one consumer (`queued.max.messages.kbytes`), and held for one producer.
    private static let librdkafkaQueue = 16 << 20

    public init(_ configuration: Configuration, _ now: Circumstances) {
        self.configuration = configuration
        self.now = now
        addMemory()
        addDisk()
        addRest()
    }

    private var requestsAtOnce: Int {
        configuration.providers.sections.reduce(configuration.server.maxInFlight) { $0 + $1.maxInFlight }
    }

    private var connections: Int { now.descriptors?.clientConnections ?? configuration.server.maxConnections }

    private var mostPerModel: Int { now.descriptors?.mostPerModel ?? .max }

    private mutating func addMemory() {
        let server = configuration.server
        add(
            "bodies",
            memory: now.bodyMemory,
            server.maxInFlightBytes > 0
                ? "server.maxInFlightBytes" : "server.maxInFlightBytes: a quarter of memory, 1GiB at most"
        )
        let calls = configuration.models.map { min(min($0.maxConnections, mostPerModel) * now.shards, requestsAtOnce) }
        add(
            "short answers",
            memory: Self.times(sum(calls), Self.shortAnswer),
            "calls out at once x \(SizeText.describe(Self.shortAnswer)); longer ones are among the bodies"
        )
        add(
            "client connections",
            memory: Self.times(connections, server.maxHeaderBytes + Self.perConnection),
            "\(connections) x (server.maxHeaderBytes + \(SizeText.describe(Self.perConnection)))"
        )
        let reporters = configuration.reporting.reporters
        if configuration.reporting.delivery == .bestEffort, !reporters.isEmpty {
            let queue = configuration.reporting.maxQueueBytes
            add(
                "events that wait",
                memory: Self.times(reporters.count, queue),
                "\(reporters.count) x reporting.maxQueueBytes"
            )
        }
        let providers = configuration.providers.sections
        for bound in providers.compactMap(\.memoryBound) { add(bound.what, memory: bound.bytes, bound.from) }
        let clients =
            reporters.reduce(0) { $0 + $1.section.kafkaClients }
            + providers.reduce(0) { $0 + $1.kafkaClients(shards: now.shards) }
        if clients > 0 {
            add("messages with librdkafka", memory: clients * Self.librdkafkaQueue, "\(clients) clients x 16MiB")
        }
        if configuration.ui.enabled { add("the page", memory: Self.page, "the last Predictions") }
        add("the log", memory: Self.log, "what standard error does not take")
        row("memory, all of these", Self.size(memory), "the process may have \(Self.size(now.memory))")
    }

    private mutating func addDisk() {
        let reporting = configuration.reporting
        if reporting.delivery == .atLeastOnce, !reporting.reporters.isEmpty {
            row(
                "spool",
                SizeText.describe(reporting.spool.maxBytes),
                "reporting.spool.maxBytes; \(reporting.spool.path)"
            )
        }
        for (index, reporter) in reporting.reporters.enumerated() {
            let key = "reporting.reporters.\(index)"
            if let bound = reporter.section.diskBound(key) { rows.append(bound) }
        }
    }

    private mutating func addRest() {
        let server = configuration.server
        let providers = Configuration.Providers.kinds.map { $0.path.description }.joined(separator: ", ")
        row("requests at once", "\(requestsAtOnce)", "maxInFlight of server and \(providers)")
        if let plan = now.descriptors {
            let own = plan.parts.reduce(0) { $0 + $1.count }
            row(
                "descriptors",
                "\(own + plan.modelConnections + plan.clientConnections)",
                "\(own) of its own, \(plan.modelConnections) to models, \(plan.clientConnections) of clients; \(plan.limit) allowed"
            )
        }
        let slowest = configuration.models.map(\.timeout).max() ?? .zero
        row("a call", DurationText.describe(slowest), "models.N.timeout, the longest")
        row(
            "a request's arrival",
            "\(DurationText.describe(server.headTimeout)) for its header",
            "server.headTimeout; its body must go on by 1KiB/s, server.bodyTimeout"
        )
        row(
            "the end",
            DurationText.describe(server.drainTimeout + .seconds(7)),
            "server.drainTimeout, 5s for the Reporters, 2s for the rest"
        )
    }

    private mutating func add(_ what: String, memory bytes: Int, _ from: String) {
        memory = sum([memory, bytes])
        row(what, Self.size(bytes), from)
    }

    private mutating func row(_ what: String, _ most: String, _ from: String) {
        rows.append(Row(what: what, most: most, from: from))
    }

    /// Sizes may be anything up to 1 TiB each: what does not fit is as good as no bound.
    static func times(_ count: Int, _ bytes: Int) -> Int {
        let (product, overflows) = count.multipliedReportingOverflow(by: bytes)
        return overflows ? .max : product
    }

    private func sum(_ sizes: [Int]) -> Int {
        sizes.reduce(0) { sum, size in
            let (total, overflows) = sum.addingReportingOverflow(size)
            return overflows ? .max : total
        }
    }

    /// Rounded up, for people: `1.3GiB`.
    static func size(_ bytes: Int) -> String {
        if bytes == .max { return "no bound" }
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var (unit, scale) = (0, 1)
        while unit < units.count - 1, bytes / scale >= 1024 { (unit, scale) = (unit + 1, scale * 1024) }
        let tenths = bytes / scale * 10 + (bytes % scale * 10 + scale - 1) / scale
        return tenths % 10 == 0 || tenths >= 1000
            ? "\((tenths + 9) / 10)\(units[unit])" : "\(tenths / 10).\(tenths % 10)\(units[unit])"
    }
}

extension Bounds {
    /// The rows as lines whose columns stand below each other.
    public var table: [String] {
        let first = rows.map(\.what.count).max() ?? 0
        let second = rows.map(\.most.count).max() ?? 0
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(width - text.count, 0))
        }
        return rows.map { "\(padded($0.what, first))  \(padded($0.most, second))  \($0.from)" }
    }
}
