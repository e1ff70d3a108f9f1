/// What the configuration says of one kind of Reporter, and all that the start must know of it: its keys, checks, summary,
/// descriptors, bounds, files. One type for each kind, in this folder; `Configuration.Reporter` lists them.
///
/// Whatever walks the Reporters asks this and knows no kind. Who makes one is `ReportingBlueprint`.
protocol ReporterSection: Sendable {
    /// Nothing set.
    init()

    /// The rows that only it has of the table of keys.
    static var keys: [ConfigurationKey] { get }
    /// Itself, as one of the list.
    var reporter: Configuration.Reporter { get }

    /// What it has as every other.
    var common: Configuration.Reporter.Common { get set }
    /// Where it leads, by which the spool knows it again.
    var destination: ReporterDestination { get }
    /// Its line of what the program would do, without anything secret.
    var summary: String { get }

    /// How many descriptors it needs at most.
    var descriptors: Int { get }
    /// How many clients of librdkafka it has.
    var kafkaClients: Int { get }
    /// What it may have on disk at most; nil: nothing.
    ///
    /// - Parameter key: of the Reporter, such as `reporting.reporters.0`.
    func diskBound(_ key: String) -> Bounds.Row?

    /// The file that it alone writes events to, under the key `path`; nil: none.
    var eventPath: String? { get }
    /// Reports what no key can check by itself.
    ///
    /// - Parameter path: of the Reporter, such as `reporting.reporters.0`.
    func check(
        _ path: ConfigurationPath,
        _ delivery: Configuration.Reporting.Delivery,
        _ all: inout ConfigurationSettings
    )
    /// What is wrong, on this machine, with the files without which it does not work.
    ///
    /// - Parameter key: of the Reporter, such as `reporting.reporters.0`.
    func fileFindings(_ key: String) -> [ConfigurationFinding]
}

extension ReporterSection {
    var kafkaClients: Int { 0 }
    func diskBound(_ key: String) -> Bounds.Row? { nil }
    var eventPath: String? { nil }
    func check(
        _ path: ConfigurationPath,
        _ delivery: Configuration.Reporting.Delivery,
        _ all: inout ConfigurationSettings
    ) {}
    func fileFindings(_ key: String) -> [ConfigurationFinding] { [] }
}

/// Of a kind that keeps the events which its destination refuses for good: it has the key `failurePath`.
protocol FailureFileSection: ReporterSection {
    /// Takes these events, each with its cause. Reporters may share it.
    var failurePath: String { get set }
}

extension FailureFileSection {
    /// The file and its predecessor (`FailureFile`).
    private var failureFileBytes: Int { 128 << 20 }

    func diskBound(_ key: String) -> Bounds.Row? {
        Bounds.Row(what: failurePath, most: Bounds.size(failureFileBytes), from: "refused events of \(key)")
    }
}

extension ConfigurationPlace {
    /// Of the Reporters of one kind; nothing is done where the Reporter is of another.
    static func reporter<Kind: ReporterSection>(_ path: Path<Kind>) -> Self {
        Self(
            defaultValue: Kind()[keyPath: path],
            modify: { configuration, index, change in
                guard var section = configuration.reporting.reporters[index].section as? Kind else { return }
                change(&section[keyPath: path])
                configuration.reporting.reporters[index].section = section
            }
        )
    }
}

extension ConfigurationPlace<String> {
    /// Of all kinds that have such a file.
    static var failurePath: Self {
        Self(
            defaultValue: Configuration.Reporter.failurePath,
            modify: { configuration, index, change in
                guard var section = configuration.reporting.reporters[index].section as? any FailureFileSection else {
                    return
                }
                change(&section.failurePath)
                configuration.reporting.reporters[index].section = section
            }
        )
    }
}
