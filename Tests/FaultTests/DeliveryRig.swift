import Foundation
import TestSupport
import Testing

@testable import Gateway

/// A Sidecar whose Reporters a test writes itself, as YAML, in front of a model; it may be started again and again.
final class DeliveryRig: Sendable {
    let directory = TemporaryDirectory()
    let model: FakeModelService
    let delivery: String
    let spool: [String: String]
    /// Where the spool is: below the rig's directory, unless a test says otherwise.
    var spoolPath: String { spool["path"] ?? directory.file("spool") }

    /// - Parameter fill: how many bytes more each Prediction has.
    init(delivery: String = "at-least-once", spool: [String: String] = [:], fill: Int = 0) throws {
        let fill = String(repeating: "x", count: fill)
        model = try FakeModelService { _ in .json(#"{"value":{"label":"setosa","fill":"\#(fill)"}}"#) }
        self.delivery = delivery
        self.spool = spool
    }

    /// - Parameter reporters: each one's keys, as YAML on one line: `{ type: file, path: … }` without the braces.
    func yaml(_ reporters: [String], server: [String: String] = [:]) -> String {
        let server = ["port": "0", "shards": "1", "drainTimeout": "5s"].merging(server) { $1 }
        let spool = ["path": "\"\(spoolPath)\""].merging(spool) { $1 }
        var lines = ["server: { \(Self.flow(server)) }"]
        lines += ["models:", "  - { name: iris, version: \"1\", url: \"\(model.url("/predict"))\" }", "reporting:"]
        lines += ["  delivery: \(delivery)", "  spool: { \(Self.flow(spool)) }", "  reporters:"]
        lines += reporters.map { "    - { \($0) }" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func flow(_ keys: [String: String]) -> String {
        keys.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }

    /// Writes the configuration and gives its path.
    func write(_ reporters: [String], server: [String: String] = [:]) throws -> String {
        try directory.write(yaml(reporters, server: server), to: "sidecar-\(UInt32.random(in: 0 ... .max)).yaml")
    }

    func start(
        _ reporters: [String],
        server: [String: String] = [:],
        through wrapper: [String] = []
    ) throws -> SidecarProcess {
        let file = try write(reporters, server: server)
        return try SidecarProcess(arguments: ["--config", file], through: wrapper, directory: directory)
    }
}

extension SidecarProcess {
    /// Asks so many times, and gives the ids of the answers with 200, all of which must be that.
    func ask(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) throws -> [String] {
        let connection = try connect()
        return try (0..<count).compactMap { _ in
            let response = try connection.exchange(.post("/predictions/iris", json: #"{"instances":[[1]]}"#))
            #expect(response.status == 200, "\(response.text)", sourceLocation: sourceLocation)
            return response.status == 200 ? response.requestId : nil
        }
    }

    /// The cause for which a Reporter is blocked; nil: it is not. Throws where the metric is missing.
    func block(of reporter: String) throws -> String? {
        let samples = try metrics().samples("ameron_reporter_blocked", ["reporter": reporter])
        guard samples.count == 1 else { throw TestFailure("\(samples.count) samples of ameron_reporter_blocked") }
        return samples.first { $0.value == 1 }?.labels["cause"]
    }

    func events(_ result: String) throws -> Int {
        Int(try metrics().total("ameron_report_events_total", ["result": result]))
    }
}

/// How often each request id is named in events.
func requestIds(in events: [String]) -> [String: Int] {
    events.reduce(into: [:]) { counts, event in
        guard let start = event.range(of: #""requestId":""#) else { return }
        counts[String(event[start.upperBound...].prefix { $0 != "\"" }), default: 0] += 1
    }
}

extension TemporaryDirectory {
    func lines(of name: String) -> [String] {
        guard let bytes = wholeFile(file(name)) else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
