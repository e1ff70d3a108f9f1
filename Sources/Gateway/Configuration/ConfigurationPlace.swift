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
