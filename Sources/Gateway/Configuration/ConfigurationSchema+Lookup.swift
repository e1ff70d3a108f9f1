// What the loader asks of the table.
extension ConfigurationSchema {
    enum Place {
        case key(ConfigurationKey)
        case section, list
        case unknown
    }

    static let lists: [ConfigurationPath] = ["models", "reporting.reporters"]

    /// Sections that are there only when one of their keys is set; then the required ones must be.
    static let optionalSections = Configuration.Providers.kinds.map { $0.path }

    private static let order: [ConfigurationPath: Int] = Dictionary(
        uniqueKeysWithValues: keys.enumerated().map { ($1.pattern, $0) }
    )

    /// Whatever has keys below it.
    private static let sections: Set<ConfigurationPath> = Set(
        keys.map(\.pattern).flatMap { path in
            path.components.indices.map { ConfigurationPath(components: Array(path.components[..<$0])) }
        }
    )

    /// The open maps.
    private static let maps: [ConfigurationPath: ConfigurationMembers] = Dictionary(
        uniqueKeysWithValues: keys.compactMap { key in key.members.map { (key.pattern.parent, $0) } }
    )

    private static let byEnvironmentPattern: [String: ConfigurationPath] = Dictionary(
        uniqueKeysWithValues: (keys.filter { $0.members == nil }.map(\.pattern) + maps.keys).map {
            ($0.environmentPattern, $0)
        }
    )

    static func place(of path: ConfigurationPath) -> Place {
        let pattern = path.pattern
        if let index = order[pattern] { return .key(keys[index]) }
        if lists.contains(pattern) { return .list }
        if sections.contains(pattern) { return .section }
        return .unknown
    }

    static func isKey(_ path: ConfigurationPath) -> Bool { order[path.pattern] != nil }

    static func isMap(_ path: ConfigurationPath) -> Bool { maps[path.pattern] != nil }

    /// The place of a key in the table.
    static func order(of path: ConfigurationPath) -> Int { order[path.pattern] ?? keys.count }

    /// The path of what is called `name` within the section or open map at `path`.
    static func child(of path: ConfigurationPath, named name: String) -> ConfigurationPath {
        path.appending(maps[path.pattern].map { .member($0.canonical(name)) } ?? .name(name))
    }

    /// The list element or the optional section that the key at `path` is part of; nil: it is part of neither.
    static func owner(of path: ConfigurationPath) -> ConfigurationPath? {
        path.element ?? optionalSections.first { path.hasPrefix($0) }
    }

    /// The path of the key that an environment variable sets; nil: none.
    static func path(ofEnvironment name: String) -> ConfigurationPath? {
        var pattern = ""
        var index: Int?
        let words = name.dropFirst(ConfigurationKey.environmentPrefix.count).split(separator: "_")
        for (place, word) in words.enumerated() {
            if let number = ConfigurationPath.index(word) {
                index = number
                pattern += "#"
            } else {
                pattern += word
            }
            let rest = words[(place + 1)...]
            if let map = byEnvironmentPattern[pattern], let members = maps[map], !rest.isEmpty {
                return child(of: map.with(index: index), named: members.name(ofEnvironment: rest))
            }
        }
        return byEnvironmentPattern[pattern]?.with(index: index)
    }

    /// The key or section that was probably meant.
    static func suggestion(for path: ConfigurationPath) -> String? {
        guard case .name(let last)? = path.components.last else { return nil }
        let known = keys.filter { $0.members == nil }.map(\.pattern)
        let candidates = sections.subtracting([.root]).union(known).filter {
            $0.components.count == path.components.count
        }
        // What is right already would count in favour of any name beside it.
        let siblings = candidates.filter { $0.parent == path.pattern.parent }
        let names = siblings.compactMap { if case .name(let name)? = $0.components.last { name } else { nil } }
        if siblings.isEmpty {
            let paths = candidates.map { $0.with(index: path.index).description }.sorted()
            if let near = nearest(to: path.description, in: paths) { return near }
        } else if let near = nearest(to: last, in: names.sorted()) {
            return path.parent.appending(.name(near)).description
        }
        // The right key or section in the wrong place, first of all in one nearby.
        let elsewhere = (known + sections.subtracting([.root]) + lists).filter { $0.components.last == .name(last) }
        let nearby = elsewhere.filter { $0.components.first == path.components.first }
        let meant = Set(nearby.isEmpty ? elsewhere : nearby)
        return meant.count == 1 ? meant.first?.with(index: path.index).description : nil
    }

    /// The environment variable that was probably meant.
    static func suggestion(forEnvironment name: String) -> String? {
        let index = name.split(separator: "_").lazy.compactMap { ConfigurationPath.index($0) }.first
        let names = keys.map { $0.pattern.with(index: index).environmentName } + [ConfigurationLoader.fileVariable]
        if let near = nearest(to: name, in: names) { return near }
        // The section left out: AMERON_PORT.
        let end = name.dropFirst(ConfigurationKey.environmentPrefix.count - 1)
        let meant = names.filter { $0.hasSuffix(end) }
        return meant.count == 1 ? meant[0] : nil
    }
}

extension ConfigurationPath {
    /// Takes `models.0.url` apart; digits are indexes, and all that comes after an open map is the name of a member.
    init(text: String) {
        self = .root
        var rest = text[...]
        while !ConfigurationSchema.isMap(self) {
            let part = rest.prefix { $0 != "." }
            components.append(Self.index(part).map { .index($0) } ?? .name(String(part)))
            if part.endIndex == rest.endIndex { return }
            rest = rest[rest.index(after: part.endIndex)...]
        }
        self = ConfigurationSchema.child(of: self, named: String(rest))
    }
}
