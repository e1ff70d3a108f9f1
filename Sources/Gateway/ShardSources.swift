/// The parts of a shard as its loop drives them.

/// The calls to the Model Services: their sockets, and the deadlines of their adapters.
final class ModelServices: Shard.Source {
    private let curl: CurlMulti
    private let adapters: [HTTPModelServiceAdapter]

    init(curl: CurlMulti, adapters: [HTTPModelServiceAdapter]) {
        self.curl = curl
        self.adapters = adapters
    }

    func ready(_ event: Epoll.Event) { curl.socketReady(event) }

    func turn(_ pass: Shard.Pass) {
        curl.runTimers(now: pass.now)
        curl.deliverFinished()
        for adapter in adapters { adapter.expire(now: pass.now) }
    }

    var nextDeadline: Int64 {
        var deadline = curl.deadline ?? .max
        for adapter in adapters { deadline = min(deadline, adapter.nextDeadline ?? .max) }
        return deadline
    }

    func shutDown() {
        for adapter in adapters { adapter.shutDown() }
        curl.shutDown()
    }
}

/// Starts the calls that were begun in a turn. Some are over at once, and nothing would wake the loop for them.
final class CallStarts: Shard.Source {
    private let curl: CurlMulti

    init(curl: CurlMulti) { self.curl = curl }

    func turn(_ pass: Shard.Pass) {
        curl.runTimers(now: Clock.monotonic())
        curl.deliverFinished()
    }
}

/// In the place of a source that a shard does not have.
final class Nothing: Shard.Source {
    func turn(_ pass: Shard.Pass) {}
}

extension ExchangeFlow: Shard.Source {
    func turn(_ pass: Shard.Pass) { endTurn() }

    var hasMore: Bool { hasWork }

    var isDrained: Bool { exchanges.inUse == 0 }

    func abort() {
        abortAll()
        endTurn()
    }
}

extension RESTProvider: Shard.Source {
    func turn(_ pass: Shard.Pass) { run(now: pass.now, isIdle: pass.isIdle) }
}

extension KafkaProvider: Shard.Source {
    func ready(_ event: Epoll.Event) { wake() }

    func turn(_ pass: Shard.Pass) { takeIn(now: Clock.monotonic()) }
}

extension FreedMemory: Shard.Source {
    func turn(_ pass: Shard.Pass) { expire(now: pass.now) }

    var nextDeadline: Int64 { nextLook ?? .max }
}

extension HealthProber: Shard.Source {
    func turn(_ pass: Shard.Pass) { run(now: pass.now) }

    var nextDeadline: Int64 { nextProbe }
}
