/// Where a value lives in the Configuration, the index being that of a list element.
struct ConfigurationPlace<Value: Sendable>: Sendable {
    typealias Path<Root> = any WritableKeyPath<Root, Value> & Sendable

    /// The value where nothing is written.
    let defaultValue: Value
    /// Hands the value over to be changed; does nothing where the list element is of a type that has no such value.
    let modify: @Sendable (inout Configuration, Int, (inout Value) -> Void) -> Void

    /// Outside of lists.
    static func at(_ path: Path<Configuration>) -> Self {
        Self(defaultValue: Configuration()[keyPath: path], modify: { $2(&$0[keyPath: path]) })
    }

    static func model(_ path: Path<Configuration.Model>) -> Self {
        Self(defaultValue: Configuration.Model()[keyPath: path], modify: { $2(&$0.models[$1][keyPath: path]) })
    }

    static func file(_ path: Path<Configuration.Reporter.File>) -> Self {
        reporter(\.file, path, default: Configuration.Reporter.File())
    }

    static func kafka(_ path: Path<Configuration.Reporter.Kafka>) -> Self {
        reporter(\.kafka, path, default: Configuration.Reporter.Kafka())
    }

    static func http(_ path: Path<Configuration.Reporter.HTTP>) -> Self {
        reporter(\.http, path, default: Configuration.Reporter.HTTP())
    }

    /// Of the Kafka Provider, which is there as soon as one of its values is written.
    static func kafkaProvider(_ path: Path<Configuration.Providers.Kafka>) -> Self {
        Self(
            defaultValue: Configuration.Providers.Kafka()[keyPath: path],
            modify: { configuration, _, change in
                var kafka = configuration.providers.kafka ?? Configuration.Providers.Kafka()
                change(&kafka[keyPath: path])
                configuration.providers.kafka = kafka
            }
        )
    }

    /// In either place: a value that two types of Reporter have.
    func or(_ other: Self) -> Self {
        Self(
            defaultValue: defaultValue,
            modify: {
                modify(&$0, $1, $2)
                other.modify(&$0, $1, $2)
            }
        )
    }

    private static func reporter<Kind>(
        _ kind: any WritableKeyPath<Configuration.Reporter, Kind?> & Sendable,
        _ path: Path<Kind>,
        default values: Kind
    ) -> Self {
        Self(
            defaultValue: values[keyPath: path],
            modify: { configuration, index, change in
                guard var values = configuration.reporting.reporters[index][keyPath: kind] else { return }
                change(&values[keyPath: path])
                configuration.reporting.reporters[index][keyPath: kind] = values
            }
        )
    }
}

extension ConfigurationPlace<String> {
    /// For a text that may be empty: the empty text is the same as "not set".
    var emptyAsNil: ConfigurationPlace<String?> {
        ConfigurationPlace<String?>(
            defaultValue: defaultValue.isEmpty ? nil : defaultValue,
            modify: { configuration, index, change in
                modify(&configuration, index) { text in
                    var optional: String? = text.isEmpty ? nil : text
                    change(&optional)
                    text = optional ?? ""
                }
            }
        )
    }
}

/// The values of each type of Reporter; nil where the Reporter is of another one.
extension Configuration.Reporter {
    fileprivate var file: File? {
        get { if case .file(let values) = self { values } else { nil } }
        set { if let newValue { self = .file(newValue) } }
    }

    var kafka: Kafka? {
        get { if case .kafka(let values) = self { values } else { nil } }
        set { if let newValue { self = .kafka(newValue) } }
    }

    fileprivate var http: HTTP? {
        get { if case .http(let values) = self { values } else { nil } }
        set { if let newValue { self = .http(newValue) } }
    }
}
