import Foundation
import TestSupport
import Testing

/// However an answer is made, its events take no more than they may, and nobody waits for them.
@Suite("Bounds of the record", .sidecarLog) struct RecordBoundTests {
    private func configuration(
        _ service: FakeModelService,
        _ speaks: String,
        _ keys: [String: String] = [:],
        reporting: [String: String] = [:]
    ) -> SidecarConfiguration {
        SidecarConfiguration(.init("iris", protocol: speaks, url: service.url("/"), keys), reporting: reporting)
    }

    @Test(arguments: Face.allCases) func splitsNoMoreThanIsAllowed(_ face: Face) throws {
        let answers = [#"{"predictions":[1,2,3]}"#, #"{"predictions":[1,2,3,4]}"#]
        let service = try FakeModelService { .json(answers[$0.text == "{}" ? 0 : 1]) }
        try withSidecar(configuration(service, "v1", ["maxPredictions": "3"])) { sidecar in
            #expect(try sidecar.post(face.path("iris")).status == 200)
            let more = try sidecar.post(face.path("iris"), json: "[]")
            #expect(more.status == 200)
            let events = try sidecar.events(atLeast: 4).map { $0["data"] }
            #expect(events.count == 4)
            #expect(events.map { $0?["rowCount"]?.int } == [3, 3, 3, 1])
            #expect(events.map { $0?["unsplit"] } == [nil, nil, nil, "tooMany"])
            #expect(events[3]?["value"] == ["predictions": [1, 2, 3, 4]])
            if face == .native {
                #expect(
                    try more.json()["predictions"]?.elements?.map { $0["value"] } == [["predictions": [1, 2, 3, 4]]]
                )
            } else {
                #expect(more.text == answers[1])
            }
            let lines = sidecar.process.standardError.split(separator: "\n").filter { $0.contains("maxPredictions") }
            #expect(lines.count == 1)
        }
    }

