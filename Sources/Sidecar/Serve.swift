import ArgumentParser
import Gateway

/// `ameron-sidecar serve`, which is also what runs without a subcommand.
struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve predictions (the default).",
        discussion: """
            Values come from the file, then AMERON_* environment variables, then these options; the later ones win. \
            An option of its own wins over --set.

            Example: ameron-sidecar serve --model iris=http://127.0.0.1:9090/predict/iris --port 8080

            Exits with 64 when the command line, and with 78 when the configuration cannot be used.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        throw ExitCode(Gateway.run(try options.load()))
    }
}
