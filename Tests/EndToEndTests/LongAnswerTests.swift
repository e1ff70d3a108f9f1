import Foundation
import TestSupport
import Testing

/// Long answers that nobody has to look into: they go on to the client as they come.
@Suite("Long answers", .timeLimit(.minutes(5)), .sidecarLog) struct LongAnswerTests {
    private static let path = "/v1/models/iris:predict"
    private static let half = 2 << 20

    /// The head of an answer of that length; nil: its end is the connection's.
    private static func head(_ length: Int?) -> Reply.Step {
        let line = length.map { "Content-Length: \($0)\r\n" } ?? ""
        return .send(Array("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\(line)\r\n".utf8))
    }

    private func configuration(_ service: FakeModelService, _ transport: ModelTransport) -> SidecarConfiguration {
        raw(irisConfiguration(service, transport))
    }

    private func raw(_ configuration: SidecarConfiguration) -> SidecarConfiguration {
        var configuration = configuration
        configuration.models[0].keys["protocol"] = "raw"
        return configuration
    }

    private func ask(_ sidecar: SidecarProcess, _ path: String = path) throws -> HTTPConnection {
        let connection = try sidecar.connect()
        try connection.send(HTTPRequest.post(path, json: "{}", headers: ["X-Request-Id": "mine"]).wire)
        return connection
    }

    /// How many `x` come, until there are so many or the connection ends; and what came before them.
    private func count(_ connection: HTTPConnection, atLeast wanted: Int) throws -> (head: String, count: Int) {
        let deadline = Deadline(seconds: 60)
        var head: [UInt8] = []
        var count = 0
        while count < wanted {
            let bytes = try connection.socket.read(deadline)
            if bytes.isEmpty { break }
            if count == 0 { head += bytes.prefix { $0 != UInt8(ascii: "x") } }
            count += bytes.count { $0 == UInt8(ascii: "x") }
        }
        return (String(decoding: head, as: UTF8.self), count)
    }

    @Test(arguments: ModelTransport.allCases) func goesOnAsItComes(_ transport: ModelTransport) throws {
        let gate = Gate()
        let service = try FakeModelService { _ in
            Reply([Self.head(2 * Self.half), .fill(Self.half), .wait(gate), .fill(Self.half)])
        }
        try withSidecar(configuration(service, transport)) { sidecar in
            for number in 1...2 {
                let connection = try ask(sidecar)
                if number == 1 {
                    let (head, first) = try count(connection, atLeast: Self.half)
                    #expect(first == Self.half)
                    // A plain answer of known length.
                    #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
                    let length = "Content-Length: \(2 * Self.half)\r\n"
                    #expect(head.contains(length) && !head.contains("chunked"), "\(head)")
                    gate.open()
                    #expect(try count(connection, atLeast: Self.half).count == Self.half)
                } else {
                    #expect(try connection.response().body.count == 2 * Self.half)
                }
                // Both connections are kept.
                #expect(try connection.exchange(.get("/livez")).status == 200)
                let events = try sidecar.events(atLeast: number)
                #expect(events.count == number)
                let event = try data(events.last)
                #expect(event["status"] == 200 && event["requestId"] == "mine")
                #expect(event["value"] == .null && event["truncated"]?.elements == ["value"] && event["stream"] == nil)
            }
            #expect(service.connectionCount <= 2, "one for the calls, one for the health checks")
            #expect(try sidecar.metrics().total("ameron_requests_total", ["code": "200", "model": "iris"]) == 2)
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    @Test func goesOnOverTLS() throws {
        let service = try FakeModelService { _ in Reply([Self.head(2 * Self.half), .fill(2 * Self.half)]) }
        let proxy = try SecureProxy(of: service)
        try withSidecar(raw(proxy.configuration())) { sidecar in
            let connection = try ask(sidecar)
            #expect(try connection.response().body.count == 2 * Self.half)
            #expect(try data(sidecar.events(atLeast: 1).first)["truncated"]?.elements == ["value"])
        }
    }

    /// Its length is not known when it begins: it goes on once it is too long to be recorded.
    @Test(arguments: ModelTransport.allCases, [true, false])
    func goesOnWithoutALength(_ transport: ModelTransport, _ isChunked: Bool) throws {
        let gate = Gate()
        let piece = String(repeating: "x", count: 64 << 10)
        let service = try FakeModelService { _ in
            if isChunked {
                let pieces = (0..<32).map { _ in Reply.Step.chunk(piece) }
                return Reply.stream("application/octet-stream", steps: pieces + [.wait(gate)] + pieces + [Reply.end])
            }
            return Reply([Self.head(nil), .fill(Self.half), .wait(gate), .fill(Self.half), .close])
        }
        try withSidecar(configuration(service, transport)) { sidecar in
            let connection = try ask(sidecar)
            let (head, first) = try count(connection, atLeast: Self.half)
            #expect(first == Self.half && head.contains("Transfer-Encoding: chunked"), "\(head)")
            gate.open()
            #expect(try count(connection, atLeast: Self.half).count == Self.half)
            #expect(try data(sidecar.events(atLeast: 1).first)["truncated"]?.elements == ["value"])
        }
    }

    /// What fits into its event is recorded, and then the client has it at the end.
    @Test(arguments: ModelTransport.allCases) func isRecordedWhereItFits(_ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in Reply([Self.head(300_000), .fill(300_000)]) }
        try withSidecar(configuration(service, transport)) { sidecar in
            #expect(try ask(sidecar).response().body.count == 300_000)
            let event = try data(sidecar.events(atLeast: 1).first)
            #expect(event["valueEncoding"] == "base64" && event["truncated"] == nil)
            #expect(event["value"]?.string?.utf8.count == 400_000)
        }
    }

    /// What its client does not read stays with the Model Service.
    @Test(arguments: ModelTransport.allCases) func waitsForASlowClient(_ transport: ModelTransport) throws {
        let size = 48 << 20
        let service = try FakeModelService { _ in Reply([Self.head(size), .fill(size)]) }
        try withSidecar(configuration(service, transport)) { sidecar in
            let before = try residentBytes(of: sidecar.process.id)
            let connection = try ask(sidecar)
            _ = try connection.raw { $0.contains("\r\n\r\n") }
            var last = -1
            let stands = try eventually {
                let now = try residentBytes(of: sidecar.process.id)
                defer { last = now }
                return now == last
            }
            #expect(stands)
            #expect(try residentBytes(of: sidecar.process.id) - before < 8 << 20)
            #expect(try sidecar.get("/livez").status == 200)
            // Some of it came with the head.
            #expect(try count(connection, atLeast: size - (64 << 10)).count >= size - (64 << 10))
            #expect(try isSanitized || residentBytes(of: sidecar.process.id) - before < 8 << 20)
            #expect(try data(sidecar.events(atLeast: 1).first)["status"] == 200)
        }
    }

    @Test(arguments: ModelTransport.allCases) func breaksOffWithItsModel(_ transport: ModelTransport) throws {
        let gate = Gate()
        let service = try FakeModelService { _ in
            Reply([Self.head(2 * Self.half), .fill(Self.half), .wait(gate), .close])
        }
        try withSidecar(configuration(service, transport)) { sidecar in
            let connection = try ask(sidecar)
            #expect(try count(connection, atLeast: Self.half).count == Self.half)
            gate.open()
            // Fewer bytes than announced, and an end.
            #expect(try count(connection, atLeast: 1).count == 0)
            let event = try data(sidecar.events(atLeast: 1).first)
            #expect(event["status"] == 502 && event["error"]?["cause"] == "reset")
            #expect(try sidecar.metrics().total("ameron_requests_total", ["code": "502", "model": "iris"]) == 1)
        }
    }

    @Test(arguments: ModelTransport.allCases) func endsWithItsClient(_ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in Reply([Self.head(2 * Self.half), .fill(Self.half), .hang]) }
        try withSidecar(configuration(service, transport)) { sidecar in
            do {
                let connection = try ask(sidecar)
                #expect(try count(connection, atLeast: Self.half).count == Self.half)
                connection.socket.finish()
            }
            #expect(eventually { service.abandonedCalls.count == 1 })
            #expect(try data(sidecar.events(atLeast: 1).first)["status"] == 499)
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    /// One that is announced longer than it may be is a 502, and nothing of it leaves.
    @Test(arguments: ModelTransport.allCases) func mayNotBeTooLong(_ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in Reply([Self.head(2 * Self.half), .fill(2 * Self.half)]) }
        var configuration = configuration(service, transport)
        configuration.models[0].keys["maxResponseBytes"] = "\(Self.half)"
        try withSidecar(configuration) { sidecar in
            let response = try ask(sidecar).response()
            #expect(response.status == 502)
            #expect(try data(sidecar.events(atLeast: 1).first)["error"]?["cause"] == "tooLarge")
        }
    }

    /// Whoever has all of it has it recorded, also when the Sidecar is killed right then.
    @Test(arguments: ModelTransport.allCases) func isRecordedBeforeItsEndLeaves(_ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in Reply([Self.head(2 * Self.half), .fill(2 * Self.half)]) }
        let directory = TemporaryDirectory()
        var configuration = configuration(service, transport)
        let spool = "{ path: \"\(directory.file("spool"))\" }"
        configuration.reporting = ["delivery": "at-least-once", "spool": spool]
        let events = directory.file("events")
        do {
            let sidecar = try SidecarProcess(configuration, eventFile: events)
            let connection = try ask(sidecar)
            #expect(try count(connection, atLeast: 2 * Self.half).count == 2 * Self.half)
            sidecar.send(signal: SIGKILL)
            _ = sidecar.waitForExit()
        }
        try withSidecar(configuration, eventFile: events) { _ in
            let recorded = try eventuallyValue {
                let events = try SidecarProcess.events(in: events)
                return events.isEmpty ? nil : events
            }
            #expect(recorded?.count == 1)
            #expect(try data(recorded?.first)["status"] == 200)
        }
    }

    /// When the time to drain is over it breaks off, and says so where that can be said.
    @Test func endsWithTheSidecar() throws {
        let service = try FakeModelService { _ in Reply([Self.head(2 * Self.half), .fill(Self.half), .hang]) }
        let drain = ["drainTimeout": "300ms"]
        let sidecar = try SidecarProcess(raw(irisConfiguration(service, .direct, server: drain)))
        let connection = try ask(sidecar)
        #expect(try count(connection, atLeast: Self.half).count == Self.half)
        sidecar.send(signal: SIGTERM)
        #expect(try count(connection, atLeast: 1).count == 0)
        #expect(sidecar.waitForExit() == .code(0))
        #expect(try data(sidecar.events(atLeast: 1).first)["status"] == 503)
    }

    /// HTTP/1.0 knows lengths too.
    @Test func servesHTTP10() throws {
        let service = try FakeModelService { _ in Reply([Self.head(2 * Self.half), .fill(2 * Self.half)]) }
        try withSidecar(configuration(service, .direct)) { sidecar in
            let connection = try sidecar.connect()
            try connection.send("POST \(Self.path) HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
            let response = try connection.response()
            #expect(response.body.count == 2 * Self.half && response.headers["Content-Length"] != nil)
        }
    }
}
