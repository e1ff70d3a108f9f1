import Foundation
import TestSupport
import Testing

/// What somebody new does first: paste from the README, and `make run-all`.
@Suite("Try it") struct TryItTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func freePort() throws -> UInt16 {
        guard case .tcp(let port) = try FakeModelService.refusing().endpoint else { throw TestFailure("no port") }
        return port
    }

    /// The blocks of a section: what to paste, and what comes out of it.
    private static func blocks(ofSection title: String) throws -> (shell: String, output: String) {
        let text = try String(contentsOf: root.appendingPathComponent("README.md"), encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n### \(title)\n").dropFirst().first)
        func block(_ language: String) throws -> String {
            let rest = try #require(section.components(separatedBy: "```\(language)\n").dropFirst().first)
            return try #require(rest.components(separatedBy: "\n```").first)
        }
        return (try block("sh"), try block("json"))
    }

    /// As it stands, but for ports that may be taken; at once, before anything is up.
    @Test(arguments: ["V1", "V2"]) func theReadmesBlocksWorkWhenTheyArePasted(_ section: String) throws {
        var (shell, output) = try Self.blocks(ofSection: section)
        for port in ["9091", "8081", "9093", "8082"] where shell.contains(port) {
            shell = shell.replacingOccurrences(of: port, with: "\(try Self.freePort())")
        }
        let directory = TemporaryDirectory()
        let script = """
            ameron-sidecar() { exec "\(SidecarProcess.executable)" "$@"; }
            cd \(directory.path)
            \(shell)
            kill $(jobs -p)
            wait
            """
        let process = try ChildProcess("/bin/bash", ["-c", script], directory: directory)
        #expect(process.waitForExit(within: 60) != nil)
        let got = try JSON(parsing: Array(process.standardOutput.utf8))
        #expect(try got == JSON(parsing: Array(output.utf8)), "\(process.standardOutput)\n\(process.standardErrorTail)")
    }

    private static func runAll(_ directory: TemporaryDirectory, _ ports: [String: UInt16]) throws -> ChildProcess {
        var environment = ["SIDECAR": SidecarProcess.executable, "EVENTS": directory.file("events.jsonl")]
        for (name, port) in ports { environment[name] = "\(port)" }
        let script = root.appendingPathComponent("scripts/run-all.sh").path
        return try ChildProcess(script, [], environment: environment, directory: directory)
    }

    /// Nothing to be afraid of is said, and what it says to try works.
    @Test func runAllStartsWithoutAWarning() throws {
        let directory = TemporaryDirectory()
        let ports = [
            "SIDECAR_PORT": try Self.freePort(), "MODEL_PORT": try Self.freePort(), "KAFKA_PORT": try Self.freePort(),
        ]
        let process = try Self.runAll(directory, ports)
        // What it has started is not this process's child.
        defer {
            process.send(signal: SIGTERM)
            _ = process.waitForExit(within: 60)
        }
        let isUp = eventually(within: 60) {
            process.standardOutput.contains("Ctrl-C stops all") || process.exitStatus != nil
        }
        #expect(isUp && process.exitStatus == nil, "\(process.standardErrorTail)")
        if process.exitStatus == nil, let port = ports["SIDECAR_PORT"] {
            let answer = try HTTPConnection(port: port).exchange(
                .post("/predictions/iris", json: #"{"instances":[[5.1,3.5,1.4,0.2]]}"#)
            )
            #expect(answer.status == 200)
            process.send(signal: SIGINT)
        }
        #expect(process.waitForExit(within: 60) == .code(0))
        for word in ["warning", "error", "critical"] {
            #expect(!process.standardError.contains("\"level\":\"\(word)\""), "\(process.standardError)")
        }
    }

    @Test(arguments: ["SIDECAR_PORT", "MODEL_PORT", "KAFKA_PORT"])
    func runAllSaysWhatToDoWhenAPortIsTaken(_ variable: String) throws {
        let other = try FakeModelService { _ in .close }
        guard case .tcp(let taken) = other.endpoint else { throw TestFailure("no port") }
        var ports = [
            "SIDECAR_PORT": try Self.freePort(), "MODEL_PORT": try Self.freePort(), "KAFKA_PORT": try Self.freePort(),
        ]
        ports[variable] = taken
        let process = try Self.runAll(TemporaryDirectory(), ports)
        #expect(process.waitForExit() == .code(1))
        #expect(process.standardError.contains("Port \(taken) is taken"))
        #expect(process.standardError.contains("\(variable)="))
        #expect(process.standardOutput.isEmpty)
    }
}
