/// Tries what `serve` would open, without leaving a trace: so that all that is wrong is known at once, and before.
public struct Preflight {
    private let configuration: Configuration
    private let shards: Int
    private let scope: Scope

    /// How far the look goes.
    enum Scope {
        /// What the configuration itself says.
        case elsewhere
        /// And what it finds on this machine.
        case here
        /// And what only clients of librdkafka, which are made and let go, can tell.
        case hereWithClients
    }

    /// What a look at configuration and machine gives.
    public struct Report: Sendable {
        public var configuration: Configuration
        /// What the program would do, a line each.
        public var summary: [String]
        public var bounds: Bounds
        /// What is no reason not to start, but should be known.
        public var notes: [String]
    }

    /// Loads the configuration and tries it; throws all problems, those of the configuration and those of the machine.
    ///
    /// - Parameter here: false: for another machine, so that only what the configuration itself says is looked at.
    public static func run(_ loader: ConfigurationLoader, here: Bool) throws(ConfigurationError) -> Report {
        let scope = here ? Scope.hereWithClients : .elsewhere
        let configuration = try loader.load { Preflight($0, scope).findings }
        let preflight = Preflight(configuration, scope)
        return Report(
            configuration: configuration,
            summary: preflight.summary,
            bounds: preflight.bounds,
            notes: preflight.notes + (here ? preflight.portNotes : [])
        )
    }

    init(_ configuration: Configuration, _ scope: Scope) {
        self.configuration = configuration
        self.scope = scope
        shards = configuration.shardCount
    }

    private var here: Bool { scope != .elsewhere }

    /// The end of a process that has made a preflight: what it has let go must be gone. Returns the code, or ends the process.
    public static func end(_ code: Int32) -> Int32 { KafkaClientEnd.endProcess(code) }

    /// What would keep the program from starting, or one of its parts from working.
    var findings: [ConfigurationFinding] {
        libraryFindings + (here ? fileFindings + addressFindings + descriptorFindings : [])
    }

    var summary: [String] { configuration.summary(shards: shards) }

    /// What is no reason not to start, but should be known.
    var notes: [String] {
        let reporting = configuration.reporting
        if reporting.reporters.isEmpty {
            return ["nothing is reported: reporting.reporters is empty, so that Predictions are answered and forgotten"]
        }
        guard here else { return [] }
        let files = reporting.delivery == .bestEffort ? failureFiles.map(\.description) : []
        return files + spoolNotes(reporting)
    }

    var bounds: Bounds {
        Bounds(
            configuration,
            Bounds.Circumstances(
                shards: shards,
                memory: MemoryLimit.bytes(),
                bodyMemory: configuration.server.bodyMemory,
                descriptors: here ? try? plan() : nil
            )
        )
    }

    // MARK: Files

    private var fileFindings: [ConfigurationFinding] {
        var findings: [ConfigurationFinding] = []
        for (index, model) in configuration.models.enumerated() {
            findings += ConfigurationFinding.authorities(in: model.caFile, "models.\(index).caFile")
        }
        findings += reporters.flatMap { $0.fileFindings($1) }
        return findings + (configuration.reporting.delivery == .atLeastOnce ? failureFiles : []) + spool
    }

    /// Without them best effort goes on, and says what it loses; at-least-once would hold all events when the first is refused.
    private var failureFiles: [ConfigurationFinding] {
        reporters.flatMap { section, key in
            guard let path = (section as? any FailureFileSection)?.failurePath else { return [ConfigurationFinding]() }
            return ConfigurationFinding.appending(to: path, "\(key).failurePath")
        }
    }

    /// What is said of each Reporter, and the key of it.
    private var reporters: [(any ReporterSection, key: String)] {
        configuration.reporting.reporters.enumerated().map { ($1.section, "reporting.reporters.\($0)") }
    }

