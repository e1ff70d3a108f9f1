/// Calls a Model Service over HTTP/1.1, on connections that are kept open.
///
/// At most `maxConnections` calls are out at once; the next ones wait in line. Every call has the same time limit, waiting
/// included, so the calls stand in one list in the order of their deadlines. How the bytes travel is the transport's.
final class HTTPModelServiceAdapter: ModelServiceAdapter, HTTPTransportDelegate {
    struct Options {
        var url: ModelServiceURL
        /// Nanoseconds.
        var timeout: Int64
        /// Of an answer that comes in parts, nanoseconds: how long the next part may take, and how long all of it.
        var partTimeout: Int64
        var maxStreamTime: Int64
        /// How much of such an answer may wait.
        var maxStreamBytes = 256 << 10
        var maxConnections: Int
        var limits: CallLimits
        var memory: BodyMemory?
    }

    private let options: Options
    private let transport: any HTTPTransport
    private unowned let sink: any AttemptSink
    private let freedMemory: FreedMemory
    private let clock: ShardClock
    /// Nanoseconds.
    private static let trimInterval: Int64 = 1_000_000_000

    /// All calls by their index; nil: it has been let go.
    private var calls: [HTTPCall?] = []
    private var freeIndices: [Int] = []
    /// Calls that are not in use, the one that was used last at the end; and how many at the beginning have not been in use
    /// since the last look.
    private var spare: [HTTPCall] = []
    private var unused = 0
    /// When it is looked at them again, in nanoseconds of the monotonic clock.
    private var nextTrim = Int64.max
    private var out = 0
    private var holdsLine = false
    private var waiting = CallQueue<LineOrder>()
    private var deadlines = CallQueue<DeadlineOrder>()
    /// Those whose answer comes in parts: in the order in which their time is over, and, while somebody reads, in that of the
    /// time for the next part.
    private var streams = CallQueue<DeadlineOrder>()
    private var nextParts = CallQueue<LineOrder>()

    /// - Parameter sink: Hears of the ends of the attempts; outlives the adapter.
    init(
        options: Options,
        transport: any HTTPTransport,
        sink: any AttemptSink,
        freedMemory: FreedMemory,
        clock: ShardClock
    ) {
        self.options = options
        self.transport = transport
        self.sink = sink
        self.freedMemory = freedMemory
        self.clock = clock
        transport.delegate = self
    }

    // MARK: ModelServiceAdapter

    func canAnswer(_ operation: Request.Operation) -> Bool { options.url.url(for: operation, version: nil) != nil }

    func submit(_ attempt: Attempt) {
        let call = spare.popLast() ?? makeCall()
        unused = min(unused, spare.count)
        call.attempt = attempt
        call.hasBegun = false
        call.isStreamed = false
        call.announced = nil
        call.wholeBytes = .max
        call.isLimited = false
        call.unsentBytes = 0
        call.isAllSent = false
        call.memory = options.memory
        attempt.call = call.index
        call.deadline = attempt.begunAt + options.timeout
        deadlines.append(call)
        if out < options.maxConnections { start(call) } else { waiting.append(call) }
    }

    /// A body that comes slowly holds a connection for long: such bodies may hold half of them.
    var takesBodies: Bool { transport.takesBodies && 2 * out < options.maxConnections }

    func sendOn(_ attempt: Attempt) {
        let call = call(of: attempt)
        if call.isOut { call.sendOn() }
    }

    func cancel(_ attempt: Attempt) { abandon(call(of: attempt)) }

    func resume(_ attempt: Attempt) {
        let call = call(of: attempt)
        guard call.isOut, call.isStreamed else { return }
        expectPart(of: call)
        call.resume()
    }

    func release(_ attempt: Attempt) {
        let call = call(of: attempt)
        attempt.answer = nil
        attempt.call = nil
        call.attempt = nil
        freedMemory.note(call.letGo())
        spare.append(call)
        if nextTrim == .max { nextTrim = clock.monotonic() + Self.trimInterval }
    }

    private func call(of attempt: Attempt) -> HTTPCall {
        guard let index = attempt.call, let call = calls[index] else {
            preconditionFailure("an attempt has a call from submit to release")
        }
        return call
    }

