/// The limits of a model's calls as a client reads of them that has met one: which key it is, and what it says.
struct CallLimits {
    /// Such as `models.0.timeout is 2s`.
    let timeout: ByteBuffer
    /// The same of a call that spent more than half of the time in line.
    let line: ByteBuffer
    let responseBytes: ByteBuffer
    /// Of an answer that comes in parts: the time for the next one, and for all of them.
    let part: ByteBuffer
    let stream: ByteBuffer

    /// - Parameter key: of the model, such as `models.0`.
    init(key: String, _ model: Configuration.Model) {
        let time = "\(key).timeout is \(DurationText.describe(model.timeout))"
        timeout = ByteBuffer(text: time)
        line = ByteBuffer(
            text:
                "\(time), and most of it was spent in line for a connection; there are \(model.maxConnections) a shard "
                + "(\(key).maxConnections)"
        )
        part = ByteBuffer(text: "\(key).idleTimeout is \(DurationText.describe(model.idleTimeout))")
        stream = ByteBuffer(text: "\(key).maxStreamTime is \(DurationText.describe(model.maxStreamTime))")
        responseBytes = ByteBuffer(text: "\(key).maxResponseBytes is \(SizeText.describe(model.maxResponseBytes))")
    }
}
