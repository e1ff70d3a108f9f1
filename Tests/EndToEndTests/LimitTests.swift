import TestSupport
import Testing

/// What the Sidecar refuses so that it goes on.
@Suite("Limits", .sidecarLog) struct LimitTests {
    @Test(arguments: Face.allCases) func refusesWhatIsTooMuchInFlight(_ face: Face) throws {
        let gate = Gate()
        let service = try FakeModelService { _ in .json(Sample.native).after(gate) }
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/"), ["timeout": "60s"]),
            server: ["maxInFlight": "2"]
        )
        try withSidecar(configuration) { sidecar in
            let clients = startConcurrently(2) { _ in try sidecar.post("/predictions/iris").status }
            defer { gate.open() }
            #expect(eventually { service.calls.count == 2 })
            let refused = try sidecar.post(face.path("iris"))
            #expect(refused.status == 503)
            #expect(refused.headers["Retry-After"].flatMap { Int($0) } != nil)
            try expectError(refused, face: face.path("iris"))
            #expect(try sidecar.get("/livez").status == 200, "operations are not predictions")
            #expect(service.calls.count == 2)
            gate.open()
            #expect(try clients.results() == [200, 200])
            #expect(try sidecar.post(face.path("iris")).status == 200)
            #expect(try sidecar.metrics().total("ameron_requests_total", ["code": "503"]) == 1)
        }
    }

    @Test func closesIdleConnections() throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/")), server: ["idleTimeout": "1s"])
        try withSidecar(configuration) { sidecar in
            let silent = try sidecar.connect()
            let used = try sidecar.connect()
            #expect(try used.exchange(.post("/predictions/iris", json: "{}")).status == 200)
            let half = try sidecar.connect()
            try half.send("POST /predictions/iris HTTP/1.1\r\nHo")
            #expect(try silent.isClosedByServer())
            #expect(try used.isClosedByServer())
            // It may be told why before it is closed.
            while try !half.socket.read(Deadline()).isEmpty {}
            #expect(try sidecar.post("/predictions/iris").status == 200)
        }
    }

    @Test func doesNotCallAWaitingClientIdle() throws {
        let gate = Gate()
        let service = try FakeModelService {
            $0.text == "wait" ? .json(Sample.native).after(gate) : .json(Sample.native)
        }
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/"), ["timeout": "60s"]),
            server: ["idleTimeout": "1s"]
        )
        try withSidecar(configuration) { sidecar in
            let idle = try sidecar.connect()
            let clients = startConcurrently(1) { _ in try sidecar.post("/predictions/iris", json: "wait").status }
            defer { gate.open() }
            #expect(eventually { service.calls.count == 1 })
            // When the idle one has been closed, twice, the waiting one has waited longer than that.
            #expect(try idle.isClosedByServer())
            #expect(try sidecar.connect().isClosedByServer())
            gate.open()
            #expect(try clients.results() == [200])
        }
    }

    @Test func boundsConnections() throws {
        let service = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/")),
            server: ["maxConnections": "8"]
        )
        try withSidecar(configuration) { sidecar in
            var connections: [HTTPConnection] = []
            for _ in 0..<8 {
                connections.append(try sidecar.connect())
                #expect(try connections.last?.exchange(.get("/livez")).status == 200)
            }
            // The kernel takes the ninth connection, the Sidecar does not: its request waits, and counts for nothing.
            let ninth = try sidecar.connect()
            try ninth.send(HTTPRequest.post("/predictions/iris", json: "{}").wire)
            for connection in connections {
                #expect(try connection.exchange(.post("/predictions/iris", json: "{}")).status == 200)
            }
            let metrics = try connections[0].exchange(.get("/metrics")).text
            #expect(try PrometheusText(parsing: metrics).total("ameron_connections") == 8)
            #expect(service.calls.count == 8)
            // One leaves, and the ninth has its place and its answer.
            connections.removeLast()
            #expect(try ninth.response().status == 200)
            #expect(service.calls.count == 9)
        }
    }
}
