import ArgumentParser
import Gateway

/// `ameron-sidecar events`.
struct FollowEvents: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show prediction events from Kafka as they come.",
        discussion: """
            One line per event: time, model, request id, milliseconds in the model, status, value.

            Example: ameron-sidecar events --topic predictions --model iris --from-beginning
            """
    )

    @OptionGroup var kafka: KafkaOptions

    @Option(help: "The topic of the events.")
    var topic = "predictions"

    @Flag(name: .customLong("json"), help: "Print each event as a JSON object on one line.")
    var asJSON = false

    @Option(help: ArgumentHelp("Only the events of this model.", valueName: "name"))
    var model: String?

    @Flag(help: "Begin with the oldest event, not with the next one.")
    var fromBeginning = false

    @Option(help: ArgumentHelp("End after so many events.", valueName: "number"))
    var count: Int?

    func validate() throws {
        if topic.isEmpty { throw ValidationError("--topic is empty") }
        if let count, count < 1 { throw ValidationError("--count '\(count)' is out of range; allowed: 1 and more") }
    }

    func run() throws {
        var options = KafkaEventsTool.Options()
        options.kafka = kafka.settings
        options.topic = topic
        options.asJSON = asJSON
        options.model = model
        options.fromBeginning = fromBeginning
        options.count = count
        throw ExitCode(KafkaEventsTool.run(options))
    }
}
