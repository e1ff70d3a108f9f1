/// All keys that can be set: the one table that files, environment, flags and documentation go by.
public enum ConfigurationSchema {
    /// In the order of the documentation; `type` comes before the keys that depend on it.
    public static let keys: [ConfigurationKey] = server + models + reporting + reporters + log

    private static let maxSize = 1 << 40
    private static let day: Duration = .seconds(86_400)

    private static let server: [ConfigurationKey] = [
        .text("server.host", .at(\.server.host), "The address or name to listen on."),
        .integer("server.port", .at(\.server.port), 0...65_535, "The port to listen on; 0: any free port."),
        .integer(
            "server.shards",
            .at(\.server.shards),
            0...1_024,
            "How many threads serve; 0: one per available core."
        ),
        .size("server.maxBodyBytes", .at(\.server.maxBodyBytes), 0...maxSize, "The largest request body taken."),
        .size(
            "server.maxHeaderBytes",
            .at(\.server.maxHeaderBytes),
            1 << 10...1 << 20,
            "The most that the request line and the headers may take together."
        ),
        .integer(
            "server.maxConnections",
            .at(\.server.maxConnections),
            1...1_000_000,
            "The most client connections, over all shards."
        ),
        .integer(
            "server.maxInFlight",
            .at(\.server.maxInFlight),
            1...1_000_000,
            "The most requests worked on at once, over all shards; more are refused with 503."
        ),
        .duration(
            "server.idleTimeout",
            .at(\.server.idleTimeout),
            .seconds(1)...day,
            "How long a client connection may stay silent."
        ),
        .duration(
            "server.drainTimeout",
            .at(\.server.drainTimeout),
            .zero...day,
            "How long the requests in flight have to end when the program is told to stop."
        ),
    ]

    private static let models: [ConfigurationKey] = [
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
            allowed: urlRule,
            isRequired: true,
            "Where the Model Service takes predictions.",
            check: checkURL
        ),
        .duration(
            "models.N.timeout",
            .model(\.timeout),
            .milliseconds(1)...day,
            "How long the whole call may take, the wait for a free connection included."
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
            1...maxSize,
            "The largest response taken from the Model Service."
        ),
        .optionalText(
            "models.N.healthUrl",
            .model(\.healthUrl),
            type: "URL",
            allowed: urlRule,
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

    private static let reporting: [ConfigurationKey] = [
        .words(
            "reporting.delivery",
            .at(\.reporting.delivery),
            reserved: ["at-least-once"],
            "What happens to events that a Reporter cannot take in time; best-effort: they are dropped and counted."
        ),
        .words(
            "reporting.capture",
            .at(\.reporting.capture),
            "Whether the request goes into the event: not at all, or its body."
        ),
        .size(
            "reporting.maxCaptureBytes",
            .at(\.reporting.maxCaptureBytes),
            0...1 << 30,
            "Where a captured request is cut."
        ),
        .size(
            "reporting.maxQueueBytes",
            .at(\.reporting.maxQueueBytes),
            1 << 10...maxSize,
            "The most that may wait to be written, per Reporter."
        ),
    ]

    private static let reporters: [ConfigurationKey] = [
        .words(
            "reporting.reporters.N.type",
            reporterType,
            isRequired: true,
            reserved: ["kafka"],
            "What kind of Reporter this is."
        ),
        .text(
            "reporting.reporters.N.path",
            .file(\.path),
            type: "path",
            isRequired: true,
            "The file that events are appended to, one JSON object a line."
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

    private static let log: [ConfigurationKey] = [
        .words("log.level", .at(\.log.level), "The least important messages that are logged.")
    ]

    private enum ReporterType: String, CaseIterable, Sendable { case file }

    private static let reporterType = ConfigurationPlace<ReporterType>(
        get: { _, _ in .file },
        set: { configuration, index, type in
            switch type {
            case .file: configuration.reporting.reporters[index] = .file(Configuration.Reporter.File())
            }
        }
    )

    private static let nameRule = "text without control characters"
    private static let urlRule =
        "http://host[:port]/path, https://host[:port]/path or http+unix://%2Fsocket%2Fpath/path"

    @Sendable private static func checkURL(_ text: String) throws(InvalidValue) { _ = try ServiceURL.parse(text) }
}

// What the loader asks of the table.
extension ConfigurationSchema {
    enum Place {
        case key(ConfigurationKey)
        case section, list
        /// Part of the contract, but not of this version.
        case reserved
        case unknown
    }

    static let reservedReason = "is known but not available in this version; it comes with the next release"

    static let lists: [ConfigurationPath] = ["models", "reporting.reporters"]

    /// With all that is below them.
    static let reserved: [ConfigurationPath] = [
        "reporting.spool", "providers.kafka", "reporting.reporters.N.brokers", "reporting.reporters.N.topic",
        "reporting.reporters.N.properties",
    ]

    private static let order: [ConfigurationPath: Int] = Dictionary(
        uniqueKeysWithValues: keys.enumerated().map { ($1.pattern, $0) }
    )

    /// Whatever has keys below it.
    private static let sections: Set<ConfigurationPath> = Set(
        (keys.map(\.pattern) + reserved).flatMap { path in
            path.components.indices.map { ConfigurationPath(components: Array(path.components[..<$0])) }
        }
    )

    private static let byEnvironmentPattern: [String: ConfigurationPath] = Dictionary(
        uniqueKeysWithValues: keys.map { ($0.pattern.environmentPattern, $0.pattern) }
    )

    static func place(of path: ConfigurationPath) -> Place {
        let pattern = path.pattern
        if let index = order[pattern] { return .key(keys[index]) }
        if lists.contains(pattern) { return .list }
        if sections.contains(pattern) { return .section }
        if reserved.contains(where: { pattern.hasPrefix($0) }) { return .reserved }
        return .unknown
    }

    static func isKey(_ path: ConfigurationPath) -> Bool { order[path.pattern] != nil }

    /// The place of a key in the table.
    static func order(of path: ConfigurationPath) -> Int { order[path.pattern] ?? keys.count }

    /// The path of the key or reserved section that an environment variable sets; nil: none.
    static func path(ofEnvironment name: String) -> ConfigurationPath? {
        var pattern = ""
        var index: Int?
        for word in name.dropFirst(ConfigurationKey.environmentPrefix.count).split(separator: "_") {
            if let number = ConfigurationPath.index(word) {
                index = number
                pattern += "#"
            } else {
                pattern += word
            }
        }
        if let path = byEnvironmentPattern[pattern] { return path.with(index: index) }
        return reserved.first { pattern.hasPrefix($0.environmentPattern) }?.with(index: index)
    }

    /// The key or section that was probably meant.
    static func suggestion(for path: ConfigurationPath) -> String? {
        let siblings = sections.subtracting([.root]).union(order.keys).filter {
            $0.components.count == path.components.count
        }
        let candidates = siblings.map { $0.with(index: path.index).description }.sorted()
        if let near = nearest(to: path.description, in: candidates) { return near }
        // The right key in the wrong section.
        guard case .name(let last)? = path.components.last else { return nil }
        let elsewhere = keys.filter { $0.pattern.components.last == .name(last) }
        return elsewhere.count == 1 ? elsewhere.first?.pattern.with(index: path.index).description : nil
    }

    /// The environment variable that was probably meant.
    static func suggestion(forEnvironment name: String) -> String? {
        let index = name.split(separator: "_").lazy.compactMap { ConfigurationPath.index($0) }.first
        return nearest(to: name, in: keys.map { $0.pattern.with(index: index).environmentName } + ["AMERON_CONFIG"])
    }
}
