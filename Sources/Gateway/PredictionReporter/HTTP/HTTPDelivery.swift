/// The events of one request, copied, from its first try until they are done with. Used again for others after that.
final class HTTPDelivery {
    private struct Event {
        /// Where its line stands in `bytes`, without a line feed; of a record nothing is said here.
        var range: Range<Int>
        let ticket: DeliveryLedger.Ticket
    }

    let mode: Configuration.Reporter.HTTP.Mode
    /// When the first of the events came, on `Clock.monotonic`.
    private(set) var arrival: Int64
    /// Tries that failed.
    var attempts = 0
    /// The last of them met with a receiver that takes nothing as it stands.
    var isHeld = false
    /// When the next try begins, or the present one has taken too long, on `Clock.monotonic`.
    var due: Int64 = 0
    /// What carries the present try.
    var transfer: CurlTransfer?

    private let framing: EventBatchFraming
    /// The lines of the events, framed, or the record of the one event.
    private let bytes: ByteBuffer
    private var events: [Event] = []
    /// Where the one event of binary mode stands.
    private var stored: StoredEventRecord?

    init(
        _ mode: Configuration.Reporter.HTTP.Mode,
        _ framing: EventBatchFraming,
        arrival: Int64,
        capacity: Int
    ) {
        self.mode = mode
        self.framing = framing
        self.arrival = arrival
        bytes = ByteBuffer(capacity: capacity)
    }

    /// Empties it for other events; keeps room for up to `keepingAtMost` bytes.
    func reset(arrival: Int64, keepingAtMost: Int) {
        self.arrival = arrival
        attempts = 0
        isHeld = false
        due = 0
        bytes.removeAll(keepingAtMost: keepingAtMost)
        events.removeAll(keepingCapacity: true)
        stored = nil
    }

    var count: Int { events.count }
    var byteCount: Int { bytes.count }

    /// Adds an event: in binary mode the only one. `close` comes after the last.
    func append(_ frame: EventFrame, in format: any EventFormat, _ ticket: DeliveryLedger.Ticket) {
        switch mode {
        case .binary:
            precondition(events.isEmpty, "one event per request")
            stored = StoredEventRecord(format.record(of: frame), in: bytes)
            events.append(Event(range: 0..<bytes.count, ticket: ticket))
        case .batch:
            let line = format.line(of: frame)
            append(line: line.prefix(line.count - 1), ticket)
        }
    }

    private func append(line: ByteView, _ ticket: DeliveryLedger.Ticket) {
        bytes.append(events.isEmpty ? framing.opening : framing.separator)
        let start = bytes.count
        bytes.append(line)
        events.append(Event(range: start..<bytes.count, ticket: ticket))
    }

    func close() {
        if mode == .batch { bytes.append(framing.closing) }
    }

    /// The request's body and its media type; valid as long as the delivery, as is what the others give.
    var body: ByteView { record?.value ?? bytes.view }
    var contentType: ByteView { record?.contentType ?? ByteView(framing.contentType) }

    /// The one event of binary mode.
    var record: EventRecord? { stored?.record(in: bytes) }

    var tickets: some Sequence<DeliveryLedger.Ticket> { events.lazy.map(\.ticket) }

    /// Hands out what the failure file is to keep of each event.
    func forEachEvent(_ format: any EventFormat, _ body: (ByteView, DeliveryLedger.Ticket) -> Void) {
        let text = ByteBuffer(capacity: bytes.count)
        for event in events {
            text.removeAll()
            if let record {
                format.appendEvent(of: record, to: text)
            } else {
                format.appendEvent(ofLine: bytes[event.range], to: text)
            }
            withExtendedLifetime(text) { body(text.view, event.ticket) }
        }
    }

    /// Two deliveries with half of the events each.
    func halves() -> (HTTPDelivery, HTTPDelivery) {
        precondition(mode == .batch && count > 1)
        return (part(0..<count / 2), part(count / 2..<count))
    }

    private func part(_ range: Range<Int>) -> HTTPDelivery {
        let part = HTTPDelivery(mode, framing, arrival: arrival, capacity: bytes.count / 2)
        for event in events[range] { part.append(line: bytes[event.range], event.ticket) }
        part.close()
        return part
    }
}

@available(*, unavailable)
extension HTTPDelivery: Sendable {}
