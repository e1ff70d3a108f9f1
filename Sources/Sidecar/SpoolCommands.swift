import ArgumentParser
import Gateway

/// `ameron-sidecar spool`.
struct SpoolCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "spool",
        abstract: "Look into a spool, take events out of it, forget a Reporter's place in it.",
        discussion: """
            A Sidecar refuses to start where events wait for a Reporter that is not there any more, or leads elsewhere. These
            commands tell what waits, and say how it is to go on.

            Example: ameron-sidecar spool list --config ameron-sidecar.yaml
            """,
        subcommands: [ListSpool.self, ExportSpool.self, ForgetSpool.self]
    )
}

/// Which spool is meant.
struct SpoolOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The spool's directory; without it, the one of the configuration.", valueName: "directory")
    )
    var path: String?

    @OptionGroup var options: ConfigurationOptions

    func directory() throws -> String { try path ?? options.load().reporting.spool.path }
}

/// `ameron-sidecar spool list`.
struct ListSpool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Show each Reporter's events that wait, and where they are to go.",
        discussion: """
            Also while a Sidecar runs.

            Example: ameron-sidecar spool list --path /var/lib/ameron-sidecar/spool
            """
    )

    @OptionGroup var spool: SpoolOptions

    func run() throws { throw ExitCode(SpoolTool.list(try spool.directory())) }
}

/// `ameron-sidecar spool export`.
struct ExportSpool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the events that wait for a Reporter, as JSON lines.",
        discussion: """
            They stay in the spool. Exits with 1 where some cannot be read.

            Example: ameron-sidecar spool export http-2 --output waiting.jsonl
            """
    )

    @Argument(help: "The Reporter's name.")
    var name: String

    @Option(
        help: ArgumentHelp("A file, which must not be there yet; without it, standard output.", valueName: "file"),
        completion: .file()
    )
    var output: String?

    @OptionGroup var spool: SpoolOptions

    func run() throws { throw ExitCode(SpoolTool.export(try spool.directory(), name: name, output: output)) }
}

/// `ameron-sidecar spool forget`.
struct ForgetSpool: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Take a Reporter's place out of the spool.",
        discussion: """
            What waits for no other Reporter is lost at the next start, unless one of that name is configured: that one is new
            then, and gets all that is stored. With --keep-place what waits goes to where the name leads at the next start.

            Example: ameron-sidecar spool forget http-2 --keep-place
            """
    )

    @Argument(help: "The Reporter's name.")
    var name: String

    @Flag(help: "Forget only where it leads, not what waits for it.")
    var keepPlace = false

    @OptionGroup var spool: SpoolOptions

    func run() throws { throw ExitCode(SpoolTool.forget(try spool.directory(), name: name, keepsPlace: keepPlace)) }
}
