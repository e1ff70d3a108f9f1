/// Where a request's bytes stand while they come in, and how far they have been read. Lent to a client's connection from the
/// first byte of a request until nothing is left unread.
final class RequestInbox {
    let bytes = ByteBuffer(capacity: 4096)
    /// How many of the bytes are done with. A head counts from here, and is done with as a whole.
    var start = 0
    var head = HTTP1RequestHead()
    var body = HTTP1RequestBody()

    /// What is not done with.
    var unread: ByteView { bytes.view.dropFirst(start) }

    var isEmpty: Bool { start == bytes.count }

    /// Forgets what is done with, so that it never holds more than a head and what one read has brought beyond it.
    func compact() {
        guard start > 0 else { return }
        bytes.removeFirst(start)
        start = 0
    }

    /// Makes ready for the next request, whose bytes may be here already.
    func beginRequest() {
        head.reset()
        body = HTTP1RequestBody()
    }

    func reset() {
        bytes.removeAll(keepingAtMost: 64 << 10)
        start = 0
        beginRequest()
    }
}

@available(*, unavailable)
extension RequestInbox: Sendable {}
