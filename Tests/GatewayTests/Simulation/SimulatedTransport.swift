import TestSupport

@testable import Gateway

/// Calls of a Model Service that answers as the seed will have it: in time or not, well or badly, in one part or in two.
final class SimulatedTransport: HTTPTransport {
    private final class Call: HTTPCall {
        private let count: Count
        private unowned let transport: SimulatedTransport
        /// Of the start that it is out by; nil: it is not out.
        var token: Int?
        var request: SimulatedRequest?
        var script = Script.silence
        /// The next piece of a stream, and whether it waits for room.
        var nextPiece = 0
        var isHeld = false

        init(_ index: Int, _ transport: SimulatedTransport) {
            self.transport = transport
            count = transport.count
            super.init(index, body: ByteBuffer(capacity: 512), headers: ByteBuffer(capacity: 128))
            count.value += 1
        }

        deinit { count.value -= 1 }

        override func start() { transport.start(self) }
        override func cancel() { transport.cancel(self) }
        override func resume() { transport.resume(self) }
    }

    /// How many calls there are.
    private final class Count { var value = 0 }

    private enum Script {
        case answer(status: Int, SimulatedAnswers.Body, headerBytes: Int)
        /// The connection ends, perhaps behind a part of an answer.
        case failure(CurlFailure.Kind, after: SimulatedAnswers.Body?)
        /// Server-sent events, and then an end; nil: nothing more is heard of it.
        case stream([[UInt8]], end: SimulatedRequest.StreamOutcome?, CurlFailure.Kind)
        /// Nothing is ever heard of it.
        case silence
    }

    unowned var delegate: (any HTTPTransportDelegate)?

    private let world: SimulationWorld
    private let model: Int
    private let answers: SimulatedAnswers
    private var out: [Int: Call] = [:]
    private var starts = 0
    private(set) var callsOut = 0
    private let count = Count()
    private var isShutDown = false

    init(_ world: SimulationWorld, model: Int, answers: SimulatedAnswers) {
        self.world = world
        self.model = model
        self.answers = answers
    }

    private var traits: SimulationSetup.Model { world.setup.models[model] }

    /// How many calls there are, out or not: that each is given back shows in that all of them are let go of.
    var callsThere: Int { count.value }

    /// Whether the Model Service of a call is not read on.
    func isHeld(_ attempt: Attempt) -> Bool { out.values.contains { $0.attempt === attempt && $0.isHeld } }

    // MARK: HTTPTransport

    var nextDeadline: Int64? { nil }
    func expire(now: Int64) {}
    func makeCall(_ index: Int) -> HTTPCall { Call(index, self) }

    private func start(_ call: Call) {
        guard call.token == nil else { return world.expect(false, "a call is started that is out") }
        guard let exchange = call.attempt?.exchange, let request = world.owner(of: exchange) else {
            return world.expect(false, "a call is started that belongs to no exchange")
        }
        starts += 1
        callsOut += 1
        world.expect(callsOut <= traits.maxConnections, "\(callsOut) calls are out of \(traits.maxConnections)")
        world.trace(request.number)
        call.token = starts
        call.request = request
        call.body.removeAll(keepingAtMost: BodyLoan.freeBytes)
        call.headers.removeAll()
        call.nextPiece = 0
        call.isHeld = false
        call.script = makeScript()
        out[starts] = call
        if case .silence = call.script { return }
        world.schedule.add(at: world.now + makeLatency(), .progress(model: model, token: starts))
    }

    private func cancel(_ call: Call) {
        guard call.token != nil else {
            return world.expect(false, "a call is cancelled that is not out")
        }
        takeBack(call)
    }

    func shutDown() {
        world.expect(callsOut == 0 && !isShutDown, "\(callsOut) calls are out when the transport is shut down")
        isShutDown = true
    }

    // MARK: What the Model Service does

    private func makeScript() -> Script {
        if world.random.chance(world.setup.streams) { return makeStream() }
        guard world.random.chance(world.setup.faults) else {
            let isLong = world.random.chance(world.setup.longAnswers)
            let bodies = isLong ? answers.long : answers.short
            return .answer(status: world.random.chance(95) ? 200 : 201, world.random.pick(bodies), headerBytes: 0)
        }
        let body = world.random.pick(answers.short)
        let nonsense = world.random.pick(answers.nonsense)
        switch world.random.below(10) {
        case 0: return .answer(status: world.random.pick([400, 404, 408, 429, 501]), nonsense, headerBytes: 0)
        case 1: return .answer(status: world.random.pick([500, 502, 503]), body, headerBytes: 0)
        case 2: return .answer(status: 200, nonsense, headerBytes: 0)
        case 3: return .answer(status: 200, body, headerBytes: 10_000)
        case 4: return .silence
        case 5: return .failure(world.random.pick([.refused, .unreachable, .dns, .tls]), after: nil)
        case 6: return .failure(.resetBeforeAnswer, after: nil)
        case 7: return .failure(.resetInAnswer, after: body)
        case 8: return .failure(.tooLarge, after: world.random.pick(answers.long))
        default: return .failure(world.random.pick([.malformed, .other]), after: nonsense)
        }
    }

