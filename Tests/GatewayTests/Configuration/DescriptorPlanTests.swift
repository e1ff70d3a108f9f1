import Testing

@testable import Gateway

@Suite struct DescriptorPlanTests {
    private static func configuration(models: Int = 1, maxConnections: Int = 256) -> Configuration {
        var configuration = Configuration()
        for index in 0..<models {
            var model = Configuration.Model()
            model.name = "m\(index)"
            model.maxConnections = maxConnections
            configuration.models.append(model)
        }
        var file = Configuration.Reporter.File()
        file.path = "events.jsonl"
        configuration.reporting.reporters = [.file(file)]
        return configuration
    }

    private static func plan(
        _ configuration: Configuration,
        limit: Int,
        shards: Int = 2
    ) throws(DescriptorShortage) -> DescriptorPlan {
        try DescriptorPlan(configuration, .init(shards: shards, limit: limit, open: 3, lanes: shards))
    }

    @Test func `changes nothing where there is room for all`() throws {
        let plan = try Self.plan(Self.configuration(), limit: 1 << 20)
        #expect(plan.mostPerModel == 256)
        #expect(plan.modelConnections == 513)
        #expect(plan.clientConnections == 20_000)
    }

    /// Whatever the limit is, the sum of all that may be open stays below it, and all have something.
    @Test(arguments: [1, 3, 40], [1, 2, 8])
    func `never promises more than there is`(_ models: Int, _ shards: Int) {
        let configuration = Self.configuration(models: models)
        var lastClients = 0
        for limit in stride(from: 16, to: 120_000, by: 23) {
            do throws(DescriptorShortage) {
                let plan = try Self.plan(configuration, limit: limit, shards: shards)
                let own = plan.parts.reduce(0) { $0 + $1.count }
                #expect(own + plan.modelConnections + plan.clientConnections <= limit)
                #expect(plan.mostPerModel >= 1 && plan.clientConnections >= 8 * shards)
                #expect(plan.clientConnections >= lastClients - 2 * shards * models, "more room, not fewer clients")
                lastClients = plan.clientConnections
            } catch {
                #expect(lastClients == 0, "\(limit) is too few, but fewer were enough")
            }
        }
        #expect(lastClients == 20_000)
    }

    @Test func `shares a small limit between models and clients`() throws {
        let plan = try Self.plan(Self.configuration(), limit: 64, shards: 1)
        #expect(plan.mostPerModel == 15)
        #expect(plan.modelConnections == 16)
        #expect(plan.clientConnections == 15)
    }

    @Test func `says the sum where it is too small`() {
        let error = #expect(throws: DescriptorShortage.self) {
            _ = try Self.plan(Self.configuration(models: 500), limit: 1024)
        }
        #expect(
            error?.description == """
                the system allows 1024 open descriptors, and at least 1557 are needed: 3 open already + 18 2 shard(s) + 16 passing \
                + 4 reporting.reporters.0 + 1500 models: a connection per shard, and the health check + 16 clients; \
                raise the hard limit (ulimit -n, LimitNOFILE=, --ulimit nofile=) or lower server.shards
                """
        )
    }
}
