import Logging

/// From what, and how, each shard is made.
struct ShardBlueprint {
    let configuration: Configuration
    let shardCount: Int
    let readiness: Readiness
    let reporting: ReportingBlueprint
    /// For the request bodies of all shards.
    let bodyMemory: BodyMemoryLimit
    let page: MetricsPage
    /// nil: the page is off.
    let watch: PredictionWatch?
    let notices: UnsplitNotices
    let log: Logger

    /// Makes a shard that gets its connections from the balancer; the first one also looks after the Model Services' health.
    func makeShard(
        _ index: Int,
        connections: ConnectionBalancer,
        metrics: ShardMetrics,
        kafkaMetrics: KafkaMetrics?,
        control: ShardControl
    ) throws -> Shard {
        let epoll = try Epoll()
        let curl = CurlMulti(
            epoll: epoll,
            tokenKind: Place.modelServices.kind,
            maxIdleConnections: configuration.models.reduce(0) { $0 + $1.maxConnections }
        )
        let clock = ShardClock()
        let reporting = makeReporting(shard: index, clock)
        let memory = BodyMemory(bodyMemory)
        let flow = ExchangeFlow(
            metrics: metrics,
            readiness: readiness,
            maxInFlight: share(of: configuration.server.maxInFlight),
            reporting: reporting,
            notices: notices,
            clock: clock,
            bodyMemory: memory
        )
        let adapters = configuration.models.enumerated().map { makeAdapter($0, $1, curl, flow, memory) }
        let router = Router(
            routes: zip(configuration.models, adapters).enumerated().map { index, pair in
                ModelRoute(
                    index: index,
                    name: pair.0.name,
                    version: pair.0.version,
                    modelProtocol: ModelProtocol(pair.0.protocol),
                    maxPredictions: pair.0.maxPredictions,
                    retry: RetryPolicy(pair.0),
                    streams: StreamRule(pair.0.stream),
                    maxStreamBytes: pair.0.maxStreamBufferBytes,
                    adapter: pair.1
                )
            }
        )
        let page = page
        let log = log
        let local = LocalAnswers(
            catalog: ModelCatalog(router.routes, readiness),
            serverMetadataRoute: onlyServer(router),
            startMetrics: { page.start() },
            openAPI: OpenAPIDocument.json,
            page: makePage()
        )
        let refusals = RefusalLog(log)
        let provider = RESTProvider(
            flow: flow,
            router: router,
            local: local,
            bodyMemory: memory,
            browserGuard: BrowserGuard(
                own: [configuration.server.host, hostName()],
                allowed: configuration.server.allowedHosts
            ),
            refused: { refusals.note($0.reason, isOtherProtocol: $0.kind.isOtherProtocol) }
        )
        let kafka: KafkaProvider?
        do {
            kafka = try makeKafka(flow, router, kafkaMetrics)
            if let kafka { try epoll.add(kafka.wakeDescriptor, .input, token: Epoll.Token(kind: Place.kafka.kind)) }
            try provider.serve(
                connections,
                place: index,
                options: serverOptions,
                epoll: epoll,
                tokenKind: Place.rest.kind
            ) { message in log.debug("libmicrohttpd: \(message)") }
        } catch {
            // There is no shard to do it.
            curl.shutDown()
            throw error
        }
        let prober = index > 0 ? nil : HealthProber(checks: healthChecks(), curl: curl, readiness: readiness)
        return try Shard(
            epoll: epoll,
            sources: Place.allCases.map { place in
                switch place {
                case .modelServices: ModelServicesSource(curl: curl, adapters: adapters, prober: prober)
                case .flow: FlowSource(flow)
                case .rest: RESTSource(provider)
                case .kafka: kafka.map(KafkaSource.init)
                case .callStarts: CallStartsSource(curl: curl)
                }
            },
            control: control
        )
    }

