import Foundation
import TestSupport
import Testing

/// The request in the events: each row's own part, or the whole body once.
@Suite("Capture", .sidecarLog) struct CaptureTests {
    /// The events' data of one request.
    private func captured(
        _ request: HTTPRequest,
        _ reporting: [String: String],
        answer: String = #"{"value":1}"#,
        speaks: String = "native",
        status: Int = 200,
        rows: Int = 1
    ) throws -> [JSON] {
        let service = try FakeModelService { _ in .json(answer, status: status) }
        let configuration = SidecarConfiguration(
            .init("iris", protocol: speaks, url: service.url("/")),
            reporting: reporting
        )
        var events: [JSON] = []
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.send(request)
            #expect(response.status == status)
            #expect(service.calls.first?.body == request.body)
            events = try sidecar.events(atLeast: rows).enumerated().map {
                try expectEvent($1, requestId: response.requestId, status: status, row: $0, of: rows)
            }
            #expect(events.count == rows)
        }
        return events
    }

    private func capturedBody(_ request: HTTPRequest, _ more: [String: String] = [:]) throws -> JSON {
        try #require(try captured(request, ["capture": "body"].merging(more) { $1 }).first)
    }

    @Test func isNotTheDefault() throws {
        let event = try #require(try captured(.post("/predictions/iris", json: #"{"a":1}"#), [:]).first)
        for name in ["request", "requestEncoding", "requestContentType", "requestTruncated", "input", "inputEncoding"] {
            #expect(event[name] == nil, "\(name)")
        }
    }

    @Test func keepsJSON() throws {
        let event = try capturedBody(.post("/predictions/iris", json: #"{ "a": [1.50, "é"] }"#))
        #expect(event["request"] == (try JSON(parsing: #"{"a":[1.50,"é"]}"#)))
        #expect(event["requestEncoding"] == "json")
        #expect(event["requestContentType"] == "application/json")
        #expect(event["requestTruncated"] == false)
        #expect(event["truncated"] == nil)
        #expect(event["input"] == nil)
    }

    @Test func keepsJSONOnOneLine() throws {
        let event = try capturedBody(.post("/predictions/iris", json: "{\n  \"a\":\n\t1\r\n}\n"))
        #expect(event["request"]?["a"] == 1)
    }

    /// The text `{x` in base64 is `e3g=`.
    @Test(arguments: [("{x", "{x", "text"), (#""e3g=""#, "e3g=", "json"), (#"{"a":"#, #"{"a":"#, "text")])
    func tellsTextFromJSON(_ body: String, _ request: String, _ encoding: String) throws {
        let event = try capturedBody(.post("/predictions/iris", json: body))
        #expect(event["request"]?.string == request)
        #expect(event["requestEncoding"]?.string == encoding)
    }

    @Test(
        arguments: [
            ("image/png", Array("{}".utf8), "base64"), ("text/csv", Array("1,2\r\n".utf8), "text"),
            ("", Array("1".utf8), "json"),
            ("application/x-www-form-urlencoded", Array(#"{"a":1}"#.utf8), "json"), ("", Array("a=1".utf8), "text"),
            ("text/plain", Array("5".utf8), "text"), ("text/plain", [0x61, 0x00], "base64"), ("", [0xC3], "base64"),
            ("application/json", [0x22, 0xC3, 0x22], "base64"), ("application/json", [], "text"),
        ] as [(String, [UInt8], String)]
    )
    func encodesByTypeAndContent(_ type: String, _ body: [UInt8], _ encoding: String) throws {
        let headers: HTTPHeaders = type.isEmpty ? [:] : ["Content-Type": type]
        let event = try capturedBody(HTTPRequest("POST", "/predictions/iris", headers: headers, body: body))
        #expect(event["requestEncoding"]?.string == encoding)
        let expected: JSON =
            switch encoding {
            case "base64": .string(base64(body))
            case "text": .string(String(decoding: body, as: UTF8.self))
            default: try JSON(parsing: body)
            }
        #expect(event["request"] == expected)
        #expect(event["requestContentType"]?.string == (type.isEmpty ? nil : type))
    }

    @Test(arguments: ["body", "input"]) func encodesWhatIsCompressed(_ capture: String) throws {
        let body: [UInt8] = Array("{}".utf8)
        let headers: HTTPHeaders = ["Content-Type": "application/json", "Content-Encoding": "br"]
        let request = HTTPRequest("POST", "/v2/models/iris/infer", headers: headers, body: body)
        let event = try #require(try captured(request, ["capture": capture]).first)
        let name = capture == "body" ? "request" : "input"
        #expect(event[name]?.string == base64(body))
        #expect(event[name + "Encoding"] == "base64")
        #expect(event["requestContentEncoding"] == "br")
        #expect(event["requestContentType"] == "application/json")
    }

    @Test func keepsNamesOfMembersApart() throws {
        let event = try capturedBody(.post("/predictions/iris", json: #"{"a":{"b":1,"b":2}}"#))
        #expect(event["request"]?.string == #"{"a":{"b":1,"b":2}}"#)
        #expect(event["requestEncoding"] == "text")
    }

    @Test func marksWhatIsNotFinite() throws {
        let event = try capturedBody(.post("/predictions/iris", json: #"{"instances":[[NaN,"NaN"]]}"#))
        #expect(event["request"] == ["instances": [[.null, "NaN"]]])
        #expect(event["nonFinite"] == ["request"])
    }

    @Test func cuts() throws {
        let json = #"{"a":"0123456789"}"#
        let event = try capturedBody(.post("/predictions/iris", json: json), ["maxCaptureBytes": "10"])
        #expect(event["requestTruncated"] == true)
        #expect(event["truncated"] == ["request"])
        #expect(event["request"]?.string == base64(Array(json.utf8.prefix(10))))
        #expect(event["requestEncoding"] == "base64")
    }

    /// The whole body stands in one event, however many there are.
    @Test func keepsTheBodyOnce() throws {
        let json = #"{"instances":[[1],[2],[3]]}"#
        let events = try captured(
            .post("/v1/models/iris:predict", json: json),
            ["capture": "body"],
            answer: #"{"predictions":[1,2,3]}"#,
            speaks: "v1",
            rows: 3
        )
        #expect(events.map { $0["request"] } == [try JSON(parsing: json), nil, nil])
        #expect(events.map { $0["requestContentType"] } == ["application/json", nil, nil])
        #expect(events.map { $0["requestTruncated"] } == [false, nil, nil])
    }

    /// A request of several rows, an answer of as many, and the rows' own parts.
    @Test(
        arguments: [
            (
                "v1", "/v1/models/iris:predict", #"{"instances":[[5.10, 3], {"a":NaN} , "x"],"signature_name":"s"}"#,
                #"{"predictions":[1,2,3]}"#, ["[5.10,3]", #"{"a":null}"#, #""x""#]
            ),
            (
                "native", "/predictions/iris", "\u{FEFF}{\"instances\":[1,2]}",
                #"{"predictions":[{"value":1},{"value":2}]}"#,
                ["1", "2"]
            ),
            (
                "v2", "/v2/models/iris/infer",
                #"{"inputs":[{"name":"f","shape":[2,2],"datatype":"FP64","data":[1,2,3.0,4]}]}"#,
                #"{"outputs":[{"name":"y","shape":[2],"data":[7,8]}]}"#, ["[1,2]", "[3.0,4]"]
            ),
            (
                "v2", "/predictions/iris",
                #"{"inputs":[{"name":"f","shape":[2,1],"data":[[1],[2]]},{"name":"g\"","shape":[2],"data":["a","b"]}]}"#,
                #"{"outputs":[{"name":"y","shape":[2],"data":[7,8]}]}"#,
                [#"{"f":[1],"g\"":"a"}"#, #"{"f":[2],"g\"":"b"}"#]
            ),
            // Three instances, one answer: the whole request; two of three: none.
            (
                "v1", "/v1/models/iris:predict", #"{"instances":[1,2,3]}"#, #"{"predictions":"one"}"#,
                [#"{"instances":[1,2,3]}"#]
            ),
            ("v1", "/v1/models/iris:predict", #"{"instances":[1,2,3]}"#, #"{"predictions":[1,2]}"#, [nil, nil]),
            ("raw", "/predictions/iris", #"{"a":1}"#, "5", [#"{"a":1}"#]),
            ("raw", "/predictions/iris", #"{"instances":[[9]]}"#, "5", ["[9]"]),
            (
                "v2", "/v2/models/iris/infer", #"{"inputs":[{"name":"f","shape":[3],"data":[1,2]}]}"#,
                #"{"outputs":[{"name":"y","shape":[2],"data":[7,8]}]}"#, [nil, nil]
            ),
        ] as [(String, String, String, String, [String?])]
    )
    func keepsEachRowsInput(
        _ speaks: String,
        _ path: String,
        _ json: String,
        _ answer: String,
        _ inputs: [String?]
    ) throws {
        let request = HTTPRequest.post(path, json: json)
        let events = try captured(request, ["capture": "input"], answer: answer, speaks: speaks, rows: inputs.count)
        for (event, input) in zip(events, inputs) {
            #expect(event["input"] == (try input.map { try JSON(parsing: $0) }))
            #expect(event["inputEncoding"] == (input == nil ? nil : "json"))
            #expect(event["request"] == nil)
            #expect(event["requestTruncated"] == nil)
        }
        let isNotFinite = json.contains("NaN")
        #expect(events.map { $0["nonFinite"] } == inputs.indices.map { isNotFinite && $0 == 1 ? ["input"] : nil })
    }

    /// Of a request that failed there is one event.
    @Test(arguments: [(#"{"instances":[[1,2]]}"#, "[1,2]"), (#"{"instances":[1,2]}"#, #"{"instances":[1,2]}"#)])
    func keepsTheInputOfWhatFails(_ json: String, _ input: String) throws {
        let request = HTTPRequest.post("/v1/models/iris:predict", json: json)
        let events = try captured(request, ["capture": "input"], answer: #"{"error":"x"}"#, status: 500)
        #expect(events.first?["input"] == (try JSON(parsing: input)))
    }

    /// 88 KB × 4,000 rows were 352 MB of events.
    @Test(arguments: ["body", "input"]) func growsWithTheRequestAndNotWithItsRows(_ capture: String) throws {
        let rows = 4_000
        let instances = (0..<rows).map { "[\($0),0.123456789,12345]" }.joined(separator: ",")
        let events = try captured(
            .post("/v1/models/iris:predict", json: #"{"instances":[\#(instances)]}"#),
            ["capture": capture, "maxCaptureBytes": "1MiB"],
            answer: #"{"predictions":[\#(Array(repeating: "0", count: rows).joined(separator: ","))]}"#,
            speaks: "v1",
            rows: rows
        )
        let inputs = events.compactMap { $0[capture == "body" ? "request" : "input"] }
        #expect(inputs.count == (capture == "body" ? 1 : rows))
        if capture == "input" { #expect(inputs[3_999] == [3_999, .number("0.123456789"), 12_345]) }
    }
}

func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
