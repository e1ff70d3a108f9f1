import TestSupport
import Testing

/// How long the header of a model's answer may be, and what is said, counted and recorded of one that is longer.
@Suite("Headers of answers", .sidecarLog, .timeLimit(.minutes(5))) struct AnswerHeaderTests {
    /// Header lines that take so many bytes together, with the one of `json`.
    private static func lines(_ bytes: Int, _ count: Int = 1) -> HTTPHeaders {
        var headers = HTTPHeaders()
        var rest = bytes - "Content-Type: application/json\r\n".utf8.count
        for index in 0..<count {
            let name = "X-Long-\(index)"
            let length = rest / (count - index)
            headers.append(name, String(repeating: "v", count: length - name.count - 4))
            rest -= length
        }
        return headers
    }

    private static let limit = 8 << 10

    private func service(_ headers: HTTPHeaders, status: Int = 200) throws -> FakeModelService {
        try FakeModelService(
            other: { _ in .json("{}", headers: headers) },
            { _ in .json(#"{"predictions":[1]}"#, status: status, headers: headers) }
        )
    }

    private func configuration(_ service: FakeModelService, _ transport: ModelTransport) -> SidecarConfiguration {
        SidecarConfiguration(
            .init("iris", protocol: "v1", url: service.url("/"), ["transport": transport.rawValue])
        )
    }

    @Test(arguments: ModelTransport.allCases, [1, 60])
    func passOnWhatFits(_ transport: ModelTransport, _ count: Int) throws {
        let headers = Self.lines(Self.limit, count)
        let service = try service(headers)
        try withSidecar(configuration(service, transport)) { sidecar in
            // The longest id that is taken: the Sidecar's own lines have room of their own.
            let id = String(repeating: "i", count: 256)
            for face in [Face.v1, .v2] {
                let response = try sidecar.post(face.path("iris"), headers: ["X-Request-Id": id])
                #expect(response.status == 200, "\(response.text)")
                #expect(response.requestId == id)
                for field in headers.fields { #expect(response.headers.all(field.name) == [field.value]) }
            }
            #expect(try sidecar.events(atLeast: 2).allSatisfy { $0["data"]?["status"] == 200 })
        }
    }

    @Test(arguments: ModelTransport.allCases, [(8 * 1_024 + 1, 1), (24 << 10, 1), (30 << 10, 700), (200 << 10, 40)])
    func failBeforeTheyAreRecorded(_ transport: ModelTransport, _ size: (bytes: Int, lines: Int)) throws {
        for status in [200, 404] {
            let service = try service(Self.lines(size.bytes, size.lines), status: status)
            try withSidecar(configuration(service, transport)) { sidecar in
                for face in [Face.v1, .v2] {
                    let response = try sidecar.post(face.path("iris"))
                    #expect(response.status == 502)
                    #expect(response.text.contains("the header of the Model Service's answer is too long"))
                }
                let events = try sidecar.events(atLeast: 2)
                #expect(events.allSatisfy { $0["data"]?["status"] == 502 })
                #expect(events.allSatisfy { $0["data"]?["error"]?["cause"] == "headersTooLarge" })
                let metrics = try sidecar.metrics()
                #expect(metrics.total("ameron_requests_total", ["code": "502", "model": "iris"]) == 2)
                #expect(metrics.total("ameron_failures_total", ["cause": "headersTooLarge", "model": "iris"]) == 2)
                // Natively, the lines of an answer that is understood go no further.
                #expect(try sidecar.post("/predictions/iris").status == (status == 200 ? 200 : 502))
            }
        }
    }

    @Test(arguments: ModelTransport.allCases) func failForMetadataToo(_ transport: ModelTransport) throws {
        let service = try service(Self.lines(20 << 10))
        try withSidecar(configuration(service, transport)) { sidecar in
            let (metadata, live) = (try sidecar.get("/v1/models/iris"), try sidecar.get("/livez"))
            #expect(metadata.status == 502)
            #expect(live.status == 200)
        }
    }

    @Test(arguments: ModelTransport.allCases) func mayBeEmpty(_ transport: ModelTransport) throws {
        let service = try service(["X-Empty": "", "X-Full": "1"])
        try withSidecar(configuration(service, transport)) { sidecar in
            let response = try sidecar.post("/v1/models/iris:predict")
            #expect(response.headers.all("X-Empty") == [""])
            #expect(response.headers.all("X-Full") == ["1"])
        }
    }
}
