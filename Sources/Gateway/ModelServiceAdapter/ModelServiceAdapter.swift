/// Calls the service that executes one model. One object per model and shard; confined to the shard's thread.
protocol ModelServiceAdapter: AnyObject {
    /// Whether the Model Service has an answer to this operation; else the Sidecar gives its own.
    func canAnswer(_ operation: Exchange.Operation) -> Bool
    /// Starts the call that the exchange describes. Its end comes as `ExchangeFlow.answered` or `failed`, never from within
    /// this function.
    func submit(_ exchange: Exchange)
    /// Ends a call before its time; nothing more is heard of it.
    func cancel(_ exchange: Exchange)
    /// The answer's bytes are not needed any longer.
    func release(_ exchange: Exchange)
}

/// What a Model Service answered. The bytes belong to the adapter until `release`.
struct ModelAnswer {
    var status: Int
    var body: ByteBuffer
    /// The header lines as they came, the status line first.
    var headers: ByteView
    /// The value of Content-Type; empty where there is none.
    var contentType: ByteView
    /// How many bytes of the body are JSON, where binary tensors follow (Inference-Header-Content-Length).
    var jsonLength: Int?
    /// Whether the body is compressed or encoded otherwise (Content-Encoding), although nobody asked for it.
    var isEncoded = false
}
