/// An answer that goes on to its client as it comes: what has come and not left yet, and what is recorded of it. Used for stream
/// after stream; confined to its shard.
///
/// The bytes stand in the adapter's buffer, at whose end they come in, and from whose front they are taken.
final class AnswerStream {
    enum End {
        /// More may come.
        case open
        case complete
        /// It broke off, or cannot be recorded: the client is to see that something is missing.
        case broken
    }

    /// A reader is waited for until so few bytes are left to take.
    private static let resumeBytes = 32 << 10

    let record = StreamRecord()
    private(set) var kind = StreamKind.bytes
    private var body: ByteBuffer?
    /// Of the body, as the answer says; nil: its end will show.
    private(set) var length: Int?
    private var maxBytes = 0
    /// How many bytes at the front of the body have left, how many the record has seen, and from where on they wait until the event
    /// is where it was promised to be; nil: none do.
    private var taken = 0
    private var seen = 0
    private var heldFrom: Int?
    /// Nobody reads on for lack of room.
    private var isFull = false

    /// Of all that has come.
    private(set) var bytes = 0
    /// When the first byte of the body came, in nanoseconds of the monotonic clock; 0: none has.
    private(set) var firstAt: Int64 = 0
    /// Whether the reply's head is with the Provider.
    var hasBegun = false
    /// Whether it stands in the flow's list of streams with news.
    var isListed = false
    /// No call is out any more.
    var callIsOver = false
    var clientHasLeft = false
    var isRecorded = false
    /// It was recorded in the turn at hand.
    var isRecordedNow = false
    /// Why it broke off; nil: it did not.
    var failure: ExchangeFailure?
    private(set) var end = End.open

    /// - Parameters:
    ///   - length: of the body, where the client is told it; nil: it is told the end.
    ///   - maxBytes: of what has come and not left yet; it may be passed by one read.
    ///   - maxEventBytes: 0: nothing is recorded.
    func begin(
        _ kind: StreamKind,
        body: ByteBuffer,
        length: Int?,
        maxBytes: Int,
        maxEventBytes: Int,
        memory: BodyMemory?
    ) {
        self.kind = kind
        self.body = body
        self.length = length
        self.maxBytes = maxBytes
        record.begin(kind, maxBytes: maxEventBytes, memory: memory)
    }

    // MARK: From the adapter

    /// Looks at what has come since the last time; whether there is room for more.
    ///
    /// - Parameter mayGrow: whether there is memory for more.
    func takeIn(_ clock: ShardClock, mayGrow: Bool) -> Bool {
        guard let body else { return true }
        if body.count > seen {
            if firstAt == 0 { firstAt = clock.monotonic() }
            bytes += body.count - seen
            // The last event says that the answer is complete: it must not be before the answer is recorded.
            if let last = record.take(body[seen..<body.count]), heldFrom == nil, !isRecorded { heldFrom = seen + last }
            seen = body.count
            // Who knows the length takes the answer for complete by its last byte.
            if bytes == length, heldFrom == nil, !isRecorded { heldFrom = seen - 1 }
        }
        isFull = !mayGrow || seen - taken >= maxBytes
        return !isFull
    }

    /// Whether there is room for more, after some has left.
    func hasRoomAgain(mayGrow: Bool) -> Bool {
        isFull = !mayGrow || seen - taken >= maxBytes
        return !isFull
    }

    /// Whether an event said that it was the last one, and the answer is not recorded yet.
    var isToBeRecorded: Bool { record.isDone && !isRecorded }

    // MARK: From the flow

    /// The answer is recorded: what was held may leave.
    func letGo() { heldFrom = nil }

    func finish(_ end: End) { self.end = end }

    /// Nobody wants what has not left yet.
    func discard() {
        heldFrom = nil
        taken = seen
    }

    /// Adds what tells the client in the stream's own form that it broke off.
    ///
    /// - Parameter write: appends a JSON object.
    func appendError(_ write: (ByteBuffer) -> Void) {
        guard let body, case .events = kind else { return }
        if let heldFrom {
            // It says that all is well.
            body.truncate(to: heldFrom)
            self.heldFrom = nil
        } else if record.isInLine {
            // An event that is not complete becomes this one: it must not be taken for what it would have been.
            body.append("\n")
        }
        body.append("event: error\ndata: ")
        write(body)
        body.append("\n\n")
        seen = body.count
    }

    // MARK: From the Provider

    /// How many bytes may leave now.
    var ready: Int { (heldFrom ?? seen) - taken }

    /// The next bytes for the client, valid until the next call; empty: there are none now.
    func take(upTo room: Int) -> ByteView {
        let view = front(upTo: room)
        drop(view.count)
        return view
    }

    /// The same, which stay until they are dropped.
    func front(upTo room: Int) -> ByteView {
        guard let body else { return .empty }
        compact(body)
        return body[taken..<taken + min(ready, room)]
    }

    func drop(_ count: Int) { taken += count }

    /// Whether the adapter is to read on now: it had no room, and has it again.
    func wantsMore() -> Bool {
        guard isFull, seen - taken <= min(Self.resumeBytes, maxBytes / 2) else { return false }
        isFull = false
        return true
    }

    private func compact(_ body: ByteBuffer) {
        guard taken == body.count || taken >= Self.resumeBytes else { return }
        body.removeFirst(taken)
        seen -= taken
        if let from = heldFrom { heldFrom = from - taken }
        taken = 0
    }

    /// Lets go of everything.
    func reset() {
        record.end()
        body = nil
        length = nil
        taken = 0
        seen = 0
        heldFrom = nil
        isFull = false
        bytes = 0
        firstAt = 0
        hasBegun = false
        isListed = false
        callIsOver = false
        clientHasLeft = false
        isRecorded = false
        isRecordedNow = false
        failure = nil
        end = .open
    }
}

@available(*, unavailable)
extension AnswerStream: Sendable {}