    /// The shard's sources in the order of their turns: answers come in, the events of the turn go to the Reporters and then its
    /// replies to the clients, requests come in, their calls start.
    private enum Place: UInt8, CaseIterable {
        case modelServices, flow, rest, kafka, callStarts

        /// Of the tokens of its descriptors.
        var kind: UInt8 { rawValue }
    }

    private func makeKafka(
        _ flow: ExchangeFlow,
        _ router: Router,
        _ metrics: KafkaMetrics?
    ) throws -> KafkaProvider? {
        guard let kafka = configuration.providers.kafka, let metrics else { return nil }
        do {
            return try KafkaProvider(
                options: KafkaProvider.Options(
                    kafka,
                    server: configuration.server,
                    eventTopics: configuration.reporting.reporters.compactMap(\.kafka?.topic),
                    consumers: kafka.consumerCount(shards: shardCount)
                ),
                flow: flow,
                router: router,
                metrics: metrics,
                log: log
            )
        } catch let error as KafkaSettingError {
            throw KafkaProviderError(error)
        }
    }

    private func share(of limit: Int) -> Int { max((limit + shardCount - 1) / shardCount, 1) }

    private var serverOptions: HTTPServer.Options {
        HTTPServer.Options(
            maxBodyBytes: configuration.server.maxBodyBytes,
            maxHeaderBytes: configuration.server.maxHeaderBytes,
            idleTimeout: configuration.server.idleTimeout,
            headTimeout: configuration.server.headTimeout,
            bodyTimeout: configuration.server.bodyTimeout
        )
    }

    private func makePage() -> LocalAnswers.Page? {
        guard let watch else { return nil }
        let document = PageDocument()
        return LocalAnswers.Page(
            write: { document.write(to: $0) },
            writePredictions: { watch.write(after: $0, to: $1) }
        )
    }

    private var hidesRequests: Bool { configuration.reporting.capture != .none && !configuration.ui.showsRequests }

    private func makeReporting(shard: Int, _ clock: ShardClock) -> EventReporting {
        EventReporting(
            lanes: reporting.openLanes(shard: shard),
            observer: watch.map { PredictionWatchLane($0, trimmer: EventTrimmer(hidesRequests: hidesRequests)) },
            encoder: PredictionEventEncoder(source: "//\(hostName())/ameron-sidecar"),
            policy: EventPolicy(configuration.reporting),
            clock: clock
        )
    }

    private func makeAdapter(
        _ index: Int,
        _ model: Configuration.Model,
        _ curl: CurlMulti,
        _ flow: ExchangeFlow,
        _ memory: BodyMemory
    ) -> HTTPModelServiceAdapter {
        let url = serviceURL(model)
        return HTTPModelServiceAdapter(
            options: HTTPModelServiceAdapter.Options(
                url: url,
                timeout: model.timeout.nanoseconds,
                partTimeout: model.idleTimeout.nanoseconds,
                maxStreamTime: model.maxStreamTime.nanoseconds,
                maxStreamBytes: model.maxStreamBufferBytes,
                maxConnections: model.maxConnections,
                limits: CallLimits(key: "models.\(index)", model),
                memory: memory
            ),
            transport: makeTransport(model, url, curl),
            sink: flow,
            freedMemory: flow.freedMemory,
            clock: flow.clock
        )
    }

    private func makeTransport(
        _ model: Configuration.Model,
        _ url: ModelServiceURL,
        _ curl: CurlMulti
    ) -> any HTTPTransport {
        let target = CurlHandle.Target(
            url: url.predict,
            unixSocketPath: url.unixSocketPath,
            caFile: model.caFile,
            maxBodyBytes: model.maxResponseBytes,
            keepAlive: model.keepAlive.nanoseconds,
            isRepeatable: model.repeatable
        )
        // Never in the clear where TLS is asked for, whatever the configuration says.
        return model.transport != .curl && !url.isSecure
            ? DirectTransport(url: url, target: target, curl: curl)
            : CurlTransport(url: url, target: target, curl: curl)
    }

