/// A call to a Model Service: the bytes of its answer, and its places in the adapter's lists. Used for call after call. Each
/// transport has its own kind.
class HTTPCall {
    /// Its place among the adapter's.
    final let index: Int
    /// The body of the answer.
    final let body: ByteBuffer
    /// The header lines of the answer as they came, status line first.
    final let headers: ByteBuffer
    /// 0: no answer has come.
    final var status = 0
    /// What there is to say about a failure beyond its cause.
    final let errorText = ByteBuffer(capacity: 128)
    /// nil: it is spare.
    final var attempt: Attempt?
    /// Nanoseconds of the monotonic clock.
    final var deadline: Int64 = 0
    /// Whether the call is with its transport.
    final var isOut = false
    /// Whether the header of the answer was told of.
    final var hasBegun = false
    /// Whether the body of the answer is taken away as it comes.
    final var isStreamed = false
    /// How long the body is, as the header says, and may be; nil: it does not say. Known when the answer has begun.
    final var announced: Int?
    /// A body that turns out to be longer is told of (`HTTPTransportDelegate.callOutgrew`); `.max`: none is.
    final var wholeBytes = Int.max
    /// Whether a body that is taken away as it comes may not be longer than one that is taken whole.
    final var isLimited = false
    /// Of a request's body that goes on as it comes: how much of what is there has not been sent, and whether all has been.
    final var unsentBytes = 0
    final var isAllSent = false
    /// When the next part of an answer that is taken away must have come; nanoseconds of the monotonic clock.
    final var partDeadline: Int64 = 0
    /// Where memory for a long answer comes from; nil: there is no limit.
    final var memory: BodyMemory?
    private final var loan = BodyLoan()
    fileprivate final var byDeadline = CallPlace()
    fileprivate final var inLine = CallPlace()

    /// How much memory it takes.
    var bytes: Int { body.capacity + headers.capacity }

    init(_ index: Int, body: ByteBuffer, headers: ByteBuffer) {
        self.index = index
        self.body = body
        self.headers = headers
    }

    /// Sends the request of the attempt. Its end is never told from within this function.
    func start() { preconditionFailure("each transport has its own kind of call") }

    /// Ends a call that is out; nothing more is heard of it.
    func cancel() { preconditionFailure("each transport has its own kind of call") }

    /// Sends more of a body that goes on as it comes.
    func sendOn() {}

    /// Goes on reading, after `HTTPTransportDelegate.callReceived` has returned false.
    func resume() { preconditionFailure("each transport has its own kind of call") }

    /// Makes room for `more` bytes of the answer's body, of which `expected` are certain to come; false where there is no memory
    /// for them.
    final func makeRoom(_ more: Int, expected: Int = 0) -> Bool {
        guard body.count + more > BodyLoan.freeBytes, let memory else { return true }
        // The native answer that is made of it is about as long.
        let copies = attempt?.exchange.request.face == .native ? 2 : 1
        return loan.makeRoom(in: body, more, expected: expected, copies: copies, from: memory)
    }

    /// Nobody needs the answer any more: lets go of a long one; how many bytes that were.
    final func letGo() -> Int {
        if body.capacity > BodyLoan.freeBytes { body.removeAll(keepingAtMost: BodyLoan.freeBytes) }
        // Whatever has become of the room meanwhile: what was borrowed goes back.
        return memory.map { loan.end($0) } ?? 0
    }
}

/// Carries calls to one Model Service. Confined to its shard.
protocol HTTPTransport: AnyObject {
    /// Hears of the ends of calls.
    var delegate: (any HTTPTransportDelegate)? { get set }
    /// Whether the body of a request may go on as it comes (`Request.passedLength`).
    var takesBodies: Bool { get }
    /// A call that can be made again and again.
    func makeCall(_ index: Int) -> HTTPCall
    /// When an idle connection is too old, in nanoseconds of the monotonic clock; nil: none will be.
    var nextDeadline: Int64? { get }
    /// Closes the connections that are too old.
    func expire(now: Int64)
    /// Closes what is open. No call is out.
    func shutDown()
}

extension HTTPTransport {
    var takesBodies: Bool { false }
}

protocol HTTPTransportDelegate: AnyObject {
    /// The header of an answer is in, and some of its body is still to come. Not of an answer that has come all at once. Whether
    /// the body is taken away as it comes: then it may be of any length, and `callReceived` is told of it.
    ///
    /// The call is not cancelled from within this function, nor from within the next one.
    func callBegan(_ call: HTTPCall) -> Bool
    /// The body is not taken away as it comes, and more of it is there than `HTTPCall.wholeBytes`: whether it is from now on.
    func callOutgrew(_ call: HTTPCall) -> Bool
    /// More of such a body is in `HTTPCall.body`; false where there is no room for more until `HTTPCall.resume`.
    func callReceived(_ call: HTTPCall) -> Bool
    /// Some of a request's body that goes on as it comes has been sent.
    func callSent(_ call: HTTPCall)
    /// The answer is complete, or `failure` says why there is none.
    func callFinished(_ call: HTTPCall, failure: ExchangeFailure?)
}

/// The neighbours of a call in one list. Not retained: a call leaves its lists before it goes anywhere else.
struct CallPlace {
    unowned(unsafe) var previous: HTTPCall?
    unowned(unsafe) var next: HTTPCall?
    var isLinked = false
}

/// Which of a call's places a list is made of.
protocol CallOrder {
    static func place(of call: HTTPCall) -> CallPlace
    static func setPlace(of call: HTTPCall, _ place: CallPlace)
}

/// All calls that are not over, in the order in which their time runs out.
enum DeadlineOrder: CallOrder {
    static func place(of call: HTTPCall) -> CallPlace { call.byDeadline }
    static func setPlace(of call: HTTPCall, _ place: CallPlace) { call.byDeadline = place }
}

/// The calls that wait for a connection, in the order in which they came; and those whose answer is taken away as it comes, in the
/// order in which the time for their next part runs out. No call is both.
enum LineOrder: CallOrder {
    static func place(of call: HTTPCall) -> CallPlace { call.inLine }
    static func setPlace(of call: HTTPCall, _ place: CallPlace) { call.inLine = place }
}

/// A list of calls, first in first out, from whose middle a call can leave in constant time.
struct CallQueue<Order: CallOrder> {
    private(set) var first: HTTPCall?
    private var last: HTTPCall?

    mutating func append(_ call: HTTPCall) {
        Order.setPlace(of: call, CallPlace(previous: last, next: nil, isLinked: true))
        if let last {
            var place = Order.place(of: last)
            place.next = call
            Order.setPlace(of: last, place)
        } else {
            first = call
        }
        last = call
    }

    /// Takes a call out, if it is in.
    mutating func remove(_ call: HTTPCall) {
        let place = Order.place(of: call)
        guard place.isLinked else { return }
        if let previous = place.previous {
            var neighbour = Order.place(of: previous)
            neighbour.next = place.next
            Order.setPlace(of: previous, neighbour)
        } else {
            first = place.next
        }
        if let next = place.next {
            var neighbour = Order.place(of: next)
            neighbour.previous = place.previous
            Order.setPlace(of: next, neighbour)
        } else {
            last = place.previous
        }
        Order.setPlace(of: call, CallPlace())
    }
}
