import TestSupport
import Testing

/// Which headers go on, in both directions.
@Suite("Headers", .sidecarLog) struct HeaderTests {
    private func received(_ transport: ModelTransport, _ request: HTTPRequest) throws -> ReceivedRequest {
        let service = try modelService(Sample.native)
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let response = try sidecar.send(request)
            #expect(response.status == 200)
        }
        return try #require(service.calls.first)
    }

    @Test(arguments: ModelTransport.allCases)
    func forwardsTheClientsHeaders(_ transport: ModelTransport) throws {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let headers: HTTPHeaders = [
            "traceparent": trace, "tracestate": "a=1,b=2", "Authorization": "Bearer x", "Accept": "application/json",
            "User-Agent": "me/1", "X-Many": "1", "X-Many": "2", "Cookie": "a=b", "Ce-Source": "here",
            "Inference-Header-Content-Length": "2", "X-Empty": "", "Content-Type": "application/json; charset=utf-8",
        ]
        let request = try received(transport, .post("/v2/models/iris/infer", json: "{}", headers: headers))
        for field in headers.fields {
            #expect(request.headers.all(field.name) == headers.all(field.name), "\(field.name)")
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func keepsHopByHopHeaders(_ transport: ModelTransport) throws {
        let request = try received(
            transport,
            .post(
                "/predictions/iris",
                json: "{}",
                headers: [
                    "Connection": "keep-alive, X-Hop", "X-Hop": "1", "Keep-Alive": "timeout=5", "TE": "trailers",
                    "Proxy-Connection": "keep-alive", "Proxy-Authorization": "Basic x", "Upgrade": "h2c",
                    "Accept-Encoding": "gzip", "Host": "elsewhere.test", "X-Stay": "1",
                ]
            )
        )
        for name in [
            "X-Hop", "Keep-Alive", "TE", "Proxy-Connection", "Proxy-Authorization", "Upgrade", "Accept-Encoding",
            "Expect", "Transfer-Encoding",
        ] {
            #expect(!request.headers.contains(name), "\(name)")
        }
        #expect(!request.headers.lists("X-Hop", in: "Connection"))
        #expect(request.headers["X-Stay"] == "1")
        #expect(request.headers.all("Host").count == 1)
        #expect(request.headers["Host"]?.hasPrefix("127.0.0.1:") == true)
        #expect(request.headers.all("Content-Length") == ["2"])
    }

    @Test(arguments: ModelTransport.allCases)
    func addsNoContentType(_ transport: ModelTransport) throws {
        let request = try received(transport, HTTPRequest("POST", "/predictions/iris", body: Array("{}".utf8)))
        #expect(!request.headers.contains("Content-Type"))
        #expect(request.text == "{}")
    }

    @Test(arguments: ModelTransport.allCases)
    func addsNoExpectToLargeBodies(_ transport: ModelTransport) throws {
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let request = try received(transport, HTTPRequest("POST", "/predictions/iris", body: body))
        #expect(!request.headers.contains("Expect"))
        #expect(request.body == body)
    }

    @Test(arguments: ModelTransport.allCases)
    func takesChunkedBodies(_ transport: ModelTransport) throws {
        let body = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let request = try received(transport, HTTPRequest("POST", "/predictions/iris", body: body, chunkSize: 999))
        #expect(request.body == body)
    }

    @Test(arguments: ModelTransport.allCases)
    func takesEmptyBodies(_ transport: ModelTransport) throws {
        let request = try received(transport, HTTPRequest("POST", "/predictions/iris", body: []))
        #expect(request.body.isEmpty)
    }

    @Test(arguments: ["/v1/models/iris:predict", "/v2/models/iris/infer"], ModelTransport.allCases)
    func passesTheModelsHeadersBack(_ path: String, _ transport: ModelTransport) throws {
        let service = try modelService(
            Sample.native,
            headers: [
                "X-Model": "a", "Set-Cookie": "a=1", "Set-Cookie": "b=2", "Ce-Type": "done", "Keep-Alive": "timeout=5",
                "Connection": "keep-alive, X-Hop", "X-Hop": "1", "X-Request-Id": "the model's",
                "Inference-Header-Content-Length": "1",
            ]
        )
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let response = try sidecar.post(path)
            #expect(response.status == 200)
            #expect(response.headers["X-Model"] == "a")
            #expect(response.headers.all("Set-Cookie") == ["a=1", "b=2"])
            #expect(response.headers["Ce-Type"] == "done")
            #expect(response.headers["Inference-Header-Content-Length"] == "1")
            #expect(response.headers.all("Content-Type") == ["application/json"])
            #expect(response.headers.all("Content-Length") == ["\(Sample.native.utf8.count)"])
            #expect(!response.headers.contains("Keep-Alive"))
            #expect(!response.headers.contains("X-Hop"))
            #expect(response.headers.all("X-Request-Id").count == 1)
            #expect(response.requestId != "the model's")
            #expect(response.headers.all("Date").count <= 1)
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func addsNoContentTypeToTheModelsAnswer(_ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in .answer(body: Array(Sample.native.utf8)) }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let response = try sidecar.post("/v2/models/iris/infer")
            #expect(!response.headers.contains("Content-Type"))
            #expect(response.text == Sample.native)
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func answersAnExpectationItself(_ transport: ModelTransport) throws {
        let service = try modelService(Sample.native)
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let connection = try sidecar.connect()
            let request = HTTPRequest(
                "POST",
                "/predictions/iris",
                headers: ["Expect": "100-continue"],
                body: Array("{}".utf8)
            )
            try connection.send(request.head)
            try connection.send(request.body ?? [])
            #expect(try connection.response().status == 200)
            #expect(service.calls.first?.headers.contains("Expect") == false)
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func speaksHTTP10(_ transport: ModelTransport) throws {
        let service = try modelService(Sample.native)
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let connection = try sidecar.connect()
            try connection.send("POST /predictions/iris HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
            #expect(try connection.response().status == 200)
            #expect(try connection.isClosedByServer())
        }
    }
}
