import ArgumentParser
import Gateway

/// What was probably meant by a command line that cannot be used.
enum CommandLineHint {
    /// Words of other programs for our subcommands.
    private static let commands: [String: String] = [
        "server": "serve", "start": "serve", "run": "serve", "up": "serve", "daemon": "serve", "sidecar": "serve",
        "proxy": "serve", "check": "validate", "test": "validate", "lint": "validate", "verify": "validate",
        "config": "configuration", "conf": "configuration", "keys": "configuration", "reference": "configuration",
        "status": "health", "ping": "health", "healthz": "health", "healthcheck": "health", "ready": "health --ready",
        "model": "example-model", "example": "example-model", "demo": "example-model", "kafka": "dev-kafka",
        "broker": "dev-kafka", "tail": "events", "watch": "events", "listen": "events", "consume": "events",
        "predict": "ask", "request": "ask", "send": "ask", "version": "--version", "-v": "--version",
    ]

    /// Options of other programs for ours.
    private static let options: [String: String] = [
        "--configuration": "--config FILE", "--config-file": "--config FILE", "--configfile": "--config FILE",
        "--file": "--config FILE", "-f": "--config FILE", "--cfg": "--config FILE",
        "-p": "--port PORT", "--listen-port": "--port PORT", "--http-port": "--port PORT",
        "--listen": "--host ADDRESS --port PORT", "--bind": "--host ADDRESS --port PORT", "-b": "--host ADDRESS",
        "--address": "--host ADDRESS", "--addr": "--host ADDRESS",
        "--workers": "--shards NUMBER", "-w": "--shards NUMBER", "--threads": "--shards NUMBER",
        "-m": "--model NAME=URL", "--models": "--model NAME=URL", "--backend": "--model NAME=URL",
        "--upstream": "--model NAME=URL", "--target": "--model NAME=URL", "--url": "--model NAME=URL",
        "--protocol": "--model NAME:PROTOCOL=URL", "--timeout": "--set models.0.timeout=2s",
        "-d": "--log-level debug", "--debug": "--log-level debug", "--verbose": "--log-level debug",
        "--level": "--log-level LEVEL", "-l": "--log-level LEVEL", "--quiet": "--log-level error",
        "-q": "--log-level error",
        "--json": "--log-format json", "-v": "--version", "-V": "--version", "-s": "--set KEY=VALUE",
        "--env": "AMERON_ variables, which are read by themselves",
    ]

    /// The rest of the first line of the message; nil: nothing is known.
    ///
    /// - Parameters:
    ///   - message: the argument parser's.
    ///   - arguments: without the program's name.
    static func text(for message: String, _ arguments: [String]) -> String? {
        if let option = quoted(in: message, after: "Unknown option ") {
            let name = String(option.prefix { $0 != "=" })
            return options[name].map { "write \($0)" }
        }
        guard let word = quoted(in: message, after: "Unexpected argument ") else { return nil }
        if word.hasSuffix(".yaml") || word.hasSuffix(".yml") { return "write --config \(word)" }
        if word.contains("=") { return "write --model \(word), or --set \(word)" }
        guard arguments.first == word else { return nil }
        let names = Sidecar.configuration.subcommands.map { $0._commandName }
        if let meant = commands[word.lowercased()] ?? Suggestion.nearest(to: word, in: names) {
            return "did you mean '\(meant)'?"
        }
        return "commands are \(names.joined(separator: ", "))"
    }

    /// What stands in quotes after these words.
    private static func quoted(in text: String, after words: String) -> String? {
        let pieces = text.split(separator: "'", omittingEmptySubsequences: false)
        guard pieces.count > 2, pieces[0].hasSuffix(words) else { return nil }
        return String(pieces[1])
    }
}
