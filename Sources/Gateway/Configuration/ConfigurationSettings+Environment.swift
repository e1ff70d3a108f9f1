extension ConfigurationSettings {
    /// The layer of the environment.
    mutating func add(environment: [String: String]) {
        var found: [(path: ConfigurationPath, name: String, value: String)] = []
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            guard name.hasPrefix(ConfigurationKey.environmentPrefix), name != ConfigurationLoader.fileVariable,
                !KubernetesVariable.isOne(name, value: value)
            else { continue }
            if let path = ConfigurationSchema.path(ofEnvironment: name) {
                found.append((path, name, value))
            } else {
                let suggestion = ConfigurationSchema.suggestion(forEnvironment: name)
                report(
                    Problem(.environment(name), key: "", "unknown environment variable", suggestion: suggestion)
                )
            }
        }

        // By number, so that AMERON_MODELS_10_URL comes after AMERON_MODELS_9_URL and lists grow without a gap.
        found.sort { ($0.path.index ?? 0, $0.name) < ($1.path.index ?? 0, $1.name) }
        var names: [ConfigurationPath: String] = [:]
        for (path, name, value) in found {
            if ConfigurationSchema.isKey(path), let other = names.updateValue(name, forKey: path) {
                report(Problem(.environment(name), key: path.description, "is set by \(other) too"))
            }
            set(path, to: value, source: .environment(name))
        }
    }
}

/// What Kubernetes puts into the environment of each container for the Services of its namespace.
///
/// For a Service named `ameron` these start with AMERON_ too, and are not meant for us.
enum KubernetesVariable {
    static func isOne(_ name: String, value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.hasSuffix("_SERVICE_PORT") { return true }
        if name.firstRange(ofText: "_SERVICE_PORT_") != nil { return true }
        // A Service named ameron-server makes AMERON_SERVER_PORT: only the value tells it from ours.
        if name.hasSuffix("_PORT"), isAddress(value) { return true }
        return isPort(name.split(separator: "_")[...])
    }

    private static let protocols: [Substring] = ["TCP", "UDP", "SCTP"]

    /// `..._PORT_80_TCP`, maybe with `_PROTO`, `_PORT` or `_ADDR` after it.
    private static func isPort(_ words: ArraySlice<Substring>) -> Bool {
        var words = words
        if let last = words.last, ["PROTO", "PORT", "ADDR"].contains(last) { words.removeLast() }
        guard words.count > 3, let last = words.popLast(), protocols.contains(last),
            let number = words.popLast(), number.utf8.allSatisfy(isDigit)
        else { return false }
        return words.last == "PORT"
    }

    private static func isAddress(_ value: String) -> Bool {
        protocols.contains { value.hasPrefix("\($0.lowercased())://") }
    }
}
