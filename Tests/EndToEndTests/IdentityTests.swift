import TestSupport
import Testing

/// Which id a request gets, and that the model, the client and the events all see it.
@Suite("Request ids", .sidecarLog) struct IdentityTests {
    /// Sends one request and gives the id that client, model and event agree on.
    private func id(_ path: String, body: String, _ headers: HTTPHeaders = [:]) throws -> String {
        let service = try modelService(Sample.v2)
        let configuration = SidecarConfiguration(
            .init("iris", protocol: "v2", url: service.url("/v2/models/iris/infer"))
        )
        var id = ""
        try withSidecar(configuration) { sidecar in
            let response = try sidecar.post(path, json: body, headers: headers)
            #expect(response.status == 200)
            id = try #require(response.requestId)
            #expect(response.headers.all("X-Request-Id") == [id])
            #expect(service.calls.last?.headers.all("X-Request-Id") == [id])
            #expect(service.calls.last?.text == body)
            #expect(try data(sidecar.events(atLeast: 1).first)["requestId"]?.string == id)
            if path.hasPrefix("/predictions") { #expect(try response.json()["id"]?.string == id) }
        }
        return id
    }

    private static let faces = ["/predictions/iris", "/v1/models/iris:predict", "/v2/models/iris/infer"]
    private static let oip = #"{"inputs":[{"name":"id","data":["no"]}],"id":"oip-1","parameters":{"id":"no"}}"#

    @Test(arguments: faces) func prefersXRequestId(_ path: String) throws {
        #expect(try id(path, body: Self.oip, ["Ce-Id": "ce-1", "X-Request-Id": "x-1"]) == "x-1")
    }

    @Test(arguments: faces) func takesCeId(_ path: String) throws {
        #expect(try id(path, body: Self.oip, ["ce-id": "ce-1"]) == "ce-1")
    }

    @Test func takesTheIdOfAV2Request() throws {
        #expect(try id("/v2/models/iris/infer", body: Self.oip) == "oip-1")
    }

    @Test func takesTheIdInFrontOfBinaryTensors() throws {
        let head = #"{"id":"oip-2","inputs":[]}"#
        let id = try id(
            "/v2/models/iris/infer",
            body: head + "}{ not JSON",
            ["Inference-Header-Content-Length": "\(head.utf8.count)", "Content-Type": "application/octet-stream"]
        )
        #expect(id == "oip-2")
    }

    @Test(arguments: faces) func makesAUUIDOfVersion7(_ path: String) throws {
        let body = path.hasPrefix("/v2") ? #"{"inputs":[]}"# : Self.oip
        let id = try id(path, body: body)
        #expect(id.wholeMatch(of: #/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/#) != nil)
    }

    @Test func carriesAnIdThatNeedsEscapes() throws {
        _ = try id("/predictions/iris", body: "{}", ["X-Request-Id": #"a"b\c{}"#])
    }

    @Test func readsNoBodyBesideAHeader() throws {
        #expect(try id("/v2/models/iris/infer", body: "not JSON", ["X-Request-Id": "x-2"]) == "x-2")
        #expect(try id("/v2/models/iris/infer", body: "not JSON", ["Ce-Id": "ce-2"]) == "ce-2")
        #expect(try id("/v1/models/iris:predict", body: "not JSON").count == 36)
        #expect(try id("/predictions/iris", body: "not JSON").count == 36)
    }

    /// What the Sidecar cannot read is for the model to judge.
    @Test(arguments: [
        "not JSON", "{\"id\":", "", "[1,2", "\u{FEFF}{\"id\":\"1\"}", #"{"id":"a b"}"#, #"{"id":""}"#, #"{"id":7}"#,
    ])
    func passesAnyV2BodyOnUnderANewId(_ body: String) throws {
        #expect(try id("/v2/models/iris/infer", body: body).count == 36)
    }

    @Test(arguments: ["0", "1", "14", "1000000", "999999999999999999999", "x"])
    func passesBodiesOnWhoseJSONIsSaidToEndElsewhere(_ length: String) throws {
        let id = try id(
            "/v2/models/iris/infer",
            body: #"{"id":"oip-3","inputs":[]}"#,
            ["Inference-Header-Content-Length": length]
        )
        // What is no length says nothing.
        #expect(id == (length == "x" || length.count > 18 ? "oip-3" : id))
        #expect(id == "oip-3" || id.count == 36)
    }

    /// An id goes into every event of an answer, and into two headers.
    @Test(arguments: [256, 257, 4_000])
    func replacesLongIds(_ length: Int) throws {
        let long = String(repeating: "i", count: length)
        let path = "/v2/models/iris/infer"
        let ids = [
            try id(path, body: "{}", ["X-Request-Id": long]), try id(path, body: "{}", ["Ce-Id": long]),
            try id(path, body: #"{"id":"\#(long)"}"#),
            try id(path, body: "{}", ["X-Request-Id": long, "Ce-Id": long]),
        ]
        #expect(ids.allSatisfy { length > 256 ? $0.count == 36 : $0 == long })
        // One that is too long gives way to a worse one.
        if length > 256 { #expect(try id(path, body: #"{"id":"b"}"#, ["X-Request-Id": long, "Ce-Id": "c"]) == "c") }
    }

    @Test func makesIdsThatRise() throws {
        let service = try modelService(Sample.raw)
        try withSidecar(SidecarConfiguration(.init("iris", protocol: "raw", url: service.url("/")))) { sidecar in
            let connection = try sidecar.connect()
            let ids = try (0..<50).map { _ in
                try #require(try connection.exchange(.post("/predictions", json: "{}")).requestId)
            }
            #expect(Set(ids).count == 50)
            #expect(ids.map { $0.prefix(13) } == ids.map { $0.prefix(13) }.sorted())
        }
    }
}
