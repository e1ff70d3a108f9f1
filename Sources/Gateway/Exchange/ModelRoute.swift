/// One configured model as a shard sees it. Does not change while the shard runs.
final class ModelRoute {
    /// Its place in the configuration, and in everything counted per model.
    let index: Int
    /// Plain text.
    let name: ByteBuffer
    /// Plain text; empty: not configured.
    let version: ByteBuffer
    /// The same two as the insides of JSON strings.
    let nameJSON: ByteBuffer
    let versionJSON: ByteBuffer
    /// What a client reads who asked for a name much like this one; plain text.
    let suggestion: ByteBuffer
    let modelProtocol: ModelProtocol
    /// An answer of more Predictions is recorded as one.
    let maxPredictions: Int
    /// nil: a call that failed is the client's to make again.
    let retry: RetryPolicy?
    let streams: StreamRule
    /// How much of such an answer may wait for its client.
    let maxStreamBytes: Int
    /// Calls the model's service.
    let adapter: any ModelServiceAdapter

    init(
        index: Int,
        name: String,
        version: String?,
        modelProtocol: ModelProtocol,
        maxPredictions: Int = 10_000,
        retry: RetryPolicy? = nil,
        streams: StreamRule = .byType,
        maxStreamBytes: Int = 256 << 10,
        adapter: any ModelServiceAdapter
    ) {
        self.index = index
        self.name = ByteBuffer(text: name)
        self.version = ByteBuffer(text: version ?? "")
        self.nameJSON = ByteBuffer(escaping: name)
        self.versionJSON = ByteBuffer(escaping: version ?? "")
        self.suggestion = ByteBuffer(text: "did you mean '\(name)'?")
        self.modelProtocol = modelProtocol
        self.maxPredictions = maxPredictions
        self.retry = retry
        self.streams = streams
        self.maxStreamBytes = maxStreamBytes
        self.adapter = adapter
    }

    /// Whether long bodies may go on as they come (`LongBodies`): of a call that may be made again they are kept.
    var passesOn: Bool {
        if case .never = streams { return false }
        return retry == nil
    }

    /// Whether the Model Service has an answer to this; else the Sidecar gives its own.
    func canAnswer(_ operation: Request.Operation) -> Bool { adapter.canAnswer(operation) }
}

extension ByteBuffer {
    /// A buffer that holds this text. Not for the request path.
    convenience init(text: String) {
        self.init(capacity: max(text.utf8.count, 1))
        append(string: text)
    }

    /// A buffer that holds this text as the inside of a JSON string. Not for the request path.
    convenience init(escaping text: String) {
        self.init(capacity: max(text.utf8.count, 1))
        let plain = ByteBuffer(text: text)
        withExtendedLifetime(plain) { appendJSON(escaping: plain.view) }
    }
}
