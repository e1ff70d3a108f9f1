import ArgumentParser
import Gateway

/// `ameron-sidecar validate`.
struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the configuration without serving.",
        discussion: """
            Takes file, environment and options as serve does, so it tells what serve would do.

            Example: ameron-sidecar validate --config ameron-sidecar.yaml

            Prints all problems on standard error and exits with 78 where there are any.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.load()
        print("configuration ok")
        for line in configuration.summary { print(line) }
    }
}
