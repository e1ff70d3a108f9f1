/// The events of one request, copied, from its first try until they are done with. Used again for others after that.
final class HTTPDelivery {
    private struct Event {
        /// Where its JSON stands in `bytes`, without a line feed.
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

    /// A JSON array of the events, or the frame of the one event.
    private let bytes: ByteBuffer
    private var events: [Event] = []

    init(mode: Configuration.Reporter.HTTP.Mode, arrival: Int64, capacity: Int) {
        self.mode = mode
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
    }

    var count: Int { events.count }
    var byteCount: Int { bytes.count }

    /// Adds an event: in binary mode the only one. `close` comes after the last.
    func append(_ frame: EventFrame, _ ticket: DeliveryLedger.Ticket) {
        switch mode {
        case .binary:
            precondition(events.isEmpty, "one event per request")
            bytes.append(frame.bytes)
            events.append(Event(range: EventFrame.headerLength..<bytes.count - 1, ticket: ticket))
        case .batch: append(json: frame.line.prefix(frame.line.count - 1), ticket)
        }
    }

    private func append(json: ByteView, _ ticket: DeliveryLedger.Ticket) {
        bytes.append(events.isEmpty ? "[" : ",")
        let start = bytes.count
        bytes.append(json)
        events.append(Event(range: start..<bytes.count, ticket: ticket))
    }

    func close() {
        if mode == .batch { bytes.append("]") }
    }

    /// The request's body; valid as long as the delivery, as is what the others give.
    var body: ByteView { frame?.data ?? bytes.view }

    /// The one event of binary mode.
    var frame: EventFrame? { mode == .binary ? EventFrame(in: bytes.view) : nil }

    func forEachEvent(_ body: (_ json: ByteView, DeliveryLedger.Ticket) -> Void) {
        for event in events { body(bytes[event.range], event.ticket) }
    }

    /// Two deliveries with half of the events each.
    func halves() -> (HTTPDelivery, HTTPDelivery) {
        precondition(mode == .batch && count > 1)
        return (part(0..<count / 2), part(count / 2..<count))
    }

    private func part(_ range: Range<Int>) -> HTTPDelivery {
        let part = HTTPDelivery(mode: mode, arrival: arrival, capacity: bytes.count / 2)
        for event in events[range] { part.append(json: bytes[event.range], event.ticket) }
        part.close()
        return part
    }
}

@available(*, unavailable)
extension HTTPDelivery: Sendable {}
