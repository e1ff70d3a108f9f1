import ArgumentParser
import Gateway

/// `ameron-sidecar example-model`.
struct RunExampleModel: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "example-model",
        abstract: "Run a small Model Service to try things out with.",
        discussion: """
            Example: ameron-sidecar example-model --port 9090 --protocol v2 --delay 5ms --fail-rate 0.1
            """
    )

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0: any free port.")
    var port = 9090

    @Option(
        name: .customLong("protocol"),
        help: ArgumentHelp("What it speaks: \(protocols).", valueName: "protocol"),
        completion: .list(ExampleModelOptions.protocols.map(\.rawValue)),
        transform: parseProtocol
    )
    var serviceProtocol: Configuration.Model.ServiceProtocol = .native

    @Option(
        help: ArgumentHelp("How long each answer waits, such as 5ms (default: 0s)", valueName: "duration"),
        transform: parseDelay
    )
    var delay: Duration = .zero

    @Option(help: ArgumentHelp("The share of requests that fail, from 0 to 1.", valueName: "share"))
    var failRate = 0.0

    func validate() throws {
        if host.isEmpty { throw ValidationError("--host is empty") }
        if !(0...65_535).contains(port) {
            throw ValidationError("--port '\(port)' is out of range; allowed: 0 to 65535")
        }
        if !(0...1).contains(failRate) {
            throw ValidationError("--fail-rate '\(failRate)' is out of range; allowed: 0 to 1")
        }
    }

    func run() throws {
        var options = ExampleModelOptions()
        options.host = host
        options.port = port
        options.protocol = serviceProtocol
        options.delay = delay
        options.failRate = failRate
        throw ExitCode(ExampleModel.run(options))
    }
}

private var protocols: String { ExampleModelOptions.protocols.map(\.rawValue).joined(separator: ", ") }

@Sendable private func parseProtocol(_ text: String) throws -> Configuration.Model.ServiceProtocol {
    let word = Configuration.Model.ServiceProtocol(rawValue: text)
    guard let word, ExampleModelOptions.protocols.contains(word) else {
        throw ValidationError("allowed: \(protocols)")
    }
    return word
}

@Sendable private func parseDelay(_ text: String) throws -> Duration {
    text == "0" ? .zero : try parseDuration(text)
}
