import Foundation
import TestSupport
import Testing

/// Answers that go on to the client as they come.
@Suite("Streams", .timeLimit(.minutes(5)), .sidecarLog) struct StreamTests {
    private static let parts = (0..<5).map { "data: {\"n\":\($0)}\n\n" }

    /// A Model Service that sends part after part, each when its gate is open.
    private func service(
        _ contentType: String = "text/event-stream",
        parts: [String] = parts,
        gates: [Gate],
        then end: [Reply.Step] = [Reply.end]
    ) throws -> FakeModelService {
        var steps: [Reply.Step] = []
        for (part, gate) in zip(parts, gates) { steps += [.wait(gate), .chunk(part)] }
        let reply = Reply.stream(contentType, headers: ["X-Accel-Buffering": "no"], steps: steps + end)
        return try FakeModelService { _ in reply }
    }

    private func ask(_ sidecar: SidecarProcess, _ path: String = "/v1/models/iris:predict") throws -> HTTPConnection {
        let connection = try sidecar.connect()
        try connection.send(HTTPRequest.post(path, json: "{}", headers: ["X-Request-Id": "mine"]).wire)
        return connection
    }

    /// What the parts are in an event.
    private func numbers(_ event: JSON?) -> [Int?]? { event?["value"]?.elements?.map { $0["n"]?.int } }

    @Test(arguments: ModelTransport.allCases, ["/v1/models/iris:predict", "/predictions/iris"])
    func passesEachPartOn(_ transport: ModelTransport, _ path: String) throws {
        let gates = Self.parts.map { _ in Gate() }
        let service = try service(gates: gates)
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let connection = try ask(sidecar, path)
            // The head comes before any part does.
            let head = try connection.raw { $0.contains("\r\n\r\n") }
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.contains("text/event-stream"), "\(head)")
            var text = ""
            for (part, gate) in zip(Self.parts, gates) {
                gate.open()
                text += try connection.raw { $0.contains(part) }
                #expect(text.contains(part))
            }
            if !text.hasSuffix("0\r\n\r\n") { text += try connection.raw { $0.hasSuffix("0\r\n\r\n") } }
            #expect(text.hasSuffix("\r\n0\r\n\r\n"))
            let events = try sidecar.events(atLeast: 1)
            #expect(events.count == 1)
            let event = try data(events.first)
            #expect(numbers(event) == [0, 1, 2, 3, 4])
            #expect(event["status"] == 200 && event["stream"]?["parts"]?.int == 5)
            #expect(event["requestId"] == "mine")
            // Connections on both sides are kept.
            #expect(try connection.exchange(.get("/livez")).status == 200)
            #expect(try sidecar.metrics().total("ameron_requests_total", ["code": "200", "model": "iris"]) == 1)
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    @Test func passesPartsOnOverTLS() throws {
        let gates = Self.parts.map { _ in Gate() }
        let service = try service(gates: gates)
        let proxy = try SecureProxy(of: service)
        try withSidecar(proxy.configuration()) { sidecar in
            let connection = try ask(sidecar)
            for (part, gate) in zip(Self.parts, gates) {
                gate.open()
                #expect(try connection.raw { $0.contains(part) }.contains(part))
            }
            #expect(try numbers(data(try sidecar.events(atLeast: 1).first)) == [0, 1, 2, 3, 4])
        }
    }

    /// Lines of JSON; text, where all answers are streams; and whole, where none are.
    @Test(arguments: [
        ("application/x-ndjson", "auto", "[1,2]", true), ("text/plain", "always", "\"1\\n2\\n\"", true),
        ("text/plain", "auto", "\"1\\n2\\n\"", false), ("text/event-stream", "never", "\"1\\n2\\n\"", false),
    ])
    func dependsOnTheTypeAndTheRule(type: String, rule: String, value: String, isStream: Bool) throws {
        let gates = [Gate(), Gate()]
        let service = try service(type, parts: ["1\n", "2\n"], gates: gates)
        var configuration = irisConfiguration(service, .direct, ["stream": rule])
        configuration.models[0].keys["protocol"] = "raw"
        try withSidecar(configuration) { sidecar in
            let connection = try ask(sidecar)
            gates[0].open()
            if isStream { #expect(try connection.raw { $0.contains("1\n") }.contains("1\n")) }
            gates[1].open()
            #expect(try connection.raw { $0.contains("2\n") }.contains("2\n"))
            let event = try data(try sidecar.events(atLeast: 1).first)
            #expect(try event["value"] == JSON(parsing: Array(value.utf8)))
            #expect((event["stream"] != nil) == isStream)
        }
    }

    /// However a stream breaks off: its client sees it, and what there was is recorded.
    @Test(arguments: ModelTransport.allCases, [("reset", 502), ("timeout", 504), ("timeout in all", 504)])
    func saysThatItBrokeOff(_ transport: ModelTransport, _ cause: (name: String, status: Int)) throws {
        let gate = Gate()
        gate.open()
        let steps: [Reply.Step] =
            switch cause.name {
            case "reset": [.close]
            case "timeout": [.hang]
            default: (0..<10_000).flatMap { _ in [Reply.Step.chunk(": alive\n\n"), .run { usleepABit() }] }
            }
        // Before a part has left, it is a failure like any other.
        let hasLeft = Gate()
        let service = try service(parts: [Self.parts[0]], gates: [gate], then: [.wait(hasLeft)] + steps)
        let times = cause.name == "timeout" ? ["idleTimeout": "100ms"] : ["maxStreamTime": "300ms"]
        let keys = cause.name == "reset" ? [:] : times
        try withSidecar(irisConfiguration(service, transport, keys)) { sidecar in
            let connection = try ask(sidecar)
            #expect(try connection.raw { $0.contains(Self.parts[0]) }.contains(Self.parts[0]))
            hasLeft.open()
            let text = try connection.raw { _ in false }
            #expect(text.contains("event: error\ndata: {\"error\":"))
            // Without the last chunk.
            #expect(!text.hasSuffix("0\r\n\r\n"))
            let event = try data(try sidecar.events(atLeast: 1).first)
            #expect(numbers(event) == [0])
            #expect(event["status"]?.int == cause.status)
            #expect(event["error"]?["cause"]?.string == (cause.name == "reset" ? "reset" : "timeout"))
            let code = ["code": "\(cause.status)", "model": "iris"]
            #expect(try sidecar.metrics().total("ameron_requests_total", code) == 1)
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func cancelsTheCallOfAClientThatLeaves(_ transport: ModelTransport) throws {
        let gates = [Gate(), Gate()]
        gates[0].open()
        let service = try service(gates: gates)
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            do {
                let connection = try ask(sidecar)
                #expect(try connection.raw { $0.contains(Self.parts[0]) }.contains(Self.parts[0]))
                connection.socket.finish()
            }
            #expect(eventually { service.abandonedCalls.count == 1 })
            let event = try data(try sidecar.events(atLeast: 1).first)
            #expect(event["status"] == 499 && numbers(event) == [0])
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    /// What its client does not read stays with the Model Service.
    @Test(arguments: ModelTransport.allCases)
    func waitsForASlowClient(_ transport: ModelTransport) throws {
        let size = 64 << 20
        let service = try FakeModelService { _ in
            Reply([
                .send(Array("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".utf8)), .fill(size), .close,
            ])
        }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let before = try residentBytes(of: sidecar.process.id)
            let connection = try ask(sidecar)
            _ = try connection.raw { $0.contains("\r\n\r\n") }
            // Nobody reads; nothing more comes than sockets and buffers hold.
            var last = -1
            let stands = try eventually {
                let now = try residentBytes(of: sidecar.process.id)
                defer { last = now }
                return now == last
            }
            #expect(stands)
            #expect(try residentBytes(of: sidecar.process.id) - before < 40 << 20)
            #expect(try sidecar.get("/livez").status == 200)
            var read = 0
            let deadline = Deadline(seconds: 60)
            var tail: [UInt8] = []
            while tail != Array("0\r\n\r\n".utf8) {
                let bytes = try connection.socket.read(deadline)
                if bytes.isEmpty { break }
                read += bytes.count { $0 == UInt8(ascii: "x") }
                tail = (tail + bytes.suffix(5)).suffix(5)
            }
            #expect(read >= size - (64 << 10))
            #expect(try residentBytes(of: sidecar.process.id) - before < 40 << 20)
            let event = try data(try sidecar.events(atLeast: 1).first)
            #expect(event["status"] == 200)
            #expect(event["stream"]?["bytes"]?.int == size)
        }
    }

    /// At least once: who has the end of an answer has it recorded, also when the Sidecar is killed right then.
    @Test func isRecordedBeforeItsEndLeaves() throws {
        let gate = Gate()
        gate.open()
        let service = try service(parts: ["data: {\"n\":0}\n\ndata: [DONE]\n\n"], gates: [gate], then: [.hang])
        let directory = TemporaryDirectory()
        var configuration = irisConfiguration(service, .direct)
        let spool = "{ path: \"\(directory.file("spool"))\" }"
        configuration.reporting = ["delivery": "at-least-once", "spool": spool]
        let events = directory.file("events")
        do {
            let sidecar = try SidecarProcess(configuration, eventFile: events)
            let connection = try ask(sidecar)
            #expect(try connection.raw { $0.contains("[DONE]") }.contains("[DONE]\n\n"))
            sidecar.send(signal: SIGKILL)
            _ = sidecar.waitForExit()
        }
        try withSidecar(configuration, eventFile: events) { _ in
            let recorded = try eventuallyValue {
                let events = try SidecarProcess.events(in: events)
                return events.isEmpty ? nil : events
            }
            #expect(recorded?.count == 1)
            #expect(try numbers(data(recorded?.first)) == [0])
        }
    }

    /// Streams end when the time to drain is over, and say so; those that end by themselves are whole.
    @Test func drains() throws {
        let gates = Self.parts.map { _ in Gate() }
        gates[0].open()
        let service = try service(gates: gates)
        let endless = try self.service(gates: [gates[0]], then: [.hang])
        var configuration = irisConfiguration(service, .direct, server: ["drainTimeout": "2s"])
        configuration.models.append(.init("endless", url: endless.url("/predict")))
        let sidecar = try SidecarProcess(configuration)
        let (one, other) = (try ask(sidecar), try ask(sidecar, "/v1/models/endless:predict"))
        for connection in [one, other] {
            #expect(try connection.raw { $0.contains(Self.parts[0]) }.contains(Self.parts[0]))
        }
        sidecar.send(signal: SIGTERM)
        #expect(eventually { (try? sidecar.get("/readyz").status) != 200 })
        for gate in gates { gate.open() }
        #expect(try one.raw { $0.hasSuffix("0\r\n\r\n") }.hasSuffix("0\r\n\r\n"))
        #expect(try other.raw { _ in false }.contains("event: error"))
        #expect(sidecar.waitForExit() == .code(0))
        let events = try sidecar.events(atLeast: 2).map { try data($0)["status"]?.int }
        #expect(Set(events) == [200, 503])
    }

    @Test func servesHTTP10() throws {
        let gate = Gate()
        gate.open()
        let service = try service(parts: [Self.parts[0]], gates: [gate])
        try withSidecar(irisConfiguration(service, .direct)) { sidecar in
            let connection = try sidecar.connect()
            try connection.send("POST /v1/models/iris:predict HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
            let text = try connection.raw { _ in false }
            #expect(text.hasSuffix(Self.parts[0]) && !text.lowercased().contains("chunked"))
        }
    }

    /// An answer without a body that is a stream by its type, and one that comes all at once.
    @Test(arguments: ModelTransport.allCases, ["", "data: {\"n\":7}\n\n"])
    func takesShortOnes(_ transport: ModelTransport, _ body: String) throws {
        let service = try FakeModelService { _ in
            .answer(headers: ["Content-Type": "text/event-stream"], body: Array(body.utf8))
        }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            for _ in 0..<3 {
                let response = try sidecar.post("/v1/models/iris:predict", json: "{}")
                #expect(response.status == 200 && response.text == body)
            }
            let events = try sidecar.events(atLeast: 3)
            #expect(events.allSatisfy { numbers($0["data"]) == (body.isEmpty ? [] : [7]) })
        }
    }
}

private func usleepABit() { _ = Gate().wait(Deadline(seconds: 0.01)) }
