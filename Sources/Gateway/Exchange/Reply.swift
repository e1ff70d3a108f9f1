/// What the client of an exchange gets. Pooled with its exchange: its buffers keep their room.
///
/// Confined to its shard's thread. Its bytes belong to it until `Exchange.reset`.
final class Reply {
    enum BodySource {
        /// `ownBody`.
        case own
        /// That of the attempt's answer, as it is.
        case answer
    }

    var status = 0
    var bodySource = BodySource.own
    let ownBody = ByteBuffer(capacity: 1024)
    let headers = HeaderTable()
    /// The body where it is made as it is sent: the reply's other bodies are not looked at then; nil: it is one of those.
    var stream: (any HTTPBodySource)?
    /// Whether the connection is to be closed after it.
    var closesConnection = false
    /// Why the client does not get what it asked for; nil: it does.
    var failure: ExchangeFailure.Cause?
    /// When it was complete, in nanoseconds of the monotonic clock.
    var completedAt: Int64 = 0

    /// How many bytes its events have taken so far.
    var eventBytes = 0

    /// Makes ready for the next one.
    func reset() {
        status = 0
        bodySource = .own
        ownBody.removeAll(keepingAtMost: Exchange.keptBytes)
        headers.removeAll()
        stream = nil
        closesConnection = false
        failure = nil
        completedAt = 0
        eventBytes = 0
    }

    /// Gives back what a large one has left behind.
    func letGo() { ownBody.removeAll(keepingAtMost: Exchange.keptBytes) }

    /// Gives back all room, and returns how much the body had.
    func shrink() -> Int {
        let bytes = ownBody.capacity
        ownBody.removeAll(keepingAtMost: 0)
        headers.shrink()
        return bytes
    }
}

@available(*, unavailable)
extension Reply: Sendable {}
