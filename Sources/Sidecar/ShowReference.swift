import ArgumentParser
import Gateway

/// `ameron-sidecar configuration`.
struct ShowReference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "configuration",
        abstract: "Print the reference of all configuration keys.",
        discussion: """
            As Markdown: each key with its type, default, limits, environment variable and meaning, as this very program
            takes it.

            Example: ameron-sidecar configuration | less
            """
    )

    func run() { print(ConfigurationReference.markdown, terminator: "") }
}
