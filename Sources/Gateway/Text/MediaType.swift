extension ByteView {
    /// Whether a `Content-Type` names JSON: `application/json`, `text/json` or `something/anything+json` (RFC 6839,
    /// section 3.1). Parameters and case make no difference.
    var isJSONMediaType: Bool {
        let essence = prefix(firstIndex(of: UInt8(ascii: ";")) ?? count).trimmed
        if essence.equalsIgnoringCase(ByteView("application/json")) { return true }
        if essence.equalsIgnoringCase(ByteView("text/json")) { return true }
        let suffix = ByteView("+json")
        guard essence.firstIndex(of: UInt8(ascii: "/")) != nil, essence.count > suffix.count else { return false }
        return essence.dropFirst(essence.count - suffix.count).equalsIgnoringCase(suffix)
    }
}
