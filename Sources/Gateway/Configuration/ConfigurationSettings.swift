/// What file, environment and flags say, merged: the later layer wins, key by key.
struct ConfigurationSettings {
    typealias Source = ConfigurationError.Source
    typealias Problem = ConfigurationError.Problem

    struct Setting {
        let key: ConfigurationKey
        /// nil: the key was written without a value.
        let value: String?
        let source: Source
    }

    private(set) var settings: [ConfigurationPath: Setting] = [:]
    /// How many elements each list has.
    private(set) var counts: [ConfigurationPath: Int] = [:]
    /// Where each list element and each optional section was first named.
    private(set) var elements: [ConfigurationPath: Source] = [:]
    /// Elements that are not even a section; that keys are missing goes without saying.
    private var malformed: Set<ConfigurationPath> = []
    private(set) var problems: [Problem] = []
    /// Where all would be written that is missing: the file, where there is one.
    var origin = Source.none

    mutating func report(_ problem: Problem) { problems.append(problem) }

    /// Makes the next element of a list, and returns its path.
    mutating func addElement(to list: ConfigurationPath, source: Source) -> ConfigurationPath {
        let index = counts[list, default: 0]
        let element = list.appending(.index(index))
        counts[list] = index + 1
        elements[element] = source
        return element
    }

    mutating func reportMalformed(_ path: ConfigurationPath, _ reason: String, source: Source) {
        malformed.insert(path)
        report(Problem(source, key: path.description, reason))
    }

    /// Takes one value; a path that names no key is reported.
    mutating func set(_ path: ConfigurationPath, to value: String?, source: Source) {
        switch ConfigurationSchema.place(of: path) {
        case .key(let key):
            guard ensureElement(of: path, source: source) else { return }
            if let owner = ConfigurationSchema.owner(of: path), elements[owner] == nil { elements[owner] = source }
            settings[path] = Setting(key: key, value: value, source: source)
        case .section, .list: reportNotAValue(path, source: source)
        case .unknown: reportUnknown(path, source: source)
        }
    }

    mutating func reportUnknown(_ path: ConfigurationPath, source: Source) {
        // A file may say `server.port: 1`; read with dots, it would be a key.
        if case .name(let name)? = path.components.last, name.contains("."),
            ConfigurationSchema.isKey(ConfigurationPath(text: path.description))
        {
            report(Problem(source, key: path.description, "unknown key; sections are nested, not written with dots"))
            return
        }
        if let reason = Synonyms.reason(missing: path) {
            report(Problem(source, key: path.description, reason))
            return
        }
        let suggestion = ConfigurationSchema.suggestion(for: path)
        report(Problem(source, key: path.description, "unknown key", suggestion: suggestion))
    }

    /// Reports a value given to what has keys below it.
    private mutating func reportNotAValue(_ path: ConfigurationPath, source: Source) {
        let below = ConfigurationSchema.keys.first { $0.pattern.hasPrefix(path.pattern) }
        let example = below.map { $0.pattern.with(index: path.index ?? 0).description } ?? ""
        report(Problem(source, key: path.description, "takes no value itself, only its keys, such as \(example)"))
    }

    /// Grows the list where `path` is in the element after the last one; reports an index past that.
    private mutating func ensureElement(of path: ConfigurationPath, source: Source) -> Bool {
        guard let list = path.list, let index = path.index else { return true }
        let count = counts[list, default: 0]
        if index < count { return true }
        if index == count {
            _ = addElement(to: list, source: source)
            return true
        }
        report(
            Problem(
                source,
                key: path.description,
                "skips a place: \(list) has \(count) \(count == 1 ? "entry" : "entries"), so the next index is \(count)"
            )
        )
        return false
    }

    /// Where a key, or the list element or section around it, was written.
    func source(of path: ConfigurationPath) -> Source {
        settings[path]?.source ?? ConfigurationSchema.owner(of: path).flatMap { elements[$0] } ?? .none
    }

    /// Whether something about the list element is wrong already, so that missing keys go without saying.
    func isMalformed(_ element: ConfigurationPath) -> Bool { malformed.contains(element) }
}
