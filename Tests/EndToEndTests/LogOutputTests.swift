import Foundation
import TestSupport
import Testing

/// Standard error that takes nothing: nobody waits for it.
@Suite("Log output") struct LogOutputTests {
    private static let malformed = Array("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: some\r\n\r\n".utf8)

    /// A Sidecar that logs into a pipe, serving on a port that was free a moment ago.
    private static func start(_ pipe: TestPipe, _ level: String) throws -> (process: ChildProcess, port: UInt16) {
        guard case .tcp(let port) = try FakeModelService.refusing().endpoint else { throw TestFailure("no port") }
        let arguments = ["--port", "\(port)", "--shards", "1", "--model", "iris=http://127.0.0.1:9/"]
        let process = try ChildProcess(
            SidecarProcess.executable,
            arguments + ["--log-level", level],
            errorPipe: pipe
        )
        #expect(eventually { (try? HTTPConnection(port: port).exchange(.get("/livez")).status) == 200 })
        return (process, port)
    }

    private static func sendNonsense(_ port: UInt16) throws {
        let connection = try HTTPConnection(port: port)
        try connection.send(malformed)
        #expect(try connection.response().status == 400)
    }

    @Test func aFullPipeHoldsNobodyUp() throws {
        let pipe = try TestPipe()
        let (process, port) = try Self.start(pipe, "debug")
        try pipe.fill()
        for _ in 0..<20 { try Self.sendNonsense(port) }
        #expect(try HTTPConnection(port: port).exchange(.get("/livez")).status == 200)
        process.send(signal: SIGTERM)
        #expect(process.waitForExit() == .code(0), "not at the end either")
    }

    /// All of it, in order, also where the pipe is one that does not block: other processes may have made it so.
    @Test(arguments: [true, false]) func whatWaitsIsWrittenAsSoonAsItCan(_ blocks: Bool) throws {
        let pipe = try TestPipe(writerBlocks: blocks)
        let (process, port) = try Self.start(pipe, "debug")
        var text = ""
        try pipe.fill()
        for _ in 0..<5 { try Self.sendNonsense(port) }
        for signal in [SIGUSR2, SIGUSR1, SIGUSR2] {
            process.send(signal: signal)
            // Signals of a kind become one while it waits.
            #expect(eventually { Self.isTaken(signal, by: process.id) })
        }
        process.send(signal: SIGTERM)
        #expect(
            eventually {
                text += pipe.read()
                return process.exitStatus != nil
            }
        )
        text += pipe.read()
        #expect(process.exitStatus == .code(0))
        let lines = text.replacing(#/\.{8,}/#, with: "").split(separator: "\n")
        let levels = lines.compactMap { $0.firstMatch(of: #/log.level is (\w+) from/#)?.output.1 }
        #expect(levels == ["info", "debug", "info"])
        #expect(lines.count { $0.contains("a request is refused: ") } >= 5)
        #expect(lines.last?.contains("stopped") == true)
        #expect(lines.allSatisfy { (try? JSON(parsing: Array($0.utf8))) != nil }, "\(lines)")
    }

    /// What clients cause as often as they like does not fill the log; what was left out is counted.
    @Test func aFloodOfNonsenseIsOneOfAFewLines() throws {
        let sidecar = try SidecarProcess(arguments: [
            "--port", "0", "--shards", "1", "--log-level", "debug", "--model", "iris=http://127.0.0.1:9/",
        ])
        var sent = 0
        func send() throws {
            try Self.sendNonsense(sidecar.port)
            sent += 1
        }
        for _ in 0..<300 { try send() }
        func lines() -> [Substring] {
            sidecar.process.standardError.split(separator: "\n").filter { $0.contains("a request is refused: ") }
        }
        func leftOut() -> Int {
            lines().compactMap { $0.firstMatch(of: #/and (\d+) like it before/#).flatMap { Int($0.output.1) } }
                .reduce(0, +)
        }
        let perRequest = try eventuallyValue { () -> Int? in
            try send()
            let told = lines().count + leftOut()
            return leftOut() > 0 && told.isMultiple(of: sent) ? told / sent : nil
        }
        #expect(perRequest != nil, "\(lines().count) lines and \(leftOut()) left out of \(sent)")
        #expect(lines().count < sent)
    }

    private static func isTaken(_ signal: Int32, by process: pid_t) -> Bool {
        let status = String(decoding: wholeFile("/proc/\(process)/status") ?? [], as: UTF8.self)
        let pending = status.matches(of: #/(?:Sig|Shd)Pnd:\s*([0-9a-f]+)/#).compactMap {
            UInt64($0.output.1, radix: 16)
        }
        return pending.count == 2 && pending.allSatisfy { $0 & (1 << (UInt64(signal) - 1)) == 0 }
    }
}
