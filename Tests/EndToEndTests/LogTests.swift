import Foundation
import TestSupport
import Testing

/// What the program tells its operators.
@Suite("Log") struct LogTests {
    private static let model = ["--model", "iris=http://127.0.0.1:9/"]

    @Test(arguments: [("critical", false), ("notice", true)])
    func levelIsTheLeastImportantThatIsLogged(_ level: String, _ isTold: Bool) throws {
        // A free port: that of a socket which is closed again, for one that says nothing cannot say its port either.
        guard case .tcp(let port) = try FakeModelService.refusing().endpoint else { throw TestFailure("no port") }
        let arguments = ["--port", "\(port)", "--set", "log.level=\(level)"] + Self.model
        let process = try ChildProcess(SidecarProcess.executable, arguments)
        #expect(eventually { (try? HTTPConnection(port: port).exchange(.get("/livez")).status) == 200 })
        process.send(signal: SIGTERM)
        #expect(process.waitForExit() == .code(0))
        #expect(process.standardError.contains("listening on") == isTold)
        #expect(process.standardError.isEmpty == !isTold)
    }

    /// `auto` is JSON here: what the tests start has no terminal.
    @Test(arguments: [("auto", true), ("json", true), ("text", false)])
    func formatIsWhatALineLooksLike(_ format: String, _ isJSON: Bool) throws {
        let sidecar = try SidecarProcess(arguments: ["--port", "0", "--log-format", format] + Self.model)
        #expect(sidecar.stop() == .code(0))
        let lines = sidecar.process.standardError.split(separator: "\n")
        #expect(lines.count > 1)
        for line in lines {
            let json = try? JSON(parsing: Array(line.utf8))
            #expect((json?["message"]?.string != nil) == isJSON)
            #expect(line.contains(#/^[-0-9]+T[:.0-9]+Z \w+ ameron-sidecar: \w/#) == !isJSON)
        }
    }

    /// With the terminal of script(1).
    @Test(arguments: [("", true), ("1", false)])
    func isTextForPeopleOnATerminal(_ noColour: String, _ isColoured: Bool) throws {
        let command = ([SidecarProcess.executable, "--port", "0"] + Self.model).joined(separator: " ")
        let process = try ChildProcess(
            "/usr/bin/script",
            ["--quiet", "--flush", "--return", "--command", "exec \(command)", "/dev/null"],
            environment: ["NO_COLOR": noColour, "TERM": "xterm", "SHELL": "/bin/sh"]
        )
        #expect(eventually { process.standardOutput.contains("listening on") })
        process.send(signal: SIGTERM)
        #expect(process.waitForExit() != nil)
        let output = process.standardOutput
        #expect(output.contains("\u{1b}[32mnotice\u{1b}[0m ameron-sidecar: listening") == isColoured)
        #expect(output.contains("Z notice ameron-sidecar: listening") == !isColoured)
    }

    @Test func signalsChangeTheLevel() throws {
        let sidecar = try SidecarProcess(arguments: ["--port", "0"] + Self.model)
        func step(_ signal: Int32, to level: String) {
            sidecar.send(signal: signal)
            #expect(eventually { sidecar.process.standardError.contains("log.level is \(level) from now on") })
        }
        func sendNonsense() throws {
            let connection = try sidecar.connect()
            try connection.send(Array("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: some\r\n\r\n".utf8))
            #expect(try connection.response().status == 400)
        }
        try sendNonsense()
        #expect(!sidecar.process.standardError.contains("is refused: "))
        step(SIGUSR1, to: "debug")
        try sendNonsense()
        #expect(eventually { sidecar.process.standardError.contains("is refused: Content-Length is no number") })

        for level in ["info", "notice", "warning"] { step(SIGUSR2, to: level) }
        #expect(sidecar.stop() == .code(0))
        #expect(!sidecar.process.standardError.contains("stopped"))
    }
}
