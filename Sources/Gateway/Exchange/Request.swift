/// What a client asks for, as its Provider has read it. Pooled with its exchange: its buffers keep their room.
///
/// Confined to its shard's thread. Its bytes belong to it until `Exchange.reset`; views into them are valid as long.
final class Request {
    /// What is asked of the Model Service.
    enum Operation {
        case predict
        /// The Model Service's own answer is passed on: metadata of the model, of the server, its readiness.
        case modelMetadata, modelReady, serverMetadata
        /// Answered by the Sidecar itself.
        case local
    }

    /// What may carry the id of a request, the better ones last.
    enum IdSource: Int {
        /// `id` in the body.
        case body = 1
        /// `Ce-Id`, or `ce_id` in Kafka.
        case cloudEvent
        /// `X-Request-Id`.
        case request
    }

    /// The longest id that is taken, in bytes: it goes into each event, and into the header of call and answer.
    static let maxIdBytes = 256

    var face = Face.native
    var operation = Operation.local
    let body = ByteBuffer()
    /// The lines to forward.
    let headers = HeaderTable()
    /// What stands behind the `?` of the request's target: visible ASCII.
    let query = ByteBuffer(capacity: 64)
    let id = ByteBuffer(capacity: 64)
    /// How good the source of the id is; an id from a better one replaces it. 0: there is none.
    private var idRank = 0
    let contentType = ByteBuffer(capacity: 64)
    let traceparent = ByteBuffer(capacity: 64)
    /// Whether the client sent Accept, which nobody else adds.
    var hasAccept = false
    /// Whether the body is compressed (Content-Encoding): it can't be looked into.
    var isEncoded = false
    /// How many bytes of the body are JSON, where binary tensors follow (Inference-Header-Content-Length).
    var jsonLength: Int?
    /// A version that the client asked for and the configuration leaves to the Model Service; plain text, else empty.
    let wantedVersion = ByteBuffer(capacity: 32)
    /// How long a body is that goes on as it comes (`LongBodies`): what of it is gone on may be gone from `body`. nil: `body` is to
    /// hold all of it before the call begins.
    var passedLength: Int?
    /// When it was in, in nanoseconds of the monotonic clock; of one whose body goes on as it comes, its head until the rest is.
    var receivedAt: Int64 = 0

    /// Takes an id that the client gave, unless there is one from as good a source.
    ///
    /// An id that can't be echoed in a header line and in an event as it is counts as none, as does one that is too long.
    func takeId(_ value: ByteView, from source: IdSource) {
        guard source.rawValue > idRank, !value.isEmpty, value.count <= Self.maxIdBytes, value.isVisibleASCII
        else { return }
        idRank = source.rawValue
        id.removeAll()
        id.append(value)
    }

    /// Makes ready for the next one.
    func reset() {
        face = .native
        operation = .local
        body.removeAll(keepingAtMost: Exchange.keptBytes)
        headers.removeAll()
        query.removeAll()
        id.removeAll()
        idRank = 0
        contentType.removeAll()
        traceparent.removeAll()
        wantedVersion.removeAll()
        hasAccept = false
        isEncoded = false
        jsonLength = nil
        passedLength = nil
        receivedAt = 0
    }

    /// Gives back what a large one has left behind.
    func letGo() {
        body.removeAll(keepingAtMost: Exchange.keptBytes)
        id.removeAll(keepingAtMost: 1 << 10)
        query.removeAll(keepingAtMost: 1 << 10)
    }

    /// Gives back all room, and returns how much the body had.
    func shrink() -> Int {
        let bytes = body.capacity
        for buffer in [body, query, id, contentType, traceparent, wantedVersion] {
            buffer.removeAll(keepingAtMost: 0)
        }
        headers.shrink()
        return bytes
    }
}

@available(*, unavailable)
extension Request: Sendable {}
