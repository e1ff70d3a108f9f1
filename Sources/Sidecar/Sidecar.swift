import ArgumentParser
import Gateway

/// The command line: arguments become values, and the Gateway does the work.
@main
struct Sidecar: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ameron-sidecar",
        abstract: "A gateway in front of machine learning model services that reports every prediction.",
        discussion: """
            Examples:
              ameron-sidecar --model iris=http://127.0.0.1:9090/predict/iris
              ameron-sidecar --config ameron-sidecar.yaml
            """,
        version: Version.description,
        subcommands: [
            Serve.self, Validate.self, ShowReference.self, Health.self, RunExampleModel.self, RunDevKafka.self,
            FollowEvents.self, Ask.self, SpoolCommands.self,
        ],
        defaultSubcommand: Serve.self
    )

    /// As the argument parser's own, with a word on what was probably meant.
    static func main() {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let arguments = Array(CommandLine.arguments.dropFirst())
            guard let hint = CommandLineHint.text(for: message(for: error), arguments) else { exit(withError: error) }
            var lines = fullMessage(for: error).split(separator: "\n", omittingEmptySubsequences: false)
            if !lines.isEmpty { lines[0] += "; \(hint)" }
            StandardError.print(lines.joined(separator: "\n"))
            exit(withError: exitCode(for: error))
        }
    }
}
