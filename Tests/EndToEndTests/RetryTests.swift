import TestSupport
import Testing

/// Calls over REST that are made again (`models.N.retry`).
@Suite("Retries", .timeLimit(.minutes(5)), .sidecarLog) struct RetryTests {
    private func configuration(
        _ service: FakeModelService,
        _ retry: String,
        _ keys: [String: String] = [:]
    ) -> SidecarConfiguration {
        irisConfiguration(service, .direct, keys.merging(["retry": "{ \(retry) }"]) { $1 })
    }

    /// A model that fails twice, in one of the ways that may pass.
    @Test(arguments: ["5xx", "reset", "timeout"]) func asksAgain(_ cause: String) throws {
        let failure: Reply =
            switch cause {
            case "5xx": .json("{}", status: 503)
            case "reset": .reset
            default: .hang
            }
        let calls = Locked(0)
        let service = try FakeModelService { _ in
            let isAtFault = calls.withLock { calls in
                calls += 1
                return calls <= 2
            }
            return isAtFault ? failure : .json(Sample.native)
        }
        let keys = ["repeatable": "true", "timeout": cause == "timeout" ? "100ms" : "2s"]
        try withSidecar(configuration(service, "attempts: 3, on: \"\(cause)\"", keys)) { sidecar in
            let response = try sidecar.post("/predictions/iris")
            #expect(response.status == 200)
            #expect(service.calls.count == 3)
            // One outcome, one event.
            let events = try sidecar.events(atLeast: 1)
            #expect(try events.map { try data($0)["status"] == 200 } == [true])
        }
    }

    @Test func asksAgainWhenTheModelComes() throws {
        let service = try FakeModelService(listening: false) { _ in .json(Sample.native) }
        try withSidecar(configuration(service, "attempts: 10")) { sidecar in
            let connection = try sidecar.connect()
            try connection.send(HTTPRequest.post("/predictions/iris", json: "{}").wire)
            #expect(try eventually { try sidecar.metrics().total("ameron_connections") > 0 })
            try service.startListening()
            #expect(try connection.response().status == 200)
        }
    }

    /// What is not asked for, and what passes not.
    @Test(arguments: [("on: connect", 503), ("on: [connect, 5xx]", 400), ("attempts: 1, on: 5xx", 503)])
    func asksOnce(_ retry: String, _ status: Int) throws {
        let service = try FakeModelService { _ in .json("{}", status: status) }
        let attempts = retry.contains("attempts") ? "" : "attempts: 5, "
        try withSidecar(configuration(service, attempts + retry, ["repeatable": "true"])) { sidecar in
            let response = try sidecar.post("/predictions/iris")
            #expect(response.status == status)
            #expect(service.calls.count == 1)
            #expect(try sidecar.events(atLeast: 1).count == 1)
        }
    }

    /// Where everything fails, most are asked once.
    @Test func hasABudget() throws {
        let service = try FakeModelService { _ in .json("{}", status: 503) }
        let retry = "attempts: 2, on: 5xx, budget: 10"
        try withSidecar(configuration(service, retry, ["repeatable": "true"])) { sidecar in
            let connection = try sidecar.connect()
            for _ in 0..<100 {
                #expect(try connection.exchange(.post("/predictions/iris", json: "{}")).status == 503)
            }
            // Ten at once, and ten of a hundred.
            #expect(service.calls.count >= 115 && service.calls.count <= 120)
        }
    }

    /// A model that may have done the request is asked again only where it does not mind.
    @Test func doesNotStartWhereItMayDoHarm() throws {
        let service = try modelService(Sample.native)
        let directory = TemporaryDirectory()
        let configuration = configuration(service, "attempts: 2, on: \"connect, reset\"")
        let text = configuration.yaml(eventFile: directory.file("events"))
        let result = try SidecarProcess.run(["validate", "--config", directory.write(text, to: "sidecar.yaml")])
        #expect(result.status != .code(0))
        #expect((result.error + result.output).contains("models.0.repeatable"))
    }
}
