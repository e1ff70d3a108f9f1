/// Calls the service that executes one model. One object per model and shard; confined to the shard's thread.
protocol ModelServiceAdapter: AnyObject {
    /// Whether the Model Service has an answer to this operation; else the Sidecar gives its own.
    func canAnswer(_ operation: Request.Operation) -> Bool
    /// Starts the call of an attempt. Its end is told to the adapter's sink, never from within this function.
    func submit(_ attempt: Attempt)
    /// Ends a call before its time; nothing more is heard of it.
    func cancel(_ attempt: Attempt)
    /// The answer's bytes are not needed any longer. Once for each call that was submitted, when it is over.
    func release(_ attempt: Attempt)
}

/// Hears what becomes of the attempts that adapters were given.
protocol AttemptSink: AnyObject {
    /// The Model Service has answered. The answer's bytes are the adapter's until `release`.
    func answered(_ attempt: Attempt, _ answer: ModelAnswer)
    /// The call gave no answer.
    func failed(_ attempt: Attempt, _ failure: ExchangeFailure)
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
