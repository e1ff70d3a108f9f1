/// Calls the service that executes one model. One object per model and shard; confined to the shard's thread.
protocol ModelServiceAdapter: AnyObject {
    /// Whether the Model Service has an answer to this operation; else the Sidecar gives its own.
    func canAnswer(_ operation: Request.Operation) -> Bool
    /// Starts the call of an attempt. Its end is told to the adapter's sink, never from within this function.
    func submit(_ attempt: Attempt)
    /// Whether a request may be submitted whose body goes on as it comes (`Request.passedLength`).
    var takesBodies: Bool { get }
    /// More of such a body is there, or all of it.
    func sendOn(_ attempt: Attempt)
    /// Ends a call before its time; nothing more is heard of it.
    func cancel(_ attempt: Attempt)
    /// Reads on, after `AttemptSink.received` has returned false. The sink may be told of more from within this function.
    func resume(_ attempt: Attempt)
    /// The answer's bytes are not needed any longer. Once for each call that was submitted, when it is over.
    func release(_ attempt: Attempt)
}

extension ModelServiceAdapter {
    var takesBodies: Bool { false }
    func sendOn(_ attempt: Attempt) { preconditionFailure("it takes no bodies that go on as they come") }
}

/// Hears what becomes of the attempts that adapters were given: `began` once where an answer comes, and `ended` once. No attempt is
/// cancelled from within these functions.
protocol AttemptSink: AnyObject {
    /// The Model Service answers: all but the body is in `Attempt.answer`. How the body is to come.
    func began(_ attempt: Attempt) -> AnswerDelivery
    /// How many bytes an answer may have at most that has begun, and of which some is still to come, to be given whole: a longer
    /// one may come in parts. nil: however long it is.
    func wholeBytes(_ attempt: Attempt) -> Int?
    /// An answer that was to be given whole is longer than that: it says that it has `length` bytes, or, where it does not say,
    /// so many have come. How the body is to come from now on.
    func outgrew(_ attempt: Attempt, length: Int?) -> AnswerDelivery
    /// More of a body that comes in parts is in `ModelAnswer.body`, out of which the sink takes it from the front; false where
    /// there is no room for more until `ModelServiceAdapter.resume`.
    ///
    /// - Parameter mayGrow: whether the adapter has memory for more.
    func received(_ attempt: Attempt, mayGrow: Bool) -> Bool
    /// Some of a request's body that goes on as it comes has been sent: there may be room for more of it.
    func sentBody(_ attempt: Attempt)
    /// The answer is complete, and the sink has heard of all of it; or why it never will be. Its bytes are the adapter's until
    /// `release`.
    func ended(_ attempt: Attempt, _ failure: ExchangeFailure?)
}

/// How the body of an answer comes to the sink.
enum AnswerDelivery {
    /// All of it, at the end.
    case whole
    /// As it comes.
    case parts
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
