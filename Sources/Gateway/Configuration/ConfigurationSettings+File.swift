extension YAMLNode {
    /// The values of a list of single ones; nil: it is something else.
    fileprivate var words: [String]? {
        guard case .sequence(let nodes) = value else { return nil }
        var words: [String] = []
        for node in nodes {
            guard case .scalar(let text, _) = node.value, !node.isNull else { return nil }
            words.append(text)
        }
        return words
    }
}

extension ConfigurationSettings {
    /// The layer of the YAML file.
    mutating func add(_ root: YAMLNode, file: String) {
        add(root, at: .root, source: .file(file, line: root.line, column: root.column), file: file)
    }

    /// Takes what is written at `path`; `source` is where its key is.
    private mutating func add(_ node: YAMLNode, at path: ConfigurationPath, source: Source, file: String) {
        switch ConfigurationSchema.place(of: path) {
        case .key(let key):
            if case .scalar(let text, _) = node.value {
                set(path, to: node.isNull ? nil : text, source: source)
            } else if key.type == ConfigurationKey.listType, let words = node.words {
                set(path, to: words.joined(separator: ", "), source: source)
            } else {
                report(Problem(source, key: path.description, "needs one value, not a list or a section"))
            }
        case .unknown: reportUnknown(path, source: source)
        case .section: addSection(node, at: path, source: source, file: file)
        case .list: addList(node, at: path, source: source, file: file)
        }
    }

    private mutating func addSection(_ node: YAMLNode, at path: ConfigurationPath, source: Source, file: String) {
        // A section of which all keys are commented out; an element of a list must be something.
        if node.isNull, path != path.element { return }
        guard case .mapping(let entries) = node.value else {
            reportMalformed(path, "needs keys with values, written as 'key: value'", source: source)
            return
        }
        var seen: Set<ConfigurationPath> = []
        for entry in entries {
            let child = ConfigurationSchema.child(of: path, named: entry.key)
            let source = Source.file(file, line: entry.line, column: entry.column)
            if seen.insert(child).inserted {
                add(entry.value, at: child, source: source, file: file)
            } else {
                report(Problem(source, key: child.description, "was given before, in other letters"))
            }
        }
    }

    private mutating func addList(_ node: YAMLNode, at path: ConfigurationPath, source: Source, file: String) {
        if node.isNull { return }
        guard case .sequence(let nodes) = node.value else {
            report(Problem(source, key: path.description, "needs a list; each entry starts with '- '"))
            return
        }
        for node in nodes {
            let source = Source.file(file, line: node.line, column: node.column)
            add(node, at: addElement(to: path, source: source), source: source, file: file)
        }
    }
}
