import TestSupport
import Testing

/// A Model Service's answer and the Predictions it holds.
struct Answer: Sendable, CustomTestStringConvertible {
    var testDescription: String
    /// What the Model Service speaks.
    var speaks: String
    var body: String
    /// JSON texts of the values.
    var values: [String]
    /// What the events and the native answer say; nil: as routed ("iris", "1").
    var names: [String]?
    var versions: [String]?

    static let all: [Answer] = [
        .init(
            testDescription: "native, one",
            speaks: "native",
            body: #"{ "value": {"label": "a", "score": 0.980} }"#,
            values: [#"{"label": "a", "score": 0.980}"#]
        ),
        .init(
            testDescription: "native, many",
            speaks: "native",
            body: """
                {"predictions":[{"modelName":"rotate","modelVersion":"3","value":90},
                {"modelName":"digits","value":[1,2.50,"x"]},{"value":null}]}
                """,
            values: ["90", #"[1,2.50,"x"]"#, "null"],
            names: ["rotate", "digits", "iris"],
            versions: ["3", "1", "1"]
        ),
        .init(
            testDescription: "v1",
            speaks: "v1",
            body: #"{"predictions": [1.0, [2, 3], {"a": "b"}, "text"]}"#,
            values: ["1.0", "[2, 3]", #"{"a": "b"}"#, #""text""#]
        ),
        .init(
            testDescription: "v2, flat",
            speaks: "v2",
            body: """
                {"model_name":"wine","model_version":"7","id":"m",
                "outputs":[{"name":"p","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6.50]}]}
                """,
            values: ["[1,2,3]", "[4,5,6.50]"],
            names: ["wine", "wine"],
            versions: ["7", "7"]
        ),
        .init(
            testDescription: "v2, nested",
            speaks: "v2",
            body: """
                {"model_name":"wine","outputs":[{"name":"p","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4]]}]}
                """,
            values: ["[1,2]", "[3,4]"],
            names: ["wine", "wine"]
        ),
        .init(
            testDescription: "v2, one dimension",
            speaks: "v2",
            body: """
                {"model_name":"wine","outputs":[{"name":"l","shape":[3],"datatype":"BYTES","data":["a","b","c"]}]}
                """,
            values: [#""a""#, #""b""#, #""c""#],
            names: ["wine", "wine", "wine"]
        ),
        .init(
            testDescription: "v2, two outputs",
            speaks: "v2",
            body: """
                {"model_name":"wine","outputs":[{"name":"l","shape":[2],"datatype":"INT64","data":[1,0]},
                {"name":"p","shape":[2,2],"datatype":"FP32","data":[0.1,0.9,0.8,0.2]}]}
                """,
            values: [#"{"l":1,"p":[0.1,0.9]}"#, #"{"l":0,"p":[0.8,0.2]}"#],
            names: ["wine", "wine"]
        ),
        .init(
            testDescription: "raw JSON",
            speaks: "raw",
            body: #"{"any": ["thing", 1.50]}"#,
            values: [#"{"any": ["thing", 1.50]}"#]
        ),
    ]
}

/// From the Model Service's answer to the client's, and to the events: every protocol through every face.
@Suite("Predictions", .sidecarLog) struct PredictionTests {
    @Test(arguments: Answer.all, Face.allCases)
    func reachClientAndEvents(_ answer: Answer, _ face: Face) throws {
        let service = try modelService(answer.body)
        let configuration = SidecarConfiguration(.init("iris", protocol: answer.speaks, url: service.url("/call")))
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.post(face.path("iris"))
            #expect(response.status == 200)
            #expect(response.headers["Content-Type"] == "application/json")
            let count = answer.values.count
            let events = try sidecar.events(atLeast: count)
            #expect(events.count == count)
            #expect(Set(events.map { $0["id"]?.string }).count == count)
            #expect(Set(events.map { $0["data"]?["predictionId"]?.string }).count == count)

            for (row, event) in events.enumerated() {
                let data = try expectEvent(event, requestId: response.requestId, status: 200, row: row, of: count)
                #expect(data["face"]?.string == face.rawValue)
                #expect(data["modelName"]?.string == answer.names?[row] ?? "iris")
                #expect(data["modelVersion"]?.string == answer.versions?[row] ?? "1")
                #expect(data["value"] == (try JSON(parsing: answer.values[row])))
                #expect(data["timeTakenInMs"]?.hasThreeDecimals == true)
                #expect(data["traceparent"] == nil)
                #expect(data["request"] == nil)
            }
            if face == .native {
                try expectNative(response, answer, events)
            } else {
                #expect(response.text == answer.body)
            }
        }
    }

    private func expectNative(_ response: HTTPResponse, _ answer: Answer, _ events: [JSON]) throws {
        let body = try response.json()
        #expect(body["id"]?.string == response.requestId)
        let predictions = try #require(body["predictions"]?.elements)
        #expect(predictions.count == answer.values.count)
        for (prediction, event) in zip(predictions, events) {
            let data = event["data"]
            #expect(prediction["id"] == data?["predictionId"])
            for name in ["modelName", "modelVersion", "timeTakenInMs", "value"] {
                #expect(prediction[name] == data?[name], "\(name)")
            }
        }
        // The value goes on as the bytes that the model sent; rows of a tensor are cut out of it.
        if answer.speaks != "v2" {
            for value in answer.values { #expect(response.text.contains(value)) }
        }
    }

    @Test func keepWhatTheModelSays() throws {
        let body = """
            {"predictions":[{"id":"p-1","modelName":"a\\u00e9","modelVersion":"2","timeTakenInMs":4.10,"value":1,
            "explanation":{"why":[1,2]},"score":0.50}]}
            """
        let service = try modelService(body)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            let response = try sidecar.post("/predictions/iris")
            let prediction = try #require(response.json()["predictions"]?[0])
            #expect(prediction["id"] == "p-1")
            #expect(prediction["modelName"] == "aé")
            #expect(prediction["modelVersion"] == "2")
            #expect(prediction["timeTakenInMs"]?.double == 4.1)
            #expect(prediction["value"] == 1)
            #expect(prediction["explanation"]?["why"] == .array([1, 2]))
            #expect(prediction["score"] == .number("0.50"))
            let event = try expectEvent(
                sidecar.events(atLeast: 1).first,
                requestId: response.requestId,
                status: 200
            )
            #expect(event["predictionId"] == "p-1")
            #expect(event["extra"] == ["explanation": ["why": [1, 2]], "score": .number("0.50")])
            #expect(event["modelName"] == "aé")
            #expect(event["timeTakenInMs"]?.double == 4.1)
        }
    }

    @Test func measureTheModelWhereItDoesNotSay() throws {
        let service = try modelService(#"{"predictions":[{"value":1},{"value":2}]}"#)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            _ = try sidecar.post("/predictions/iris")
            let times = try sidecar.events(atLeast: 2).map { $0["data"]?["timeTakenInMs"] }
            #expect(times.count == 2)
            #expect(times.allSatisfy { $0?.hasThreeDecimals == true && ($0?.double ?? 0) > 0 })
        }
    }

    @Test func takeNoVersionFromNowhere() throws {
        let service = try modelService(#"{"value":1}"#)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/"), version: nil))) { sidecar in
            #expect(try sidecar.post("/predictions/iris").status == 200)
            let data = try data(sidecar.events(atLeast: 1).first)
            #expect(data["modelName"] == "iris")
            #expect(data["modelVersion"] == nil)
            #expect(data["routedVersion"] == nil)
            #expect(try sidecar.post("/predictions/iris").json()["predictions"]?[0]?["modelVersion"] == nil)
        }
    }

    @Test(arguments: Face.allCases) func carryTheTrace(_ face: Face) throws {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        let service = try modelService(#"{"value":1}"#)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            _ = try sidecar.post(face.path("iris"), headers: ["traceparent": trace])
            #expect(try data(sidecar.events(atLeast: 1).first)["traceparent"]?.string == trace)
        }
    }

    @Test func maybeNone() throws {
        let service = try modelService(#"{"predictions":[]}"#)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            let response = try sidecar.post("/predictions/iris")
            #expect(response.status == 200)
            #expect(try response.json()["predictions"] == .array([]))
            #expect(sidecar.stop() == .code(0))
            #expect(try sidecar.events().isEmpty)
        }
    }

    @Test func describeBinaryTensors() throws {
        let head = """
            {"model_name":"iris","model_version":"4","outputs":[{"name":"p","shape":[2,1],"datatype":"FP32",\
            "parameters":{"binary_data_size":8}}]}
            """
        let body = Array(head.utf8) + [0, 0, 128, 63, 0, 0, 0, 64]
        let service = try FakeModelService { _ in
            .answer(
                headers: [
                    "Inference-Header-Content-Length": "\(head.utf8.count)", "Content-Type": "application/octet-stream",
                ],
                body: body
            )
        }
        let configuration = SidecarConfiguration(
            .init("iris", protocol: "v2", url: service.url("/v2/models/iris/infer"))
        )
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.post("/v2/models/iris/infer")
            #expect(response.body == body)
            #expect(response.headers["Inference-Header-Content-Length"] == "\(head.utf8.count)")
            #expect(response.headers["Content-Type"] == "application/octet-stream")
            let events = try sidecar.events(atLeast: 2)
            #expect(events.count == 2)
            for (row, event) in events.enumerated() {
                let data = try expectEvent(event, requestId: response.requestId, status: 200, row: row, of: 2)
                #expect(data["modelVersion"] == "4")
                #expect(data["value"]?.names.isEmpty == false)
            }
        }
    }

    @Test func encodeWhatIsNotJSON() throws {
        let image = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let service = try FakeModelService { _ in .answer(headers: ["Content-Type": "image/png"], body: image) }
        try withSidecar(SidecarConfiguration(.init("iris", protocol: "raw", url: service.url("/")))) { sidecar in
            let passed = try sidecar.post("/v1/models/iris:predict")
            #expect(passed.body == image)
            #expect(passed.headers["Content-Type"] == "image/png")
            let native = try sidecar.post("/predictions/iris").json()
            #expect(native["predictions"]?[0]?["value"]?.string == base64(image))
            let events = try sidecar.events(atLeast: 2)
            #expect(events.count == 2)
            for event in events {
                #expect(event["data"]?["value"]?.string == base64(image))
                #expect(event["data"]?["contentType"] == "image/png")
            }
        }
    }

    @Test(arguments: Face.allCases, [400, 404, 422, 500, 503])
    func failAsTheModelSays(_ face: Face, _ status: Int) throws {
        let body = #"{"detail": [ "no such feature" ]}"#
        let service = try FakeModelService { _ in .json(body, status: status, headers: ["X-Model": "a"]) }
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            let response = try sidecar.post(face.path("iris"))
            #expect(response.status == status)
            #expect(response.text == body)
            #expect(response.headers["Content-Type"] == "application/json")
            #expect(service.calls.count == 1)
            let events = try sidecar.events(atLeast: 1)
            let event = try expectFailure(
                events,
                requestId: response.requestId,
                status: status,
                causes: ["modelError"]
            )
            #expect(event["modelName"] == "iris")
            #expect(event["face"]?.string == face.rawValue)
            #expect(event["sentAt"] != nil && event["answeredAt"] != nil)
        }
    }

    @Test func passLargeAnswersOn() throws {
        let body = #"{"value":""# + String(repeating: "ab", count: 2_000_000) + #""}"#
        let service = try modelService(body)
        var configuration = SidecarConfiguration(.init("iris", url: service.url("/")))
        try withSidecar(configuration) { sidecar in
            #expect(try sidecar.post("/v1/models/iris:predict").text == body)
            let event = try data(sidecar.events(atLeast: 1).first)
            #expect(event["value"] == .null)
            #expect(event["truncated"] == ["value"])
        }
        configuration.reporting["maxEventBytes"] = "8MiB"
        try withSidecar(configuration) { sidecar in
            #expect(try sidecar.post("/v1/models/iris:predict").text == body)
            let value = try data(sidecar.events(atLeast: 1).first)["value"]?.string
            #expect(value?.utf8.count == 4_000_000)
        }
    }
}
