/// Finds what a model says about its own failure in the body of its error answer, as servers write it: `{"error":"…"}`,
/// `{"error":{"message":"…"}}`, `{"detail":…}`, `{"message":"…"}`, a list of such, plain text, or a page of HTML.
///
/// One per shard. The text is valid until the next call.
final class ModelErrorText {
    /// The most that is kept, in bytes.
    static let maxBytes = 1 << 10
    /// A longer body is read as text only: nobody explains a failure at such length in JSON.
    private static let maxReadBytes = 64 << 10

    private static let hidden: [(StaticString, StaticString)] = [
        ("<script", "</script"), ("<style", "</style"), ("<!--", "-->"),
    ]

    private let outline = JSONOutline()
    private let text = ByteBuffer(capacity: 1 << 10)

    /// The message, at most `maxBytes` of valid UTF-8; empty: there is none.
    func find(in body: ByteView, contentType: ByteView) -> ByteView {
        text.removeAll(keepingAtMost: 16 << 10)
        defer { outline.forget() }
        let body = body.withoutByteOrderMark
        if body.count <= Self.maxReadBytes, read(body) {
            appendMessage(of: 0, depth: 0)
        } else {
            let front = body.prefixOfText(Self.maxReadBytes)
            if contentType.isHTMLMediaType { appendText(ofPage: front) } else { appendReadable(front) }
        }
        return text.view.prefixOfText(Self.maxBytes)
    }

    private func read(_ body: ByteView) -> Bool {
        do throws(JSONOutline.Fault) {
            try outline.read(body, JSONOutline.Options(depth: 3, takesNotFinite: true))
        } catch {
            return false
        }
        return !outline.isOverfull
    }

    /// The text of a string, of the member that holds it, of the first element of a list; else the JSON itself.
    private func appendMessage(of node: Int, depth: Int) {
        if outline.isString(node) { return text.append(unescaping: outline.inside(node)) }
        if depth < 3 {
            if outline.isArray(node), depth == 0, outline.children(node) > 0, outline.isObject(node + 1) {
                return appendMessage(of: node + 1, depth: depth + 1)
            }
            if outline.isObject(node) {
                let names: [StaticString] = ["error", "detail", "message", "error_message", "reason", "title"]
                for name in names {
                    guard let member = outline.member(name, of: node), !outline.isNull(member) else { continue }
                    return appendMessage(of: member, depth: depth + 1)
                }
            }
        }
        text.append(json: outline.bytes(node).prefix(Self.maxBytes + 4))
    }

    /// Text as it is, unless it is none.
    private func appendReadable(_ body: ByteView) {
        var start = 0
        var end = body.count
        while start < end, body[start] <= 0x20 { start += 1 }
        while end > start, body[end - 1] <= 0x20 { end -= 1 }
        let front = body[start..<end].prefixOfText(Self.maxBytes)
        if front.isText { text.append(front) }
    }

    /// What a page shows: no tags, no styles and scripts, white space as one space.
    private func appendText(ofPage page: ByteView) {
        guard page.isText else { return }
        var index = 0
        var isSpaceDue = false
        while index < page.count, text.count < Self.maxBytes {
            let byte = page[index]
            if byte == UInt8(ascii: "<") {
                index = endOfTag(page, at: index)
                isSpaceDue = true
            } else {
                index += 1
                if byte <= 0x20 {
                    isSpaceDue = true
                } else {
                    if isSpaceDue, !text.isEmpty { text.append(UInt8(ascii: " ")) }
                    isSpaceDue = false
                    text.append(byte)
                }
            }
        }
    }

    /// Behind a tag; behind the whole element where its content is not shown.
    private func endOfTag(_ page: ByteView, at start: Int) -> Int {
        let end = page.firstIndex(of: UInt8(ascii: ">"), from: start).map { $0 + 1 } ?? page.count
        for (name, closing) in Self.hidden
        where page[start..<page.count].prefix(name.utf8CodeUnitCount).equalsIgnoringCase(ByteView(name)) {
            var index = start + name.utf8CodeUnitCount
            while index < page.count {
                let rest = page[index..<page.count]
                if rest.prefix(closing.utf8CodeUnitCount).equalsIgnoringCase(ByteView(closing)) {
                    return page.firstIndex(of: UInt8(ascii: ">"), from: index).map { $0 + 1 } ?? page.count
                }
                index += 1
            }
            return page.count
        }
        return end
    }
}

@available(*, unavailable)
extension ModelErrorText: Sendable {}
