import TestSupport
import Testing

/// What a Model Service that speaks the Open Inference Protocol says of itself reaches the client as it was said.
@Suite("V2 metadata", .sidecarLog) struct V2PassThroughTests {
    private static let metadata =
        #"{ "name": "iris", "versions": ["3"], "platform": "sklearn", "inputs": [], "outputs": [] }"#
    private static let server = #"{ "name": "mlserver", "version": "1.7.1", "extensions": ["binary_tensor_data"] }"#

    private func service() throws -> FakeModelService {
        try FakeModelService(
            other: { request in
                switch request.target {
                case "/v2": .json(Self.server, headers: ["X-From": "model"])
                case "/v2/models/iris", "/v2/models/iris/versions/3": .json(Self.metadata, headers: ["X-From": "model"])
                case "/v2/models/iris/ready": .json(#"{ "name": "iris", "ready": true }"#)
                case "/v2/models/iris/versions/3/ready": .json(#"{ "name": "iris", "ready": true }"#)
                case "/v2/health/ready", "/v2/health/live": .answer()
                default: .json(#"{"error":"not here"}"#, status: 404)
                }
            },
            { _ in .json(Sample.v2) }
        )
    }

    private func configuration(_ service: FakeModelService) -> SidecarConfiguration {
        SidecarConfiguration(
            .init("iris", protocol: "v2", url: service.url("/v2/models/iris/infer"), version: nil)
        )
    }

    @Test func passesMetadataOn() throws {
        let service = try service()
        try withSidecar(configuration(service)) { sidecar in
            for path in ["/v2/models/iris", "/v2/models/iris/versions/3"] {
                let response = try sidecar.get(path)
                #expect(response.status == 200)
                #expect(response.text == Self.metadata)
                #expect(response.headers["Content-Type"] == "application/json")
            }
            #expect(try sidecar.get("/v2/models/iris/ready").text == #"{ "name": "iris", "ready": true }"#)
            #expect(try sidecar.get("/v2/models/iris/versions/3/ready").status == 200)
        }
    }

    @Test func passesServerMetadataOn() throws {
        let service = try service()
        try withSidecar(configuration(service)) { sidecar in
            let response = try sidecar.get("/v2")
            #expect(response.status == 200)
            #expect(response.text == Self.server)
        }
    }

    @Test func answersServerMetadataItselfForSeveralOrigins() throws {
        let service = try service()
        let other = try self.service()
        var configuration = configuration(service)
        configuration.models.append(
            .init("more", protocol: "v2", url: other.url("/v2/models/more/infer"), version: nil)
        )
        try withSidecar(configuration) { sidecar in
            let server = try sidecar.get("/v2").json()
            #expect(server["name"]?.string?.isEmpty == false)
            #expect(server["name"] != "mlserver")
        }
    }

    @Test func passesRefusalsOn() throws {
        let service = try FakeModelService(
            other: { _ in .json(#"{"error":"not ready"}"#, status: 400) },
            { _ in .json(Sample.v2) }
        )
        try withSidecar(configuration(service)) { sidecar in
            let response = try sidecar.get("/v2/models/iris/ready")
            #expect(response.status == 400)
            #expect(response.text == #"{"error":"not ready"}"#)
        }
    }

    @Test func tellsThatTheServiceIsAway() throws {
        let service = try FakeModelService.refusing()
        try withSidecar(configuration(service)) { sidecar in
            let response = try sidecar.get("/v2/models/iris")
            #expect(response.status == 502)
            try expectError(response, face: "/v2")
            #expect(try sidecar.get("/v2/health/ready").status >= 400)
            #expect(try sidecar.get("/v2/health/live").status == 200)
        }
    }

    @Test func goesToTheVersionAskedFor() throws {
        let service = try service()
        try withSidecar(configuration(service)) { sidecar in
            let response = try sidecar.post("/v2/models/iris/infer")
            #expect(response.text == Sample.v2)
            #expect(service.calls.last?.target == "/v2/models/iris/infer")
            #expect(try sidecar.post("/v2/models/iris/versions/3/infer").text == Sample.v2)
            #expect(service.calls.last?.target == "/v2/models/iris/versions/3/infer")
        }
    }

    @Test func leavesNoEvents() throws {
        let service = try service()
        try withSidecar(configuration(service)) { sidecar in
            _ = try sidecar.get("/v2/models/iris")
            _ = try sidecar.get("/v2")
            _ = try sidecar.post("/v2/models/iris/infer")
            #expect(sidecar.stop() == .code(0))
            #expect(try sidecar.events().count == 1)
        }
    }
}
