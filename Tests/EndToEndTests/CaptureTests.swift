import Foundation
import TestSupport
import Testing

/// The request's body in the events.
@Suite("Capture", .sidecarLog) struct CaptureTests {
    private func captured(_ request: HTTPRequest, _ reporting: [String: String]) throws -> JSON {
        let service = try modelService(#"{"value":1}"#)
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/")), reporting: reporting)
        var event = JSON.null
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.send(request)
            #expect(response.status == 200)
            #expect(service.calls.first?.body == request.body)
            event = try expectEvent(sidecar.events(atLeast: 1).first, requestId: response.requestId, status: 200)
        }
        return event
    }

    @Test func isNotTheDefault() throws {
        let event = try captured(.post("/predictions/iris", json: #"{"a":1}"#), [:])
        #expect(event["request"] == nil)
        #expect(event["requestContentType"] == nil)
    }

    @Test func keepsJSON() throws {
        let event = try captured(.post("/predictions/iris", json: #"{ "a": [1.50, "é"] }"#), ["capture": "body"])
        #expect(event["request"] == (try JSON(parsing: #"{"a":[1.50,"é"]}"#)))
        #expect(event["requestContentType"] == "application/json")
        #expect(event["requestTruncated"] != true)
    }

    @Test func keepsJSONOnOneLine() throws {
        let event = try captured(.post("/predictions/iris", json: "{\n  \"a\":\n\t1\r\n}\n"), ["capture": "body"])
        #expect(event["request"]?["a"] == 1)
    }

    @Test func encodesWhatSaysItIsJSONAndIsNot() throws {
        let event = try captured(.post("/predictions/iris", json: #"{"a":"#), ["capture": "body"])
        #expect(event["request"]?.string == base64(Array(#"{"a":"#.utf8)))
    }

    @Test func encodesOtherTypes() throws {
        let body: [UInt8] = [0, 255, 10, 13, 34, 128]
        let request = HTTPRequest("POST", "/predictions/iris", headers: ["Content-Type": "image/png"], body: body)
        let event = try captured(request, ["capture": "body"])
        #expect(event["request"]?.string == base64(body))
        #expect(event["requestContentType"] == "image/png")
    }

    @Test func cuts() throws {
        let json = #"{"a":"0123456789"}"#
        let event = try captured(
            .post("/predictions/iris", json: json),
            ["capture": "body", "maxCaptureBytes": "10"]
        )
        #expect(event["requestTruncated"] == true)
        #expect(event["request"]?.string == base64(Array(json.utf8.prefix(10))))
    }
}

func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
