import TestSupport
import Testing

/// What single keys of the Kafka Provider change, where no other test shows it.
@Suite("Keys of the Kafka Provider", .timeLimit(.minutes(10)), .sidecarLog) struct KafkaKeyTests {
    private func withProvider(
        _ rig: KafkaRig,
        _ keys: [String: String],
        _ models: SidecarConfiguration.Model...,
        server: [String: String] = [:],
        body: (SidecarProcess) throws -> Void
    ) throws {
        var configuration = SidecarConfiguration(models[0], server: server)
        configuration.models = models
        configuration.kafka = rig.keys(keys)
        try withSidecar(configuration) { try body($0) }
    }

    @Test func requestsThatSayNothingGoToTheModelInTheFaceWithinTheBytes() throws {
        let rig = try KafkaRig()
        let gate = Gate()
        let first = try modelService(Sample.native)
        let second = try FakeModelService { _ in .json(Sample.v2).after(gate) }
        let keys = ["model": "second", "face": "v2", "maxInFlightBytes": "1KiB"]
        try withProvider(
            rig,
            keys,
            .init("first", url: first.url("/")),
            .init("second", protocol: "v2", url: second.url("/"), ["timeout": "60s"])
        ) { _ in
            defer { gate.open() }
            for _ in 0..<6 { try rig.send(#"{"x":"\#(String(repeating: "x", count: 600))"}"#) }
            try rig.flush()
            #expect(rig.reads { second.calls.count == 1 })
            #expect(
                !rig.reads(within: 0.5) { second.calls.count > 1 },
                "with what it costs to hold one, it fills 1 KiB"
            )
            gate.open()
            #expect(rig.reads { rig.replies.count == 6 })
            #expect(rig.replies.allSatisfy { $0.text == Sample.v2 })
            #expect(first.calls.isEmpty)
        }
    }

    @Test(arguments: ["strict", "pipelined"]) func theNextOfAKeyWaitsForTheBroker(_ order: String) throws {
        let rig = try KafkaRig()
        let gate = Gate()
        let service = try FakeModelService { _ in .json(Sample.native).after(gate) }
        try withProvider(rig, ["keyOrder": order], .init("iris", url: service.url("/"), ["timeout": "60s"])) { _ in
            defer { gate.open() }
            for _ in 0..<5 { try rig.send(key: "k", "{}") }
            try rig.flush()
            #expect(rig.reads { service.calls.count == 1 })
            // NOT_LEADER_FOR_PARTITION: tried again and again.
            rig.refuseMessages(Array(repeating: 6, count: 1_000))
            gate.open()
            if order == "strict" {
                #expect(!rig.reads(within: 0.5) { service.calls.count > 1 })
            } else {
                #expect(rig.reads { service.calls.count == 5 })
                #expect(rig.replies.isEmpty)
            }
            rig.takeMessages()
            #expect(rig.reads { rig.replies.count == 5 })
        }
    }

    /// Each has a consumer, whose client names it on the metrics page.
    @Test(arguments: [(0, 3), (1, 1), (2, 2), (9, 3)])
    func aMemberOfTheGroupRunsOnSoManyShards(_ consumers: Int, _ expected: Int) throws {
        let rig = try KafkaRig()
        let service = try modelService(Sample.native)
        try withProvider(
            rig,
            ["consumers": "\(consumers)", "statistics.interval.ms": "100"],
            .init("iris", url: service.url("/")),
            server: ["shards": "3"]
        ) { sidecar in
            for number in 0..<20 { try rig.send(key: "\(number)", "{}") }
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 20 })
            func members() -> Set<String> {
                let samples = (try? sidecar.metrics().samples) ?? []
                return Set(samples.compactMap { $0.labels["client"] }.filter { $0.hasPrefix("consumer-") })
            }
            let wanted = Set((0..<expected).map { "consumer-\($0)" })
            #expect(rig.reads { members() == wanted })
            #expect(!rig.reads(within: 0.5) { members() != wanted })
        }
    }

    @Test func waitsBeforeItRepeats() throws {
        let rig = try KafkaRig()
        let service = try FakeModelService {
            $0.headers["X-Request-Id"] == "fails" ? .json("{}", status: 503) : .json(Sample.native)
        }
        let keys = ["retryBackoff": "1h", "maxRetryBackoff": "1h"]
        try withProvider(rig, keys, .init("iris", url: service.url("/"))) { _ in
            try rig.send(key: "a", "{}", ["X-Request-Id": "fails"])
            try rig.flush()
            #expect(rig.reads { service.calls.count == 1 })
            // By default there would be several by then.
            #expect(!rig.reads(within: 1) { service.calls.count > 1 })
            try rig.send("{}")
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 1 }, "others do not wait")
        }
    }

    /// Doubled each time, the waits would come to many minutes.
    @Test func neverWaitsLonger() throws {
        let rig = try KafkaRig()
        let count = Locked(0)
        let service = try FakeModelService { _ in
            let isReady = count.withLock { count in
                count += 1
                return count > 20
            }
            return isReady ? .json(Sample.native) : .json("{}", status: 503)
        }
        let keys = ["retryBackoff": "10ms", "maxRetryBackoff": "10ms", "maxAttempts": "100"]
        try withProvider(rig, keys, .init("iris", url: service.url("/"))) { _ in
            try rig.send("{}")
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 1 })
            #expect(rig.replies.first?["ameron-status"] == "200")
        }
    }
}
