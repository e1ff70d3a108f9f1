import TestSupport
import Testing

/// The Sidecar that the running test talks to: what it logged goes into each failure.
enum CurrentSidecar {
    @TaskLocal static var process: SidecarProcess?
}

extension Trait where Self == IssueHandlingTrait {
    /// Adds the end of the Sidecar's stderr to each failure.
    static var sidecarLog: Self {
        .compactMapIssues { issue in
            guard let sidecar = CurrentSidecar.process else { return issue }
            var issue = issue
            issue.comments.append("stderr of the Sidecar:\n\(sidecar.process.standardErrorTail)")
            return issue
        }
    }
}

/// Runs `body` with a Sidecar that serves, then stops it: it must end by itself, with 0.
///
/// (That also makes a sanitizer's report, which ends the process with another status, a failure.)
func withSidecar(
    _ configuration: SidecarConfiguration,
    environment: [String: String] = [:],
    eventFile: String? = nil,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (SidecarProcess) throws -> Void
) throws {
    let sidecar = try SidecarProcess(configuration, environment: environment, eventFile: eventFile)
    try CurrentSidecar.$process.withValue(sidecar) {
        do {
            try body(sidecar)
            #expect(
                sidecar.stop() == .code(0),
                "the Sidecar does not stop as it should",
                sourceLocation: sourceLocation
            )
        } catch {
            throw TestFailure("\(error)\nstderr of the Sidecar:\n\(sidecar.process.standardErrorTail)")
        }
    }
}

/// The ways in which calls travel; what shows from outside is the same.
enum ModelTransport: String, CaseIterable {
    case direct, curl
}

/// A Sidecar's configuration with one model, `iris`, behind this service.
func irisConfiguration(
    _ service: FakeModelService,
    path: String = "/predict",
    _ transport: ModelTransport,
    _ keys: [String: String] = [:],
    server: [String: String] = [:]
) -> SidecarConfiguration {
    let keys = keys.merging(["transport": transport.rawValue]) { $1 }
    return SidecarConfiguration(.init("iris", url: service.url(path), keys), server: server)
}

/// The data of an event; fails the test when there is none.
func data(_ event: JSON?, sourceLocation: SourceLocation = #_sourceLocation) throws -> JSON {
    try #require(event?["data"], sourceLocation: sourceLocation)
}

/// A Model Service that answers every POST alike.
func modelService(_ json: String, headers: HTTPHeaders = [:]) throws -> FakeModelService {
    try FakeModelService { _ in .json(json, headers: headers) }
}

/// Answers of Model Services, one for each protocol, and one Prediction each.
enum Sample {
    static let native = #"{"value":{"label":"setosa"},"modelName":"iris","modelVersion":"3","timeTakenInMs":4.1}"#
    static let v1 = #"{"predictions":[{"label":"setosa"}]}"#
    static let v2 = """
        {"model_name":"iris","model_version":"3","id":"x",\
        "outputs":[{"name":"label","shape":[1],"datatype":"BYTES","data":["setosa"]}]}
        """
    static let raw = #"{"label":"setosa"}"#
}

extension Reply: CustomTestStringConvertible {
    /// Its steps, long ones cut.
    public var testDescription: String {
        steps.map { step in
            switch step {
            case .send(let bytes): "send \(String(decoding: bytes.prefix(60), as: UTF8.self).debugDescription)"
            case .drip(let bytes): "drip \(String(decoding: bytes.prefix(60), as: UTF8.self).debugDescription)"
            case .fill(let count): "fill \(count)"
            case .wait: "wait"
            case .acknowledge: "acknowledge"
            case .waitForBytes: "wait for bytes"
            case .hang: "hang"
            case .run: "run"
            case .close: "close"
            case .reset: "reset"
            }
        }.joined(separator: ", ")
    }
}
