import Logging
import Synchronization

/// The Sidecar, put together: the only place that names every part.
public enum Gateway {
    /// Serves until SIGTERM or SIGINT, and returns the exit code of the process. The main thread.
    public static func run(_ configuration: Configuration) -> Int32 {
        Signals.prepare()
        do {
            let processLog = try ProcessLog.start(configuration.log)
            defer { processLog.finish() }
            let log = Logger(label: "ameron-sidecar")
            let code = run(configuration, log: log, processLog.threshold)
            return KafkaClientEnd.endProcess(code) { count in
                if count > 0 { log.warning("\(count) Kafka clients do not end; the process ends without them") }
                processLog.finish()
            }
        } catch {
            StandardError.print("ameron-sidecar: \(error)")
            return 1
        }
    }

    /// What is going to serve, and what it may come to hold.
    private static func tell(_ preflight: Preflight, _ log: Logger) {
        log.info("\(Version.name)")
        let lines = preflight.summary
        for line in lines.prefix(maxLines) { log.info("\(line)") }
        if lines.count > maxLines {
            log.info("and \(lines.count - maxLines) more; `ameron-sidecar validate` shows all")
        }
        for bound in preflight.bounds.rows { log.info("at most: \(bound.line)") }
        for note in preflight.notes { log.warning("\(note)") }
    }

    /// Of what is going to serve: of hundreds of models, the first will do.
    private static let maxLines = 50

    private static func run(_ configuration: Configuration, log: Logger, _ threshold: LogThreshold) -> Int32 {
        let preflight = Preflight(configuration, .here)
        let findings = preflight.findings
        guard findings.isEmpty else {
            for finding in findings { log.critical("\(finding.description)") }
            return 1
        }
        tell(preflight, log)
        do {
            return try RunningGateway(configuration, log: log, threshold: threshold).serve()
        } catch {
            log.critical("\(error)")
            // As for a configuration that cannot be used: the spool and the configuration do not go together.
            switch error as? SpoolError {
            case .reportersChanged?, .writtenLater?: return ConfigurationError.exitCode
            default: return 1
            }
        }
    }
}

/// The Sidecar from its start to its end, as the main thread sees it.
final class RunningGateway {
    private let configuration: Configuration
    private let log: Logger
    private let threshold: LogThreshold
    private let readiness: Readiness
    private let reporting: ReportingBlueprint
    private let process = ProcessSample()
    private let controls: [ShardControl]
    private let threads: [ThreadHandle]
    private let port: Int

    /// Opens everything that can fail to open, and starts the shards.
    init(_ configuration: Configuration, log: Logger, threshold: LogThreshold) throws {
        self.configuration = configuration
        self.log = log
        self.threshold = threshold
        let count = configuration.shardCount
        let configuration = try Self.bounded(configuration, shards: count, log: log)
        readiness = Readiness(modelCount: configuration.models.count)
        reporting = try ReportingBlueprint(configuration.reporting, shardCount: count, log: log)
        for reporter in reporting.reporters { try reporter.start() }

        let server = configuration.server
        let connections = try ConnectionBalancer(
            ListeningSocket.group(count, host: server.host, port: server.port),
            maxConnections: server.maxConnections
        )
        port = connections.port
        let metrics = (0..<count).map { _ in ShardMetrics(modelCount: configuration.models.count) }
        let kafka = ProviderBlueprint.kafkaMetrics(configuration, shards: count)
        let watch = configuration.ui.enabled ? PredictionWatch() : nil
        let providers = ProviderBlueprint(
            configuration: configuration,
            readiness: readiness,
            page: Self.makePage(configuration, metrics, kafka, reporting, readiness, process),
            watch: watch,
            connections: connections,
            kafkaMetrics: kafka,
            log: log
        )
        let blueprint = ShardBlueprint(
            configuration: configuration,
            shardCount: count,
            readiness: readiness,
            reporting: reporting,
            providers: providers,
            bodyMemory: BodyMemoryLimit(bytes: configuration.server.bodyMemory),
            watch: watch,
            notices: UnsplitNotices(configuration.models, log: log),
            log: log
        )

        var controls: [ShardControl] = []
        var threads: [ThreadHandle] = []
        for index in 0..<count {
            let control = try ShardControl()
            controls.append(control)
            let shard = Handover(try blueprint.makeShard(index, metrics: metrics[index], control: control))
            threads.append(try Self.start(shard, name: "shard-\(index)", log: log))
        }
        self.controls = controls
        self.threads = threads
    }

    /// Waits for signals, then ends everything in order: readiness, connections, calls, Reporters.
    func serve() -> Int32 {
        let host = configuration.server.host
        let shown = host.contains(":") ? "[\(host)]" : host
        log.notice("listening on http://\(shown):\(port) with \(threads.count) shard(s)")
        serveSignals()

        readiness.startDraining()
        log.notice("draining: no new connections, \(configuration.server.drainTimeout) for what is in flight")
        let drainEnd = Clock.monotonic() + min(configuration.server.drainTimeout, .seconds(86_400)).nanoseconds
        for control in controls { control.order(.drain) }
        drain(until: drainEnd)
        let isWhole = stop(drainEnd: drainEnd)
        reportLosses()
        log.notice("stopped")
        return isWhole && !Self.aShardFailed.load(ordering: .acquiring) ? 0 : 1
    }

    /// Ends shards and Reporters within two seconds after the drain time, whatever hangs. Whether all have ended.
    private func stop(drainEnd: Int64) -> Bool {
        for control in controls { control.order(.stop) }
        let shardLimit = drainEnd + 500_000_000
        let hanging = threads.filter { !$0.join(until: shardLimit) }
        for thread in hanging { thread.detach() }
        if !hanging.isEmpty { log.critical("\(hanging.count) shard(s) do not end; what they were doing may be lost") }
        // What takes longest after its time is Kafka's producer: a second to give up what it holds.
        let deadline = min(Clock.monotonic() + 5_000_000_000, drainEnd + 700_000_000)
        reporting.stop(deliveringUntil: deadline, endingBy: deadline + 1_200_000_000)
        return hanging.isEmpty
    }

