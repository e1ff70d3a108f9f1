import Foundation
import TestSupport

/// nginx as the TLS end of a Model Service, on a free port of loopback, with connections kept on both sides.
struct SecureProxy {
    static let nginx = "/usr/sbin/nginx"

    let directory = TemporaryDirectory()
    let process: ChildProcess
    let port: UInt16

    /// - Parameter keepAlive: when it closes idle connections, in nginx's words.
    init(of service: FakeModelService, keepAlive: String = "60s") throws {
        let certificate = try ChildProcess(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", directory.file("key.pem"),
                "-out", directory.file("cert.pem"), "-days", "2", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=IP:127.0.0.1",
            ]
        )
        guard certificate.waitForExit() == .code(0) else { throw TestFailure(certificate.standardErrorTail) }
        guard case .tcp(let port) = try FakeModelService.refusing().endpoint else { throw TestFailure("no port") }
        self.port = port
        let directory = directory
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(directory.file($0));" }.joined(separator: " ")
        let configuration = try directory.write(
            """
            daemon off; master_process off; pid \(directory.file("pid")); error_log stderr;
            events { worker_connections 512; }
            http {
                \(folders) access_log off; keepalive_timeout \(keepAlive); keepalive_requests 1000000;
                ignore_invalid_headers on;
                upstream model { server \(service.url("").dropFirst("http://".count)); keepalive 16; }
                server {
                    listen 127.0.0.1:\(port) ssl;
                    ssl_certificate \(directory.file("cert.pem")); ssl_certificate_key \(directory.file("key.pem"));
                    location / {
                        proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection "";
                        proxy_set_header Host $http_host;
                    }
                }
            }
            """,
            to: "nginx.conf"
        )
        let process = try ChildProcess(Self.nginx, ["-p", directory.path, "-c", configuration], directory: directory)
        guard eventually({ (try? HTTPConnection(port: port)) != nil }) else {
            throw TestFailure("nginx does not start: \(process.standardErrorTail)")
        }
        self.process = process
    }

    func configuration(_ keys: [String: String] = [:]) -> SidecarConfiguration {
        let trust = ["caFile": "\"\(directory.file("cert.pem"))\""]
        return SidecarConfiguration(
            .init("iris", url: "https://127.0.0.1:\(port)/predict", keys.merging(trust) { $1 })
        )
    }
}
