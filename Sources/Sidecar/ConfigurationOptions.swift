import ArgumentParser
import Gateway

/// The options from which `serve` and `validate` make a configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.long, .customShort("c")],
        help: ArgumentHelp("The YAML file; without it, the one that AMERON_CONFIG names.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var config: String?

    @Option(help: "The address or name to listen on; server.host.")
    var host: String?

    @Option(help: "The port to listen on, 0: any free port; server.port.")
    var port: String?

    @Option(help: "How many threads serve, 0: one per core; server.shards.")
    var shards: String?

    @Option(
        help: ArgumentHelp("A value for any key, such as models.0.timeout=5s (repeatable).", valueName: "key=value"),
        transform: parseSetting
    )
    var set: [ConfigurationFlags.Setting] = []

    @Option(
        help: ArgumentHelp(
            "One more model, NAME=URL or NAME:PROTOCOL=URL, with one of \(protocols) (repeatable).",
            valueName: "name=url"
        ),
        transform: parseModel
    )
    var model: [ConfigurationFlags.Model] = []

    @Option(
        help: "trace, debug, info, notice, warning, error or critical; log.level.",
        completion: .list(Configuration.Log.Level.allCases.map(\.rawValue))
    )
    var logLevel: String?

    @Option(
        help: "text, json, or auto: text on a terminal, JSON elsewhere; log.format.",
        completion: .list(Configuration.Log.Format.allCases.map(\.rawValue))
    )
    var logFormat: String?

    /// The configuration; prints what is wrong with it and exits where there is none.
    func load() throws -> Configuration {
        let loader = ConfigurationLoader(file: config, flags: flags)
        return try orExit { () throws(ConfigurationError) in try loader.load() }
    }

    /// The same, and what comes of trying it on this machine, unless it is for another.
    func check(here: Bool) throws -> Preflight.Report {
        let loader = ConfigurationLoader(file: config, flags: flags)
        return try orExit { () throws(ConfigurationError) in try Preflight.run(loader, here: here) }
    }

    private func orExit<Result>(_ body: () throws(ConfigurationError) -> Result) throws -> Result {
        do throws(ConfigurationError) {
            return try body()
        } catch {
            StandardError.print(error.description)
            throw ExitCode(Preflight.end(ConfigurationError.exitCode))
        }
    }

    /// The values are passed on as text: the Gateway's table of keys alone knows what they may be.
    private var flags: ConfigurationFlags {
        var flags = ConfigurationFlags()
        flags.models = model
        flags.settings = set
        flags.set("server.host", to: host)
        flags.set("server.port", to: port)
        flags.set("server.shards", to: shards)
        flags.set("log.level", to: logLevel)
        flags.set("log.format", to: logFormat)
        return flags
    }
}

@Sendable private func parseSetting(_ text: String) throws -> ConfigurationFlags.Setting {
    guard let setting = ConfigurationFlags.Setting(text: text) else {
        throw ValidationError("write it as KEY=VALUE, such as server.port=8080")
    }
    return setting
}

@Sendable private func parseModel(_ text: String) throws -> ConfigurationFlags.Model {
    guard let model = ConfigurationFlags.Model(text: text) else {
        throw ValidationError("write it as NAME=URL or NAME:PROTOCOL=URL, such as iris:v2=http://127.0.0.1:9090/v2")
    }
    return model
}

private let protocols = Configuration.Model.ServiceProtocol.allCases.map(\.rawValue).joined(separator: ", ")
