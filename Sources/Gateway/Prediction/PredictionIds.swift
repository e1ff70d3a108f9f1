/// The ids of one answer's Predictions: made together, for the client's answer and the events alike. One per shard.
final class PredictionIds {
    private let generator = UUIDv7Generator()
    private let text = ByteBuffer(capacity: 64 * UUIDv7.length)

    /// Makes `count` new ids; the old ones are forgotten.
    func generate(_ count: Int, wallNanoseconds: Int64) {
        text.removeAll(keepingAtMost: 1 << 20)
        for _ in 0..<count { generator.appendNext(at: wallNanoseconds, to: text) }
    }

    /// One of them; valid until the next `generate`.
    subscript(index: Int) -> ByteView { text[index * UUIDv7.length..<(index + 1) * UUIDv7.length] }

    /// The id that a Prediction goes by: the model's own if it gave one.
    func predictionId(_ index: Int, _ prediction: Prediction) -> ByteView {
        prediction.id.isEmpty ? self[index] : prediction.id
    }
}
