/// A part of a YAML document: a scalar, a sequence or a mapping, with the place where it starts.
struct YAMLNode: Equatable, Sendable {
    enum Value: Equatable, Sendable {
        /// Text as written, quotes and escapes undone; `isPlain` when it had no quotes.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the order of the document; no key is there twice.
        case mapping([Entry])
    }

    struct Entry: Equatable, Sendable {
        let key: String
        /// Where the key is: from 1, the column in characters.
        let line, column: Int
        let value: YAMLNode
    }

    let value: Value
    /// From 1, the column in characters.
    let line, column: Int

    /// Whether nothing was written: `key:`, `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = value else { return false }
        return text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL"
    }
}

/// Why a YAML document was refused, and where.
struct YAMLError: Error, Equatable {
    let message: String
    /// From 1.
    let line: Int
    /// From 1, in characters.
    let column: Int
}
