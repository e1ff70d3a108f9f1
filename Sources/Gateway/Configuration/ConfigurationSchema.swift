/// All keys that can be set: the one table that files, environment, flags and documentation go by.
public enum ConfigurationSchema {
    /// In the order of the documentation; `type` comes before the keys that depend on it.
    public static let keys: [ConfigurationKey] =
        Configuration.Server.keys + Configuration.Model.keys + Configuration.Reporting.keys + reporters
        + Configuration.Providers.kinds.flatMap { $0.keys } + Configuration.UI.keys + Configuration.Log.keys

    static let maxSize = 1 << 40
    static let hour: Duration = .seconds(3_600)
    static let day: Duration = .seconds(86_400)
}
