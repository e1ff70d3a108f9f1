import Foundation

/// The real executable, serving on a free port of loopback.
package final class SidecarProcess: Sendable {
    /// Beside the test bundle, or where AMERON_SIDECAR says.
    package static let executable: String =
        ProcessInfo.processInfo.environment["AMERON_SIDECAR"]
        ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent().appendingPathComponent("ameron-sidecar").path

    package let process: ChildProcess
    package let port: UInt16
    package let directory: TemporaryDirectory
    /// Where the File Reporter writes.
    package let eventFile: String

    /// Starts it with a configuration file and waits until it serves.
    package convenience init(
        _ configuration: SidecarConfiguration,
        environment: [String: String] = [:],
        eventFile: String? = nil
    ) throws {
        let directory = TemporaryDirectory()
        let eventFile = eventFile ?? directory.file("events.jsonl")
        let file = try directory.write(configuration.yaml(eventFile: eventFile), to: "sidecar.yaml")
        try self.init(
            arguments: ["--config", file],
            environment: environment,
            directory: directory,
            eventFile: eventFile
        )
    }

    /// Starts it with arguments and waits until it serves (the example Model Service does, too).
    ///
    /// - Parameter wrapper: a program that runs it, with its arguments, the executable's path among them; empty: none.
    package init(
        arguments: [String],
        through wrapper: [String] = [],
        environment: [String: String] = [:],
        directory: TemporaryDirectory = TemporaryDirectory(),
        eventFile: String = "none"
    ) throws {
        self.directory = directory
        self.eventFile = eventFile
        let command = (wrapper.isEmpty ? [Self.executable] : wrapper) + arguments
        let process = try ChildProcess(
            command[0],
            Array(command.dropFirst()),
            environment: environment,
            directory: directory
        )
        let port = eventuallyValue(within: Deadline.standardSeconds) { () -> UInt16? in
            if let port = Self.port(in: process.standardError) { return port }
            return process.exitStatus == nil ? nil : 0
        }
        guard let port, port != 0 else {
            throw TestFailure(
                """
                ameron-sidecar \(arguments.joined(separator: " ")) does not serve; \
                exit: \(process.exitStatus.map { "\($0)" } ?? "none"), stderr:
                \(process.standardErrorTail)
                """
            )
        }
        self.process = process
        self.port = port
    }

    /// Runs it to its end; kills it and throws when it does not end.
    package static func run(
        _ arguments: [String],
        environment: [String: String] = [:]
    ) throws -> (status: ExitStatus, output: String, error: String) {
        let process = try ChildProcess(executable, arguments, environment: environment)
        guard let status = process.waitForExit() else {
            throw TestFailure("\(arguments) does not end; stderr: \(process.standardErrorTail)")
        }
        return (status, process.standardOutput, process.standardError)
    }

    /// The port in `... listening on http://HOST:PORT ...`; the host must be a loopback address.
    static func port(in log: String) -> UInt16? {
        guard let match = log.firstMatch(of: #/listening[^\n]*?http://(127\.[\d.]+|localhost|\[::1\]):(\d+)\b[^\n]*\n/#)
        else {
            return nil
        }
        return UInt16(match.output.2)
    }

    // MARK: - Talking to it

    package func connect() throws -> HTTPConnection { try HTTPConnection(port: port) }

    /// One request over a connection of its own.
    package func send(_ request: HTTPRequest) throws -> HTTPResponse { try connect().exchange(request) }

    package func get(_ target: String, headers: HTTPHeaders = [:]) throws -> HTTPResponse {
        try send(.get(target, headers: headers))
    }

    package func post(_ target: String, json: String = "{}", headers: HTTPHeaders = [:]) throws -> HTTPResponse {
        try send(.post(target, json: json, headers: headers))
    }

    package func metrics() throws -> PrometheusText { try PrometheusText(parsing: get("/metrics").text) }

    /// False when it does not become ready.
    package func becomesReady() throws -> Bool { try eventually { try get("/readyz").status == 200 } }

    // MARK: - Its events

    /// The whole lines of the event file, each of which must be JSON.
    package func events() throws -> [JSON] { try Self.events(in: eventFile) }

    package static func events(in path: String) throws -> [JSON] {
        guard let data = wholeFile(path) else { return [] }
        var lines = Array(data).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        lines.removeLast()
        return try lines.map { try JSON(parsing: Array($0)) }
    }

    /// The events of the request with this id.
    package func events(ofRequest id: String?) throws -> [JSON] {
        try events().filter { $0["data"]?["requestId"]?.string == id }
    }

    /// The events so far as soon as there are at least so many; throws when they do not come.
    package func events(atLeast count: Int) throws -> [JSON] {
        let events = try eventuallyValue {
            let events = try self.events()
            return events.count >= count ? events : nil
        }
        guard let events else { throw TestFailure("\(try self.events().count) events in place of \(count)") }
        return events
    }

    // MARK: - Its end

    package func send(signal: Int32) { process.send(signal: signal) }

    package func waitForExit(within seconds: Double = Deadline.standardSeconds) -> ExitStatus? {
        process.waitForExit(within: seconds)
    }

    /// Asks it to stop, and gives how it ended; nil when it did not (it is killed with the last reference to it).
    package func stop() -> ExitStatus? {
        send(signal: SIGTERM)
        return waitForExit()
    }
}
