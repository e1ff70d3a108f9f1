import TestSupport
import Testing

/// Clients that take their time, or leave: none holds a place for long, or keeps others out.
@Suite("Slow clients", .sidecarLog) struct SlowClientTests {
    private func withServer(
        _ server: [String: String],
        _ body: (SidecarProcess, FakeModelService) throws -> Void
    ) throws {
        let service = try modelService(Sample.native)
        defer { service.stop() }
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/predict")), server: server)
        try withSidecar(configuration) { sidecar in
            try body(sidecar, service)
            #expect(try sidecar.post("/predictions/iris").status == 200, "after all")
        }
    }

    private func expectTimeout(_ connection: HTTPConnection, _ name: String) throws {
        let response = try connection.response()
        #expect(response.status == 408, "\(name)")
        #expect(response.headers["Connection"] == "close")
        #expect(try connection.isClosedByServer(), "\(name) is not closed")
    }

    @Test(arguments: ["P", "POST /predictions/iris HTTP/1.1\r\nHost: a\r\n", "POST /predictions/iris HTTP/1.1\r\nX: "])
    func theHeaderHasItsTime(_ beginning: String) throws {
        try withServer(["headTimeout": "200ms"]) { sidecar, service in
            let connection = try sidecar.connect()
            try connection.send(beginning)
            try expectTimeout(connection, beginning)
            // A later request on a connection has the same time, from its first byte on.
            let kept = try sidecar.connect()
            #expect(try kept.exchange(.get("/livez")).status == 200)
            try kept.send(beginning)
            try expectTimeout(kept, "later: \(beginning)")
            #expect(service.calls.isEmpty)
        }
    }

    /// A byte now and then does not prolong it.
    @Test func theHeadersTimeIsOfTheWholeOfIt() throws {
        try withServer(["headTimeout": "300ms"]) { sidecar, _ in
            let connection = try sidecar.connect()
            var sent = 0
            let head = Array("POST /predictions/iris HTTP/1.1\r\nX-Slow: ".utf8)
            let hasEnded = eventually {
                if (try? connection.send([sent < head.count ? head[sent] : UInt8(ascii: "a")])) == nil { return true }
                sent += 1
                return (try? connection.socket.wait(for: 1, Deadline(seconds: 0.01))) != nil
            }
            #expect(hasEnded)
            #expect(try connection.response().status == 408)
        }
    }

    @Test func whoSaysNothingIsLetGo() throws {
        try withServer(["headTimeout": "200ms"]) { sidecar, _ in
            let connection = try sidecar.connect()
            #expect(try connection.isClosedByServer(), "it is not closed, or was answered")
        }
    }

    @Test func theBodyMustGoOn() throws {
        try withServer(["bodyTimeout": "1s"]) { sidecar, service in
            for framing in ["Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\n5\r\n{"] {
                let connection = try sidecar.connect()
                try connection.send("POST /predictions/iris HTTP/1.1\r\nHost: a\r\n\(framing)")
                try expectTimeout(connection, framing)
            }
            #expect(service.calls.isEmpty)
        }
    }

    /// As long as a body goes on by 1 KiB in each second, it may take longer than the time.
    @Test func theBodyMayTakeLongerIfItGoesOn() throws {
        try withServer(["bodyTimeout": "1s"]) { sidecar, service in
            let connection = try sidecar.connect()
            let count = 40
            try connection.send(
                "POST /predictions/iris HTTP/1.1\r\nHost: a\r\nContent-Length: \(count * 2_048)\r\n\r\n"
            )
            for _ in 0..<count {
                try connection.send([UInt8](repeating: 0x20, count: 2_048))
                // A request of another client, so that time passes by what happens.
                for _ in 0..<20 { #expect(try sidecar.get("/livez").status == 200) }
            }
            #expect(try connection.response().status == 200)
            #expect(service.calls.last?.body.count == count * 2_048)
        }
    }

    @Test func theAnswerMustBeRead() throws {
        let service = try modelService(#"{"value":""# + String(repeating: "a", count: 32_000_000) + #""}"#)
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/predict")),
            server: ["bodyTimeout": "1s"]
        )
        try withSidecar(configuration) { sidecar in
            let slow = try sidecar.connect()
            try slow.send(HTTPRequest.post("/v1/models/iris:predict", json: "{}").wire)
            #expect(eventually { service.calls.count == 1 })
            let isLetGo = try eventually { try sidecar.metrics().total("ameron_connections") == 1 }
            #expect(isLetGo, "a client that reads nothing keeps its connection")
        }
    }

    /// As many as there are places, and more: those who come and ask are served all the same.
    @Test func keepNobodyOut() throws {
        try withServer(["maxConnections": "20", "shards": "1", "headTimeout": "60s"]) { sidecar, _ in
            let slow = (0..<20).compactMap { _ -> HTTPConnection? in
                let connection = try? sidecar.connect()
                try? connection?.send("POST /predictions/iris HTTP/1.1\r\n")
                return connection
            }
            #expect(slow.count == 20)
            for _ in 0..<5 {
                let isServed = eventually { (try? sidecar.get("/readyz").status) == 200 }
                #expect(isServed)
            }
        }
    }

    /// In whatever stage a client leaves, its connection goes with it, and the end waits for none.
    @Test(arguments: [
        "", "POST /predict", "POST /predictions/iris HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{",
        "POST /predictions/iris HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n",
        "POST /predictions/iris HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\nabc",
        "POST /predictions/iris HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\nabc",
        "nonsense\r\n",
    ])
    func theirConnectionsGoWithThem(_ bytes: String) throws {
        try withServer(["maxBodyBytes": "1MiB"]) { sidecar, service in
            for reset in [false, true] {
                for _ in 0..<10 {
                    let connection = try sidecar.connect()
                    if reset { connection.socket.resetOnClose() }
                    try connection.send(bytes)
                }
            }
            let isGone = try eventually { try sidecar.metrics().total("ameron_connections") == 1 }
            #expect(isGone)
            #expect(service.calls.isEmpty)
        }
    }

    /// Who is refused in mid-upload gets to read why, though it goes on sending.
    @Test func refusalsAreHeard() throws {
        try withServer(["maxBodyBytes": "64KiB"]) { sidecar, _ in
            for _ in 0..<10 {
                let connection = try sidecar.connect()
                try connection.send("POST /predictions/iris HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n")
                try connection.send([UInt8](repeating: 0x20, count: 200_000))
                #expect(try connection.response().status == 413)
            }
        }
    }
}
