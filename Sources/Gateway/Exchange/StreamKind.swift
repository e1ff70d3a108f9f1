/// How an answer that goes on as it comes is made up.
enum StreamKind {
    /// Server-sent events (HTML, section 9.2): `data:` lines, each event ended by an empty line.
    case events
    /// One JSON document a line.
    case lines
    /// Anything else.
    case bytes
    /// One document that is too long to be recorded: only its length matters (`LongBodies`).
    case document

    /// What an answer's media type says; nil: it is one document.
    init?(contentType: ByteView) {
        // As most answers' is not.
        guard contentType.count >= 17 else { return nil }
        if contentType.isType("text/event-stream") {
            self = .events
        } else if contentType.isType("application/x-ndjson") || contentType.isType("application/jsonl") {
            self = .lines
        } else {
            return nil
        }
    }
}

/// Which answers of a model go on as they come (`models.N.stream`).
enum StreamRule: Sendable {
    /// Those whose media type says that they come in parts.
    case byType
    case always
    case never

    /// How an answer of this type is made up, which is to go on as it comes; nil: it is taken whole.
    func kind(of contentType: ByteView) -> StreamKind? {
        switch self {
        case .never: nil
        case .byType: StreamKind(contentType: contentType)
        case .always: StreamKind(contentType: contentType) ?? .bytes
        }
    }
}

extension ByteView {
    /// Whether a `Content-Type` names this type, whatever its parameters and case.
    fileprivate func isType(_ type: StaticString) -> Bool {
        let type = ByteView(type)
        guard count >= type.count, prefix(type.count).equalsIgnoringCase(type) else { return false }
        guard count > type.count else { return true }
        let next = self[type.count]
        return next == UInt8(ascii: ";") || next == UInt8(ascii: " ") || next == UInt8(ascii: "\t")
    }
}
