import Logging

/// From what, and how, each shard is made.
struct ShardBlueprint {
    let configuration: Configuration
    let shardCount: Int
    let readiness: Readiness
    let reporting: ReportingBlueprint
    let providers: ProviderBlueprint
    /// For the request bodies of all shards.
    let bodyMemory: BodyMemoryLimit
    /// nil: the page is off.
    let watch: PredictionWatch?
    let notices: UnsplitNotices
    let log: Logger

    /// Makes a shard; the first one also looks after the Model Services' health.
    ///
    /// Its sources are in the order of their turns: answers come in, the events of the turn go to the Reporters and then its
    /// replies to the clients, requests come in, their calls start. The place of a source is the kind of its tokens.
    func makeShard(_ index: Int, metrics: ShardMetrics, control: ShardControl) throws -> Shard {
        let epoll = try Epoll()
        let clock = ShardClock()
        let memory = BodyMemory(bodyMemory)
        let flow = ExchangeFlow(
            metrics: metrics,
            readiness: readiness,
            maxInFlight: share(of: configuration.server.maxInFlight),
            reporting: makeReporting(shard: index, clock),
            notices: notices,
            clock: clock,
            bodyMemory: memory
        )
        let services = makeServices(epoll, flow, memory)
        let router = Router(routes: configuration.models.enumerated().map { makeRoute($0, $1, services) })
        var sources = services.map { Optional($0.answers) }
        sources.append(index > 0 ? nil : makeProber(services))
        sources.append(FlowSource(flow))
        do {
            sources += try providers.makeSources(
                ProviderBlueprint.Surroundings(
                    index: index,
                    epoll: epoll,
                    flow: flow,
                    router: router,
                    bodyMemory: memory,
                    serverMetadataRoute: onlyServer(router, services)
                ),
                firstToken: UInt8(sources.count)
            )
        } catch {
            // There is no shard to do it.
            for service in services { service.answers.shutDown() }
            throw error
        }
        return try Shard(epoll: epoll, sources: sources + services.map { $0.starts }, control: control)
    }

    private func share(of limit: Int) -> Int { max((limit + shardCount - 1) / shardCount, 1) }

    // MARK: Events

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

    // MARK: Model Services

    /// All ways of calling Model Services, in the order of their list: the first ones among the sources.
    private func makeServices(_ epoll: Epoll, _ flow: ExchangeFlow, _ memory: BodyMemory) -> [any ModelServices] {
        ServiceURL.Way.allCases.map { way in
            let models = configuration.models.enumerated().filter { ServiceURL.way(of: $1.url) == way }
                .map { (index: $0.offset, model: $0.element) }
            return switch way {
            case .http:
                HTTPModelServices(
                    models,
                    HTTPModelServices.Surroundings(
                        epoll: epoll,
                        tokenKind: UInt8(way.rawValue),
                        flow: flow,
                        memory: memory
                    )
                )
            }
        }
    }

    private func service(_ url: String, _ services: [any ModelServices]) -> any ModelServices {
        services[ServiceURL.way(of: url).rawValue]
    }

    private func makeRoute(_ index: Int, _ model: Configuration.Model, _ services: [any ModelServices]) -> ModelRoute {
        ModelRoute(
            index: index,
            name: model.name,
            version: model.version,
            modelProtocol: ModelProtocol(model.protocol),
            maxPredictions: model.maxPredictions,
            retry: RetryPolicy(model),
            streams: StreamRule(model.stream),
            maxStreamBytes: model.maxStreamBufferBytes,
            adapter: service(model.url, services).adapter(of: index)
        )
    }

    /// The model whose service is asked for its server's metadata: there must be one server behind all models that have such.
    private func onlyServer(_ router: Router, _ services: [any ModelServices]) -> ModelRoute? {
        let routes = router.routes.filter { $0.modelProtocol.codec.paths?.server != nil }
        let servers = Set(
            routes.map { route in
                let model = configuration.models[route.index]
                return service(model.url, services).server(of: model)
            }
        )
        return servers.count == 1 ? routes.first : nil
    }

    private func makeProber(_ services: [any ModelServices]) -> HealthProber {
        HealthProber(
            configuration.models.enumerated().map { index, model in
                let own = service(model.url, services)
                let probe =
                    model.healthUrl.map { service($0, services).makeProbe(of: model, stated: $0) }
                    ?? own.makeProbe(of: model, at: index)
                return (probe, readinessLog(model, own.shownURL(of: model)))
            },
            readiness: readiness
        )
    }

    private func readinessLog(_ model: Configuration.Model, _ url: String) -> ReadinessLog {
        let log = log
        return ReadinessLog(
            model: printable(model.name + (model.version.map { " \($0)" } ?? ""), maxScalars: 200),
            url: url,
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
