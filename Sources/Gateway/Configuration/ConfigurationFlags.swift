/// What the command line says about the configuration.
public struct ConfigurationFlags: Sendable, Equatable {
    /// One value for one key.
    public struct Setting: Sendable, Equatable {
        /// Such as `models.0.url`.
        public let key: String
        public let value: String
        /// The flag as messages name it, such as `--port`.
        public let flag: String

        public init(key: String, value: String, flag: String) {
            self.key = key
            self.value = value
            self.flag = flag
        }

        /// Takes `KEY=VALUE` of `--set` apart; nil where it is not that.
        public init?(text: String) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else { return nil }
            self.init(key: String(parts[0]), value: String(parts[1]), flag: "--set")
        }
    }

    /// A model to be added after the configured ones.
    public struct Model: Sendable, Equatable {
        public let name: String
        /// nil: the default.
        public let `protocol`: String?
        public let url: String

        public init(name: String, protocol: String? = nil, url: String) {
            self.name = name
            self.protocol = `protocol`
            self.url = url
        }

        /// Takes `NAME=URL` or `NAME:PROTOCOL=URL` apart; nil where it is neither.
        public init?(text: String) {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { return nil }
            guard let colon = parts[0].lastIndex(of: ":") else {
                self.init(name: String(parts[0]), url: String(parts[1]))
                return
            }
            let (name, word) = (parts[0][..<colon], parts[0][parts[0].index(after: colon)...])
            if name.isEmpty || word.isEmpty { return nil }
            self.init(name: String(name), protocol: String(word), url: String(parts[1]))
        }
    }

    /// The keys that have a flag of their own.
    public static let ownFlags = [
        "server.host": "--host", "server.port": "--port", "server.shards": "--shards", "log.level": "--log-level",
        "log.format": "--log-format",
    ]

    public var models: [Model] = []
    /// Taken after `models`, in order; of two for the same key, the later wins.
    public var settings: [Setting] = []

    public init() {}

    /// Takes the value of a flag of its own; nil: it was not given.
    public mutating func set(_ key: String, to value: String?) {
        guard let value else { return }
        settings.append(Setting(key: key, value: value, flag: Self.ownFlags[key] ?? "--set"))
    }
}

extension ConfigurationSettings {
    /// The layer of the command line.
    mutating func add(_ flags: ConfigurationFlags) {
        for model in flags.models {
            let source = Source.flag("--model")
            let element = addElement(to: "models", source: source)
            set(element.appending(.name("name")), to: model.name, source: source)
            set(element.appending(.name("url")), to: model.url, source: source)
            if let word = model.protocol { set(element.appending(.name("protocol")), to: word, source: source) }
        }
        for setting in flags.settings {
            set(ConfigurationPath(text: setting.key), to: setting.value, source: .flag(setting.flag))
        }
    }
}
