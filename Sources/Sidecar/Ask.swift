import ArgumentParser
import Gateway

/// `ameron-sidecar ask`.
struct Ask: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask for a prediction over Kafka and print the reply.",
        discussion: """
            Exits with 1 when the reply is a failure, and with 2 when none comes in time.

            Example: ameron-sidecar ask --model iris '{"features":[5.1,3.5,1.4,0.2]}'
            """
    )

    @OptionGroup var kafka: KafkaOptions

    @Option(help: "The topic of the requests.")
    var topic = "prediction-requests"

    @Option(help: "The topic of the replies.")
    var replyTopic = "prediction-replies"

    @Option(help: ArgumentHelp("Which model to ask.", valueName: "name"))
    var model: String?

    @Option(help: "Which version of it.")
    var version: String?

    @Option(
        help: "How the request is written: \(faces.joined(separator: ", ")).",
        completion: .list(faces),
        transform: parseFace
    )
    var face: Configuration.Providers.Kafka.Face?

    @Flag(help: "Print a streamed answer as it comes.")
    var stream = false

    @Option(
        help: ArgumentHelp("How long to wait for the reply (default: 30s)", valueName: "duration"),
        transform: parseDuration
    )
    var timeout: Duration = .seconds(30)

    @Option(
        help: ArgumentHelp("One more header of the request (repeatable).", valueName: "name=value"),
        transform: parsePair
    )
    var header: [NamedValue] = []

    @Argument(help: ArgumentHelp("The request; -: from standard input.", valueName: "json"))
    var body: String

    func run() throws {
        var options = KafkaAskTool.Options()
        options.kafka = kafka.settings
        options.topic = topic
        options.replyTopic = replyTopic
        options.model = model
        options.version = version
        options.face = face?.rawValue
        options.inParts = stream
        options.timeout = timeout
        options.headers = header.map { ($0.name, $0.value) }
        options.body = body
        throw ExitCode(KafkaAskTool.run(options))
    }
}

private let faces = Configuration.Providers.Kafka.Face.allCases.map(\.rawValue)

@Sendable private func parseFace(_ text: String) throws -> Configuration.Providers.Kafka.Face {
    guard let face = Configuration.Providers.Kafka.Face(rawValue: text) else {
        throw ValidationError("allowed: \(faces.joined(separator: ", "))")
    }
    return face
}