    /// 62 KiB whose rows times outputs are 54 million: the process died of it.
    @Test func survivesRowsTimesOutputs() throws {
        let outputs = (0..<900).map { #"{"name":"\#($0)","shape":[60000],"parameters":{"binary_data_size":0}}"# }
        let bodies = [
            #"{"outputs":[\#(outputs.joined(separator: ","))]}"#,
            // The same within `maxPredictions`.
            #"{"outputs":[\#(outputs.map { $0.replacing("60000", with: "9000") }.joined(separator: ","))]}"#,
        ]
        let service = try FakeModelService { .json(bodies[$0.text == "{}" ? 0 : 1]) }
        try withSidecar(configuration(service, "v2")) { sidecar in
            for (index, request) in ["{}", "[]"].enumerated() {
                let response = try sidecar.post("/v2/models/iris/infer", json: request)
                #expect(response.text == bodies[index])
            }
            let events = try sidecar.events(atLeast: 2).map { $0["data"] }
            #expect(events.count == 2)
            #expect(events.allSatisfy { $0?["unsplit"] == "tooMany" })
            // Its own memory, not that of what it shares.
            #expect(try mostResidentBytes(sidecar.process.id) < 300 << 20)
        }
    }

    /// 450 kB of id × 500 rows were 225 MB of events.
    @Test func doesNotRepeatWhatIsLong() throws {
        let long = String(repeating: "n", count: 450_000)
        let rows = 500
        let values = Array(repeating: "0", count: rows).joined(separator: ",")
        let answer = """
            {"model_name":"\(long)","outputs":[{"name":"y","datatype":"\(long)","shape":[\(rows)],"data":[\(values)]}]}
            """
        let service = try modelService(answer)
        try withSidecar(configuration(service, "v2", reporting: ["capture": "body"])) { sidecar in
            let trace = String(repeating: "t", count: 4_000)
            let response = try sidecar.post(
                "/v2/models/iris/infer",
                json: #"{"id":"\#(long)"}"#,
                headers: ["traceparent": trace]
            )
            #expect(response.requestId?.count == 36)
            let events = try sidecar.events(atLeast: rows)
            #expect(events.count == rows)
            #expect(events.allSatisfy { $0["data"]?["traceparent"] == nil })
            #expect(try fileSize(sidecar.eventFile) < rows * 1_024 + (1 << 20))
        }
    }

    /// The same for the native protocol, whose answers say things for all their Predictions.
    @Test func doesNotRepeatWhatAnAnswerSaysForAll() throws {
        let long = String(repeating: "9", count: 300_000)
        let rows = Array(repeating: #"{"value":1}"#, count: 300).joined(separator: ",")
        let body =
            #"{"modelName":"\#(long)","modelVersion":\#(long),"timeTakenInMs":\#(long),"predictions":[\#(rows)]}"#
        let service = try modelService(body)
        try withSidecar(configuration(service, "native")) { sidecar in
            let response = try sidecar.post("/predictions/iris")
            #expect(response.body.count < 4 * long.count)
            #expect(try sidecar.events(atLeast: 300).count == 300)
            #expect(try fileSize(sidecar.eventFile) < 300 * 1_024)
        }
    }

    @Test func leavesOutWhatMakesAnEventTooLong() throws {
        let long = String(repeating: "v", count: 20_000)
        let service = try modelService(#"{"predictions":[["\#(long)"],[1]]}"#)
        let configuration = configuration(
            service,
            "v1",
            reporting: ["capture": "input", "maxEventBytes": "16KiB"]
        )
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.post("/v1/models/iris:predict", json: #"{"instances":[["in"],["\#(long)"]]}"#)
            #expect(response.status == 200)
            let events = try sidecar.events(atLeast: 2).map { $0["data"] }
            #expect(events.map { $0?["truncated"] } == [["input", "value"], ["input"]])
            #expect(events.map { $0?["value"] } == [.null, [1]])
            #expect(events.map { $0?["input"] } == [nil, nil])
        }
    }

    @Test func countsNoEndlessNames() throws {
        let service = try FakeModelService { request in
            let name = String(repeating: "n", count: 200) + request.text
            return .json(
                #"{"predictions":[{"modelName":"\#(name)","value":1},{"modelName":"\#(name + name)","value":1}]}"#
            )
        }
        try withSidecar(configuration(service, "native")) { sidecar in
            let connection = try sidecar.connect()
            for index in 0..<300 {
                let request = HTTPRequest.post("/predictions/iris", json: "\(index)")
                #expect(try connection.exchange(request).status == 200)
            }
            let metrics = try sidecar.metrics()
            #expect(metrics.total("ameron_predictions_total") == 600)
            #expect(metrics.samples("ameron_predictions_total").count <= 257)
            #expect(try sidecar.get("/metrics").body.count < 400 << 10)
        }
    }

    // MARK: Long answers

    /// Rows enough for many turns of the loop.
    private static let many = 9_000

    private static func v1(rows: Int, fill: String = "") -> String {
        #"{"predictions":[\#((0..<rows).map { "[\($0),\"\(fill)\"]" }.joined(separator: ","))]}"#
    }

    /// Long answers are recorded a little at a time; each is whole, and its reply comes behind its events.
    @Test(arguments: Face.allCases, ["best-effort", "at-least-once"])
    func recordsLongAnswersWhole(_ face: Face, _ delivery: String) throws {
        let fill = String(repeating: "x", count: 100)
        let service = try FakeModelService {
            $0.text == "{}" ? .json(Self.v1(rows: Self.many, fill: fill)) : .json(Self.v1(rows: 1))
        }
        var reporting = ["delivery": delivery, "capture": "input"]
        let directory = TemporaryDirectory()
        if delivery == "at-least-once" { reporting["spool"] = "{ path: \"\(directory.file("spool"))\" }" }
        try withSidecar(configuration(service, "v1", reporting: reporting)) { sidecar in
            let clients = startConcurrently(4) { _ in try sidecar.post(face.path("iris")) }
            // Others are answered meanwhile.
            let connection = try sidecar.connect()
            for _ in 0..<50 { #expect(try connection.exchange(.post(face.path("iris"), json: "1")).status == 200) }
            let responses = try clients.results()
            #expect(responses.map(\.status) == [200, 200, 200, 200])
            let all = try sidecar.events(atLeast: 4 * Self.many + 50)
            #expect(all.count == 4 * Self.many + 50)
            #expect(Set(all.map { $0["id"]?.string }).count == all.count)
            for response in responses {
                let events = all.map { $0["data"] }.filter { $0?["requestId"]?.string == response.requestId }
                #expect(events.map { $0?["rowIndex"]?.int } == Array(0..<Self.many))
                #expect(
                    events.enumerated().allSatisfy { $1?["value"]?[0]?.int == $0 && $1?["rowCount"]?.int == Self.many }
                )
                if face == .native {
                    let predictions = try #require(response.json()["predictions"]?.elements)
                    #expect(predictions.map { $0["id"] } == events.map { $0?["predictionId"] })
                    #expect(predictions.map { $0["value"] } == events.map { $0?["value"] })
                } else {
                    #expect(response.text == Self.v1(rows: Self.many, fill: fill))
                }
            }
            let metrics = try sidecar.metrics()
            #expect(metrics.total("ameron_predictions_total") == Double(4 * Self.many + 50))
            #expect(metrics.total("ameron_inflight") == 0)
        }
    }

    /// A client that leaves while its answer is recorded takes nothing with it.
    @Test func recordsWhatWasPredictedForAClientThatLeft() throws {
        let service = try modelService(Self.v1(rows: Self.many))
        try withSidecar(configuration(service, "v1")) { sidecar in
            for _ in 0..<5 {
                let connection = try sidecar.connect()
                try connection.send(HTTPRequest.post("/predictions/iris", json: "{}").wire)
                let calls = service.calls.count
                #expect(eventually { service.calls.count > calls || !service.calls.isEmpty })
            }
            // Gone before, in or after the recording: an event for each row, or one that says that the client was gone.
            #expect(try sidecar.post("/predictions/iris").status == 200)
            #expect(sidecar.stop() == .code(0))
            let events = try sidecar.events()
            for (_, rows) in Dictionary(grouping: events, by: { $0["data"]?["requestId"]?.string ?? "" }) {
                let isGone = rows.first?["data"]?["status"] == 499
                #expect(rows.count == (isGone ? 1 : Self.many))
            }
        }
    }

    /// A stop in the middle of long answers: each client has an answer, and each answer its events.
    @Test func drainsLongAnswers() throws {
        let service = try modelService(Self.v1(rows: Self.many))
        try withSidecar(configuration(service, "v1")) { sidecar in
            let clients = startConcurrently(6) { _ in try sidecar.post("/predictions/iris") }
            #expect(eventually { service.calls.count == 6 })
            #expect(sidecar.stop() == .code(0))
            let responses = try clients.results()
            let events = try sidecar.events()
            for response in responses where response.status == 200 {
                #expect(try response.json()["predictions"]?.elements?.count == Self.many)
                #expect(events.filter { $0["data"]?["requestId"]?.string == response.requestId }.count == Self.many)
            }
            #expect(responses.allSatisfy { $0.status == 200 || $0.status == 503 })
        }
    }

    /// A long body that is not JSON, or ends in the middle, is one Prediction like any other.
    @Test(arguments: [("{\"predictions\":[", true), ("lines\n", false)])
    func passesLongOddAnswersOn(_ start: String, _ claimsJSON: Bool) throws {
        let body = start + String(repeating: "[1,2.5],", count: 200_000)
        let type = claimsJSON ? "application/json" : "text/plain"
        let service = try FakeModelService { _ in .answer(headers: ["Content-Type": type], body: Array(body.utf8)) }
        try withSidecar(configuration(service, "v1")) { sidecar in
            #expect(try sidecar.post("/v1/models/iris:predict").text == body)
            let native = try sidecar.post("/predictions/iris").json()
            #expect(native["predictions"]?[0]?["value"]?.string == body)
            let events = try sidecar.events(atLeast: 2).map { $0["data"] }
            #expect(events.allSatisfy { $0?["unsplit"] == "notUnderstood" && $0?["truncated"] == ["value"] })
        }
    }
}

private func fileSize(_ path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
}

private func mostResidentBytes(_ process: pid_t) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
    let match = try #require(status.firstMatch(of: #/VmHWM:\s+(\d+) kB/#))
    return (Int(match.output.1) ?? 0) << 10
}
