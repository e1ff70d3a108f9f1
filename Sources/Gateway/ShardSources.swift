// The parts of a shard as its loop drives them.

/// The calls to the Model Services: their sockets, the deadlines of their adapters, their health.
final class ModelServicesSource: Shard.Source {
    private let curl: CurlMulti
    private let adapters: [HTTPModelServiceAdapter]
    /// nil: another shard's.
    private let prober: HealthProber?

    init(curl: CurlMulti, adapters: [HTTPModelServiceAdapter], prober: HealthProber?) {
        self.curl = curl
        self.adapters = adapters
        self.prober = prober
    }

    override func ready(_ event: Epoll.Event) { curl.socketReady(event) }

    override func turn(_ pass: Shard.Pass) {
        curl.runTimers(now: pass.now)
        curl.deliverFinished()
        for index in adapters.indices { adapters[index].expire(now: pass.now) }
        prober?.run(now: pass.now)
    }

    override var nextDeadline: Int64 {
        var deadline = curl.deadline ?? .max
        for index in adapters.indices { deadline = min(deadline, adapters[index].nextDeadline ?? .max) }
        if let prober { deadline = min(deadline, prober.nextProbe) }
        return deadline
    }

    override func shutDown() {
        for adapter in adapters { adapter.shutDown() }
        curl.shutDown()
    }
}

/// What lies between the parts: at the end of a turn its events go to the Reporters, and then its replies to the Providers.
final class FlowSource: Shard.Source {
    private let flow: ExchangeFlow

    init(_ flow: ExchangeFlow) { self.flow = flow }

    override func turn(_ pass: Shard.Pass) {
        if flow.retries.nextDue <= pass.now { flow.startRetries(now: pass.now) }
        flow.endTurn()
        flow.freedMemory.expire(now: pass.now)
    }

    override var nextDeadline: Int64 {
        flow.hasWork ? 0 : min(flow.freedMemory.nextLook ?? .max, flow.retries.nextDue)
    }

    override var isDrained: Bool { flow.exchanges.inUse == 0 }

    override func abort() {
        flow.abortAll()
        flow.endTurn()
    }

    override func shutDown() { flow.endTurn() }
}

/// REST: replies out, requests in.
final class RESTSource: Shard.Source {
    private let provider: RESTProvider

    init(_ provider: RESTProvider) { self.provider = provider }

    override func ready(_ event: Epoll.Event) { provider.ready(event) }

    override func turn(_ pass: Shard.Pass) { provider.run(now: pass.now, isIdle: pass.isIdle) }

    override var nextDeadline: Int64 { provider.nextDeadline }

    override func drain() { provider.drain() }

    override func abort() { provider.abort() }
}

/// What Kafka has.
final class KafkaSource: Shard.Source {
    private let provider: KafkaProvider

    init(_ provider: KafkaProvider) { self.provider = provider }

    override func ready(_ event: Epoll.Event) { provider.wake() }

    override func turn(_ pass: Shard.Pass) { provider.takeIn(now: Clock.monotonic()) }

    override var nextDeadline: Int64 { provider.hasMore ? 0 : provider.nextDeadline }

    override func drain() { provider.drain() }

    override var isDrained: Bool { provider.isDrained }

    override func shutDown() { provider.shutDown() }
}

/// Starts the calls that were begun in a turn. Some are over at once, and nothing would wake the loop for them.
final class CallStartsSource: Shard.Source {
    private let curl: CurlMulti

    init(curl: CurlMulti) { self.curl = curl }

    override func turn(_ pass: Shard.Pass) {
        curl.runTimers(now: Clock.monotonic())
        curl.deliverFinished()
    }
}
