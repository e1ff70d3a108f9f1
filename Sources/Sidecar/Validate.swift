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
        print("listen on \(configuration.server.host) port \(configuration.server.port)")
        for model in configuration.models {
            let version = model.version.map { " version \($0)" } ?? ""
            print("model \(model.name)\(version): \(model.protocol.rawValue) at \(model.url)")
        }
        for reporter in configuration.reporting.reporters {
            switch reporter {
            case .file(let file): print("reporter file: \(file.path)")
            case .kafka(let kafka): print("reporter kafka: topic \(kafka.topic) at \(kafka.brokers)")
            case .http(let http): print("reporter http: \(http.mode.rawValue) to \(http.url)")
            }
        }
        if configuration.reporting.reporters.isEmpty { print("no reporters: predictions are not reported") }
    }
}
