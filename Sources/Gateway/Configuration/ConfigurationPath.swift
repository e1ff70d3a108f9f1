/// The path of one key, such as `models.0.url`: names of sections, indexes of lists, and members of open maps.
struct ConfigurationPath: Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    enum Component: Hashable {
        case name(String)
        case index(Int)
        /// What an open map calls one of its values: any text, dots included, so only the last component can be one.
        case member(String)
    }

    var components: [Component]

    static let root = ConfigurationPath(components: [])
    private static let anyMember = "NAME"

    init(components: [Component]) { self.components = components }

    /// A pattern may be written as `models.N.url`, that of an open map as `providers.kafka.properties.NAME`.
    init(stringLiteral pattern: String) {
        components = pattern.split(separator: ".").map {
            switch $0 {
            case "N": .index(0)
            case Self.anyMember[...]: .member(Self.anyMember)
            default: .name(String($0))
            }
        }
    }

    /// An index of a list; bounded, so that a long number is a name that nobody knows.
    static func index(_ text: some StringProtocol) -> Int? {
        (1...4).contains(text.utf8.count) && text.utf8.allSatisfy(isDigit) ? Int(text) : nil
    }

    func appending(_ component: Component) -> ConfigurationPath {
        ConfigurationPath(components: components + [component])
    }

    /// With every index 0 and every member NAME: what the schema knows paths by.
    var pattern: ConfigurationPath {
        ConfigurationPath(
            components: components.map {
                switch $0 {
                case .name: $0
                case .index: .index(0)
                case .member: .member(Self.anyMember)
                }
            }
        )
    }

    /// The only index; no key has more than one.
    var index: Int? { components.lazy.compactMap { if case .index(let index) = $0 { index } else { nil } }.first }

    /// The name within an open map; nil: the path leads to none.
    var member: String? { if case .member(let name)? = components.last { name } else { nil } }

    /// With `index` in place of the one there is.
    func with(index: Int?) -> ConfigurationPath {
        guard let index else { return self }
        return ConfigurationPath(components: components.map { if case .index = $0 { .index(index) } else { $0 } })
    }

    /// The path without its last component.
    var parent: ConfigurationPath { ConfigurationPath(components: components.dropLast()) }

    /// The path up to and with the index, such as `models.0`.
    var element: ConfigurationPath? {
        components.firstIndex { if case .index = $0 { true } else { false } }
            .map { ConfigurationPath(components: Array(components[...$0])) }
    }

    /// The path up to the index, such as `models`.
    var list: ConfigurationPath? { element?.parent }

    func hasPrefix(_ other: ConfigurationPath) -> Bool { components.starts(with: other.components) }

    var description: String { text { "\($0)" } }

    /// With N for indexes, as documentation writes it.
    var documented: String { text { _ in "N" } }

    /// Such as `AMERON_SERVER_MAX_BODY_BYTES`; what separates the words of a member becomes `_` too.
    var environmentName: String {
        let words = words(separator: "_", camelCase: "_") { "\($0)" }.uppercased()
        return ConfigurationKey.environmentPrefix + String(words.map { $0 == "." || $0 == "-" ? "_" : $0 })
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
            case .member(let name): return name
            case .name(let name):
                return name.unicodeScalars.reduce(into: "") { text, letter in
                    if ("A"..."Z").contains(letter), !text.isEmpty { text += camelCase }
                    text.unicodeScalars.append(letter)
                }
            }
        }.joined(separator: separator)
    }
}
