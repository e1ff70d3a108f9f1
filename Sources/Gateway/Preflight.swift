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
        kafkaFindings + (here ? fileFindings + addressFindings + descriptorFindings : [])
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
            findings += authorities("models.\(index).caFile", model.caFile)
        }
        for (index, reporter) in configuration.reporting.reporters.enumerated() {
            let key = "reporting.reporters.\(index)"
            switch reporter {
            case .file(let file): findings += appending("\(key).path", file.path)
            case .kafka: break
            case .http(let http): findings += authorities("\(key).caFile", http.caFile)
            }
        }
        return findings + (configuration.reporting.delivery == .atLeastOnce ? failureFiles : []) + spool
    }

    /// Without them best effort goes on, and says what it loses; at-least-once would hold all events when the first is refused.
    private var failureFiles: [ConfigurationFinding] {
        configuration.reporting.reporters.enumerated().flatMap { index, reporter in
            let key = "reporting.reporters.\(index).failurePath"
            switch reporter {
            case .file: return [ConfigurationFinding]()
            case .kafka(let kafka): return appending(key, kafka.failurePath)
            case .http(let http): return appending(key, http.failurePath)
            }
        }
    }

    private func appending(_ key: String, _ path: String) -> [ConfigurationFinding] {
        guard !path.isEmpty, let obstacle = FileSystem.obstacle(toAppendingTo: path) else { return [] }
        return [ConfigurationFinding(key, value: path, "cannot be opened: \(reason(obstacle, for: path))")]
    }

    private func reason(_ obstacle: SystemError, for path: String) -> String {
        let directory = FileSystem.directory(of: path)
        if obstacle.isMissingFile, !FileSystem.isDirectory(directory) {
            return "the directory \(directory) does not exist"
        }
        return obstacle.reason
    }

    private var spool: [ConfigurationFinding] {
        let reporting = configuration.reporting
        guard reporting.delivery == .atLeastOnce, !reporting.reporters.isEmpty else { return [] }
        let (key, path) = ("reporting.spool.path", reporting.spool.path)
        guard FileSystem.exists(path) else {
            // It is made, but not what is above it.
            let obstacle = FileSystem.obstacle(toMakingFilesIn: FileSystem.directory(of: path))
            return obstacle.map { [ConfigurationFinding(key, value: path, "cannot be made: \(reason($0, for: path))")] }
                ?? []
        }
        return FileSystem.obstacle(toMakingFilesIn: path).map {
            [ConfigurationFinding(key, value: path, "cannot be used: \($0.reason)")]
        } ?? []
    }

    /// That the certificates are good, the first connection tells; that there are some, the file itself.
    private func authorities(_ key: String, _ path: String?) -> [ConfigurationFinding] {
        guard let path else { return [] }
        do throws(FileReader.Failure) {
            let text = String(decoding: try FileReader.read(path, limit: 16 << 20), as: UTF8.self)
            if text.firstRange(ofText: "-----BEGIN CERTIFICATE-----") != nil { return [] }
            return [ConfigurationFinding(key, value: path, "holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")]
        } catch {
            return [ConfigurationFinding(key, value: path, "cannot be read: \(error.reason)")]
        }
    }

    // MARK: librdkafka

    private var kafkaFindings: [ConfigurationFinding] {
        var findings: [ConfigurationFinding] = []
        for (index, reporter) in configuration.reporting.reporters.enumerated() {
            guard case .kafka(let kafka) = reporter else { continue }
            let key = "reporting.reporters.\(index)"
            let single = properties(key, kafka.properties)
            findings += single
            let settings = KafkaReporterSettings(kafka, isDurable: configuration.reporting.delivery == .atLeastOnce)
            if single.isEmpty {
                findings += client(key) { () throws(KafkaSettingError) in
                    _ = try KafkaProducer(settings: settings.settings, wake: nil)
                }
            }
        }
        if let kafka = configuration.providers.kafka, !kafka.brokers.isEmpty {
            let key = "providers.kafka"
            let single = properties(key, kafka.properties)
            findings += single
            let options = KafkaProvider.Options(
                kafka,
                server: configuration.server,
                eventTopics: [],
                consumers: kafka.consumerCount(shards: shards)
            )
            if single.isEmpty {
                findings += client(key) { () throws(KafkaSettingError) in
                    _ = try KafkaConsumer(settings: options.consumer, wake: nil)
                }
                if findings.isEmpty {
                    findings += client(key) { () throws(KafkaSettingError) in
                        _ = try KafkaProducer(settings: options.producer, wake: nil)
                    }
                }
            }
        }
        return findings
    }

    /// Each by itself, so that all that are wrong are told.
    private func properties(_ key: String, _ properties: [String: String]) -> [ConfigurationFinding] {
        properties.sorted { $0.key < $1.key }.compactMap { name, value in
            do throws(KafkaSettingError) {
                try KafkaSettings([(name, value)]).validate()
                return nil
            } catch {
                return ConfigurationFinding("\(key).properties.\(name)", error.reason)
            }
        }
    }

    /// What the settings must be together, and files that they name, only the making of a client tells; it connects to nobody
    /// in the moment that it lives.
    private func client(_ key: String, _ make: () throws(KafkaSettingError) -> Void) -> [ConfigurationFinding] {
        guard scope == .hereWithClients else { return [] }
        do throws(KafkaSettingError) {
            try make()
            return []
        } catch {
            let name =
                switch error.property {
                case "bootstrap.servers": "brokers"
                case "group.id": "group"
                default: "properties.\(error.property)"
                }
            return [ConfigurationFinding("\(key).\(name)", error.reason)]
        }
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
