import Foundation
import TestSupport
import Testing

/// openssl's own test server.
struct SecureService {
    let directory = TemporaryDirectory()
    let process: ChildProcess
    let port: String

    /// - Parameter answersFiles: GET is answered with files; else what comes is printed, and nothing answered.
    init(answersFiles: Bool = true) throws {
        let certificate = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                """
                cd \(directory.path) && mkdir -p v2/models && printf \
                'HTTP/1.0 200 OK\\r\\nContent-Type: application/json\\r\\n\\r\\n{"name":"iris","platform":"tls"}' \
                >v2/models/iris && exec openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem \
                -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1
                """,
            ]
        )
        guard certificate.waitForExit() == .code(0) else { throw TestFailure(certificate.standardErrorTail) }
        // Its input must not end, or a connection would end too.
        let server = try ChildProcess(
            "/bin/sh",
            [
                "-c",
                """
                cd \(directory.path) && mkfifo input && exec openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem \
                \(answersFiles ? "-HTTP" : "") <>input
                """,
            ]
        )
        process = server
        let found = eventuallyValue {
            server.standardOutput.split(separator: "\n").first { $0.hasPrefix("ACCEPT 127.0.0.1:") }
        }
        port = String(try #require(found).dropFirst("ACCEPT 127.0.0.1:".count))
    }

    func configuration(_ settings: [String: String]) -> SidecarConfiguration {
        SidecarConfiguration(
            .init("iris", protocol: "v2", url: "https://127.0.0.1:\(port)/v2/models/iris/infer", settings)
        )
    }
}

/// A Model Service behind TLS.
@Suite("TLS") struct TLSTests {
    @Test func trustsTheConfiguredAuthority() throws {
        let service = try SecureService()
        let authority = service.directory.file("cert.pem")
        try withSidecar(service.configuration(["caFile": authority])) { sidecar in
            let response = try sidecar.get("/v2/models/iris")
            #expect(response.status == 200)
            #expect(response.text == #"{"name":"iris","platform":"tls"}"#)
        }
    }

    @Test func doesNotTrustAnyOther() throws {
        let service = try SecureService()
        try withSidecar(service.configuration([:])) { sidecar in
            #expect(try sidecar.get("/v2/models/iris").status == 502)
            let response = try sidecar.post("/v2/models/iris/infer", json: "{}")
            #expect(response.status == 502)
            let events = try sidecar.events(atLeast: 1)
            #expect(events.first?["data"]?["error"]?["cause"] == "tls")
        }
    }
}
