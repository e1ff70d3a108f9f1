import Testing

@testable import Gateway

@Suite struct ExampleRoutesTests {
    private static func match(
        _ serviceProtocol: Configuration.Model.ServiceProtocol,
        _ method: StaticString,
        _ path: StaticString
    ) -> String {
        switch ExampleRoutes(speech: ExampleSpeech(serviceProtocol)).match(
            method: ByteView(method),
            path: ByteView(path)
        ) {
        case .endpoint(let endpoint): "\(endpoint)"
        case .notFound(let message): "404 \(message)"
        case .wrongMethod(let allow): "405 \(allow)"
        }
    }

    @Test func native() {
        let predictions = ExampleEndpoint.predict(.iris)
        #expect(Self.match(.native, "POST", "/predict") == "\(predictions)")
        #expect(Self.match(.native, "POST", "/predict/iris") == "\(predictions)")
        #expect(Self.match(.native, "POST", "/predict/digits") == "\(ExampleEndpoint.predict(.digits))")
        #expect(Self.match(.native, "GET", "/predict/iris") == "405 POST")
        #expect(Self.match(.native, "POST", "/livez") == "405 GET, HEAD")
        for path: StaticString in [
            "/", "/predict/", "/predict/iris/1", "/predictions", "/metrics", "/v2", "/v1/models",
        ] {
            #expect(Self.match(.native, "POST", path).hasPrefix("404"), "\(path)")
        }
    }

    @Test func v1() {
        #expect(Self.match(.v1, "POST", "/v1/models/iris:predict") == "\(ExampleEndpoint.predict(.iris))")
        #expect(Self.match(.v1, "GET", "/v1/models/digits") == "\(ExampleEndpoint.modelReady(.digits))")
        #expect(Self.match(.v1, "GET", "/v1/models") == "\(ExampleEndpoint.modelList)")
        #expect(Self.match(.v1, "GET", "/v1/models/iris:predict") == "405 POST")
        #expect(Self.match(.v1, "GET", "/v1/models/rose").hasPrefix("404 there is no such model"))
        #expect(Self.match(.v1, "POST", "/predict").hasPrefix("404"))
        #expect(Self.match(.v1, "GET", "/v2/health/live").hasPrefix("404"))
    }

    @Test func v2() {
        let infer = ExampleEndpoint.predict(.iris)
        #expect(Self.match(.v2, "POST", "/v2/models/iris/infer") == "\(infer)")
        #expect(Self.match(.v2, "POST", "/v2/models/iris/versions/1/infer") == "\(infer)")
        #expect(Self.match(.v2, "POST", "/v2/models/iris/versions/2/infer").hasPrefix("404 there is no such version"))
        #expect(Self.match(.v2, "GET", "/v2/models/digits/versions/7") == "\(ExampleEndpoint.modelMetadata(.digits))")
        #expect(Self.match(.v2, "GET", "/v2/models/iris/ready") == "\(ExampleEndpoint.modelReady(.iris))")
        #expect(Self.match(.v2, "GET", "/v2") == "\(ExampleEndpoint.serverMetadata)")
        #expect(Self.match(.v2, "GET", "/v2/health/live") == "\(ExampleEndpoint.live)")
        #expect(Self.match(.v2, "POST", "/v1/models/iris:predict").hasPrefix("404"))
    }

    @Test(arguments: [Configuration.Model.ServiceProtocol.native, .v1, .v2])
    func healthIsThereWithEachProtocol(serviceProtocol: Configuration.Model.ServiceProtocol) {
        #expect(Self.match(serviceProtocol, "GET", "/livez") == "\(ExampleEndpoint.live)")
        #expect(Self.match(serviceProtocol, "GET", "/readyz") == "\(ExampleEndpoint.ready)")
    }
}
