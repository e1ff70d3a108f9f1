import TestSupport
import Testing

/// What a page of another site can make a browser do beside the Sidecar.
@Suite("Browsers", .sidecarLog) struct BrowserTests {
    private static let operations = ["/metrics", "/ui", "/ui/predictions", "/openapi.json"]

    /// DNS rebinding: the page's own name leads to us, and its script may read what we answer under it.
    @Test func tellsNothingUnderAForeignName() throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(.init("secret-model", url: service.url("/predict")))
        try withSidecar(configuration) { sidecar in
            for path in Self.operations {
                for host in ["evil.com", "evil.com:\(sidecar.port)", "127.0.0.1.nip.io"] {
                    let answer = try sidecar.get(path, headers: ["Host": host])
                    #expect(answer.status == 403, "\(path) for \(host)")
                    #expect(try answer.json()["cause"] == "forbidden")
                    #expect(answer.text.contains("server.allowedHosts"))
                }
                for host in ["127.0.0.1:\(sidecar.port)", "localhost", "sidecar", "sidecar.models.svc.cluster.local"] {
                    #expect(try sidecar.get(path, headers: ["Host": host]).status == 200, "\(path) for \(host)")
                }
            }
            let ready = try sidecar.becomesReady()
            #expect(ready)
            let told = try sidecar.get("/readyz", headers: ["Host": "evil.com"])
            #expect(told.status == 200, "load balancers ask by any name")
            #expect(!told.text.contains("secret-model"))
            #expect(try sidecar.get("/livez", headers: ["Host": "evil.com"]).status == 200)
            // Programs ask for predictions by any name.
            #expect(try sidecar.post("/predictions/secret-model", headers: ["Host": "iris.example.com"]).status == 200)
        }
    }

    @Test func isKnownByTheNamesThatAreConfigured() throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/predict")),
            server: ["allowedHosts": "\"iris.example.com, *.example.org\""]
        )
        try withSidecar(configuration) { sidecar in
            for (host, status) in [("iris.example.com", 200), ("a.example.org", 200), ("example.com", 403)] {
                let answer = try sidecar.get("/metrics", headers: ["Host": host])
                #expect(answer.status == status)
            }
        }
    }

    @Test(
        arguments: [
            (["Sec-Fetch-Site": "cross-site"], "application/json"),
            (["Sec-Fetch-Site": "cross-site", "Origin": "https://evil.com"], "text/plain"),
            (["Origin": "https://evil.com"], "text/plain"),
            (["Origin": "null"], "application/x-www-form-urlencoded"),
        ] as [(HTTPHeaders, String)]
    )
    func makesNoPredictionForAPageOfAnotherSite(_ headers: HTTPHeaders, _ type: String) throws {
        let service = try modelService(Sample.native)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            var headers = headers
            headers.append("Content-Type", type)
            for path in Face.allCases.map({ $0.path("iris") }) {
                let answer = try sidecar.post(path, headers: headers)
                #expect(answer.status == 403)
                try expectError(answer, face: path)
            }
            #expect(service.calls.isEmpty)
            #expect(try sidecar.metrics().total("ameron_requests_total", ["code": "403"]) == 3)
            #expect(try sidecar.post("/predictions/iris", headers: ["Sec-Fetch-Site": "same-origin"]).status == 200)
        }
    }

    /// What a model sends must not run on the page's origin, from where it could read all that the page can.
    @Test(arguments: ["text/html", "image/svg+xml", ""]) func runsNothingThatAModelSends(_ type: String) throws {
        let script = "<script>alert(document.domain)</script>"
        let headers: HTTPHeaders = type.isEmpty ? [:] : ["Content-Type": type]
        let page = Reply.answer(200, headers: headers, body: Array(script.utf8))
        let failing = Reply.answer(500, headers: headers, body: Array(script.utf8))
        let service = try FakeModelService(other: { $0.target == "/v2/models/iris" ? page : .ready }, { _ in failing })
        let configuration = SidecarConfiguration(
            .init("iris", protocol: "v2", url: service.url("/v2/models/iris/infer"))
        )
        try withSidecar(configuration) { sidecar in
            let answers = [
                try sidecar.get("/v2/models/iris"), try sidecar.post("/v2/models/iris/infer"),
                try sidecar.post("/predictions/iris"),
            ]
            for answer in answers {
                #expect(answer.text == script)
                #expect(answer.headers.all("X-Content-Type-Options") == ["nosniff"])
                #expect(answer.headers.all("Content-Security-Policy") == ["sandbox"])
            }
        }
    }

    /// Nearly all answers: nothing is added to them.
    @Test func leavesJSONAsItIs() throws {
        let service = try modelService(Sample.v2)
        let configuration = SidecarConfiguration(
            .init("iris", protocol: "v2", url: service.url("/v2/models/iris/infer"))
        )
        try withSidecar(configuration) { sidecar in
            for path in ["/v2/models/iris/infer", "/predictions/iris"] {
                let answer = try sidecar.post(path)
                #expect(answer.status == 200)
                #expect(!answer.headers.contains("X-Content-Type-Options"))
                #expect(!answer.headers.contains("Content-Security-Policy"))
            }
        }
    }
}
