import ArgumentParser
import Gateway

/// The command line: arguments become values, and the Gateway does the work.
@main
struct Sidecar: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ameron-sidecar",
        abstract: "A gateway in front of machine learning model services that reports every prediction.",
        discussion: """
            Example: ameron-sidecar --config ameron-sidecar.yaml
            """,
        version: Version.description,
        subcommands: [
            Serve.self, Validate.self, ShowReference.self, Health.self, RunExampleModel.self, RunDevKafka.self,
            FollowEvents.self, Ask.self, SpoolCommands.self,
        ],
        defaultSubcommand: Serve.self
    )
}
