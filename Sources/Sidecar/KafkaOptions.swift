import ArgumentParser
import Gateway

/// The options that the Kafka commands have in common.
struct KafkaOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The brokers to begin with.", valueName: "host:port,..."))
    var brokers = "127.0.0.1:9092"

    @Option(
        help: ArgumentHelp(
            "Any setting of librdkafka, such as security.protocol=ssl (repeatable).",
            valueName: "name=value"
        ),
        transform: parsePair
    )
    var property: [NamedValue] = []

    var settings: KafkaToolSettings {
        var settings = KafkaToolSettings()
        settings.brokers = brokers
        settings.properties = property.map { ($0.name, $0.value) }
        return settings
    }
}

/// `name=value` of a repeatable option.
struct NamedValue: Sendable {
    let name: String
    let value: String
}

@Sendable func parsePair(_ text: String) throws -> NamedValue {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty else { throw ValidationError("write it as NAME=VALUE") }
    return NamedValue(name: String(parts[0]), value: String(parts[1]))
}
