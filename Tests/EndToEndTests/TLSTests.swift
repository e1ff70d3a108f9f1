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

    /// Sends this to whoever is connected, as a record of its own, where files are not answered.
    func send(_ text: String) throws {
        let descriptor = open(directory.file("input"), O_WRONLY | O_NONBLOCK)
        guard descriptor >= 0 else { throw TestFailure("the server does not read") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else { throw TestFailure("the pipe is full") }
        var left: Int32 = 1
        guard eventually({ ioctl(descriptor, UInt(FIONREAD), &left) == 0 && left == 0 }) else {
            throw TestFailure("the server does not take what is to be sent")
        }
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

    /// What TLS has deciphered beside an answer is on no socket any more, and would be the next answer.
    @Test func takesNothingThatTLSHasHeldBack() throws {
        let service = try SecureService(answersFiles: false)
        // openssl's server has one connection at a time: the health is asked elsewhere.
        let health = try modelService("{}")
        let keys = [
            "caFile": service.directory.file("cert.pem"), "timeout": "60s", "healthUrl": health.url("/"),
            "keepAlive": "60s",
        ]
        try withSidecar(service.configuration(keys)) { sidecar in
            func ask(_ word: String) -> RunningThreads<String> {
                startConcurrently(1) { _ in
                    try sidecar.post("/v2/models/iris/infer", json: #"{"word":"\#(word)"}"#).text
                }
            }
            let answer = Sample.v2
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
            let first = ask("first")
            #expect(eventually { service.process.standardOutput.contains("\"first\"") })
            // Two records: libcurl reads the second only as far as the body goes.
            try service.send("\(head)\(answer.utf8.count)\r\n\r\n")
            try service.send(
                "\(answer)\(head)\(answer.utf8.count)\r\n\r\n\(answer.replacing("setosa", with: "evil!!"))"
            )
            #expect(try first.results() == [answer])
            let second = ask("second")
            #expect(eventually { service.process.standardOutput.contains("\"second\"") })
            try service.send("\(head)\(answer.utf8.count)\r\n\r\n\(answer)")
            #expect(try second.results() == [answer])
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