    private func makeStream() -> Script {
        let isLong = world.random.chance(world.setup.longAnswers)
        var pieces: [[UInt8]] = []
        for number in 0..<world.random.below(isLong ? 60 : 8) {
            let datum = isLong ? "\"\(String(repeating: "x", count: 9_000))\"" : "\(number)"
            pieces.append(Array("data: \(datum)\n\n".utf8))
        }
        if world.random.chance(50) { pieces.append(Array("data: [DONE]\n\n".utf8)) }
        // Events end where they like.
        if pieces.count > 1, world.random.chance(30) {
            pieces[0] += pieces[1].prefix(3)
            pieces[1].removeFirst(3)
        }
        guard world.random.chance(world.setup.faults) else { return .stream(pieces, end: .complete, .other) }
        let kind = world.random.pick([CurlFailure.Kind.resetInAnswer, .malformed])
        let failure = ExchangeFailure(kind, detail: .empty).cause
        return .stream(pieces, end: world.random.chance(30) ? nil : .failed(failure), kind)
    }

    private func makeLatency() -> Int64 {
        switch world.random.below(20) {
        case 0: 0
        // At the very end of its time, a moment before or after.
        case 1: traits.timeout + Int64(world.random.below(3)) - 1
        case 2: Int64(world.random.below(Int(2 * traits.timeout)))
        default: Int64(world.random.below(Int(traits.latency)))
        }
    }

    /// What was due of a call has come.
    func progress(token: Int) {
        guard let call = out[token] else { return }
        switch call.script {
        case .answer(let status, let body, let headerBytes):
            if call.body.isEmpty, body.bytes.count > 1, world.random.chance(20) {
                let half = 1 + world.random.below(body.bytes.count - 1)
                guard receive(call, body.bytes[0..<half], of: body.bytes.count) else { return }
                world.schedule.add(at: world.now + makeLatency() / 2, .progress(model: model, token: token))
                return
            }
            let rest = body.bytes[call.body.count..<body.bytes.count]
            guard receive(call, rest, of: body.bytes.count) else { return }
            call.status = status
            call.headers.append("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
            if headerBytes > 0 { call.headers.append(string: "X: \(String(repeating: "x", count: headerBytes))\r\n") }
            call.headers.append("\r\n")
            call.request?.outcome = .answered(status: status, body: body, headerBytes: headerBytes)
            finish(call, nil)
        case .failure(let kind, let body):
            if let body, !receive(call, body.bytes[0..<body.bytes.count / 2], of: body.bytes.count) { return }
            finish(call, ExchangeFailure(kind, detail: .empty))
        case .stream(let pieces, let end, let kind): stream(call, pieces, end, kind)
        case .silence: break
        }
    }

    /// The next piece of a stream comes, or its head, or its end.
    private func stream(
        _ call: Call,
        _ pieces: [[UInt8]],
        _ end: SimulatedRequest.StreamOutcome?,
        _ kind: CurlFailure.Kind
    ) {
        guard let request = call.request, let token = call.token, !call.isHeld else { return }
        if !call.hasBegun {
            call.status = 200
            call.headers.append("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            request.isStream = delegate?.callBegan(call) ?? false
            if request.isStream { request.outcome = .streamed(nil) }
        }
        // Some pieces come together, as one.
        repeat {
            guard call.nextPiece < pieces.count else { return endStream(call, request, end, kind) }
            let piece = pieces[call.nextPiece]
            let isTaken = piece.withByteView { bytes in
                if request.isStream { call.body.append(bytes) }
                return request.isStream || receive(call, bytes, of: bytes.count)
            }
            guard isTaken else { return }
            call.nextPiece += 1
            request.streamSent += piece
        } while world.random.chance(20)
        if request.isStream, delegate?.callReceived(call) == false {
            call.isHeld = true
            return
        }
        schedule(token)
    }

    private func endStream(
        _ call: Call,
        _ request: SimulatedRequest,
        _ end: SimulatedRequest.StreamOutcome?,
        _ kind: CurlFailure.Kind
    ) {
        guard let end else { return }
        guard request.isStream else {
            // Taken whole: it is one Prediction, as what it is not.
            if case .complete = end {
                let bytes = ByteBuffer(capacity: max(call.body.count, 1))
                bytes.append(call.body.view)
                let body = SimulatedAnswers.Body(bytes: bytes, rows: 1)
                request.outcome = .answered(status: 200, body: body, headerBytes: 0)
                return finish(call, nil)
            }
            return finish(call, ExchangeFailure(kind, detail: .empty))
        }
        request.outcome = .streamed(end)
        if case .complete = end { return finish(call, nil) }
        finish(call, ExchangeFailure(kind, detail: .empty), isStream: true)
    }

    private func schedule(_ token: Int) {
        world.schedule.add(at: world.now + makeLatency() / 2, .progress(model: model, token: token))
    }

    private func resume(_ call: Call) {
        guard call.isHeld, let token = call.token else { return }
        call.isHeld = false
        schedule(token)
    }

    /// Takes bytes in, as far as there is memory for them.
    private func receive(_ call: Call, _ bytes: ByteView, of length: Int) -> Bool {
        let isAnnounced = world.random.chance(50)
        guard call.makeRoom(bytes.count, expected: isAnnounced ? length - call.body.count : 0) else {
            finish(call, ExchangeFailure(.noMemory, detail: .empty))
            return false
        }
        call.body.append(bytes)
        return true
    }

    private func finish(_ call: Call, _ failure: ExchangeFailure?, isStream: Bool = false) {
        if let failure, !isStream { call.request?.outcome = .failed(failure.cause) }
        if let exchange = call.attempt?.exchange {
            world.expect(world.owner(of: exchange) === call.request, "a call has changed its exchange")
        }
        takeBack(call)
        delegate?.callFinished(call, failure: failure)
    }

    private func takeBack(_ call: Call) {
        if let token = call.token { out[token] = nil }
        call.token = nil
        call.request = nil
        callsOut -= 1
    }
}