    private var spool: [ConfigurationFinding] {
        let reporting = configuration.reporting
        guard reporting.delivery == .atLeastOnce, !reporting.reporters.isEmpty else { return [] }
        let (key, path) = ("reporting.spool.path", reporting.spool.path)
        guard FileSystem.exists(path) else {
            // It is made, but not what is above it.
            let obstacle = FileSystem.obstacle(toMakingFilesIn: FileSystem.directory(of: path))
            guard let obstacle else { return [] }
            let reason = ConfigurationFinding.reason(obstacle, for: path)
            return [ConfigurationFinding(key, value: path, "cannot be made: \(reason)")]
        }
        return FileSystem.obstacle(toMakingFilesIn: path).map {
            [ConfigurationFinding(key, value: path, "cannot be used: \($0.reason)")]
        } ?? []
    }

    // MARK: Libraries

    /// What the libraries behind Reporters and Providers have against their settings.
    private var libraryFindings: [ConfigurationFinding] {
        let withClients = scope == .hereWithClients
        var findings: [ConfigurationFinding] = []
        for (index, reporter) in configuration.reporting.reporters.enumerated() {
            findings += ReportingBlueprint.findings(
                reporter,
                "reporting.reporters.\(index)",
                isDurable: configuration.reporting.delivery == .atLeastOnce,
                withClients: withClients
            )
        }
        return findings + ProviderBlueprint.findings(configuration, shards: shards, withClients: withClients)
    }

    // MARK: The machine

    private var addressFindings: [ConfigurationFinding] {
        let server = configuration.server
        do throws(SystemError) {
            // Any port: that a Sidecar serves on this one already is nothing against the configuration.
            try ListeningSocket(host: server.host, port: 0).closeSocket()
        } catch {
            return [ConfigurationFinding("server.host", value: server.host, "cannot be listened on: \(error.reason)")]
        }
        do throws(SystemError) {
            if server.port != 0 {
                try ListeningSocket(host: server.host, port: server.port).closeSocket()
            }
            return []
        } catch  where error.isTaken {
            return []
        } catch {
            return [
                ConfigurationFinding("server.port", value: "\(server.port)", "cannot be listened on: \(error.reason)")
            ]
        }
    }

    private var descriptorFindings: [ConfigurationFinding] {
        do throws(DescriptorShortage) {
            _ = try plan()
            return []
        } catch {
            return [ConfigurationFinding("", error.description)]
        }
    }

    private func plan() throws(DescriptorShortage) -> DescriptorPlan {
        try DescriptorPlan(
            configuration,
            DescriptorPlan.Circumstances(
                shards: shards,
                limit: FileDescriptors.raiseLimit(),
                open: FileDescriptors.openCount(),
                lanes: Spool.laneCount(configuration.reporting.spool.path, shards: shards)
            )
        )
    }

    private var portNotes: [String] {
        let server = configuration.server
        guard server.port != 0 else { return [] }
        do throws(SystemError) {
            try ListeningSocket(host: server.host, port: server.port).closeSocket()
            return []
        } catch {
            return ["port \(server.port) is in use at this moment (server.port)"]
        }
    }

    private func spoolNotes(_ reporting: Configuration.Reporting) -> [String] {
        let path = reporting.spool.path
        guard reporting.delivery == .atLeastOnce, !reporting.reporters.isEmpty,
            let free = FileSystem.freeBytes(at: FileSystem.exists(path) ? path : FileSystem.directory(of: path)),
            free < reporting.spool.maxBytes
        else { return [] }
        return ["the disk of \(path) has \(Bounds.size(free)) free, less than reporting.spool.maxBytes"]
    }
}

extension Configuration {
    /// How many shards there are, on this machine.
    var shardCount: Int { server.shards > 0 ? server.shards : Processors.available() }
}

extension Configuration.Server {
    /// How many bytes all request bodies may have together, on this machine.
    var bodyMemory: Int { maxInFlightBytes > 0 ? maxInFlightBytes : min(MemoryLimit.bytes() / 4, 1 << 30) }
}
