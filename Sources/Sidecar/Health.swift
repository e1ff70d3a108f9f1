import ArgumentParser
import Gateway

/// `ameron-sidecar health`.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask the Sidecar that runs with this configuration whether it is well.",
        discussion: """
            For the health checks of containers, which then need no other program. Exits with 1 when it is not well, or does
            not answer.

            Example: ameron-sidecar health --ready
            """
    )

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Whether it is ready for requests (/readyz), not only alive (/livez).")
    var ready = false

    @Option(
        help: ArgumentHelp("How long to wait for the answer (default: 2s)", valueName: "duration"),
        transform: parseDuration
    )
    var timeout: Duration = .seconds(2)

    func run() throws {
        let code = HealthTool.run(try options.load(), ready: ready, timeout: timeout)
        if code != 0 { throw ExitCode(code) }
    }
}
