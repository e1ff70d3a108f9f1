import TestSupport
import Testing

/// A way in which a Model Service fails, and what must come of it.
struct ModelFault: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var reply: Reply
    var status = 502
    var causes: [String]
    var keys: [String: String] = [:]

    init(_ description: String, _ reply: Reply, status: Int = 502, _ causes: String..., keys: [String: String] = [:]) {
        testDescription = description
        self.reply = reply
        self.status = status
        self.causes = causes
        self.keys = keys
    }

    static let all: [ModelFault] = [
        .init("hangs", .hang, status: 504, "timeout", keys: ["timeout": "300ms"]),
        .init(
            "hangs in the body",
            Reply(Reply.closeInBody.steps.dropLast() + [.hang]),
            status: 504,
            "timeout",
            keys: ["timeout": "300ms"]
        ),
        .init("closes before the first byte", .close, "reset"),
        .init("resets before the first byte", .reset, "reset"),
        .init("resets in the headers", .resetInHeaders, "reset"),
        .init("resets in the body", .resetInBody, "reset"),
        .init("closes in the body", .closeInBody, "reset"),
        .init("leaves out the last chunk", .chunkedWithoutEnd, "reset", "malformed"),
        .init("sends garbage", .garbage, "malformed"),
        .init(
            "sends a wrong chunk size",
            .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").thenClose,
            "malformed"
        ),
        .init("sends 100 MiB", .huge(100 << 20), "tooLarge"),
        .init("sends 100 MiB unannounced", .hugeWithoutLength(100 << 20), "tooLarge"),
        .init("sends 2 MiB where 1 MiB is allowed", .huge(2 << 20), "tooLarge", keys: ["maxResponseBytes": "1MiB"]),
        .init(
            "sends 2 MiB unannounced where 1 MiB is allowed",
            .hugeWithoutLength(2 << 20),
            "tooLarge",
            keys: ["maxResponseBytes": "1MiB"]
        ),
        .init("answers 500", .json(#"{"error":"x"}"#, status: 500), status: 500, "modelError"),
        .init(
            "answers 503 in HTML",
            .answer(503, headers: ["Content-Type": "text/html"], body: Array("<p>".utf8)),
            status: 503,
            "modelError"
        ),
    ]
}

/// Each way in which a Model Service can fail: one clear error for the client, one event, and the Sidecar goes on.
@Suite("Model Service faults", .sidecarLog) struct ModelFaultTests {
    @Test(arguments: ModelFault.all, ModelTransport.allCases)
    func isTold(_ fault: ModelFault, _ transport: ModelTransport) throws {
        // The fault is asked for by a header, so that the next request on the same Sidecar can do without.
        let service = try FakeModelService { $0.headers.contains("X-Fault") ? fault.reply : .json(Sample.native) }
        let configuration = irisConfiguration(service, transport, ["timeout": "20s"].merging(fault.keys) { $1 })
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.post("/predictions/iris", headers: ["X-Fault": "1"])
            #expect(response.status == fault.status)
            if fault.causes != ["modelError"] { try expectError(response, face: "/predictions") }
            // On a fresh connection, nothing is tried twice.
            #expect(service.calls.count == 1)
            try expectAfterFault(sidecar, response, causes: fault.causes)
        }
    }

    @Test(arguments: [Face.v1, .v2], ModelTransport.allCases)
    func isToldInTheFacesFormat(_ face: Face, _ transport: ModelTransport) throws {
        let service = try FakeModelService { $0.headers.contains("X-Fault") ? .resetInBody : .json(Sample.native) }
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            let response = try sidecar.post(face.path("iris"), headers: ["X-Fault": "1"])
            #expect(response.status == 502)
            try expectError(response, face: face.path("iris"))
            try expectAfterFault(sidecar, response, causes: ["reset"])
        }
    }

    @Test(
        arguments: [
            ("refuses", "refused"), ("is unknown", "dns"), ("speaks no TLS", "tls"), ("has no socket", "refused"),
        ],
        ModelTransport.allCases
    )
    func isUnreachable(_ fault: (way: String, cause: String), _ transport: ModelTransport) throws {
        let directory = TemporaryDirectory()
        let refusing = try FakeModelService.refusing()
        let plain = try modelService(Sample.native)
        let url =
            switch fault.way {
            case "refuses": refusing.url("/predict")
            // No name may have a part of more than 63 letters: no name server is asked for this one.
            case "is unknown": "http://\(String(repeating: "a", count: 64)).invalid/predict"
            case "speaks no TLS": plain.url("/predict", scheme: "https")
            default:
                "http+unix://\(directory.file("none.sock").split(separator: "/").map { "%2F\($0)" }.joined())/predict"
            }
        // The direct transport has no TLS.
        let isTLS = url.hasPrefix("https:")
        let keys = ["transport": isTLS ? "auto" : transport.rawValue]
        let configuration = SidecarConfiguration(
            .init("iris", url: url, keys),
            .init("other", url: plain.url("/predict"))
        )
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.post("/predictions/iris")
            #expect(response.status == 502)
            try expectError(response, face: "/predictions")
            try expectAfterFault(sidecar, response, causes: [fault.cause], next: "/predictions/other")
        }
    }

    /// The next request is answered, and the failed one left one event.
    private func expectAfterFault(
        _ sidecar: SidecarProcess,
        _ response: HTTPResponse,
        causes: [String],
        next: String = "/predictions/iris"
    ) throws {
        #expect(try sidecar.post(next).status == 200)
        #expect(sidecar.stop() == .code(0))
        let events = try sidecar.events()
        #expect(events.count == 2)
        let id = try #require(response.requestId)
        let failed = events.filter { $0["data"]?["requestId"]?.string == id }
        let data = try expectFailure(failed, requestId: id, status: response.status, causes: causes)
        #expect(data["modelName"] == "iris")
        #expect(data["modelVersion"] == "1")
    }

    @Test(arguments: ModelTransport.allCases)
    func oneHangingModelDoesNotHoldUpAnother(_ transport: ModelTransport) throws {
        let gate = Gate()
        let slow = try FakeModelService { _ in .json(Sample.native).after(gate) }
        let fast = try modelService(Sample.native)
        let configuration = SidecarConfiguration(
            .init(
                "slow",
                url: slow.url("/"),
                ["timeout": "120s", "maxConnections": "20", "transport": transport.rawValue]
            ),
            .init("fast", url: fast.url("/"), ["transport": transport.rawValue])
        )
        try withSidecar(configuration) { sidecar in
            let waiting = startConcurrently(40) { _ in try sidecar.post("/predictions/slow").status }
            defer { gate.open() }
            #expect(eventually { slow.calls.count == 20 })
            let connection = try sidecar.connect()
            for _ in 0..<100 {
                #expect(try connection.exchange(.post("/predictions/fast", json: "{}")).status == 200)
            }
            gate.open()
            #expect(try waiting.results() == Array(repeating: 200, count: 40))
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func waitingForAConnectionIsPartOfTheTimeout(_ transport: ModelTransport) throws {
        let service = try FakeModelService { _ in .hang }
        let configuration = irisConfiguration(service, transport, ["timeout": "500ms", "maxConnections": "1"])
        try withSidecar(configuration) { sidecar in
            let statuses = try concurrently(3) { _ in try sidecar.post("/predictions/iris").status }
            #expect(statuses == [504, 504, 504])
            let events = try sidecar.events(atLeast: 3)
            #expect(events.count == 3)
            #expect(events.allSatisfy { $0["data"]?["error"]?["cause"] == "timeout" })
        }
    }

    @Test(arguments: ModelTransport.allCases)
    func survivesManyFaultsInARow(_ transport: ModelTransport) throws {
        let service = try FakeModelService { request in
            switch request.text {
            case "0": .reset
            case "1": .resetInBody
            case "2": .garbage
            case "3": .chunkedWithoutEnd
            case "4": .json("no")
            default: .json(Sample.native)
            }
        }
        let configuration = irisConfiguration(service, transport, server: ["shards": "2"])
        try withSidecar(configuration) { sidecar in
            let wrong = try concurrently(8) { _ in
                let connection = try sidecar.connect()
                return try (0..<60).filter { index in
                    let kind = index % 6
                    let response = try connection.exchange(.post("/predictions/iris", json: "\(kind)"))
                    return response.status != (kind < 4 ? 502 : 200)
                }.count
            }
            #expect(wrong == Array(repeating: 0, count: 8))
            #expect(sidecar.stop() == .code(0))
            let events = try sidecar.events()
            #expect(events.count == 480)
            #expect(Set(events.map { $0["data"]?["requestId"]?.string }).count == 480)
            #expect(events.filter { $0["data"]?["error"] == nil }.count == 160)
            #expect(events.filter { $0["data"]?["unsplit"] != nil }.count == 80)
        }
    }
}
