import TestSupport
import Testing

/// Each row of the REST table: that it is there, and the format of its answer.
@Suite("Routes", .sidecarLog) struct RouteTests {
    /// A native service "iris" 1 and a V1 service "wine" without a version.
    private func withTwoModels(_ body: (SidecarProcess, FakeModelService, FakeModelService) throws -> Void) throws {
        let iris = try modelService(Sample.native)
        let wine = try modelService(Sample.v1)
        let configuration = SidecarConfiguration(
            .init("iris", url: iris.url("/predict")),
            .init("wine", protocol: "v1", url: wine.url("/v1/models/wine:predict"), version: nil)
        )
        try withSidecar(configuration) { try body($0, iris, wine) }
    }

    @Test(arguments: [
        "/predictions", "/predictions/iris", "/predictions/iris/1", "/predictions/wine", "/predictions/%69ris",
        "/v1/models/iris:predict", "/v1/models/wine:predict", "/v2/models/iris/infer", "/v2/models/wine/infer",
        "/v2/models/iris/versions/1/infer", "/v2/models/%69ri%73/infer", "/v1/models/i%72is:predict",
    ])
    func callsTheModel(_ path: String) throws {
        try withTwoModels { sidecar, iris, wine in
            let response = try sidecar.post(path, json: #"{"inputs":[]}"#)
            #expect(response.status == 200)
            let called = path.contains("wine") ? wine : iris
            #expect(called.calls.count == 1)
            #expect(iris.calls.count + wine.calls.count == 1)
            #expect(called.calls.first?.target == (path.contains("wine") ? "/v1/models/wine:predict" : "/predict"))
            let event = try data(sidecar.events(atLeast: 1).first)
            let face = path.hasPrefix("/v1") ? "v1" : path.hasPrefix("/v2") ? "v2" : "native"
            #expect(event["face"]?.string == face)
            #expect(event["provider"] == "rest")
        }
    }

    @Test func decodesNamesInPaths() throws {
        let service = try modelService(Sample.raw)
        let configuration = SidecarConfiguration(.init("my model/ü", protocol: "raw", url: service.url("/")))
        try withSidecar(configuration) { sidecar in
            for path in [
                "/predictions/my%20model%2F%C3%BC", "/v1/models/my%20model%2f%c3%bc:predict",
                "/v2/models/my%20model%2F%C3%BC/infer",
            ] {
                #expect(try sidecar.post(path).status == 200, "\(path)")
            }
            let events = try sidecar.events(atLeast: 3)
            #expect(events.allSatisfy { $0["data"]?["modelName"] == "my model/ü" })
        }
    }

    @Test func ignoresQueries() throws {
        try withTwoModels { sidecar, _, _ in
            let status = try sidecar.post("/predictions/iris?trace=1").status
            #expect(status == 200)
            #expect(try sidecar.get("/livez?verbose").status == 200)
        }
    }

    @Test(arguments: [
        "/predictions/none", "/predictions/iris/9", "/predictions/iris/1/more", "/v1/models/none:predict",
        "/v2/models/none/infer", "/v2/models/iris/versions/9/infer", "/nothing", "/", "/v2/models/iris/nothing",
        "/v1/nothing", "/v2/nothing", "/predictionsx",
    ])
    func doesNotKnow(_ path: String) throws {
        try withTwoModels { sidecar, iris, wine in
            let response = try sidecar.post(path)
            #expect(response.status == 404)
            try expectError(response, face: path)
            #expect(iris.calls.isEmpty && wine.calls.isEmpty)
        }
    }

    @Test(arguments: [
        ("/predictions/wien", "wine"), ("/v1/models/Iriss:predict", "iris"), ("/v2/models/irsi/infer", "iris"),
        ("/predictions/rose", nil),
    ])
    func suggestsTheModelThatWasMeant(_ path: String, _ name: String?) throws {
        try withTwoModels { sidecar, _, _ in
            let response = try sidecar.post(path)
            #expect(response.status == 404)
            #expect(response.text.contains("did you mean '\(name ?? "")'?") == (name != nil))
            #expect(response.text.contains("did you mean") == (name != nil))
        }
    }

    @Test(arguments: ["/v1/models/none", "/v2/models/none", "/v2/models/none/ready", "/v2/models/iris/versions/9"])
    func doesNotKnowToTell(_ path: String) throws {
        try withTwoModels { sidecar, _, _ in
            let response = try sidecar.get(path)
            #expect(response.status == 404)
            try expectError(response, face: path)
        }
    }

    @Test(arguments: [
        ("GET", "/predictions", "POST"), ("GET", "/predictions/iris", "POST"), ("PUT", "/predictions/iris/1", "POST"),
        ("GET", "/v1/models/iris:predict", "POST"), ("DELETE", "/v1/models", "GET"), ("POST", "/v1/models/iris", "GET"),
        ("GET", "/v2/models/iris/infer", "POST"), ("GET", "/v2/models/iris/versions/1/infer", "POST"),
        ("POST", "/v2", "GET"), ("POST", "/v2/health/live", "GET"), ("POST", "/v2/health/ready", "GET"),
        ("POST", "/v2/models/iris", "GET"), ("POST", "/v2/models/iris/ready", "GET"), ("POST", "/livez", "GET"),
        ("POST", "/readyz", "GET"), ("POST", "/metrics", "GET"), ("POST", "/openapi.json", "GET"),
    ])
    func allowsOneMethod(_ method: String, _ path: String, _ allowed: String) throws {
        try withTwoModels { sidecar, iris, _ in
            let response = try sidecar.send(HTTPRequest(method, path, body: []))
            #expect(response.status == 405)
            #expect(response.headers.lists(allowed, in: "Allow"))
            try expectError(response, face: path)
            #expect(iris.calls.isEmpty)
        }
    }

    @Test func answersCarryIdsAndTimings() throws {
        try withTwoModels { sidecar, _, _ in
            let requests: [HTTPRequest] = [
                .post("/predictions/iris", json: "{}"), .post("/v1/models/iris:predict", json: "{}"),
                .post("/v2/models/iris/infer", json: "{}"), .post("/nothing", json: "{}"), .get("/predictions"),
                .get("/livez"), .get("/readyz"), .get("/metrics"), .get("/openapi.json"), .get("/v1/models"),
                .get("/v1/models/iris"), .get("/v2"), .get("/v2/health/live"), .get("/v2/health/ready"),
                .get("/v2/models/iris"), .get("/v2/models/iris/ready"),
            ]
            for request in requests {
                let response = try sidecar.send(request)
                let what: Comment = "\(request.method) \(request.target)"
                #expect(response.headers.all("X-Request-Id").count == 1, what)
                #expect(response.requestId?.isEmpty == false, what)
                let timing = try #require(response.headers["Server-Timing"], what)
                #expect(timing.wholeMatch(of: #/model;dur=\d+(\.\d+)?, ?gateway;dur=\d+(\.\d+)?/#) != nil, "\(timing)")
            }
        }
    }

    @Test func livesAndIsReady() throws {
        try withTwoModels { sidecar, _, _ in
            let status = try sidecar.get("/livez").status
            #expect(status == 200)
            #expect(try sidecar.get("/v2/health/live").status == 200)
            #expect(try sidecar.becomesReady())
            #expect(try sidecar.get("/v2/health/ready").status == 200)
            #expect(try sidecar.send(HTTPRequest("HEAD", "/livez")).status == 200)
        }
    }

    @Test func tellsV1Models() throws {
        try withTwoModels { sidecar, _, _ in
            #expect(try sidecar.becomesReady())
            let list = try sidecar.get("/v1/models").json()
            #expect(list["models"] == .array(["iris", "wine"]))
            let iris = try sidecar.get("/v1/models/iris").json()
            #expect(iris["name"] == "iris")
            #expect(iris["ready"] == true)
        }
    }

    @Test func tellsV2ModelsOfItsOwn() throws {
        try withTwoModels { sidecar, _, _ in
            #expect(try sidecar.becomesReady())
            let server = try sidecar.get("/v2").json()
            #expect(server["name"]?.string?.isEmpty == false)
            #expect(server["version"]?.string?.isEmpty == false)
            #expect(server["extensions"]?.elements != nil)
            for path in ["/v2/models/iris", "/v2/models/iris/versions/1"] {
                let metadata = try sidecar.get(path).json()
                #expect(metadata["name"] == "iris")
                #expect(metadata["versions"] == .array(["1"]))
                #expect(metadata["platform"]?.string != nil)
                #expect(metadata["inputs"]?.elements != nil)
                #expect(metadata["outputs"]?.elements != nil)
                let ready = try sidecar.get(path + "/ready").json()
                #expect(ready["name"] == "iris")
                #expect(ready["ready"] == true)
            }
        }
    }

    @Test func describesItself() throws {
        try withTwoModels { sidecar, _, _ in
            let response = try sidecar.get("/openapi.json")
            #expect(response.headers["Content-Type"]?.hasPrefix("application/") == true)
            let document = try response.json()
            #expect(document["openapi"]?.string?.hasPrefix("3.1") == true)
            #expect(document["info"]?["title"]?.string?.isEmpty == false)
            let paths = document["paths"]?.names ?? []
            for path in ["/predictions", "/v1/models", "/v2", "/v2/health/live", "/livez", "/readyz", "/metrics"] {
                #expect(paths.contains(path))
            }
        }
    }
}

/// Checks an error's body: the format is that of the face that the path belongs to.
func expectError(
    _ response: HTTPResponse,
    face path: String,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let body = try response.json()
    let type = response.headers["Content-Type"] ?? "none"
    if path.hasPrefix("/v1") || path.hasPrefix("/v2") {
        #expect(type.hasPrefix("application/json"), sourceLocation: sourceLocation)
        #expect(body["error"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    } else {
        #expect(type.hasPrefix("application/problem+json"), sourceLocation: sourceLocation)
        #expect(body["status"]?.int == response.status, sourceLocation: sourceLocation)
        #expect(body["title"]?.string?.isEmpty == false, sourceLocation: sourceLocation)
    }
}