    /// Until one says to end.
    private func serveSignals() {
        var replay = reporting.spool?.replay
        while true {
            let signal = Signals.wait(timeoutMilliseconds: replay == nil ? 5_000 : 1_000)
            process.refresh()
            if replay?.report(now: Clock.monotonic()) == .done { replay = nil }
            switch signal {
            case .hangUp:
                log.notice("SIGHUP: the Reporters open their files anew")
                for reporter in reporting.reporters { reporter.reopen() }
            case .user1: changeLog(towardsMore: true)
            case .user2: changeLog(towardsMore: false)
            case .terminate, .interrupt: return
            case nil: continue
            }
        }
    }

    private func changeLog(towardsMore: Bool) {
        threshold.step(towardsMore: towardsMore)
        let level = threshold.level
        // Seen at any level, as the answer to whoever sent the signal.
        log.log(level: max(level, .notice), "\(towardsMore ? "SIGUSR1" : "SIGUSR2"): log.level is \(level) from now on")
    }

    /// Until nothing is in flight, or the time is over, or a second signal says not to wait.
    private func drain(until deadline: Int64) {
        while !controls.allSatisfy(\.isDrained), Clock.monotonic() < deadline {
            switch Signals.wait(timeoutMilliseconds: 10) {
            case .terminate, .interrupt: return
            case .user1: changeLog(towardsMore: true)
            case .user2: changeLog(towardsMore: false)
            case .hangUp, nil: continue
            }
        }
    }

    private func reportLosses() {
        for reporter in reporting.reporters {
            let failed = reporter.counters.failed.load(ordering: .relaxed)
            let dropped = reporter.counters.dropped.load(ordering: .relaxed)
            guard failed + dropped > 0 else { continue }
            log.error("Reporter \(reporter.name): \(failed) events failed, \(dropped) were dropped")
        }
    }

    // MARK: Parts

    private static let aShardFailed = Atomic<Bool>(false)

    private static func start(_ shard: Handover, name: String, log: Logger) throws(SystemError) -> ThreadHandle {
        try ThreadHandle(name: name) { runShard(shard.value, log: log) }
    }

    private static func runShard(_ shard: Shard, log: Logger) {
        do {
            try shard.run()
        } catch {
            log.critical("a shard failed: \(error)")
            aShardFailed.store(true, ordering: .releasing)
            Signals.raiseTerminate()
        }
    }

    /// With no more connections than there can be descriptors: clients must leave the Model Services theirs.
    private static func bounded(_ configuration: Configuration, shards: Int, log: Logger) throws -> Configuration {
        let plan = try DescriptorPlan(
            configuration,
            DescriptorPlan.Circumstances(
                shards: shards,
                limit: FileDescriptors.raiseLimit(),
                open: FileDescriptors.openCount(),
                lanes: Spool.laneCount(configuration.reporting.spool.path, shards: shards)
            )
        )
        var bounded = configuration
        bounded.server.maxConnections = plan.clientConnections
        for index in bounded.models.indices {
            bounded.models[index].maxConnections = min(bounded.models[index].maxConnections, plan.mostPerModel)
        }
        guard bounded != configuration else { return configuration }
        let (clients, models) = (plan.clientConnections, plan.mostPerModel)
        log.notice(
            """
            the system allows \(plan.limit) open descriptors: at most \(clients) connections of clients are accepted, and \
            \(models) are made per model and shard
            """
        )
        return bounded
    }

    private static func makePage(
        _ configuration: Configuration,
        _ metrics: [ShardMetrics],
        _ kafka: [KafkaMetrics],
        _ reporting: ReportingBlueprint,
        _ readiness: Readiness,
        _ process: ProcessSample
    ) -> MetricsPage {
        var spoolBytes: (@Sendable () -> Int)?
        var spoolRefused: (@Sendable () -> Int)?
        if let spool = reporting.spool {
            spoolBytes = { spool.storedBytes }
            spoolRefused = { spool.refusedEvents }
        }
        return MetricsPage(
            shards: metrics,
            models: configuration.models.map { ($0.name, $0.version ?? "") },
            reporters: reporting.reporters.map { reporter in
                let counters = reporter.counters
                return MetricsPage.Reporter(
                    name: reporter.name,
                    sent: { counters.sent.load(ordering: .relaxed) },
                    failed: { counters.failed.load(ordering: .relaxed) },
                    dropped: { counters.dropped.load(ordering: .relaxed) },
                    queuedBytes: { counters.queuedBytes.load(ordering: .relaxed) },
                    failuresLost: { counters.failuresLost.load(ordering: .relaxed) },
                    block: { counters.block.cause },
                    deliveries: { counters.deliveries.read() }
                )
            },
            spoolBytes: spoolBytes,
            spoolRefused: spoolRefused,
            isReady: { readiness.isReady(model: $0) },
            kafka: kafka,
            kafkaClients: kafka.flatMap { [$0.consumer, $0.producer] } + reporting.kafkaClients,
            process: process
        )
    }
}

/// Carries a shard to its thread.
private struct Handover: @unchecked Sendable {
    // Sendable although the shard is not: it is made on the main thread, which lets go of it when the shard's own starts.
    let value: Shard

    init(_ value: Shard) { self.value = value }
}

extension Duration {
    /// In nanoseconds, at most 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? .max : product + attoseconds / 1_000_000_000
    }
}
