extension ConfigurationSettings {
    /// The layer of the YAML file.
    mutating func add(_ root: YAMLNode, file: String) {
        add(root, at: .root, line: root.line, file: file)
    }

    /// Takes what is written at `path`; `line` is where its key is.
    private mutating func add(_ node: YAMLNode, at path: ConfigurationPath, line: Int, file: String) {
        let source = Source.file(file, line: line)
        switch ConfigurationSchema.place(of: path) {
        case .key:
            if case .scalar(let text, _) = node.value {
                set(path, to: node.isNull ? nil : text, source: source)
            } else {
                report(Problem(source, key: path.description, "needs one value, not a list or a section"))
            }
        case .reserved: set(path, to: nil, source: source)
        case .unknown: reportUnknown(path, source: source)
        case .section: addSection(node, at: path, source: source, file: file)
        case .list: addList(node, at: path, source: source, file: file)
        }
    }

    private mutating func addSection(_ node: YAMLNode, at path: ConfigurationPath, source: Source, file: String) {
        // A section of which all keys are commented out.
        if node.isNull, path.index == nil { return }
        guard case .mapping(let entries) = node.value else {
            reportMalformed(path, "needs keys with values, written as 'key: value'", source: source)
            return
        }
        for entry in entries {
            add(entry.value, at: path.appending(.name(entry.key)), line: entry.line, file: file)
        }
    }

    private mutating func addList(_ node: YAMLNode, at path: ConfigurationPath, source: Source, file: String) {
        if node.isNull { return }
        guard case .sequence(let nodes) = node.value else {
            report(Problem(source, key: path.description, "needs a list; each entry starts with '- '"))
            return
        }
        for node in nodes {
            let element = addElement(to: path, source: .file(file, line: node.line))
            add(node, at: element, line: node.line, file: file)
        }
    }
}
