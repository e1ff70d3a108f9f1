import Logging

/// The Providers, and of what they are made: the only place that names each of them.
struct ProviderBlueprint {
    let configuration: Configuration
    let readiness: Readiness
    let page: MetricsPage
    /// nil: the page is off.
    let watch: PredictionWatch?
    let connections: ConnectionBalancer
    /// Of the shards that have a Kafka Provider.
    let kafkaMetrics: [KafkaMetrics]
    let log: Logger

    /// What Providers get of their shard.
    struct Surroundings {
        /// The shard's place.
        let index: Int
        let epoll: Epoll
        let flow: ExchangeFlow
        let router: Router
        let bodyMemory: BodyMemory
        /// The model whose service is asked for its server's metadata; nil: there is none.
        let serverMetadataRoute: ModelRoute?
    }

    /// What the Kafka Provider counts, by shard. The shards after these have none.
    static func kafkaMetrics(_ configuration: Configuration, shards: Int) -> [KafkaMetrics] {
        (0..<(configuration.providers.kafka?.consumerCount(shards: shards) ?? 0)).map { KafkaMetrics(shard: $0) }
    }

    /// What the libraries behind the Providers have against their settings.
    ///
    /// - Parameter withClients: Whether clients are made, and let go, to learn what only these can tell.
    static func findings(_ configuration: Configuration, shards: Int, withClients: Bool) -> [ConfigurationFinding] {
        ProviderKind.allCases.flatMap { kind in
            switch kind {
            case .rest: return [ConfigurationFinding]()
            case .kafka:
                guard let kafka = configuration.providers.kafka, !kafka.brokers.isEmpty else { return [] }
                return KafkaProvider.Options.findings(
                    kafka,
                    server: configuration.server,
                    consumers: kafka.consumerCount(shards: shards),
                    withClients: withClients
                )
            }
        }
    }

    /// The Providers of one shard as its sources, in the order of their turns; nil: it has none of that kind.
    ///
    /// - Parameter firstToken: of the tokens of their descriptors; each counts on from there by its place.
    func makeSources(_ shard: Surroundings, firstToken: UInt8) throws -> [Shard.Source?] {
        func token(_ kind: ProviderKind) -> UInt8 { firstToken + UInt8(kind.rawValue) }
        let rest = makeREST(shard)
        let kafka = try makeKafka(shard)
        if let kafka { try shard.epoll.add(kafka.wakeDescriptor, .input, token: Epoll.Token(kind: token(.kafka))) }
        // Last: when all that may fail is there, clients may come.
        let log = log
        try rest.serve(
            connections,
            place: shard.index,
            options: serverOptions,
            epoll: shard.epoll,
            tokenKind: token(.rest)
        ) { message in log.debug("libmicrohttpd: \(message)") }
        return ProviderKind.allCases.map { kind in
            switch kind {
            case .rest: RESTSource(rest)
            case .kafka: kafka.map(KafkaSource.init)
            }
        }
    }

    // MARK: REST

    private func makeREST(_ shard: Surroundings) -> RESTProvider {
        let page = page
        let refusals = RefusalLog(log)
        return RESTProvider(
            flow: shard.flow,
            router: shard.router,
            local: LocalAnswers(
                catalog: ModelCatalog(shard.router.routes, readiness),
                serverMetadataRoute: shard.serverMetadataRoute,
                startMetrics: { page.start() },
                openAPI: OpenAPIDocument.json,
                page: makePage()
            ),
            bodyMemory: shard.bodyMemory,
            browserGuard: BrowserGuard(
                own: [configuration.server.host, hostName()],
                allowed: configuration.server.allowedHosts
            ),
            refused: { refusals.note($0.reason, isOtherProtocol: $0.kind.isOtherProtocol) }
        )
    }

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

    // MARK: Kafka

    /// nil: none is configured, or other shards have it.
    private func makeKafka(_ shard: Surroundings) throws -> KafkaProvider? {
        guard let kafka = configuration.providers.kafka, shard.index < kafkaMetrics.count else { return nil }
        do {
            return try KafkaProvider(
                options: KafkaProvider.Options(
                    kafka,
                    server: configuration.server,
                    eventTopics: configuration.reporting.reporters.compactMap(\.kafka?.topic),
                    consumers: kafkaMetrics.count
                ),
                flow: shard.flow,
                router: shard.router,
                metrics: kafkaMetrics[shard.index],
                log: log
            )
        } catch let error as KafkaSettingError {
            throw KafkaProviderError(error)
        }
    }
}
