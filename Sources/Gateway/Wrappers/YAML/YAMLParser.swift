private import CYAML

/// Reads one YAML document into a tree of `YAMLNode`s with libyaml.
///
/// Less than YAML on purpose: one document, keys that are text and differ, no anchors, aliases or tags. What a
/// configuration file does not need is refused by name rather than half understood; without aliases a small file
/// cannot grow into a large tree either.
struct YAMLParser: ~Copyable {
    /// How deep sequences and mappings may nest; the tree is walked by recursion.
    static let maxDepth = 32

    private let parser: UnsafeMutablePointer<yaml_parser_t>

    /// The root of the document, or nil where there is nothing but comments.
    static func parse(_ bytes: [UInt8]) throws(YAMLError) -> YAMLNode? {
        let result: Result<YAMLNode?, YAMLError> = bytes.withUnsafeBufferPointer { input in
            do throws(YAMLError) {
                let parser = YAMLParser(input)
                return .success(try parser.document(input))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Borrows `input`, which must outlive the parser.
    private init(_ input: UnsafeBufferPointer<UInt8>) {
        parser = .allocate(capacity: 1)
        guard yaml_parser_initialize(parser) == 1 else { fatalError("out of memory") }
        // Said rather than guessed: libyaml would take some inputs for UTF-16.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    private func document(_ input: UnsafeBufferPointer<UInt8>) throws(YAMLError) -> YAMLNode? {
        var root: YAMLNode?
        var documents = 0
        while true {
            let event = try next(input)
            switch event.kind {
            case .streamEnd: return root
            case .documentStart:
                documents += 1
                if documents > 1 { throw event.error("one document is allowed, and here a second one starts") }
            case .other: break
            default: root = try node(event, input, depth: 0)
            }
        }
    }

    /// The node that starts with `event`.
    private func node(
        _ event: Event,
        _ input: UnsafeBufferPointer<UInt8>,
        depth: Int
    ) throws(YAMLError) -> YAMLNode {
        if depth >= Self.maxDepth { throw event.error("nested more than \(Self.maxDepth) deep") }
        switch event.kind {
        case .scalar(let text, let isPlain):
            return YAMLNode(value: .scalar(text, isPlain: isPlain), line: event.line, column: event.column)
        case .sequenceStart:
            return YAMLNode(
                value: .sequence(try sequence(input, depth: depth + 1)),
                line: event.line,
                column: event.column
            )
        case .mappingStart:
            return YAMLNode(
                value: .mapping(try mapping(input, depth: depth + 1)),
                line: event.line,
                column: event.column
            )
        default: throw event.error("a value was expected")
        }
    }

    private func sequence(_ input: UnsafeBufferPointer<UInt8>, depth: Int) throws(YAMLError) -> [YAMLNode] {
        var nodes: [YAMLNode] = []
        while true {
            let event = try next(input)
            if case .collectionEnd = event.kind { return nodes }
            nodes.append(try node(event, input, depth: depth))
        }
    }

    private func mapping(_ input: UnsafeBufferPointer<UInt8>, depth: Int) throws(YAMLError) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var seen: [String: Int] = [:]
        while true {
            let event = try next(input)
            if case .collectionEnd = event.kind { return entries }
            guard case .scalar(let key, _) = event.kind else { throw event.error("a key must be text") }
            if let line = seen.updateValue(event.line, forKey: key) {
                throw event.error("the key '\(key)' was given before, on line \(line)")
            }
            let value = try node(next(input), input, depth: depth)
            entries.append(YAMLNode.Entry(key: key, line: event.line, column: event.column, value: value))
        }
    }

    /// The next event, copied out of libyaml's memory.
    private func next(_ input: UnsafeBufferPointer<UInt8>) throws(YAMLError) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure(input) }
        defer { yaml_event_delete(&event) }
        return try Event(event)
    }

    /// What libyaml says about its failure.
    private func failure(_ input: UnsafeBufferPointer<UInt8>) -> YAMLError {
        if parser.pointee.error == YAML_MEMORY_ERROR { fatalError("out of memory") }
        var message = parser.pointee.problem.map { String(cString: $0) } ?? "not YAML"
        if let context = parser.pointee.context { message += " (\(String(cString: context)))" }
        if parser.pointee.error == YAML_READER_ERROR {
            // The reader knows only how many bytes it was in.
            let offset = min(parser.pointee.problem_offset, input.count)
            let before = input[..<offset]
            let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
            return YAMLError(
                message: message,
                line: 1 + before.count { $0 == UInt8(ascii: "\n") },
                column: 1 + offset - start
            )
        }
        let mark = parser.pointee.problem_mark
        return YAMLError(message: message, line: mark.line + 1, column: mark.column + 1)
    }
}

/// One event of the parser: what of `yaml_event_t` matters here.
private struct Event {
    enum Kind {
        case streamEnd, documentStart, sequenceStart, mappingStart, collectionEnd, other
        case scalar(String, isPlain: Bool)
    }

    let kind: Kind
    let line: Int
    let column: Int

    init(_ event: yaml_event_t) throws(YAMLError) {
        line = event.start_mark.line + 1
        column = event.start_mark.column + 1
        switch event.type {
        case YAML_STREAM_END_EVENT: kind = .streamEnd
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: kind = .collectionEnd
        case YAML_SEQUENCE_START_EVENT:
            kind = .sequenceStart
            try refuse(anchor: event.data.sequence_start.anchor, tag: event.data.sequence_start.tag)
        case YAML_MAPPING_START_EVENT:
            kind = .mappingStart
            try refuse(anchor: event.data.mapping_start.anchor, tag: event.data.mapping_start.tag)
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            kind = .scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE)
            try refuse(anchor: scalar.anchor, tag: scalar.tag)
        case YAML_ALIAS_EVENT:
            kind = .other
            throw error("aliases (*name) are not supported")
        default: kind = .other
        }
    }

    private func refuse(
        anchor: UnsafeMutablePointer<yaml_char_t>?,
        tag: UnsafeMutablePointer<yaml_char_t>?
    ) throws(YAMLError) {
        if anchor != nil { throw error("anchors (&name) are not supported") }
        if tag != nil { throw error("tags (!name) are not supported") }
    }

    func error(_ message: String) -> YAMLError { YAMLError(message: message, line: line, column: column) }
}
