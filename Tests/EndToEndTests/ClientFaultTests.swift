import TestSupport
import Testing

/// Clients that are slow, wrong, too much or gone.
@Suite("Client faults", .sidecarLog) struct ClientFaultTests {
    /// A Sidecar before a model that answers; after `body` it must still answer.
    private func withModel(
        server: [String: String] = [:],
        _ body: (SidecarProcess, FakeModelService) throws -> Void
    ) throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict")), server: server)
        try withSidecar(configuration) { sidecar in
            try body(sidecar, service)
            #expect(try sidecar.post("/predictions/iris").status == 200, "after the fault")
        }
    }

    @Test func leavesInMidCall() throws {
        let service = try FakeModelService { $0.headers.contains("X-Hang") ? .hang : .json(Sample.native) }
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict"), ["timeout": "60s"]))
        try withSidecar(configuration) { sidecar in
            let id = "left-1"
            do {
                let connection = try sidecar.connect()
                let headers: HTTPHeaders = ["X-Hang": "1", "X-Request-Id": id]
                try connection.send(HTTPRequest.post("/predictions/iris", json: "{}", headers: headers).wire)
                #expect(eventually { service.calls.count == 1 })
            }
            #expect(eventually { service.abandonedCalls.count == 1 }, "the call is not cancelled")
            let labels = ["model": "iris", "code": "499"]
            #expect(try eventually { try sidecar.metrics().total("ameron_requests_total", labels) == 1 })
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
            #expect(try sidecar.post("/predictions/iris").status == 200)
            #expect(sidecar.stop() == .code(0))
            let events = try sidecar.events(ofRequest: id)
            #expect(events.count == 1)
            #expect(events.first?["data"]?["status"] == 499)
            #expect(events.first?["data"]?["error"]?["cause"]?.string?.isEmpty == false)
        }
    }

    @Test func resetsInMidCall() throws {
        let service = try FakeModelService { $0.headers.contains("X-Hang") ? .hang : .json(Sample.native) }
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict"), ["timeout": "60s"]))
        try withSidecar(configuration) { sidecar in
            _ = try concurrently(20) { _ in
                let connection = try sidecar.connect()
                connection.socket.resetOnClose()
                try connection.send(HTTPRequest.post("/predictions/iris", json: "{}", headers: ["X-Hang": "1"]).wire)
                guard eventually({ service.calls.count == 20 }) else { throw TestFailure("not all were called") }
            }
            #expect(eventually { service.abandonedCalls.count == 20 })
            let counted = try eventually { try sidecar.metrics().total("ameron_requests_total", ["code": "499"]) == 20 }
            #expect(counted)
            #expect(try sidecar.post("/predictions/iris").status == 200)
        }
    }

    /// While a short call is out the daemon goes on looking at the connection, which can break in any state.
    @Test func leavesAtAnyMoment() throws {
        let service = try modelService(Sample.native)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            _ = try concurrently(8) { worker in
                for round in 0..<100 {
                    let connection = try sidecar.connect()
                    if (worker + round).isMultiple(of: 2) { connection.socket.resetOnClose() }
                    try connection.send(HTTPRequest.post("/predictions/iris", json: "{}").wire)
                    if round.isMultiple(of: 3) { _ = try connection.response() }
                }
            }
            #expect(try eventually { try sidecar.metrics().total("ameron_inflight") == 0 })
            #expect(try sidecar.post("/predictions/iris").status == 200)
            let counted = try sidecar.metrics().total("ameron_requests_total")
            #expect(sidecar.stop() == .code(0))
            let ids = Set(try sidecar.events().compactMap { $0["data"]?["requestId"]?.string })
            #expect(Double(ids.count) == counted)
        }
    }

    @Test func leavesInMidRequest() throws {
        try withModel { sidecar, service in
            for part in ["POST /predic", "POST /predictions/iris HTTP/1.1\r\nContent-Le"] {
                try sidecar.connect().send(part)
            }
            try sidecar.connect().send("POST /predictions/iris HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{\"a\"")
            #expect(try sidecar.get("/livez").status == 200)
            #expect(service.calls.isEmpty)
        }
    }

    @Test func sendsItsHeadersSlowly() throws {
        try withModel { sidecar, service in
            let slow = try sidecar.connect()
            let request = HTTPRequest.post("/predictions/iris", json: #"{"a":1}"#)
            for byte in request.head.utf8 {
                try slow.send([byte])
                // Others are served meanwhile, and each byte is a packet of its own.
                if byte == UInt8(ascii: "\n") { #expect(try sidecar.get("/livez").status == 200) }
            }
            try slow.send(request.body ?? [])
            #expect(try slow.response().status == 200)
            #expect(service.calls.last?.text == #"{"a":1}"#)
        }
    }

    @Test func sendsItsBodySlowly() throws {
        try withModel { sidecar, service in
            for chunked in [false, true] {
                let slow = try sidecar.connect()
                let body = Array(#"{"a":[1,2,3]}"#.utf8)
                let request = HTTPRequest("POST", "/predictions/iris", body: body, chunkSize: chunked ? 4 : nil)
                try slow.send(request.head)
                for byte in request.wire.dropFirst(request.head.utf8.count) {
                    #expect(try sidecar.get("/livez").status == 200)
                    try slow.send([byte])
                }
                #expect(try slow.response().status == 200)
                #expect(service.calls.last?.body == body)
            }
        }
    }

    @Test func readsItsAnswerSlowly() throws {
        let body = #"{"value":""# + String(repeating: "a", count: 8_000_000) + #""}"#
        let service = try modelService(body)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            let slow = try sidecar.connect()
            try slow.send(HTTPRequest.post("/v1/models/iris:predict", json: "{}").wire)
            #expect(eventually { service.calls.count == 1 })
            #expect(try sidecar.post("/predictions/iris").status == 200)
            #expect(try slow.response().text == body)
        }
    }

    @Test func announcesTooLargeABody() throws {
        try withModel(server: ["maxBodyBytes": "1KiB"]) { sidecar, service in
            for path in ["/predictions/iris", "/v1/models/iris:predict", "/v2/models/iris/infer"] {
                let connection = try sidecar.connect()
                try connection.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n")
                let response = try connection.response()
                #expect(response.status == 413)
                try expectError(response, face: path)
            }
            #expect(service.calls.isEmpty)
            let largest = HTTPRequest("POST", "/predictions/iris", body: Array(repeating: 32, count: 1_024))
            #expect(try sidecar.send(largest).status == 200)
        }
    }

    @Test func sendsTooLargeABody() throws {
        try withModel(server: ["maxBodyBytes": "1KiB"]) { sidecar, service in
            let connection = try sidecar.connect()
            let request = HTTPRequest(
                "POST",
                "/predictions/iris",
                body: Array(repeating: 32, count: 1_025),
                chunkSize: 100
            )
            // The Sidecar may have closed before it was all sent.
            do { try connection.send(request.wire) } catch SocketError.reset {}
            let response = try connection.response()
            #expect(response.status == 413)
            try expectError(response, face: request.target)
            #expect(service.calls.isEmpty)
            let largest = HTTPRequest(
                "POST",
                "/predictions/iris",
                body: Array(repeating: 32, count: 1_024),
                chunkSize: 100
            )
            #expect(try sidecar.send(largest).status == 200)
        }
    }

    @Test func announcesWhatIsNoLength() throws {
        try withModel { sidecar, service in
            for length in ["-1", "abc", "99999999999999999999999999"] {
                let connection = try sidecar.connect()
                try connection.send("POST /predictions/iris HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n{}")
                #expect([400, 413].contains(try connection.response().status), "\(length)")
            }
            #expect(service.calls.isEmpty)
        }
    }

    @Test func sendsTooLargeAHeader() throws {
        try withModel(server: ["maxHeaderBytes": "4KiB"]) { sidecar, service in
            let connection = try sidecar.connect()
            let request = HTTPRequest.post(
                "/predictions/iris",
                json: "{}",
                headers: ["X-Large": String(repeating: "a", count: 20_000)]
            )
            do { try connection.send(request.wire) } catch SocketError.reset {}
            #expect(try connection.response().status == 431)
            #expect(service.calls.isEmpty)
        }
    }

    @Test func sendsTooLongAPath() throws {
        try withModel(server: ["maxHeaderBytes": "4KiB"]) { sidecar, _ in
            let connection = try sidecar.connect()
            let path = "/predictions/" + String(repeating: "a", count: 20_000)
            do { try connection.send(HTTPRequest.post(path, json: "{}").wire) } catch SocketError.reset {}
            #expect([414, 431].contains(try connection.response().status))
        }
    }

    @Test func sendsManyHeaderLines() throws {
        try withModel { sidecar, service in
            var headers = HTTPHeaders()
            for index in 0..<200 { headers.append("X-Line-\(index)", "\(index)") }
            let connection = try sidecar.connect()
            let request = HTTPRequest.post("/predictions/iris", json: "{}", headers: headers)
            do { try connection.send(request.wire) } catch SocketError.reset {}
            let status = try connection.response().status
            #expect([200, 431].contains(status))
            if status == 200 {
                let received = try #require(service.calls.first).headers
                for field in headers.fields { #expect(received[field.name] == field.value) }
            }
        }
    }

    @Test(arguments: [
        "POST /predictions/iris\r\n\r\nHost", "POST  HTTP/1.1\r\n\r\n",
        "POST /predictions/iris HTTP/1.1\r\nNo colon here\r\n\r\n",
        "POST /predictions/iris HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    ])
    func isMalformed(_ text: String) throws {
        try withModel { sidecar, service in
            let connection = try sidecar.connect()
            try connection.send(text)
            connection.socket.finishWriting()
            #expect(try connection.response().status == 400)
            #expect(service.calls.isEmpty)
        }
    }

    @Test(arguments: ["GARBAGE\r\n\r\n", "\u{1}\u{2}\u{3}\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\r\n"])
    func isNoHTTP(_ text: String) throws {
        try withModel { sidecar, service in
            let connection = try sidecar.connect()
            try connection.send(text)
            let response = try connection.response()
            #expect(response.status == 400)
            #expect(response.headers["Connection"] == "close")
            #expect(try connection.isClosedByServer())
            #expect(service.calls.isEmpty)
            #expect(try sidecar.post("/predictions/iris").status == 200)
        }
    }

    @Test func speaksAnotherVersion() throws {
        try withModel { sidecar, _ in
            let connection = try sidecar.connect()
            try connection.send("GET /livez HTTP/3.7\r\nHost: a\r\n\r\n")
            connection.socket.finishWriting()
            #expect([400, 505].contains(try connection.response().status))
        }
    }

    @Test func pipelines() throws {
        try withModel { sidecar, _ in
            let connection = try sidecar.connect()
            let ids = (0..<5).map { "p-\($0)" }
            try connection.send(
                ids.flatMap { HTTPRequest.post("/predictions/iris", json: "{}", headers: ["X-Request-Id": $0]).wire }
            )
            let answered = try ids.map { _ in try connection.response().requestId }
            #expect(answered == ids)
        }
    }
}
