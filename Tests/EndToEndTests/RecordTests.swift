import Foundation
import TestSupport
import Testing

/// An answer that is not what its protocol says it should be, and what is recorded of it.
struct OddAnswer: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var speaks: String
    var body: [UInt8]
    var headers: HTTPHeaders = ["Content-Type": "application/json"]
    var unsplit: String? = "notUnderstood"
    /// Nil: the body's own JSON.
    var encoding: String?
    /// What the value is, where it is neither the body's JSON, nor its text, nor base64 of it.
    var value: JSON?

    init(
        _ description: String,
        _ speaks: String,
        _ body: String,
        headers: HTTPHeaders = ["Content-Type": "application/json"],
        unsplit: String? = "notUnderstood",
        _ encoding: String? = nil,
        value: JSON? = nil
    ) {
        self.init(
            description,
            speaks,
            bytes: Array(body.utf8),
            headers: headers,
            unsplit: unsplit,
            encoding,
            value: value
        )
    }

    init(
        _ description: String,
        _ speaks: String,
        bytes: [UInt8],
        headers: HTTPHeaders = ["Content-Type": "application/json"],
        unsplit: String? = "notUnderstood",
        _ encoding: String? = nil,
        value: JSON? = nil
    ) {
        testDescription = description
        self.speaks = speaks
        body = bytes
        self.headers = headers
        self.unsplit = unsplit
        self.encoding = encoding
        self.value = value
    }

    func expectedValue() throws -> JSON {
        if let value { return value }
        switch encoding {
        case "text": return .string(String(decoding: body, as: UTF8.self))
        case "base64": return .string(base64(body))
        default: return try JSON(parsing: body)
        }
    }

    static let all: [OddAnswer] = [
        .init("no JSON", "native", #"{"value":"#, "text"),
        .init("no JSON, without a type", "v1", "Traceback:\n  \"no\"", headers: [:], "text"),
        .init("no text", "v1", bytes: [0, 255, 254], headers: ["Content-Type": "application/x-thing"], "base64"),
        .init("nothing", "v2", "", value: .null),
        .init("JSON without Predictions", "native", #"{"a":[1, 2.50]}"#),
        .init("a bare list", "native", "[0, 2]"),
        .init("TensorFlow Serving's outputs", "v1", #"{"outputs":{"a":[[1],[2]],"b":[3,4]}}"#),
        .init(
            "MLServer's custom-json example",
            "v2",
            #"{"model_name":"iris","id":"1","outputs":[{"name":"e","datatype":"BYTES","shape":[9],"data":["{\"a\": 1}"]}]}"#
        ),
        .init(
            "Triton's output in shared memory",
            "v2",
            #"{"model_name":"iris","outputs":[{"name":"OUTPUT0","datatype":"INT32","shape":[1,16]}]}"#
        ),
        .init(
            "two outputs of one name",
            "v2",
            #"{"outputs":[{"name":"a","shape":[2],"data":[1,2]},{"name":"a","shape":[2],"data":[3,4]}]}"#
        ),
        .init(
            "compressed",
            "v1",
            bytes: gzipped,
            headers: ["Content-Type": "application/json", "Content-Encoding": "gzip"],
            unsplit: "encoded",
            "base64"
        ),
        .init(
            "compressed, raw",
            "raw",
            bytes: gzipped,
            headers: ["Content-Type": "application/json", "Content-Encoding": "x-gzip"],
            unsplit: "encoded",
            "base64"
        ),
        .init("raw, without a type", "raw", #"{"any":[1.50]}"#, headers: [:], unsplit: nil),
        .init(
            "raw text",
            "raw",
            "label,score\nsetosa,0.9\n",
            headers: ["Content-Type": "text/csv"],
            unsplit: nil,
            "text"
        ),
        .init("raw text, without a type", "raw", "été", headers: [:], unsplit: nil, "text"),
        .init("raw bytes, without a type", "raw", bytes: [1, 2, 0xC3], headers: [:], unsplit: nil, "base64"),
        .init(
            "an object with two members of one name",
            "v1",
            #"{"predictions":{"a":{"b":1,"b":2}}}"#,
            unsplit: nil,
            "text",
            value: #"{"a":{"b":1,"b":2}}"#
        ),
        .init("a byte order mark", "v1", "\u{FEFF}{\"predictions\":[{\"a\":1}]}", unsplit: nil, value: ["a": 1]),
        .init(
            "NaN",
            "v1",
            #"{"predictions":[[NaN,"NaN",-Infinity,{"a":Infinity}]]}"#,
            unsplit: nil,
            value: [.null, "NaN", .null, ["a": .null]]
        ),
        .init("NaN in what is not understood", "native", #"{"a":NaN}"#, value: ["a": .null]),
    ]

    /// `{"predictions":[1]}`
    private static let gzipped: [UInt8] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56, 0x2a, 0x28, 0x4a, 0x4d, 0xc9, 0x4c, 0x2e, 0xc9, 0xcc, 0xcf,
        0x2b,
        0x56, 0xb2, 0x8a, 0x36, 0x8c, 0xad, 5, 0, 0xdc, 0xf8, 0x70, 0x1f, 0x13, 0, 0, 0,
    ]
}

/// What is recorded is what happened, whatever a model answers and a client sends.
@Suite("The record", .sidecarLog) struct RecordTests {
    @Test(arguments: OddAnswer.all, Face.allCases)
    func takesAnyAnswer(_ answer: OddAnswer, _ face: Face) throws {
        let service = try FakeModelService { _ in .answer(headers: answer.headers, body: answer.body) }
        let configuration = SidecarConfiguration(.init("iris", protocol: answer.speaks, url: service.url("/call")))
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.post(face.path("iris"))
            #expect(response.status == 200)
            let event = try expectEvent(
                sidecar.events(atLeast: 1).first,
                requestId: response.requestId,
                status: 200
            )
            #expect(event["value"] == (try answer.expectedValue()))
            #expect(event["valueEncoding"]?.string == answer.encoding)
            #expect(event["unsplit"]?.string == answer.unsplit)
            #expect(event["modelName"] == "iris")
            let isNotFinite = answer.body.contains(UInt8(ascii: "N")) && answer.testDescription.hasPrefix("NaN")
            #expect(event["nonFinite"] == (isNotFinite ? ["value"] : nil))
            #expect(event["contentEncoding"]?.string == answer.headers["Content-Encoding"])
            if let type = answer.headers["Content-Type"], answer.encoding != nil, answer.unsplit != nil {
                #expect(event["contentType"]?.string == type)
            }
            if face == .native {
                #expect(response.headers["Content-Encoding"] == nil)
                if let json = answer.value?.string {
                    // With two members of one name it is JSON all the same, and the client's to read.
                    #expect(response.text.contains(#""value":\#(json)}"#))
                    return
                }
                let prediction = try #require(response.json()["predictions"]?.elements?.first)
                #expect(prediction["value"] == event["value"])
                #expect(prediction["valueEncoding"] == event["valueEncoding"])
                #expect(prediction["contentEncoding"] == event["contentEncoding"])
            } else {
                #expect(response.body == answer.body)
                #expect(response.headers["Content-Type"] == answer.headers["Content-Type"])
                #expect(response.headers["Content-Encoding"] == answer.headers["Content-Encoding"])
            }
            #expect(try sidecar.events().count == 1)
        }
    }

    @Test func saysOnceWhatToConfigure() throws {
        let service = try modelService(Sample.v2)
        let configuration = SidecarConfiguration(
            .init("iris", protocol: "v1", url: service.url("/")),
            server: ["shards": "2"]
        )
        try withSidecar(configuration) { sidecar in
            let statuses = try (0..<8).map { _ in try sidecar.post("/v1/models/iris:predict").status }
            #expect(statuses.allSatisfy { $0 == 200 })
            let lines = sidecar.process.standardError.split(separator: "\n").filter { $0.contains("recorded whole") }
            #expect(lines.count == 1)
            #expect(lines.first?.contains("set models.0.protocol to v2") == true)
            #expect(lines.first?.contains("iris") == true)
        }
    }

    @Test func keepsNamesOfMembersApart() throws {
        let body = """
            {"predictions":[{"value":1,"value":2,"x":1,"x":2,"\\u0078":3,"y":{"z":1,"z":2},"modelName":5,
            "\\u0076alue":6,"timeTakenInMs":1.5}],"more":1,"more":2,"\\u0070redictions":7}
            """
        let service = try modelService(body)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            // Both are read strictly.
            let answer = try sidecar.post("/predictions/iris").json()
            let event = try data(sidecar.events(atLeast: 1).first)
            #expect(event["value"] == 1)
            #expect(
                event["extra"] == ["x": 1, "y": #"{"z":1,"z":2}"#, "modelName": 5, "value": 6]
            )
            #expect(event["modelName"] == "iris")
            let prediction = try #require(answer["predictions"]?[0])
            #expect(prediction["value"] == 1)
            #expect(prediction["x"] == 1)
            #expect(prediction["modelName"] == "iris")
            #expect(prediction["timeTakenInMs"] == .number("1.5"))
            #expect(answer["more"] == 1)
        }
    }

    /// An id that a model gives goes into the event, unless it could not be an event's own.
    @Test(
        arguments: [
            (#"{"value":1,"id":"p-1"}"#, ["p-1"]), (#"{"value":1,"id":"p é"}"#, [nil]),
            (#"{"value":1,"id":"a\"b"}"#, [nil]),
            (#"{"predictions":[{"value":1,"id":"a"},{"value":2,"id":"b"},{"value":3,"id":"a"}]}"#, ["a", "b", nil]),
            (#"{"value":1,"id":"\#(String(repeating: "x", count: 257))"}"#, [nil]), (#"{"value":1,"id":7}"#, [nil]),
        ] as [(String, [String?])]
    )
    func takesIdsOfTheModel(_ body: String, _ ids: [String?]) throws {
        let service = try modelService(body)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/")))) { sidecar in
            let answer = try sidecar.post("/predictions/iris").json()
            let events = try sidecar.events(atLeast: ids.count)
            #expect(Set(events.map { $0["id"]?.string }).count == ids.count)
            for (row, id) in ids.enumerated() {
                #expect(answer["predictions"]?[row]?["id"] == events[row]["id"])
                #expect(events[row]["data"]?["predictionId"] == events[row]["id"])
                if let id {
                    #expect(events[row]["id"]?.string == id)
                } else {
                    #expect(events[row]["id"]?.string?.count == 36)
                }
            }
        }
    }

    @Test func tellsModelsApartThatCallThemselvesAlike() throws {
        let service = try modelService(Sample.v2)
        let configuration = SidecarConfiguration(
            .init("a", protocol: "v2", url: service.url("/a"), version: "1"),
            .init("b", protocol: "v2", url: service.url("/b"), version: nil)
        )
        try withSidecar(configuration) { sidecar in
            for name in ["a", "b"] { _ = try sidecar.post("/v2/models/\(name)/infer") }
            let events = try sidecar.events(atLeast: 2).map { $0["data"] }
            #expect(events.map { $0?["modelName"] } == ["iris", "iris"])
            #expect(events.map { $0?["modelVersion"] } == ["3", "3"])
            #expect(events.map { $0?["routedModel"] } == ["a", "b"])
            #expect(events.map { $0?["routedVersion"] } == ["1", nil])
        }
    }

    /// The version that the path asks for, where neither the model nor the configuration says one; of failures too.
    @Test(arguments: [200, 500]) func knowsTheVersionThatWasAskedFor(_ status: Int) throws {
        let answer = #"{"outputs":[{"name":"y","shape":[1],"data":[1]}]}"#
        let service = try FakeModelService { _ in .json(answer, status: status) }
        let configuration = SidecarConfiguration(
            .init("iris", protocol: "v2", url: service.url("/v2/models/iris/infer"), version: nil)
        )
        try withSidecar(configuration) { sidecar in
            _ = try sidecar.post("/v2/models/iris/versions/v%22%C3%A9/infer")
            _ = try sidecar.post("/v2/models/iris/infer")
            _ = try sidecar.post("/v2/models/iris/versions/\(String(repeating: "9", count: 300))/infer")
            let events = try sidecar.events(atLeast: 3).map { $0["data"] }
            #expect(events.map { $0?["modelVersion"] } == ["v\"é", nil, nil])
            #expect(events.allSatisfy { $0?["routedVersion"] == nil && $0?["status"]?.int == status })
        }
    }

    @Test func takesNoEndlessNames() throws {
        let long = String(repeating: "n", count: 257)
        let bodies = [
            #"{"model_name":"\#(long)","model_version":"\#(long)","outputs":[{"name":"y","shape":[1],"data":[1]}]}"#,
            #"{"model_name":"m","model_version":\#(String(repeating: "9", count: 257)),"outputs":[]}"#,
        ]
        let service = try FakeModelService { .json(bodies[$0.text == "{}" ? 0 : 1]) }
        try withSidecar(SidecarConfiguration(.init("iris", protocol: "v2", url: service.url("/")))) { sidecar in
            for json in ["{}", "[]"] { #expect(try sidecar.post("/v2/models/iris/infer", json: json).status == 200) }
            let event = try data(sidecar.events(atLeast: 1).first)
            #expect(event["modelName"] == "iris")
            #expect(event["modelVersion"] == "1")
            #expect(try sidecar.get("/metrics").text.contains("nnn") == false)
        }
    }

    /// What models say about their own failures.
    @Test(
        arguments: [
            (#"{"error":"no \"such\" feature"}"#, "application/json", #"no "such" feature"#),
            (#"{"error":{"message":"too long","type":"x","code":3}}"#, "application/json", "too long"),
            (#"{"detail":"not here"}"#, "application/json", "not here"),
            (
                #"{"detail":[{"loc":["body"],"msg":"missing"}]}"#, "application/json",
                #"[{"loc":["body"],"msg":"missing"}]"#
            ),
            (#"[{"error":"out of memory"}]"#, "application/json", "out of memory"),
            (#"{"code":503,"type":"InternalServerException","message":"Prediction failed"}"#, "", "Prediction failed"),
            (#"{"type":"about:blank","title":"Bad","detail":"worse"}"#, "application/problem+json", "worse"),
            (#"{"error":null,"message":"m"}"#, "application/json", "m"),
            (#"{"error":"as text"}"#, "text/plain", "as text"),
            ("Internal Server Error\n", "text/plain", "Internal Server Error"),
            ("<html><style>p{}</style><title>502</title><p>Bad\n  Gateway</p></html>", "text/html", "502 Bad Gateway"),
            (#"{"a":1}"#, "application/json", #"{"a":1}"#), ("", "", nil), ("a\u{0}b", "text/plain", nil),
            (String(repeating: "é", count: 600), "text/plain", String(repeating: "é", count: 512)),
            ("x" + String(repeating: "é", count: 600), "text/plain", "x" + String(repeating: "é", count: 511)),
            (
                #"{"error":"\#(String(repeating: #"\u00e9"#, count: 600))"}"#, "application/json",
                String(repeating: "é", count: 512)
            ),
        ] as [(String, String, String?)]
    )
    func keepsWhatTheModelSaysOfItsFailure(_ body: String, _ type: String, _ detail: String?) throws {
        let headers: HTTPHeaders = type.isEmpty ? [:] : ["Content-Type": type]
        let service = try FakeModelService { _ in .answer(503, headers: headers, body: Array(body.utf8)) }
        try withSidecar(SidecarConfiguration(.init("iris", protocol: "v1", url: service.url("/")))) { sidecar in
            let response = try sidecar.post("/v1/models/iris:predict")
            #expect(response.status == 503)
            #expect(response.text == body)
            let event = try expectFailure(
                sidecar.events(atLeast: 1),
                requestId: response.requestId,
                status: 503,
                causes: ["modelError"]
            )
            #expect(event["error"]?["detail"]?.string == detail)
            #expect(event["modelVersion"] == "1")
        }
    }
}
