/// The Model Services that are called over HTTP/1.1: one libcurl for the shard, and an adapter for each model.
final class HTTPModelServices: Shard.Source, ModelServices {
    private let curl: CurlMulti
    /// By place among the models of this kind.
    private let adapters: [HTTPModelServiceAdapter]
    /// The place of a model in the configuration to that of its adapter.
    private let places: [Int: Int]
    let starts: Shard.Source

    /// What they get of their shard.
    struct Surroundings {
        let epoll: Epoll
        /// Of the tokens of their sockets.
        let tokenKind: UInt8
        let flow: ExchangeFlow
        let memory: BodyMemory
    }

    /// - Parameter models: those that are called over HTTP/1.1, and their places in the configuration.
    init(_ models: [(index: Int, model: Configuration.Model)], _ shard: Surroundings) {
        let curl = CurlMulti(
            epoll: shard.epoll,
            tokenKind: shard.tokenKind,
            maxIdleConnections: models.reduce(0) { $0 + $1.model.maxConnections }
        )
        self.curl = curl
        starts = HTTPCallStarts(curl: curl)
        adapters = models.map { Self.makeAdapter($0.index, $0.model, curl, shard) }
        places = Dictionary(uniqueKeysWithValues: models.enumerated().map { ($1.index, $0) })
    }

    // MARK: ModelServices

    func adapter(of model: Int) -> any ModelServiceAdapter {
        guard let place = places[model] else { preconditionFailure("a model that is called in another way") }
        return adapters[place]
    }

    func server(of model: Configuration.Model) -> String { ModelServiceURL(model).server }

    func shownURL(of model: Configuration.Model) -> String {
        let url = ModelServiceURL(model)
        return ModelServiceURL.shown(url.predict, url.unixSocketPath)
    }

    func makeProbe(of model: Configuration.Model, at index: Int) -> any HealthProbe {
        let url = ModelServiceURL(model)
        let check = HTTPHealthProbe.Check(
            url: url.health.url,
            unixSocketPath: url.unixSocketPath,
            caFile: model.caFile,
            anyAnswer: url.health.anyAnswer,
            key: "models.\(index).healthUrl"
        )
        return HTTPHealthProbe(check, curl: curl)
    }

    func makeProbe(of model: Configuration.Model, stated url: String) -> any HealthProbe {
        let url = ModelServiceURL(url, model: model.name, version: nil, modelProtocol: .native)
        let check = HTTPHealthProbe.Check(
            url: url.predict,
            unixSocketPath: url.unixSocketPath,
            caFile: model.caFile,
            anyAnswer: false
        )
        return HTTPHealthProbe(check, curl: curl)
    }

    var answers: Shard.Source { self }

    // MARK: Shard.Source

    override func ready(_ event: Epoll.Event) { curl.socketReady(event) }

    override func turn(_ pass: Shard.Pass) {
        curl.runTimers(now: pass.now)
        curl.deliverFinished()
        for index in adapters.indices { adapters[index].expire(now: pass.now) }
    }

    override var nextDeadline: Int64 {
        var deadline = curl.deadline ?? .max
        for index in adapters.indices { deadline = min(deadline, adapters[index].nextDeadline ?? .max) }
        return deadline
    }

    override func shutDown() {
        for adapter in adapters { adapter.shutDown() }
        curl.shutDown()
    }

    // MARK: Adapters

    private static func makeAdapter(
        _ index: Int,
        _ model: Configuration.Model,
        _ curl: CurlMulti,
        _ shard: Surroundings
    ) -> HTTPModelServiceAdapter {
        let url = ModelServiceURL(model)
        return HTTPModelServiceAdapter(
            options: HTTPModelServiceAdapter.Options(
                url: url,
                timeout: model.timeout.nanoseconds,
                partTimeout: model.idleTimeout.nanoseconds,
                maxStreamTime: model.maxStreamTime.nanoseconds,
                maxStreamBytes: model.maxStreamBufferBytes,
                maxConnections: model.maxConnections,
                limits: CallLimits(key: "models.\(index)", model),
                memory: shard.memory
            ),
            transport: makeTransport(model, url, curl),
            sink: shard.flow,
            freedMemory: shard.flow.freedMemory,
            clock: shard.flow.clock
        )
    }

    private static func makeTransport(
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
}

/// Starts the calls that were begun in a turn. Some are over at once, and nothing would wake the loop for them.
private final class HTTPCallStarts: Shard.Source {
    private let curl: CurlMulti

    init(curl: CurlMulti) { self.curl = curl }

    override func turn(_ pass: Shard.Pass) {
        curl.runTimers(now: Clock.monotonic())
        curl.deliverFinished()
    }
}

extension ModelServiceURL {
    fileprivate init(_ model: Configuration.Model) {
        self.init(
            model.url,
            model: model.name,
            version: model.version,
            modelProtocol: ModelProtocol(model.protocol)
        )
    }
}