    private func serviceURL(_ model: Configuration.Model) -> ModelServiceURL {
        ModelServiceURL(
            model.url,
            model: model.name,
            version: model.version,
            modelProtocol: ModelProtocol(model.protocol)
        )
    }

    /// The model whose service is asked for its server's metadata: there must be one server behind all models that have such.
    private func onlyServer(_ router: Router) -> ModelRoute? {
        let routes = router.routes.filter { $0.modelProtocol.codec.paths?.server != nil }
        let servers = Set(routes.map { serviceURL(configuration.models[$0.index]).server })
        return servers.count == 1 ? routes.first : nil
    }

    private func healthChecks() -> [(HealthProber.Check, ReadinessLog)] {
        configuration.models.enumerated().map { index, model in
            (healthCheck(index, model), readinessLog(model))
        }
    }

    private func healthCheck(_ index: Int, _ model: Configuration.Model) -> HealthProber.Check {
        if let stated = model.healthUrl {
            let url = ModelServiceURL(stated, model: model.name, version: nil, modelProtocol: .native)
            return HealthProber.Check(
                model: index,
                url: url.predict,
                unixSocketPath: url.unixSocketPath,
                caFile: model.caFile,
                anyAnswer: false
            )
        }
        let url = serviceURL(model)
        return HealthProber.Check(
            model: index,
            url: url.health.url,
            unixSocketPath: url.unixSocketPath,
            caFile: model.caFile,
            anyAnswer: url.health.anyAnswer,
            key: "models.\(index).healthUrl"
        )
    }

    private func readinessLog(_ model: Configuration.Model) -> ReadinessLog {
        let log = log
        let url = serviceURL(model)
        return ReadinessLog(
            model: printable(model.name + (model.version.map { " \($0)" } ?? ""), maxScalars: 200),
            url: ModelServiceURL.shown(url.predict, url.unixSocketPath),
            start: Clock.monotonic()
        ) { isWell, message in log.log(level: isWell ? .notice : .warning, "\(message)") }
    }
}

extension RetryPolicy {
    /// nil: none is configured.
    convenience init?(_ model: Configuration.Model) {
        guard model.retry.attempts > 1 else { return nil }
        var causes: Causes = []
        for cause in model.retry.causes {
            switch cause {
            case .connect: causes.insert(.connect)
            case .reset: causes.insert(.reset)
            case .timeout: causes.insert(.timeout)
            case .serverError: causes.insert(.serverError)
            }
        }
        let random = RandomPool()
        self.init(
            Options(
                attempts: model.retry.attempts,
                causes: causes,
                budget: model.retry.budget,
                isRepeatable: model.repeatable
            ),
            random: { random.next() }
        )
    }
}

extension StreamRule {
    init(_ word: Configuration.Model.Stream) {
        switch word {
        case .auto: self = .byType
        case .always: self = .always
        case .never: self = .never
        }
    }
}

extension ModelProtocol {
    init(_ word: Configuration.Model.ServiceProtocol) {
        guard let named = ModelProtocol.named(word.rawValue) else {
            preconditionFailure("each word for a protocol has one")
        }
        self = named
    }
}

extension EventPolicy {
    fileprivate init(_ reporting: Configuration.Reporting) {
        switch reporting.capture {
        case .none: capture = .none
        case .input: capture = .input
        case .body: capture = .body
        }
        maxCaptureBytes = reporting.maxCaptureBytes
        maxEventBytes = reporting.maxEventBytes
    }
}

extension UnsplitNotices {
    convenience init(_ models: [Configuration.Model], log: Logger) {
        let routes = models.map {
            Route(name: $0.name, modelProtocol: ModelProtocol($0.protocol), maxPredictions: $0.maxPredictions)
        }
        self.init(routes) { log.warning("\($0)") }
    }
}
