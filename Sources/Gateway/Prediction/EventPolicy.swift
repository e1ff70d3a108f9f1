/// What becomes of an answer in its events: whether there are any, what of the request and of the answer is in them, and how
/// long they may be. Whatever decides that stands here, and is asked once for an answer or once for an event.
struct EventPolicy: Sendable, Equatable {
    /// What of a request is recorded: nothing, each row's own part, the whole body once.
    enum Capture: Sendable {
        case none, input, body
    }

    var capture = Capture.none
    /// Where a whole body is cut.
    var maxCaptureBytes = 64 << 10
    /// The longest event, its line feed included: members are left out of longer ones, in the order of
    /// `PredictionEvent.Members.names`.
    var maxEventBytes = 1 << 20

    /// Whether the events of an answer, or of a failure, are recorded. Asked once, before anything is read for them.
    ///
    /// All are, so far. Sampling belongs here: by the request's id, so that all rows of a request go together.
    @inline(__always)
    func records(_ requestId: ByteView) -> Bool { true }

    /// The last look at an event before it is written down; its views may be set to others that live as long.
    ///
    /// Nothing is changed, so far. Redaction belongs here: of `value`, `extra`, `input` and `request`, before their length is
    /// looked at, and before any Reporter, the spool or the page sees them.
    @inline(__always)
    func prepare(_ event: inout PredictionEvent) {}

    /// How many bytes of a request are read for its answer's events.
    func readBytes(of request: ByteView) -> Int {
        switch capture {
        case .none: 0
        case .input: request.count
        case .body: min(request.count, maxCaptureBytes)
        }
    }

    /// Whether the request of a call that failed is looked into at one go. A longer one would hold the shard, and hardly any
    /// part of it could be in an event.
    func isShort(_ request: ByteView) -> Bool { request.count <= maxEventBytes }
}
