@testable import Gateway

/// One request of a simulation: what it will do, and what has become of it.
final class SimulatedRequest {
    // What it is.
    let number: Int
    let provider: ProviderKind
    let face: Face
    let operation: Request.Operation
    /// Which model it names; nil: one that is not configured.
    let model: Int?
    let bodyBytes: Int
    /// Whether it brings an id of its own.
    let hasId: Bool
    /// So long after it has come, its client leaves; nil: it waits. And so long it takes to read the answer.
    let leavesAfter: Int64?
    let readsFor: Int64
    /// Over Kafka: whether a stream is asked for in parts.
    var wantsParts: Bool { provider == .kafka && number % 2 == 0 }

    // What has become of it.
    var hasArrived = false
    /// While it is in the hands of the Sidecar.
    var exchange: Exchange?
    /// Bytes of memory that are lent to its body.
    var lentBytes = 0
    /// The client has left before it was answered: it is told nothing.
    var hasLeft = false
    var isDelivered = false
    /// How often it was answered, and how often it ended without an answer.
    var replies = 0
    var endings = 0
    /// The bytes of the answer as they were when it was given: what is sent must be the same to its end.
    var reply: [UInt8]?
    /// What the Model Service has sent of a stream, and what of that its client has read.
    var streamSent: [UInt8] = []
    var streamRead: [UInt8] = []
    /// Whether its answer goes on as it comes, whether its head has been given, and whether its client is about to read.
    var isStream = false
    var streamHasBegun = false
    var isReading = false
    /// How many events it had by then: no more may come.
    var eventsAtEnd = 0

    // Its present try.
    var attempts = 0
    /// Whether the call was made, and how the Model Service has ended it.
    var isCalled = false
    var outcome = Outcome.none
    /// Events that are where they were promised to be: those of Predictions, and of failures.
    var rowEvents = 0
    var failureEvents = 0

    enum Outcome {
        case none
        case answered(status: Int, body: SimulatedAnswers.Body, headerBytes: Int)
        case failed(ExchangeFailure.Cause)
        /// The head of a stream has come; nil: no end has.
        case streamed(StreamOutcome?)
    }

    enum StreamOutcome: Equatable {
        case complete
        case failed(ExchangeFailure.Cause)
    }

    init(
        number: Int,
        provider: ProviderKind,
        face: Face,
        operation: Request.Operation,
        model: Int?,
        bodyBytes: Int,
        hasId: Bool,
        leavesAfter: Int64?,
        readsFor: Int64
    ) {
        self.number = number
        self.provider = provider
        self.face = face
        self.operation = operation
        self.model = model
        self.bodyBytes = bodyBytes
        self.hasId = hasId
        self.leavesAfter = leavesAfter
        self.readsFor = readsFor
    }

    /// A new try begins: events of the last one are no longer looked for.
    func beginTry() {
        attempts += 1
        isCalled = false
        outcome = .none
        streamSent = []
        isStream = false
        rowEvents = 0
        failureEvents = 0
    }
}
