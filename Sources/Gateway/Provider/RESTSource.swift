/// REST as a shard's loop drives it: replies out, requests in.
final class RESTSource: Shard.Source {
    private let provider: RESTProvider

    init(_ provider: RESTProvider) { self.provider = provider }

    override func ready(_ event: Epoll.Event) { provider.ready(event) }

    override func turn(_ pass: Shard.Pass) { provider.run(now: pass.now, isIdle: pass.isIdle) }

    override var nextDeadline: Int64 { provider.nextDeadline }

    override func drain() { provider.drain() }

    override func abort() { provider.abort() }
}