    private func makeCall() -> HTTPCall {
        if let index = freeIndices.popLast() {
            let call = transport.makeCall(index)
            calls[index] = call
            return call
        }
        let call = transport.makeCall(calls.count)
        calls.append(call)
        return call
    }

    // MARK: From the loop

    /// When the next call runs out of time, or something that is kept for others is too old, in nanoseconds of the monotonic
    /// clock; nil: there is none.
    var nextDeadline: Int64? {
        var next = min(transport.nextDeadline ?? .max, deadlines.first?.deadline ?? .max, nextTrim)
        if let stream = streams.first { next = min(next, stream.deadline, nextParts.first?.partDeadline ?? .max) }
        return next == .max ? nil : next
    }

    /// Ends the calls whose time is over, and lets go of what is too old.
    func expire(now: Int64) {
        transport.expire(now: now)
        if nextTrim <= now { trim(now: now) }
        if streams.first != nil { expireStreams(now: now) }
        guard let first = deadlines.first, first.deadline <= now else { return }
        // Those in line may be late too: none of them starts before all that are late are gone.
        holdsLine = true
        while let call = deadlines.first, call.deadline <= now {
            guard let attempt = call.attempt else { preconditionFailure("a call in line is an attempt's") }
            // One that has stood in line is sent when the one before it is late, so a moment before it is late itself.
            let waited = call.isOut ? attempt.sentAt - attempt.begunAt : options.timeout
            let limit = waited > options.timeout / 2 ? options.limits.line : options.limits.timeout
            abandon(call)
            sink.ended(
                attempt,
                ExchangeFailure(
                    cause: .timeout,
                    message: "the Model Service did not answer in time",
                    detail: limit.view
                )
            )
        }
        holdsLine = false
        startNext()
    }

    private func expireStreams(now: Int64) {
        while let call = nextParts.first, call.partDeadline <= now { endLate(call, options.limits.part) }
        while let call = streams.first, call.deadline <= now { endLate(call, options.limits.stream) }
    }

    private func endLate(_ call: HTTPCall, _ limit: ByteBuffer) {
        guard let attempt = call.attempt else { preconditionFailure("a call that is out is an attempt's") }
        abandon(call)
        sink.ended(
            attempt,
            ExchangeFailure(
                cause: .timeout,
                message: "the Model Service did not end its answer in time",
                detail: limit.view
            )
        )
    }

    /// Lets go of the calls that nobody has needed since the last look.
    private func trim(now: Int64) {
        for call in spare.prefix(unused) {
            freedMemory.note(call.bytes)
            calls[call.index] = nil
            freeIndices.append(call.index)
        }
        spare.removeFirst(unused)
        unused = spare.count
        nextTrim = spare.isEmpty ? .max : now + Self.trimInterval
    }

    /// Closes the connections; no call is out any more.
    func shutDown() { transport.shutDown() }

    // MARK: HTTPTransportDelegate

    func callBegan(_ call: HTTPCall) -> Bool {
        guard let attempt = call.attempt else { return false }
        begin(call, attempt)
        if call.isStreamed { return beginParts(of: call) }
        guard let wholeBytes = sink.wholeBytes(attempt) else { return false }
        guard let length = call.announced else {
            call.wholeBytes = wholeBytes
            return false
        }
        return length > wholeBytes && outgrew(call, attempt, length: length)
    }

    func callOutgrew(_ call: HTTPCall) -> Bool {
        call.wholeBytes = .max
        guard let attempt = call.attempt else { return false }
        return outgrew(call, attempt, length: nil)
    }

    private func outgrew(_ call: HTTPCall, _ attempt: Attempt, length: Int?) -> Bool {
        guard sink.outgrew(attempt, length: length) == .parts else { return false }
        call.isStreamed = true
        call.isLimited = true
        // What is kept from call to call, and no more: so it is read in large pieces, and no memory is fetched for it.
        call.body.reserve(total: BodyLoan.freeBytes)
        return beginParts(of: call)
    }

    private func beginParts(of call: HTTPCall) -> Bool {
        let (deadline, overflows) = clock.monotonic().addingReportingOverflow(options.maxStreamTime)
        deadlines.remove(call)
        call.deadline = overflows ? .max : deadline
        streams.append(call)
        expectPart(of: call)
        return true
    }

