import Foundation
import TestSupport
import Testing

/// `/readyz` follows the Model Services; `/livez` does not.
@Suite("Health", .sidecarLog) struct HealthTests {
    @Test(arguments: ["native", "v1", "v2", "raw"])
    func isReadyWhenTheModelServiceIs(_ speaks: String) throws {
        let answer = ["native": Sample.native, "v1": Sample.v1, "v2": Sample.v2, "raw": Sample.raw][speaks] ?? ""
        let service = try FakeModelService(listening: false) { _ in .json(answer) }
        let path = speaks == "v2" ? "/v2/models/iris/infer" : speaks == "v1" ? "/v1/models/iris:predict" : "/predict"
        let configuration = SidecarConfiguration(.init("iris", protocol: speaks, url: service.url(path)))
        try withSidecar(configuration) { sidecar in
            #expect(try sidecar.get("/readyz").status == 503)
            #expect(try sidecar.get("/livez").status == 200)
            #expect(try sidecar.post("/predictions/iris").status == 502)
            #expect(try sidecar.get("/readyz").status == 503)
            try service.startListening()
            #expect(try sidecar.becomesReady())
            #expect(service.calls.isEmpty)
            #expect(try sidecar.post("/predictions/iris").status == 200)
        }
    }

    /// `ameron-sidecar health`, as a container's health check runs it.
    @Test(arguments: ["127.0.0.1", "0.0.0.0", "localhost"])
    func isToldByTheCommandToo(host: String) throws {
        let service = try FakeModelService(listening: false) { _ in .json(Sample.native) }
        let model = SidecarConfiguration.Model("iris", url: service.url("/predict"))
        func health(_ port: UInt16, _ options: String...) throws -> (status: TestSupport.ExitStatus?, error: String) {
            let given = ["--model", "iris=http://127.0.0.1:9/", "--host", host, "--port", "\(port)"]
            let (status, output, error) = try SidecarProcess.run(["health"] + given + options)
            #expect(output.isEmpty)
            return (status, error)
        }
        var port: UInt16 = 0
        try withSidecar(SidecarConfiguration(model)) { sidecar in
            port = sidecar.port
            #expect(try health(port).status == .code(0))
            let (status, error) = try health(port, "--ready")
            #expect(status == .code(1))
            #expect(error.contains("/readyz answered 503"))
            try service.startListening()
            #expect(try sidecar.becomesReady())
            #expect(try health(port, "--ready").status == .code(0))
        }
        let (status, error) = try health(port)
        #expect(status == .code(1))
        #expect(error.contains("/livez: "))
    }

    @Test func isReadyAfterACall() throws {
        let hang: FakeModelService.Behaviour = { _ in .hang }
        let service = try FakeModelService(other: hang) { _ in .json(Sample.native) }
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            let before = try sidecar.get("/readyz").status
            #expect(before == 503)
            #expect(try sidecar.post("/predictions/iris").status == 200)
            #expect(try sidecar.becomesReady())
        }
    }

    @Test func isReadyOnlyWhenAllAre() throws {
        let first = try modelService(Sample.native)
        let second = try FakeModelService(listening: false) { _ in .json(Sample.native) }
        let configuration = SidecarConfiguration(
            .init("first", url: first.url("/predict")),
            .init("second", url: second.url("/predict"))
        )
        try withSidecar(configuration) { sidecar in
            #expect(try sidecar.post("/predictions/first").status == 200)
            #expect(try sidecar.get("/readyz").status == 503)
            try second.startListening()
            #expect(try sidecar.becomesReady())
        }
    }

    @Test func asksWhereTheConfigurationSays() throws {
        let service = try FakeModelService(
            other: { $0.target == "/ping?x=1" ? .ready : .json("{}", status: 503, headers: ["Connection": "close"]) },
            { _ in .json(Sample.native) }
        )
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/predict"), ["healthUrl": "\"\(service.url("/ping?x=1"))\""])
        )
        try withSidecar(configuration) { sidecar in
            let ready = try sidecar.becomesReady()
            #expect(ready)
            #expect(service.requests.contains { $0.method == "GET" && $0.target == "/ping?x=1" })
        }
    }

    @Test func healthChecksLeaveNoEvents() throws {
        let service = try modelService(Sample.native)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            let ready = try sidecar.becomesReady()
            #expect(ready)
            #expect(sidecar.stop() == .code(0))
            #expect(try sidecar.events().isEmpty)
        }
    }
}
