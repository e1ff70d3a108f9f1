/// Puts the configuration together: defaults < YAML file < environment < flags.
///
/// A value that a later layer replaces is not looked at; an unknown key is an error in every layer.
public struct ConfigurationLoader: Sendable {
    /// Names the file where no flag does.
    public static let fileVariable = "AMERON_CONFIG"

    private static let maxFileBytes = 1 << 20

    /// nil: what AMERON_CONFIG names, if anything.
    public var file: String?
    public var environment: [String: String]
    public var flags: ConfigurationFlags

    /// The environment is that of the process where none is given.
    public init(
        file: String? = nil,
        environment: [String: String]? = nil,
        flags: ConfigurationFlags = ConfigurationFlags()
    ) {
        self.file = file
        self.environment = environment ?? ProcessEnvironment.all()
        self.flags = flags
    }

    /// Reads, merges and checks everything; throws all problems at once.
    public func load() throws(ConfigurationError) -> Configuration { try load { _ in [] } }

    /// The same with findings of the caller's own, made on what could be read.
    func load(_ findings: (Configuration) -> [ConfigurationFinding]) throws(ConfigurationError) -> Configuration {
        let path = file ?? environment[Self.fileVariable].flatMap { $0.isEmpty ? nil : $0 }
        guard let path else { return try load(yaml: nil, named: "", findings) }
        let yaml: [UInt8]
        do throws(FileReader.Failure) {
            yaml = try FileReader.read(path, limit: Self.maxFileBytes)
        } catch {
            throw ConfigurationError([
                .init(.file(path, line: nil, column: nil), key: "", "cannot be read: \(error.reason)")
            ])
        }
        return try load(yaml: yaml, named: path, findings)
    }

    /// The same with the bytes of the file.
    func load(
        yaml: [UInt8]?,
        named path: String,
        _ findings: (Configuration) -> [ConfigurationFinding] = { _ in [] }
    ) throws(ConfigurationError) -> Configuration {
        var settings = ConfigurationSettings()
        if let yaml {
            settings.origin = .file(path, line: nil, column: nil)
            do throws(YAMLError) {
                if let root = try YAMLParser.parse(yaml) { settings.add(root, file: path) }
            } catch {
                let place = ConfigurationError.Source.file(path, line: error.line, column: error.column)
                let hint = YAMLHint.text(for: error, in: yaml).map { "; \($0)" } ?? ""
                throw ConfigurationError([
                    .init(place, key: "", "not a YAML file that can be used: \(error.message)\(hint)")
                ])
            }
        }
        settings.add(environment: environment)
        settings.add(flags)

        let configuration = settings.apply(SecretReferences(environment: environment))
        settings.check(configuration)
        settings.report(findings(configuration))
        if settings.problems.isEmpty { return configuration }
        throw ConfigurationError(settings.problems.inOrder())
    }
}

extension [ConfigurationError.Problem] {
    /// File by line, environment, flags, the rest; in the order found within each.
    fileprivate func inOrder() -> Self {
        func rank(_ source: ConfigurationError.Source) -> (Int, Int, Int, String) {
            switch source {
            case .file(_, let line, let column): (0, line ?? 0, column ?? 0, "")
            case .environment(let name): (1, 0, 0, name)
            case .flag: (2, 0, 0, "")
            case .none: (3, 0, 0, "")
            }
        }
        return enumerated().sorted {
            let (first, second) = (rank($0.element.source), rank($1.element.source))
            return first == second ? $0.offset < $1.offset : first < second
        }.map(\.element)
    }
}
