import ArgumentParser
import Gateway

/// `ameron-sidecar validate`.
struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check the configuration without serving.",
        discussion: """
            Takes file, environment and options as serve does, so it tells what serve would do. It tries what serve would open, \
            files, directories, the address, librdkafka's properties, and leaves no trace.

            Example: ameron-sidecar validate --config ameron-sidecar.yaml

            Prints all problems on standard error and exits with 78 where there are any. Else it prints what serve would do, and \
            what it may come to hold at most: memory, disk, descriptors, time.
            """
    )

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "For another machine: look at no file, address or limit of this one.")
    var elsewhere = false

    func run() throws {
        let report = try options.check(here: !elsewhere)
        var lines = ["configuration ok"] + report.summary + ["", "at most:"] + report.bounds.table.map { "  \($0)" }
        if !report.notes.isEmpty { lines.append("") }
        lines += report.notes.map { "note: \($0)" }
        StandardOutput.print(lines.joined(separator: "\n"))
        throw ExitCode(Preflight.end(0))
    }
}
