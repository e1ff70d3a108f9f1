import Foundation
import TestSupport
import Testing

/// How connections to a Model Service are made, kept and given up.
@Suite("Model Service connections", .sidecarLog) struct ModelConnectionTests {
    @Test(arguments: ModelTransport.allCases)
    func keepsAConnection(_ transport: ModelTransport) throws {
        let service = try modelService(Sample.native)
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let statuses = try (0..<10).map { _ in try sidecar.post("/predictions/iris").status }
            #expect(statuses == Array(repeating: 200, count: 10))
            #expect(Set(service.calls.map(\.connection)).count == 1)
        }
    }

    /// Before its server does, which may be just when the next request is on its way.
    @Test(arguments: ModelTransport.allCases)
    func closesWhatIsIdleForTooLong(_ transport: ModelTransport) throws {
        let service = try modelService(Sample.native)
        try withSidecar(irisConfiguration(service, transport, ["keepAlive": "20ms"])) { sidecar in
            for number in 1...3 {
                let status = try sidecar.post("/predictions/iris").status
                #expect(status == 200)
                #expect(eventually { service.openConnectionCount == 0 })
                #expect(Set(service.calls.map(\.connection)).count == number)
            }
        }
    }

    @Test(arguments: [Reply.close, .reset], ModelTransport.allCases)
    func triesAgainOnceWhereTheModelDoesNotMind(_ death: Reply, _ transport: ModelTransport) throws {
        let service = try FakeModelService { $0.indexOnConnection == 0 ? .json(Sample.native) : death }
        try withSidecar(irisConfiguration(service, transport, ["repeatable": "true"])) { sidecar in
            #expect(try sidecar.post("/predictions/iris", json: "1").status == 200)
            let second = try sidecar.post("/predictions/iris", json: "2")
            #expect(second.status == 200)
            let attempts = service.calls.filter { $0.text == "2" }
            #expect(attempts.map(\.indexOnConnection) == [1, 0])
            #expect(attempts.map { $0.headers["X-Request-Id"] } == [second.requestId, second.requestId])
            #expect(sidecar.stop() == .code(0))
            #expect(try sidecar.events(ofRequest: second.requestId).count == 1)
            #expect(try sidecar.events().count == 2)
        }
    }

    @Test(arguments: [Reply.close, .reset], ModelTransport.allCases)
    func doesNotTryAgainWhenTheFreshOneDiesToo(_ death: Reply, _ transport: ModelTransport) throws {
        let service = try FakeModelService { $0.text == "1" ? .json(Sample.native) : death }
        try withSidecar(irisConfiguration(service, transport, ["repeatable": "true"])) { sidecar in
            #expect(try sidecar.post("/predictions/iris", json: "1").status == 200)
            let second = try sidecar.post("/predictions/iris", json: "2")
            #expect(second.status == 502)
            #expect(service.calls.filter { $0.text == "2" }.map(\.indexOnConnection) == [1, 0])
            try expectFailure(
                eventuallyEvents(sidecar, second.requestId),
                requestId: second.requestId,
                status: 502,
                causes: ["reset"]
            )
        }
    }

    @Test(arguments: [Reply.resetInHeaders, .resetInBody, .closeInBody], ModelTransport.allCases)
    func doesNotTryAgainAfterTheFirstByte(_ death: Reply, _ transport: ModelTransport) throws {
        let service = try FakeModelService { $0.text == "1" ? .json(Sample.native) : death }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let statuses = try ["1", "2"].map { try sidecar.post("/predictions/iris", json: $0).status }
            #expect(statuses == [200, 502])
            #expect(service.calls.filter { $0.text == "2" }.count == 1)
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func doesNotMindIdleCloses(_ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in .json(Sample.native).thenClose }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let statuses = try (0..<30).map { _ in try sidecar.post("/predictions/iris").status }
            #expect(statuses == Array(repeating: 200, count: 30))
            #expect(try sidecar.events(atLeast: 30).count == 30)
        }
    }

    @Test(
        arguments: [
            Reply.json(Sample.native, headers: ["Connection": "close"]),
            .json(Sample.native, framing: .chunked(size: 5)),
            .json(Sample.native, framing: .closeDelimited),
            .json(Sample.native).oneByteAtATime,
            Reply.json(Sample.native, framing: .chunked(size: 1)).oneByteAtATime,
            .answer(reason: "", headers: ["Content-Type": "application/json"], body: Array(Sample.native.utf8)),
            Reply(Reply.raw("HTTP/1.1 100 Continue\r\n\r\n").steps + Reply.json(Sample.native).steps),
            .raw("HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n\(Sample.native)").thenClose,
            .raw("HTTP/1.1 200\r\nContent-Length: \(Sample.native.utf8.count)\r\n\r\n\(Sample.native)"),
        ],
        ModelTransport.allCases
    )
    func takesEveryFraming(_ reply: Reply, _ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in reply }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            for _ in 0..<3 {
                let response = try sidecar.post("/v1/models/iris:predict")
                #expect(response.status == 200)
                #expect(response.text == Sample.native)
            }
            #expect(try sidecar.events(atLeast: 3).count == 3)
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func boundsConnections(_ transport: ModelTransport) throws {
        let gate = Gate()
        let service = try FakeModelService { _ in .json(Sample.native).after(gate) }
        try withSidecar(irisConfiguration(service, transport, ["maxConnections": "2", "timeout": "60s"])) { sidecar in
            let clients = startConcurrently(10) { _ in try sidecar.post("/predictions/iris").status }
            defer { gate.open() }
            #expect(eventually { service.calls.count == 2 })
            #expect(try eventually { try sidecar.metrics().total("ameron_inflight") == 10 })
            #expect(service.calls.count == 2)
            gate.open()
            let statuses = try clients.results()
            #expect(statuses == Array(repeating: 200, count: 10))
            #expect(Set(service.calls.map(\.connection)).count == 2)
        }
    }

    /// What comes after an answer must not answer the next request, which is waiting for the connection. The Sidecar stands
    /// still while both are sent, so that it finds them together; the answer ends where its last read ends.
    @Test func takesNothingAfterAnAnswerForTheNext() throws {
        let gate = Gate()
        let isFirst = Locked(true)
        let sidecar = Locked<SidecarProcess?>(nil)
        let long = #"{"value":"\#(String(repeating: "x", count: 40 << 10))"}"#
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        let bytes =
            "\(head)Content-Length: \(long.utf8.count)\r\n\r\n\(long)\(head)Content-Length: 11\r\n\r\n{\"value\":1}"
        let service = try FakeModelService { _ in
            let first = isFirst.withLock { first in
                defer { first = false }
                return first
            }
            guard first else { return .json(Sample.native) }
            return Reply([
                .wait(gate), .run { sidecar.withLock { $0?.send(signal: SIGSTOP) } }, .send(Array(bytes.utf8)),
                .run { sidecar.withLock { $0?.send(signal: SIGCONT) } },
            ])
        }
        let options = ["maxConnections": "1", "timeout": "60s"]
        try withSidecar(irisConfiguration(service, .direct, options)) { process in
            sidecar.withLock { $0 = process }
            let clients = startConcurrently(2) { _ in try process.post("/v1/models/iris:predict").text }
            #expect(try eventually { try process.metrics().total("ameron_inflight") == 2 && service.calls.count == 1 })
            gate.open()
            let texts = try clients.results()
            #expect(Set(texts) == [long, Sample.native])
            #expect(Set(service.calls.map(\.connection)).count == 2)
        }
    }

    /// What comes on a kept connection that nobody asked for must not be the next client's answer. The Sidecar stands still
    /// while it comes and the next request comes, so that it finds both together.
    @Test(arguments: ModelTransport.allCases)
    func takesNothingUnaskedForAnAnswer(_ transport: ModelTransport) throws {
        let evil = Sample.native.replacing("setosa", with: "evil")
        let gate = Gate()
        let sent = Gate()
        let service = try FakeModelService { request in
            guard request.text == "1" else { return .json(Sample.native) }
            let after = [.wait(gate)] + Reply.json(evil).steps + [.run { sent.open() }, .hang]
            return Reply(Reply.json(Sample.native).steps + after)
        }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let connection = try sidecar.connect()
            #expect(try connection.exchange(.post("/v1/models/iris:predict", json: "1")).text == Sample.native)
            sidecar.send(signal: SIGSTOP)
            defer { sidecar.send(signal: SIGCONT) }
            gate.open()
            #expect(sent.wait())
            try connection.send(HTTPRequest.post("/v1/models/iris:predict", json: "2").wire)
            sidecar.send(signal: SIGCONT)
            #expect(try connection.response().text == Sample.native)
            #expect(service.calls.filter { $0.text == "2" }.map(\.indexOnConnection) == [0])
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func reachesUnixSockets(_ transport: ModelTransport) throws {
        let directory = TemporaryDirectory()
        let service = try FakeModelService(at: .unix(path: directory.file("model.sock"))) { _ in .json(Sample.native) }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let response = try sidecar.post("/v1/models/iris:predict", json: "[1]")
            #expect(response.text == Sample.native)
            #expect(service.calls.first?.target == "/predict")
            #expect(service.calls.first?.text == "[1]")
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func keepsTheUrlsQuery(_ transport: ModelTransport) throws {
        let service = try modelService(Sample.native)
        try withSidecar(irisConfiguration(service, path: "/a%20b/predict?key=1", transport)) { sidecar in
            let status = try sidecar.post("/predictions/iris").status
            #expect(status == 200)
            #expect(service.calls.first?.target == "/a%20b/predict?key=1")
        }
    }

    private func eventuallyEvents(_ sidecar: SidecarProcess, _ id: String?) throws -> [JSON] {
        _ = try sidecar.events(atLeast: 2)
        return try sidecar.events(ofRequest: id)
    }
}
