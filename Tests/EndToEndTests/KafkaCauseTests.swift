import Foundation
import TestSupport
import Testing

/// `ask` and `events` say why they get nowhere, not only that they do not.
@Suite("Kafka tools' causes", .timeLimit(.minutes(5))) struct KafkaCauseTests {
    private func ask(_ brokers: String, _ more: [String] = []) throws -> ChildProcess {
        try ChildProcess(
            SidecarProcess.executable,
            ["ask", "--brokers", brokers, "--timeout", "20s"] + more + ["{}"]
        )
    }

    private func events(_ brokers: String, _ more: [String] = []) throws -> ChildProcess {
        try ChildProcess(SidecarProcess.executable, ["events", "--brokers", brokers] + more)
    }

    @Test func sayThatTheCertificateIsNotTrusted() throws {
        let service = try SecureService(answersFiles: false)
        let properties = ["--property", "security.protocol=ssl"]
        let ask = try ask("127.0.0.1:\(service.port)", properties)
        #expect(ask.waitForExit() == .code(1))
        #expect(ask.standardError.contains("TLS with 127.0.0.1:\(service.port) fails"), "\(ask.standardError)")
        #expect(ask.standardError.contains("certificate verify failed"), "\(ask.standardError)")
        let events = try events("127.0.0.1:\(service.port)", properties)
        #expect(eventually { events.standardError.contains("certificate verify failed") }, "\(events.standardError)")
        events.send(signal: SIGINT)
        #expect(events.waitForExit() == .code(0))
    }

    @Test func sayThatThePasswordIsWrong() throws {
        let broker = try RefusingBroker()
        let properties = [
            "security.protocol=sasl_plaintext", "sasl.mechanism=PLAIN", "sasl.username=u", "sasl.password=hunter2",
        ]
        .flatMap { ["--property", $0] }
        let ask = try ask("127.0.0.1:\(broker.port)", properties)
        #expect(ask.waitForExit() == .code(1))
        #expect(ask.standardError.contains("127.0.0.1:\(broker.port) refuses us"), "\(ask.standardError)")
        #expect(ask.standardError.contains("no such user"), "\(ask.standardError)")
        let events = try events("127.0.0.1:\(broker.port)", properties)
        #expect(eventually { events.standardError.contains("no such user") }, "\(events.standardError)")
        events.send(signal: SIGINT)
        #expect(events.waitForExit() == .code(0))
        #expect(!(ask.standardError + events.standardError).contains("hunter2"))
    }

    @Test func sayThatNobodyListens() throws {
        let ask = try ask("127.0.0.1:1", ["--timeout", "1s"])
        #expect(ask.waitForExit() == .code(2))
        #expect(ask.standardError.contains("Connection refused"), "\(ask.standardError)")
    }

    @Test func sayThatThereIsNoTopic() throws {
        let rig = try KafkaRig()
        rig.setRequests(deleted: true)
        let ask = try ask(rig.brokers, ["--topic", KafkaRig.requests, "--reply-topic", KafkaRig.replies])
        #expect(ask.waitForExit() == .code(1))
        #expect(ask.standardError.contains("there is no topic \(KafkaRig.requests) at"), "\(ask.standardError)")
    }
}

/// Answers ApiVersions and SaslHandshake as a broker does, and refuses every SaslAuthenticate.
private final class RefusingBroker: @unchecked Sendable {
    // Sendable: the descriptor does not change.
    private let descriptor: Int32
    let port: UInt16

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 8) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else { throw TestFailure("no socket") }
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread {
            while case let client = accept(descriptor, nil, nil), client >= 0 {
                Thread.detachNewThread { Self.serve(client) }
            }
        }
    }

    // Ends the waiting for clients.
    deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private static func serve(_ client: Int32) {
        defer { close(client) }
        while let head = read(client, 4) {
            let length = head.reduce(0) { $0 << 8 | Int($1) }
            guard let request = read(client, length) else { return }
            let (key, version, correlation) = (request[1], request[3], Array(request[4..<8]))
            let body: [UInt8] =
                switch key {
                // ApiVersions: version 0 of it, SaslHandshake 1, SaslAuthenticate 0, Metadata 1.
                case 18 where version > 0: [0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 0]
                case 18: [0, 0, 0, 0, 0, 4] + [18, 0, 0, 17, 0, 1, 36, 0, 0, 3, 0, 1].flatMap { [0, UInt8($0)] }
                case 17: [0, 0, 0, 0, 0, 1, 0, 5] + Array("PLAIN".utf8)
                // SASL_AUTHENTICATION_FAILED.
                default: [0, 58, 0, 12] + Array("no such user".utf8) + [0, 0, 0, 0]
                }
            let answer = correlation + body
            var frame = [0, 0, UInt8(answer.count >> 8), UInt8(answer.count & 0xFF)] + answer
            if send(client, &frame, frame.count, Int32(MSG_NOSIGNAL)) != frame.count { return }
        }
    }

    private static func read(_ client: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        guard recv(client, &bytes, count, Int32(MSG_WAITALL)) == count else { return nil }
        return bytes
    }
}
