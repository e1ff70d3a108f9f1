import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A name server that takes questions and answers none: what waits for it must not be a thread that others need.
///
/// The Sidecar gets an /etc/resolv.conf of its own, in a mount namespace, and a silent port 53: both need the superuser.
@Suite(.enabled(if: geteuid() == 0, "needs the superuser")) struct NameServerTests {
    private let server: Int32
    private let directory = TemporaryDirectory()
    private let wrapper: [String]

    init() throws {
        let server = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(53).bigEndian
        // Each test has its own.
        let host = "127.\(Int.random(in: 1...250)).\(Int.random(in: 1...250)).77"
        address.sin_addr.s_addr = inet_addr(host)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isBound else { throw TestFailure("bind: \(String(cString: strerror(errno)))") }
        self.server = server
        let file = try directory.write("nameserver \(host)\noptions timeout:20 attempts:2\n", to: "resolv.conf")
        let script = #"mount --bind "$0" /etc/resolv.conf && exec "$@""#
        wrapper = ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script, file, SidecarProcess.executable]
    }

    /// Two models: of one, the name is not found for 40 s. Its requests get 504 after their time, and nobody else waits.
    @Test(.timeLimit(.minutes(5))) func holdsNoShardUp() throws {
        defer { close(server) }
        let model = try FakeModelService { _ in .json(#"{"value":1}"#) }
        let yaml = """
            server: { port: 0, shards: 1, drainTimeout: 1s }
            models:
              - { name: iris, url: "\(model.url("/"))" }
              - { name: lost, url: "http://lost.example:9/", timeout: 100ms }
            """
        let file = try directory.write(yaml, to: "sidecar.yaml")
        let sidecar = try SidecarProcess(arguments: ["--config", file], through: wrapper, directory: directory)
        var lost = 0
        for _ in 0..<10 {
            let status = try sidecar.post("/predictions/lost").status
            if status == 504 { lost += 1 }
            #expect(try sidecar.post("/predictions/iris").status == 200)
        }
        #expect(lost == 10)
        sidecar.send(signal: SIGTERM)
        #expect(sidecar.waitForExit(within: 9) == .code(0), "\(sidecar.process.standardErrorTail)")
    }

    @Test(.timeLimit(.minutes(5))) func holdsNoEndUp() throws {
        defer { close(server) }
        let rig = try DeliveryRig()
        let sidecar = try rig.start(
            ["type: http, url: \"http://lost.example:9/\", timeout: 100ms"],
            server: ["drainTimeout": "1s"],
            through: wrapper
        )
        #expect(try sidecar.ask(3).count == 3)
        #expect(eventually { sidecar.process.standardError.contains("no answer within") })
        sidecar.send(signal: SIGTERM)
        #expect(sidecar.waitForExit(within: 9) == .code(0), "\(sidecar.process.standardErrorTail)")
        #expect(!sidecar.process.standardError.contains("does not let go"))
    }
}
