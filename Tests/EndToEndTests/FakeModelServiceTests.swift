import Foundation
import TestSupport
import Testing

/// The tests' own tools, tried against each other: a test that fails should not be the tools' fault.
@Suite("The fake Model Service") struct FakeModelServiceTests {
    private func connect(_ service: FakeModelService) throws -> HTTPConnection {
        guard case .tcp(let port) = service.endpoint else { throw TestFailure("not a port") }
        return try HTTPConnection(port: port)
    }

    private let call = HTTPRequest.post("/predict", json: "{}")

    @Test func answersOverOneConnection() throws {
        let service = try modelService(#"{"value":1}"#, headers: ["X-Thing": "a", "X-Thing": "b"])
        let connection = try connect(service)
        for index in 0..<3 {
            let response = try connection.exchange(call)
            #expect(response.status == 200)
            #expect(response.reason == "OK")
            #expect(response.headers.all("x-thing") == ["a", "b"])
            #expect(response.text == #"{"value":1}"#)
            #expect(service.calls[index].indexOnConnection == index)
        }
        #expect(service.connectionCount == 1)
        #expect(service.calls[0].target == "/predict")
        #expect(service.calls[0].headers["Content-Type"] == "application/json")
        #expect(service.calls[0].text == "{}")
    }

    @Test(arguments: [Reply.Framing.contentLength, .chunked(size: 3), .closeDelimited])
    func framesBodies(_ framing: Reply.Framing) throws {
        let body = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
        let service = try FakeModelService { _ in .answer(body: body, framing: framing) }
        #expect(try connect(service).exchange(call).body == body)
    }

    @Test func readsChunkedRequests() throws {
        let service = try modelService("{}")
        let body = Array(repeating: UInt8(ascii: "y"), count: 1_000)
        let connection = try connect(service)
        #expect(try connection.exchange(HTTPRequest("POST", "/", body: body, chunkSize: 7)).status == 200)
        #expect(service.calls[0].body == body)
    }

    @Test func dripsBytes() throws {
        let service = try FakeModelService { _ in .json(#"{"value":1}"#).oneByteAtATime }
        #expect(try connect(service).exchange(call).text == #"{"value":1}"#)
    }

    @Test func sendsHugeBodies() throws {
        let service = try FakeModelService { _ in .huge(100 << 20) }
        let connection = try connect(service)
        try connection.send(call.wire)
        var count = 0
        while count < 100 << 20 { count += try connection.socket.read(Deadline()).count }
        #expect(count > 100 << 20)
    }

    @Test func closesBeforeTheFirstByte() throws {
        let service = try FakeModelService { _ in .close }
        #expect(throws: HTTPError.closedBeforeMessage) { try connect(service).exchange(call) }
    }

    @Test(arguments: [Reply.reset, .resetInHeaders, .resetInBody])
    func resets(_ reply: Reply) throws {
        let service = try FakeModelService { _ in reply }
        #expect(throws: SocketError.reset) { try connect(service).exchange(call) }
    }

    @Test(arguments: [Reply.closeInBody, .chunkedWithoutEnd])
    func truncates(_ reply: Reply) throws {
        let service = try FakeModelService { _ in reply }
        #expect { try connect(service).exchange(call) } throws: {
            if case .truncated = $0 as? HTTPError { true } else { false }
        }
    }

    @Test func sendsGarbage() throws {
        let service = try FakeModelService { _ in .garbage }
        #expect { try connect(service).exchange(call) } throws: {
            if case .malformed = $0 as? HTTPError { true } else { false }
        }
    }

    @Test func refusesUntilItListens() throws {
        let service = try FakeModelService(listening: false) { _ in .json("{}") }
        #expect(throws: SocketError.refused) { try connect(service) }
        try service.startListening()
        #expect(try connect(service).exchange(call).status == 200)
        service.stop()
        #expect(eventually { (try? connect(service)) == nil })
    }

    @Test func closesAnIdleConnection() throws {
        let service = try FakeModelService { _ in .json("{}").thenClose }
        let connection = try connect(service)
        #expect(try connection.exchange(call).status == 200)
        #expect(try connection.isClosedByServer())
    }

    @Test func holdsAnswersUntilTheGateOpens() throws {
        let gate = Gate()
        let service = try FakeModelService { _ in .json("{}").after(gate) }
        let clients = startConcurrently(20) { _ in try connect(service).exchange(call).status }
        #expect(eventually { service.calls.count == 20 })
        gate.open()
        #expect(try clients.results() == Array(repeating: 200, count: 20))
        #expect(service.abandonedCalls.isEmpty)
    }

    @Test func seesThatTheClientLeft() throws {
        let service = try FakeModelService { _ in .hang }
        do {
            let connection = try connect(service)
            try connection.send(call.wire)
            #expect(eventually { service.calls.count == 1 })
            #expect(service.abandonedCalls.isEmpty)
        }
        #expect(eventually { service.abandonedCalls.count == 1 })
    }

    @Test func listensOnAUnixSocket() throws {
        let directory = TemporaryDirectory()
        let service = try FakeModelService(at: .unix(path: directory.file("model.sock"))) { _ in .json("{}") }
        let socket = try StreamSocket(connectingTo: service.endpoint)
        try socket.write(call.wire)
        #expect(try HTTPReader(socket).response().status == 200)
        #expect(service.url("/a").hasSuffix("%2Fmodel.sock/a"))
    }

    @Test func waitsForFinalAnswers() throws {
        let service = try FakeModelService { _ in
            Reply(Reply.raw("HTTP/1.1 100 Continue\r\n\r\n").steps + Reply.json("{}").steps)
        }
        let response = try connect(service).exchange(call)
        #expect(response.status == 200)
        #expect(response.interim == [100])
    }
}

@Suite("JSON and metrics as the tests read them") struct ReadersTests {
    @Test func keepsNumbersAsTheyStood() throws {
        let json = try JSON(parsing: #"{"a":[1.10,-0,2e5,true,null],"b":"\u00e9\n\ud83d\ude00"}"#)
        #expect(json["a"] == .array([.number("1.10"), .number("-0"), .number("2e5"), true, .null]))
        #expect(json["b"] == "é\n😀")
    }

    @Test(arguments: ["", "{", "[1,]", "01", "1.", #"{"a":1,"a":2}"#, "\"\n\"", #""\ud800""#, "nul", "1 2", "'a'"])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(throws: JSON.ParseError.self) { try JSON(parsing: text) }
    }

    @Test func readsMetrics() throws {
        let text = """
            # HELP requests_total Requests.
            # TYPE requests_total counter
            requests_total{code="200",model="a \\"b\\""} 3
            requests_total{code="404",model="a"} 1
            inflight 0
            seconds_bucket{le="+Inf"} 7

            """
        let metrics = try PrometheusText(parsing: text)
        #expect(metrics.types == ["requests_total": "counter"])
        #expect(metrics.total("requests_total") == 4)
        #expect(metrics.total("requests_total", ["model": #"a "b""#]) == 3)
        #expect(metrics.samples("inflight").count == 1)
        #expect(throws: TestFailure.self) { try PrometheusText(parsing: "a 1\na 2\n") }
    }
}

@Suite("Child processes") struct ChildProcessTests {
    @Test func runsToTheEnd() throws {
        let process = try ChildProcess("/bin/sh", ["-c", "echo out $A; echo err >&2; exit 7"], environment: ["A": "b"])
        #expect(process.waitForExit() == .code(7))
        #expect(process.standardOutput == "out b\n")
        #expect(process.standardError == "err\n")
    }

    @Test func endsBySignal() throws {
        let process = try ChildProcess("/bin/sleep", ["600"])
        #expect(process.exitStatus == nil)
        process.send(signal: SIGTERM)
        #expect(process.waitForExit() == .signal(SIGTERM))
    }

    /// So that a test which hangs fails.
    @Test func isKilledWhenItHasLivedForTooLong() throws {
        let process = try ChildProcess("/bin/sleep", ["600"], lifetime: 0.1)
        #expect(process.waitForExit() == .signal(SIGKILL))
        #expect(eventually { process.standardError.contains("killed by the tests") })
    }

    @Test func isKilledWithTheLastReference() throws {
        let id = try ChildProcess("/bin/sleep", ["600"]).id
        #expect(kill(id, 0) == -1 && errno == ESRCH)
    }
}
