extension ByteView {
    /// Whether a `Content-Type` names JSON: `application/json`, `text/json` or `something/anything+json` (RFC 6839,
    /// section 3.1). Parameters and case make no difference.
    var isJSONMediaType: Bool {
        let essence = mediaTypeEssence
        if essence.equalsIgnoringCase(ByteView("application/json")) { return true }
        if essence.equalsIgnoringCase(ByteView("text/json")) { return true }
        return essence.firstIndex(of: UInt8(ascii: "/")) != nil && essence.endsIgnoringCase(ByteView("+json"))
    }

    /// Whether a `Content-Type` names a form of the web.
    var isFormMediaType: Bool { mediaTypeEssence.equalsIgnoringCase(ByteView("application/x-www-form-urlencoded")) }

    /// Whether a `Content-Type` names a page of the web.
    var isHTMLMediaType: Bool { mediaTypeEssence.equalsIgnoringCase(ByteView("text/html")) }

    /// Whether a `Content-Type` says that a body is meant to be read by people, or by programs as lines of text. No type
    /// says so too: then the body itself tells.
    var mayBeTextMediaType: Bool {
        let essence = mediaTypeEssence
        if essence.isEmpty || isJSONMediaType { return true }
        if essence.prefix(5).equalsIgnoringCase(ByteView("text/")) { return true }
        if essence.endsIgnoringCase(ByteView("+xml")) || essence.endsIgnoringCase(ByteView("+yaml")) { return true }
        guard essence.prefix(12).equalsIgnoringCase(ByteView("application/")) else { return false }
        let subtype = essence.dropFirst(12)
        let texts: [StaticString] = [
            "xml", "yaml", "x-yaml", "csv", "x-ndjson", "ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines",
            "x-www-form-urlencoded", "javascript", "graphql", "toml", "sql",
        ]
        return texts.contains { subtype.equalsIgnoringCase(ByteView($0)) }
    }

    /// The type without its parameters.
    private var mediaTypeEssence: ByteView { prefix(firstIndex(of: UInt8(ascii: ";")) ?? count).trimmed }

    private func endsIgnoringCase(_ suffix: ByteView) -> Bool {
        count > suffix.count && dropFirst(count - suffix.count).equalsIgnoringCase(suffix)
    }
}
