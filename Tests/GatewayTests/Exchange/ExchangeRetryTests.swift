import TestSupport
import Testing

@testable import Gateway

/// Calls that are made again, between an adapter, a policy and a Provider of the test's.
@Suite struct ExchangeRetryTests {
    private let rig = FlowRig()

    /// An exchange whose call has failed, and that waits for its next one.
    private func waiting(_ number: Int = 1, delay: Int64 = 1_000) throws -> Exchange {
        rig.provider.retriesFailures = true
        rig.provider.retryDelay = delay
        let exchange = try #require(rig.ask(number))
        rig.fail(exchange)
        rig.flow.endTurn()
        #expect(exchange.retryAt != nil && rig.flow.inFlight == 0 && rig.provider.delivered.isEmpty)
        return exchange
    }

    private var later: Int64 { Clock.monotonic() + 10_000_000_000 }

    @Test func `it is made when its time has come`() throws {
        let exchange = try waiting(delay: 5_000_000_000)
        let due = try #require(exchange.retryAt)
        #expect(rig.flow.retries.nextDue == due)
        rig.flow.startRetries(now: due - 1)
        #expect(rig.adapter.submitted == [exchange.index])
        rig.flow.startRetries(now: due)
        #expect(rig.adapter.submitted == [exchange.index, exchange.index] && exchange.tries == 2)
        #expect(rig.flow.retries.nextDue == .max)
        rig.answer(exchange, FlowRig.v1(rows: 2))
        _ = rig.settle()
        #expect(rig.provider.delivered.map(\.status) == [200])
        // Nobody is told of the first one.
        #expect(rig.lane.events.map(\.status) == [200, 200])
    }

    @Test func `they come in the order of their times`() throws {
        var order: [Int] = []
        var exchanges: [Exchange] = []
        for (number, delay) in [7, 3, 9, 1, 5, 2, 8].enumerated() {
            exchanges.append(try waiting(number, delay: Int64(delay) * 1_000_000_000))
        }
        rig.flow.end(exchanges[4])
        rig.adapter.submitted.removeAll()
        for second in 1..<12 {
            rig.flow.startRetries(now: Clock.monotonic() + Int64(second) * 1_000_000_000)
            order += rig.adapter.submitted
            rig.adapter.submitted.removeAll()
        }
        #expect(order == [3, 5, 1, 0, 6, 2].map { exchanges[$0].index })
    }

    @Test func `a client that leaves meanwhile is recorded`() throws {
        let exchange = try waiting()
        rig.flow.clientLeft(exchange)
        rig.flow.clientLeft(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.state) == [.abandoned])
        #expect(rig.lane.events.map(\.status) == [499])
        rig.flow.startRetries(now: later)
        #expect(rig.adapter.submitted.count == 1 && rig.flow.exchanges.inUse == 0)
    }

    @Test func `so is one that leaves in the turn of the failure`() throws {
        rig.provider.retriesFailures = true
        let exchange = try #require(rig.ask(1))
        rig.fail(exchange)
        rig.flow.clientLeft(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.state) == [.abandoned])
        #expect(rig.lane.events.map(\.status) == [499] && rig.flow.exchanges.inUse == 0)
    }

    /// The Sidecar may have come to its end, or to its bounds, meanwhile: that is told, and recorded.
    @Test func `one that cannot be made is told of`() throws {
        let exchange = try waiting()
        rig.provider.retriesFailures = false
        rig.readiness.startDraining()
        rig.flow.startRetries(now: later)
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.exchange) == [exchange.index])
        #expect(rig.provider.delivered.map(\.status) == [503])
        #expect(rig.lane.events.map(\.status) == [503] && rig.flow.exchanges.inUse == 0)
    }

    @Test func `what is waited for in vain is dropped`() throws {
        rig.provider.retriesFailures = true
        rig.provider.keepsWaiting = false
        let exchange = try #require(rig.ask(1))
        rig.fail(exchange)
        rig.flow.endTurn()
        #expect(rig.provider.dropped == [exchange.index])
        #expect(rig.flow.exchanges.inUse == 0 && rig.flow.retries.nextDue == .max)
    }

    @Test func `the end of the shard is told`() throws {
        let exchange = try waiting()
        rig.flow.abortAll()
        rig.flow.endTurn()
        #expect(rig.provider.delivered.map(\.exchange) == [exchange.index])
        #expect(rig.provider.delivered.map(\.status) == [503] && rig.lane.events.map(\.status) == [503])
        #expect(rig.flow.exchanges.inUse == 0)
    }
}
