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
