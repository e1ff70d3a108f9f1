/// What an event tells of, and all that follows from it. Stands in the frame, as a byte: 2 is kept for feedback and 3 for spans.
///
/// Frames, formats, headers and the spool ask this and know no kind. How `ameron-sidecar events` writes one as a line is in
/// `EventFormatter`.
enum EventKind: UInt8, CaseIterable {
    case prediction = 1

    /// CloudEvents' attribute `type`, plain text: in the line, in `ce_type` of Kafka, in `ce-type` of HTTP.
    var type: StaticString {
        switch self {
        case .prediction: "org.ameron.prediction.v1"
        }
    }

    /// Whether the page at `/ui` shows such events among the last Predictions.
    var isOnPage: Bool {
        switch self {
        case .prediction: true
        }
    }

    /// nil: no kind of ours is called so.
    init?(type: ByteView) {
        guard let kind = Self.allCases.first(where: { ByteView($0.type) == type }) else { return nil }
        self = kind
    }
}
