/// Lines for a browser that gets a Model Service's own answer: what a model sends must not act in the Sidecar's name.
enum AnswerProtection {
    /// Types that no browser runs anything of, and that it takes as what they say they are.
    private static let inert: [StaticString] = [
        "text/plain", "text/csv", "text/event-stream", "application/octet-stream", "application/x-ndjson",
    ]

    /// Adds what the answer's type asks for: nothing for JSON, which is nearly all answers.
    ///
    /// - Parameter contentType: of the answer; empty: it has none, and a browser would guess.
    static func add(to headers: HeaderTable, contentType: ByteView) {
        let type = contentType.prefix(contentType.firstIndex(of: UInt8(ascii: ";")) ?? contentType.count).trimmed
        if type.equalsIgnoringCase(ByteView("application/json")) { return }
        // Takes the type as it stands (https://fetch.spec.whatwg.org, X-Content-Type-Options).
        headers.append("X-Content-Type-Options", ByteView("nosniff"))
        if inert.contains(where: { type.equalsIgnoringCase(ByteView($0)) }) { return }
        // Runs no script, and belongs to no origin (https://www.w3.org/TR/CSP3, sandbox).
        headers.append("Content-Security-Policy", ByteView("sandbox"))
    }
}
