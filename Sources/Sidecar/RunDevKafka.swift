import ArgumentParser
import Gateway

/// `ameron-sidecar dev-kafka`.
struct RunDevKafka: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev-kafka",
        abstract: "Run a stand-in for Kafka to try things out with.",
        discussion: """
            Records are in memory only; there is neither SASL nor TLS, and clients must be on the same machine.

            Example: ameron-sidecar dev-kafka --port 9092 --topic predictions:1
            """
    )

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0: any free port.")
    var port = 9092

    @Option(help: "How many brokers the cluster has.")
    var brokers = 1

    @Option(
        help: ArgumentHelp(
            "A topic to make, with its number of partitions (repeatable).",
            valueName: "name:partitions"
        ),
        transform: parseTopic
    )
    var topic: [DevKafkaOptions.Topic] = []

    func validate() throws {
        if host.isEmpty { throw ValidationError("--host is empty") }
        if !(0...65_535).contains(port) {
            throw ValidationError("--port '\(port)' is out of range; allowed: 0 to 65535")
        }
        if !(1...10).contains(brokers) {
            throw ValidationError("--brokers '\(brokers)' is out of range; allowed: 1 to 10")
        }
    }

    func run() throws {
        var options = DevKafkaOptions()
        options.host = host
        options.port = port
        options.brokers = brokers
        options.topics = topic
        throw ExitCode(DevKafka.run(options))
    }
}

@Sendable private func parseTopic(_ text: String) throws -> DevKafkaOptions.Topic {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, let partitions = Int(parts[1]), (1...1_000).contains(partitions) else {
        throw ValidationError("write it as NAME:PARTITIONS with 1 to 1000 partitions, such as predictions:4")
    }
    return DevKafkaOptions.Topic(name: String(parts[0]), partitions: partitions)
}
