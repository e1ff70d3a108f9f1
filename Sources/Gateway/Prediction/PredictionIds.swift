/// Makes the ids of Predictions and requests, one at a time: each valid until the next.
final class PredictionIds {
    private let generator = UUIDv7Generator()
    private let text = ByteBuffer(capacity: UUIDv7.length)

    /// A new id: a UUID of version 7, whose time is that of the wall clock given.
    func next(wallNanoseconds: Int64) -> ByteView {
        text.removeAll()
        generator.appendNext(at: wallNanoseconds, to: text)
        return text.view
    }
}

@available(*, unavailable)
extension PredictionIds: Sendable {}