    func callReceived(_ call: HTTPCall) -> Bool {
        guard let attempt = call.attempt else { return true }
        nextParts.remove(call)
        guard sink.received(attempt, mayGrow: mayGrow(call)) else { return false }
        expectPart(of: call)
        return true
    }

    /// Whether there is memory for more of a body that is taken away.
    private func mayGrow(_ call: HTTPCall) -> Bool {
        // Of a long answer no more waits than is kept anyway.
        if call.isLimited { return true }
        // A body of 64 KiB may grow only where there is memory for all that may wait; else it waits until it is shorter.
        let rest = options.maxStreamBytes + Self.partBytes - call.body.count
        return call.makeRoom(Self.partBytes, expected: max(rest, Self.partBytes))
    }

    func callSent(_ call: HTTPCall) {
        guard let attempt = call.attempt else { return }
        if call.isAllSent { attempt.sentAt = clock.monotonic() }
        // Its time runs while the Model Service is waited for, and not its client.
        if !call.isStreamed {
            deadlines.remove(call)
            if call.unsentBytes > 0 || call.isAllSent {
                call.deadline = clock.monotonic() + options.timeout
                deadlines.append(call)
            }
        }
        sink.sentBody(attempt)
    }

    func callFinished(_ call: HTTPCall, failure: ExchangeFailure?) {
        guard let attempt = call.attempt else { return }
        leaveLists(call)
        call.isOut = false
        out -= 1
        startNext()
        if failure == nil, !call.hasBegun { begin(call, attempt) }
        if call.isStreamed { _ = sink.received(attempt, mayGrow: false) }
        var failure = failure
        if failure?.cause == .tooLarge { failure?.detail = options.limits.responseBytes.view }
        sink.ended(attempt, failure)
    }

    // MARK: Steps

    /// The most that comes between two looks for room.
    private static let partBytes = 16 << 10

    private func begin(_ call: HTTPCall, _ attempt: Attempt) {
        call.hasBegun = true
        attempt.answer = Self.read(call)
        call.isStreamed = sink.began(attempt) == .parts
    }

    /// The time for the next part of its answer begins.
    private func expectPart(of call: HTTPCall) {
        let (deadline, overflows) = clock.monotonic().addingReportingOverflow(options.partTimeout)
        call.partDeadline = overflows ? .max : deadline
        nextParts.remove(call)
        nextParts.append(call)
    }

    private func leaveLists(_ call: HTTPCall) {
        guard call.isStreamed else { return deadlines.remove(call) }
        streams.remove(call)
        nextParts.remove(call)
    }

    private func start(_ call: HTTPCall) {
        call.attempt?.sentAt = clock.monotonic()
        call.status = 0
        call.errorText.removeAll()
        call.isOut = true
        out += 1
        call.start()
    }

    private func startNext() {
        while !holdsLine, out < options.maxConnections, let call = waiting.first {
            waiting.remove(call)
            start(call)
        }
    }

    /// Takes a call out of everything; its exchange is told by the caller.
    private func abandon(_ call: HTTPCall) {
        leaveLists(call)
        guard call.isOut else {
            waiting.remove(call)
            return
        }
        call.cancel()
        call.isOut = false
        out -= 1
        startNext()
    }

    private static func read(_ call: HTTPCall) -> ModelAnswer {
        var answer = ModelAnswer(
            status: call.status,
            body: call.body,
            headers: call.headers.view,
            contentType: .empty
        )
        HeaderRules.forEachLine(in: answer.headers) { name, value in
            switch name.count {
            case 12: if name.equalsIgnoringCase(ByteView("Content-Type")) { answer.contentType = value }
            case 16:
                if name.equalsIgnoringCase(ByteView("Content-Encoding")),
                    !value.equalsIgnoringCase(ByteView("identity"))
                {
                    answer.isEncoded = true
                }
            case 31:
                if name.equalsIgnoringCase(ByteView("Inference-Header-Content-Length")) {
                    answer.jsonLength = value.decimal
                }
            default: break
            }
        }
        return answer
    }
}
