import TestSupport

@testable import Gateway

/// What the parts of a simulated shard share: its time, its chances, what is to happen, and what has been found wrong.
final class SimulationWorld {
    enum Action {
        /// A request has come in.
        case arrival(SimulatedRequest)
        /// Its client is gone.
        case departure(SimulatedRequest)
        /// Its client has the last byte of the answer.
        case replyRead(SimulatedRequest)
        /// Its client reads some more of a stream, or the broker has a part of it.
        case streamRead(SimulatedRequest)
        /// A Model Service has sent a part of an answer, or its connection has ended.
        case progress(model: Int, token: Int)
        /// A Reporter has a look at what waits.
        case report
        /// Some time is over that a Provider waits for.
        case tick
        case drain
        case stop
    }

    static let start: Int64 = 1_000_000_000_000
    static let wallStart: Int64 = 1_790_000_000_000_000_000

    let setup: SimulationSetup
    let clock = ShardClock(simulatedFrom: start, wall: wallStart)
    var random: SeededGenerator
    var schedule = SimulatedSchedule<Action>()
    let ledger = SimulationLedger()
    let requests: [SimulatedRequest]
    /// What went wrong; the first few are enough.
    private(set) var findings: [String] = []
    /// Of all that happened: two runs of a seed must come to the same.
    private(set) var fingerprint: UInt64 = 0xcbf2_9ce4_8422_2325

    /// Which request an exchange in use belongs to, by its index.
    private var owners: [SimulatedRequest?] = []
    /// Those whose id is a new one.
    private var byNewId: [String: SimulatedRequest] = [:]

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        setup = SimulationSetup(&random)
        var requests: [SimulatedRequest] = []
        var time = Self.start
        for number in 0..<setup.requestCount {
            let request = setup.makeRequest(number, &random)
            requests.append(request)
            // Many come together.
            if random.chance(60) { time += Int64(random.below(Int(5 * setup.pace))) }
            schedule.add(at: time, .arrival(request))
            if let leavesAfter = request.leavesAfter { schedule.add(at: time + leavesAfter, .departure(request)) }
        }
        self.requests = requests
        let end = max(time - Self.start, SimulationSetup.millisecond)
        let moment = Self.start + Int64(random.below(Int(end)))
        switch setup.ending {
        case .late: break
        case .drained: schedule.add(at: moment, .drain)
        case .stopped:
            schedule.add(at: moment, .drain)
            schedule.add(at: moment + Int64(random.below(Int(50 * SimulationSetup.millisecond))), .stop)
        case .killed: schedule.add(at: moment, .stop)
        }
    }

    /// Requests that are still to come.
    lazy var arrivalsLeft = requests.count

    var now: Int64 { clock.monotonic() }

    /// Notes that something is not as it must be.
    func expect(_ isTrue: Bool, _ what: @autoclosure () -> String) {
        if !isTrue, findings.count < 5 { findings.append("at \((now - Self.start) / 1_000) µs: \(what())") }
    }

    /// Makes a number part of the fingerprint (FNV-1a).
    func trace(_ number: Int) {
        fingerprint = (fingerprint ^ UInt64(bitPattern: Int64(number))) &* 0x100_0000_01b3
    }

    // MARK: Which request it is

    func own(_ exchange: Exchange, _ request: SimulatedRequest) {
        while owners.count <= exchange.index { owners.append(nil) }
        expect(owners[exchange.index] == nil, "exchange \(exchange.index) is given to two requests")
        owners[exchange.index] = request
        request.exchange = exchange
    }

    func disown(_ exchange: Exchange) {
        owners[exchange.index]?.exchange = nil
        owners[exchange.index] = nil
    }

    func owner(of exchange: Exchange) -> SimulatedRequest? {
        let owner = exchange.index < owners.count ? owners[exchange.index] : nil
        expect(owner != nil, "exchange \(exchange.index), which is nobody's, is \(exchange.state)")
        return owner
    }

    /// Has events of an exchange found by its id.
    func noteId(of exchange: Exchange, _ request: SimulatedRequest) {
        if !request.hasId { byNewId[exchange.request.id.view.string] = request }
    }

    private func owner(ofId id: ByteView) -> SimulatedRequest? {
        if id.count < 36, let number = id.dropFirst(1).decimal { return requests[number] }
        return byNewId[id.string]
    }

    // MARK: Events

    /// An event is where it was promised to be.
    func recorded(_ frame: EventFrame) {
        guard let request = owner(ofId: frame.requestId) else {
            return expect(false, "an event belongs to no request: \(frame.line.string)")
        }
        trace(request.number)
        guard Self.isFailure(frame) else {
            expect(
                setup.delivery != .atLeastOnce || Self.rowIndex(frame) == request.rowEvents,
                "request \(request.number): event \(request.rowEvents) is of row \(Self.rowIndex(frame))"
            )
            request.rowEvents += 1
            return
        }
        request.failureEvents += 1
    }

    /// Behind the Prediction's id stands the row's index; see `PredictionEventEncoder`.
    private static func rowIndex(_ frame: EventFrame) -> Int {
        let ids = frame.requestId.count + frame.predictionId.count
        let number = frame.data.dropFirst(#"{"requestId":"","predictionId":"","rowIndex":"#.utf8.count + ids)
        return number.prefix(number.firstIndex(of: UInt8(ascii: ",")) ?? 0).decimal ?? -1
    }

    private static func isFailure(_ frame: EventFrame) -> Bool {
        // The only member that begins so, and nothing before it may hold a brace but a value.
        let mark = ByteView(#","value":null,"error":{"cause":"#)
        var place = 0
        while let comma = frame.data.firstIndex(of: UInt8(ascii: ","), from: place) {
            if frame.data.dropFirst(comma).hasPrefix(mark) { return true }
            if frame.data.dropFirst(comma).hasPrefix(ByteView(#","value":"#)) { return false }
            place = comma + 1
        }
        return false
    }
}
