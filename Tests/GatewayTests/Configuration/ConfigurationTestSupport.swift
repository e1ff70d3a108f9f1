@testable import Gateway

/// A configuration that can be served, for tests that look at one key.
let minimalYAML = """
    models:
      - name: iris
        url: http://127.0.0.1:9090/predict
    reporting:
      reporters:
        - type: file
          path: a.jsonl
    """

func load(
    _ yaml: String?,
    environment: [String: String] = [:],
    models: [String] = [],
    set: [(String, String)] = []
) throws(ConfigurationError) -> Configuration {
    var flags = ConfigurationFlags()
    flags.models = models.compactMap { ConfigurationFlags.Model(text: $0) }
    flags.settings = set.map { .init(key: $0.0, value: $0.1, flag: "--set") }
    return try ConfigurationLoader(environment: environment, flags: flags)
        .load(yaml: yaml.map { Array($0.utf8) }, named: "test.yaml")
}

/// The lines of the error that `load` throws, without columns of the file (ConfigurationMistakeTests has those); empty
/// where it throws none.
func problems(
    _ yaml: String?,
    environment: [String: String] = [:],
    models: [String] = [],
    set: [(String, String)] = []
) -> [String] {
    do {
        _ = try load(yaml, environment: environment, models: models, set: set)
        return []
    } catch {
        return error.problems.map { problem in
            guard case .file(let path, let line?, _?) = problem.source else { return problem.description }
            return "\(path):\(line)" + problem.description.dropFirst(problem.source.description.count)
        }
    }
}
