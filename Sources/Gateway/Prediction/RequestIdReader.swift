/// Finds the `id` of an Open Inference Protocol request, however long the rest of it is.
///
/// One per shard. A body is read in pieces of some 128 KiB, and no further than to its id.
final class RequestIdReader {
    private let outline = JSONOutline()
    private let text = ByteBuffer(capacity: 256)

    /// The id as plain text, which may hold any character; nil where there is none that is a string, or the body can't be
    /// read so far. Valid until the next call.
    ///
    /// - Parameter json: The JSON at the front of the body.
    func find(in json: ByteView) -> ByteView? {
        defer { outline.forget() }
        do throws(JSONOutline.Fault) {
            try outline.begin(json, JSONOutline.Options(depth: 1, skipsScalars: true))
            // Names stand at odd numbers, each before its value: nothing deeper is noted.
            var node = 1
            while true {
                let isRead = try outline.readOn()
                guard outline.count == 0 || outline.isObject(0) else { return nil }
                while node + 1 < outline.count {
                    if outline.inside(node) == "id" { return plainText(node + 1) }
                    node += 2
                }
                if isRead { return nil }
            }
        } catch {
            return nil
        }
    }

    private func plainText(_ node: Int) -> ByteView? {
        guard outline.isString(node) else { return nil }
        text.removeAll()
        text.append(unescaping: outline.inside(node))
        return text.view
    }
}

@available(*, unavailable)
extension RequestIdReader: Sendable {}
