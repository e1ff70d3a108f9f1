import Foundation
import TestSupport

/// A way to ask and to report, of which the cost is measured.
enum Case: String, CaseIterable, Sendable {
    case restOnly = "rest"
    case restFile = "rest-file"
    case restFileV2 = "rest-file-v2"
    case restFileCapture = "rest-file-capture"
    case restHTTP = "rest-http"
    case restKafka = "rest-kafka"
    case restSpool = "rest-kafka-at-least-once"
    case kafka = "kafka"
    case kafkaSpool = "kafka-kafka-at-least-once"

    static let question = #"{"id":"q","instances":[[5.1,3.5,1.4,0.2],[6.7,3.0,5.2,2.3]]}"#
    /// Two Predictions.
    static let native = """
        {"predictions":[{"modelName":"rotate","modelVersion":"3","timeTakenInMs":4.125,"value":90},\
        {"modelName":"digits","modelVersion":"7","timeTakenInMs":11.875,"value":{"label":"4","score":0.98}}]}
        """

    /// How many Predictions an answer has: as its shape says, or the two of `native`.
    static func rows(of answer: String) -> Int {
        guard let shape = answer.firstMatch(of: #/"shape":\[(\d+)/#) else { return 2 }
        return Int(shape.output.1) ?? 0
    }

    /// An Open Inference Protocol answer of so many rows.
    static func v2(rows: Int) -> String {
        let data = (0..<rows).map { "\($0 % 3)" }.joined(separator: ",")
        return """
            {"model_name":"iris","model_version":"1","id":"x","outputs":\
            [{"name":"predict","shape":[\(rows)],"datatype":"INT64","data":[\(data)]}]}
            """
    }

    var isOverKafka: Bool { self == .kafka || self == .kafkaSpool }
    var answer: String { self == .restFileV2 ? Self.v2(rows: 2) : Self.native }

    var request: HTTPRequest {
        .post(self == .restFileV2 ? "/v2/models/iris/infer" : "/predictions/iris", json: Self.question)
    }

    private var reporting: [String] {
        switch self {
        case .restFileCapture: ["  capture: body"]
        case .restSpool, .kafkaSpool: ["  delivery: at-least-once"]
        default: []
        }
    }

    private func reporters(_ directory: TemporaryDirectory, _ kafka: KafkaQuestions, eventsURL: String) -> [String] {
        switch self {
        case .restOnly, .kafka: []
        case .restFile, .restFileV2, .restFileCapture:
            ["    - type: file", "      path: \"\(directory.file("events.jsonl"))\""]
        case .restHTTP: ["    - type: http", "      url: \"\(eventsURL)\""]
        case .restKafka, .restSpool, .kafkaSpool:
            ["    - type: kafka", "      brokers: \"\(kafka.brokers)\"", "      topic: \(KafkaQuestions.events)"]
        }
    }

    /// The text of the Sidecar's configuration file.
    func yaml(
        _ model: SteadyModel,
        _ directory: TemporaryDirectory,
        _ kafka: KafkaQuestions,
        eventsURL: String
    ) -> String {
        var lines = ["server: { port: 0, shards: 1 }", "models:", "  - name: iris", "    url: \"\(model.url)\""]
        lines.append("    protocol: \(self == .restFileV2 ? "v2" : "native")")
        lines.append("reporting:")
        lines += reporting
        lines.append("  spool: { path: \"\(directory.file("spool"))\" }")
        let reporters = reporters(directory, kafka, eventsURL: eventsURL)
        lines += reporters.isEmpty ? ["  reporters: []"] : ["  reporters:"] + reporters
        if isOverKafka { lines += kafka.providerLines }
        return lines.joined(separator: "\n") + "\n"
    }
}

/// A Sidecar at work on a case, with all that it needs.
final class Rig {
    let sidecar: SidecarProcess
    let directory = TemporaryDirectory()
    private let steady: Case
    private let answer: String
    private let model: SteadyModel
    private let kafka: KafkaQuestions
    private let receiver: FakeEventReceiver
    private var load: (clients: Int, load: SteadyLoad)?
    /// Where the file of events has been read to.
    private var fileBytes = 0
    private var fileEvents = 0
    private var wanted = 0

    /// - Parameters:
    ///   - answer: the Model Service's, in place of the case's own.
    ///   - environment: given what lies in the rig's own folder.
    init(
        _ steady: Case,
        answer: String? = nil,
        through wrapper: (TemporaryDirectory) -> [String] = { _ in [] },
        environment: (TemporaryDirectory) -> [String: String] = { _ in [:] }
    ) throws {
        self.steady = steady
        self.answer = answer ?? steady.answer
        model = try SteadyModel(self.answer)
        kafka = try KafkaQuestions()
        receiver = try FakeEventReceiver()
        let yaml = steady.yaml(model, directory, kafka, eventsURL: receiver.url)
        sidecar = try SidecarProcess(
            arguments: ["--config", try directory.write(yaml, to: "sidecar.yaml")],
            through: wrapper(directory),
            environment: environment(directory),
            directory: directory
        )
        guard try sidecar.becomesReady() else { throw TestFailure("the Sidecar does not become ready") }
    }

    /// So many clients ask together, again and again; returns when their events are where they belong, too.
    func run(clients: Int, rounds: Int) throws {
        if steady.isOverKafka {
            try kafka.run(rounds: rounds, each: clients)
        } else {
            if load?.clients != clients {
                model.setParties(clients)
                load = (clients, try SteadyLoad(port: sidecar.port, connections: clients, steady.request))
            }
            try load?.load.run(rounds: rounds)
        }
        wanted += clients * rounds * Case.rows(of: answer)
        // Seen where they go to: to ask the Sidecar would be a request too.
        guard eventually({ reported >= wanted }) else {
            throw TestFailure("\(reported) of \(wanted) events were reported")
        }
    }

    /// How many events have come to where they are reported.
    private var reported: Int {
        switch steady {
        case .restOnly, .kafka: return wanted
        case .restHTTP: return receiver.events.count
        case .restKafka, .restSpool, .kafkaSpool: return kafka.reportedEvents()
        case .restFile, .restFileV2, .restFileCapture:
            guard let file = FileHandle(forReadingAtPath: directory.file("events.jsonl")) else { return 0 }
            try? file.seek(toOffset: UInt64(fileBytes))
            let more = file.readDataToEndOfFile()
            fileBytes += more.count
            fileEvents += more.reduce(0) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
            return fileEvents
        }
    }
}
