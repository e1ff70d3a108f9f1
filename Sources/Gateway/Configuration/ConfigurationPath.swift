/// The path of one key, such as `models.0.url`: names of sections and indexes of lists.
struct ConfigurationPath: Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    enum Component: Hashable {
        case name(String)
        case index(Int)
    }

    var components: [Component]

    static let root = ConfigurationPath(components: [])

    init(components: [Component]) { self.components = components }

    /// Takes `models.0.url` apart; digits are indexes.
    init(text: String) {
        components = text.split(separator: ".", omittingEmptySubsequences: false).map {
            Self.index($0).map { .index($0) } ?? .name(String($0))
        }
    }

    /// A pattern may be written as `models.N.url`.
    init(stringLiteral pattern: String) {
        components = pattern.split(separator: ".").map { $0 == "N" ? .index(0) : .name(String($0)) }
    }

    /// An index of a list; bounded, so that a long number is a name that nobody knows.
    static func index(_ text: some StringProtocol) -> Int? {
        (1...4).contains(text.utf8.count) && text.utf8.allSatisfy(isDigit) ? Int(text) : nil
    }

    func appending(_ component: Component) -> ConfigurationPath {
        ConfigurationPath(components: components + [component])
    }

    /// With every index 0: what the schema knows paths by.
    var pattern: ConfigurationPath {
        ConfigurationPath(components: components.map { if case .index = $0 { .index(0) } else { $0 } })
    }

    /// The only index; no key has more than one.
    var index: Int? { components.lazy.compactMap { if case .index(let index) = $0 { index } else { nil } }.first }

    /// With `index` in place of the one there is.
    func with(index: Int?) -> ConfigurationPath {
        guard let index else { return self }
        return ConfigurationPath(components: components.map { if case .index = $0 { .index(index) } else { $0 } })
    }

    /// The path up to and with the index, such as `models.0`.
    var element: ConfigurationPath? {
        components.firstIndex { if case .index = $0 { true } else { false } }
            .map { ConfigurationPath(components: Array(components[...$0])) }
    }

    /// The path up to the index, such as `models`.
    var list: ConfigurationPath? { element.map { ConfigurationPath(components: $0.components.dropLast()) } }

    func hasPrefix(_ other: ConfigurationPath) -> Bool { components.starts(with: other.components) }

    var description: String { text { "\($0)" } }

    /// With N for indexes, as documentation writes it.
    var documented: String { text { _ in "N" } }

    /// Such as `AMERON_SERVER_MAX_BODY_BYTES`.
    var environmentName: String {
        ConfigurationKey.environmentPrefix + words(separator: "_", camelCase: "_") { "\($0)" }.uppercased()
    }

    /// What an environment variable is found by: in upper case, without underscores, indexes as `#`.
    var environmentPattern: String {
        words(separator: "", camelCase: "") { _ in "#" }.uppercased()
    }

    private func text(_ index: (Int) -> String) -> String { words(separator: ".", camelCase: "", index) }

    private func words(separator: String, camelCase: String, _ index: (Int) -> String) -> String {
        components.map { component in
            switch component {
            case .index(let number): return index(number)
            case .name(let name):
                return name.unicodeScalars.reduce(into: "") { text, letter in
                    if ("A"..."Z").contains(letter), !text.isEmpty { text += camelCase }
                    text.unicodeScalars.append(letter)
                }
            }
        }.joined(separator: separator)
    }
}
