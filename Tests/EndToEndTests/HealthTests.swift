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

    /// Only a Prediction shows that a model is there: servers that load, are overloaded, or know no such model answer, too.
    @Test(arguments: [400, 404, 429, 500, 501, 503])
    func isNotReadyAfterACallThatFails(_ status: Int) throws {
        let service = try FakeModelService(other: { _ in .hang }, { _ in .json("{}", status: status) })
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            let answer = try sidecar.post("/predictions/iris").status
            let ready = try sidecar.get("/readyz").status
            #expect(answer == status)
            #expect(ready == 503)
        }
    }

    /// A server that says it is not ready knows better than the call that it just answered.
    @Test(arguments: ["native", "v1", "v2"])
    func isNotReadyWhileItsHealthCheckSaysSo(_ speaks: String) throws {
        let answer = ["native": Sample.native, "v1": Sample.v1, "v2": Sample.v2][speaks] ?? ""
        let path = speaks == "v2" ? "/v2/models/iris/infer" : speaks == "v1" ? "/v1/models/iris:predict" : "/predict"
        let service = try FakeModelService(other: { _ in .json("{}", status: 503) }, { _ in .json(answer) })
        let keys = speaks == "native" ? ["healthUrl": "\"\(service.url("/healthz"))\""] : [:]
        let model = SidecarConfiguration.Model("iris", protocol: speaks, url: service.url(path), keys)
        try withSidecar(SidecarConfiguration(model)) { sidecar in
            let isTold = try eventually { try sidecar.get("/readyz").text.contains("answered 503") }
            #expect(isTold)
            for _ in 0..<3 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            #expect(try sidecar.get("/readyz").status == 503)
        }
    }

    /// `GET` at the URL for predictions is a guess: what it makes a service answer says little.
    @Test(arguments: [(405, true), (501, true), (500, false)])
    func guessesFromTheURLForPredictions(_ status: Int, _ isReady: Bool) throws {
        let service = try FakeModelService(other: { _ in .json("{}", status: status) }, { _ in .json(Sample.native) })
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            if isReady {
                #expect(try sidecar.becomesReady())
            } else {
                let isTold = try eventually { try sidecar.get("/readyz").text.contains("answered \(status)") }
                #expect(isTold)
                #expect(try sidecar.get("/readyz").status == 503)
            }
            #expect(try sidecar.post("/predictions/iris").status == 200)
            #expect(try sidecar.becomesReady())
            // More health checks than it takes to make a model not ready, with a call between each two.
            let asked = service.requests.count { $0.method == "GET" }
            let staysReady = try eventually {
                let statuses = [try sidecar.post("/predictions/iris").status, try sidecar.get("/readyz").status]
                #expect(statuses == [200, 200])
                return service.requests.count { $0.method == "GET" } > asked + 4
            }
            #expect(staysReady)
        }
    }

    @Test func readyzSaysWhy() throws {
        let missing = try FakeModelService.refusing()
        let failing = try FakeModelService(other: { _ in .json("{}", status: 404) }, { _ in .json(Sample.v1) })
        let silent = try FakeModelService(other: { _ in .hang }, { _ in .json(Sample.native) })
        let good = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init("missing", url: missing.url("/predict?key=secret")),
            .init("failing", protocol: "v1", url: failing.url("/v1/models/iris:predict")),
            .init("silent", url: silent.url("/predict")),
            .init("good", url: good.url("/predict"))
        )
        try withSidecar(configuration) { sidecar in
            func reason(_ name: String) throws -> String? {
                let models = try sidecar.get("/readyz").json()["models"]?.elements ?? []
                return try #require(models.first { $0["name"]?.string == name })["reason"]?.string
            }
            let reasons = [
                "missing": "GET \(missing.url("/predict")): it refuses connections",
                "failing": "GET \(failing.url("/v1/models/iris")): it answered 404",
                "silent": "GET \(silent.url("/predict")): no answer within 2s",
            ]
            for (name, expected) in reasons {
                let isTold = try eventually { try reason(name)?.hasPrefix(expected) == true }
                #expect(isTold, "\(name)")
            }
            let isGood = try eventually { try reason("good") == nil }
            #expect(isGood)
            #expect(try reason("failing")?.contains("models.1.healthUrl") == true, "where to go from here")
            let since = try sidecar.get("/readyz").json()["models"]?.elements?.map { $0["since"]?.string?.count }
            #expect(since == [27, 27, 27, 27])
            #expect(try !sidecar.get("/readyz").text.contains("secret"))
        }
    }

    @Test func theLogTellsWhenAModelGoesAndComes() throws {
        let isWell = Locked(true)
        let service = try FakeModelService(
            other: { _ in isWell.withLock { $0 } ? .ready : .json("{}", status: 503) },
            { _ in .json(Sample.native) }
        )
        let url = service.url("/predict")
        try withSidecar(SidecarConfiguration(.init("iris", url: url))) { sidecar in
            func isTold(_ level: String, _ text: String) throws -> Bool {
                try eventually {
                    try sidecar.process.standardError.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) }
                        .contains { $0["level"]?.string == level && $0["message"]?.string?.contains(text) == true }
                }
            }
            let ready = try isTold("notice", "model iris 1 is ready: \(url)")
            isWell.withLock { $0 = false }
            let reason = "GET \(url): it answered 503; it was ready since 2"
            let gone = try isTold("warning", "model iris 1 is not ready: \(reason)")
            isWell.withLock { $0 = true }
            let back = try isTold("notice", "model iris 1 is ready again, after ")
            #expect([ready, gone, back] == [true, true, true])
        }
    }

    @Test func theLogTellsOfAModelThatDoesNotCome() throws {
        let service = try FakeModelService.refusing()
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            let told = #/model iris 1 is not ready yet, after \d+s: GET http:\S+/predict: it refuses connections/#
            #expect(eventually { sidecar.process.standardError.contains(told) })
            try service.startListening()
            #expect(eventually { sidecar.process.standardError.contains("model iris 1 is ready: ") })
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
