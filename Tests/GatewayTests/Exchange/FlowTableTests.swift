import TestSupport
import Testing

@testable import Gateway

/// What an exchange goes through: in each state, what each event makes of it, and what leaves the flow by it.
///
/// All pairs stand in the table. What is not written in a row is `trap`: who does that has lost track of the exchange, and
/// the process ends before anybody is given somebody else's answer.
@Suite struct FlowTableTests {
    /// `Exchange.State`, and how far a long answer has come.
    enum Stage: String, CaseIterable, Codable {
        case idle, receiving, calling, recording, recordingLong, recordingRows, replying, abandoned, retrying
        /// Its head is in; and all of it is, in the same turn.
        case streaming, streamEnded
    }

    enum Event: String, CaseIterable, Codable {
        case begin, answered, answeredError, failed, clientLeft
        /// The end of a turn whose events are where they were promised to be, or are not.
        case endTurn, endTurnUnsafe
        case abortAll, retry
    }

    /// What comes of an event: the state, and what has left the flow.
    struct Outcome: Equatable {
        var state: Exchange.State
        /// Calls that the adapter was given, and that were taken from it.
        var submitted = 0
        var cancelled = 0
        /// Statuses of what the Provider was given.
        var delivered: [Int] = []
        /// How many events the lane has by then.
        var events = 0
        var inFlight = 0
    }

    static func out(_ state: Exchange.State, submitted: Int = 0, cancelled: Int = 0) -> Outcome {
        Outcome(state: state, submitted: submitted, cancelled: cancelled, inFlight: 1)
    }

    static func over(_ state: Exchange.State, cancelled: Int = 0, delivered: [Int] = [], events: Int = 0) -> Outcome {
        Outcome(state: state, cancelled: cancelled, delivered: delivered, events: events)
    }

    /// Two steps, of which the second is too short for its events to be handed over before the turn ends.
    static let rows = LongAnswers.stepRows + 100
    /// How many events of an answer are handed over while its rows are being written.
    static let step = LongAnswers.stepRows

    /// Of a Provider that does not have failures tried again.
    static let table: [Stage: [Event: Outcome]] = [
        .idle: [
            .clientLeft: over(.idle), .endTurn: over(.idle), .endTurnUnsafe: over(.idle), .abortAll: over(.idle),
        ],
        .receiving: [
            .begin: out(.calling, submitted: 1), .clientLeft: over(.receiving), .endTurn: over(.receiving),
            .endTurnUnsafe: over(.receiving), .abortAll: over(.receiving),
            // A call that could not begin is made again as one that has failed.
            .retry: over(.receiving),
        ],
        .calling: [
            .answered: out(.recording), .answeredError: over(.replying), .failed: over(.replying),
            .clientLeft: over(.abandoned, cancelled: 1), .endTurn: out(.calling), .endTurnUnsafe: out(.calling),
            .abortAll: over(.replying, cancelled: 1),
        ],
        // What goes on as it comes is recorded at its end.
        .streaming: [
            .answered: over(.streaming), .answeredError: over(.streaming), .failed: over(.streaming),
            .clientLeft: over(.streaming, cancelled: 1), .endTurn: out(.streaming), .endTurnUnsafe: out(.streaming),
            .abortAll: over(.streaming, cancelled: 1),
        ],
        .streamEnded: [
            .clientLeft: over(.streaming), .endTurn: over(.replying, delivered: [200], events: 1),
            .endTurnUnsafe: over(.replying, delivered: [503]), .abortAll: over(.streaming),
        ],
        // Short answers are recorded at the end of their turn. From then on it makes no difference who has left.
        .recording: [
            .clientLeft: out(.recording), .endTurn: over(.replying, delivered: [200], events: 1),
            .endTurnUnsafe: over(.replying, delivered: [503]), .abortAll: over(.replying),
        ],
        // A long one waits until it is its turn.
        .recordingLong: [
            .clientLeft: out(.recording), .endTurn: out(.recording), .endTurnUnsafe: out(.recording),
            .abortAll: over(.replying),
        ],
        // Once some of it is recorded, all of it is, or what is missing is said.
        .recordingRows: [
            .clientLeft: Outcome(state: .recording, events: step, inFlight: 1),
            .endTurn: over(.replying, delivered: [200], events: rows),
            .endTurnUnsafe: over(.replying, delivered: [503], events: step),
            .abortAll: over(.replying, events: step),
        ],
        .replying: [
            .clientLeft: over(.replying), .endTurn: over(.replying, delivered: [504], events: 1),
            .endTurnUnsafe: over(.replying, delivered: [503]), .abortAll: over(.replying),
        ],
        // Nobody is there to be told that the event is lost.
        .abandoned: [
            .clientLeft: over(.abandoned), .endTurn: over(.abandoned, delivered: [499], events: 1),
            .endTurnUnsafe: over(.abandoned, delivered: [499]), .abortAll: over(.abandoned),
        ],
        .retrying: [
            .clientLeft: over(.abandoned), .endTurn: over(.receiving), .endTurnUnsafe: over(.receiving),
            .abortAll: over(.replying), .retry: over(.receiving),
        ],
    ]

    /// What is otherwise where the Provider has failures tried again.
    static let retryTable: [Stage: [Event: Outcome]] = [
        .calling: [
            .answeredError: over(.retrying), .failed: over(.retrying),
            // There is no time for it.
            .abortAll: over(.replying, cancelled: 1),
        ],
        .recording: [.endTurnUnsafe: over(.receiving)],
        .recordingLong: [.abortAll: over(.replying)],
        .recordingRows: [.endTurnUnsafe: over(.receiving, events: step)],
    ]

    static let pairs: [(Stage, Event)] = Stage.allCases.flatMap { stage in Event.allCases.map { (stage, $0) } }

    @Test(arguments: pairs.filter { table[$0]?[$1] != nil })
    func leadsTo(_ stage: Stage, _ event: Event) throws {
        let rig = try StageRig(stage)
        rig.send(event)
        #expect(rig.outcome == Self.table[stage]?[event])
    }

    @Test(arguments: pairs.filter { retryTable[$0]?[$1] != nil })
    func leadsToAnotherTry(_ stage: Stage, _ event: Event) throws {
        let rig = try StageRig(stage)
        rig.rig.provider.retriesFailures = true
        rig.send(event)
        #expect(rig.outcome == Self.retryTable[stage]?[event])
    }

    @Test(arguments: pairs.filter { table[$0]?[$1] == nil })
    func ends(_ stage: Stage, _ event: Event) async {
        await #expect(processExitsWith: .failure) { [stage, event] in
            endsWithoutAccount()
            let rig = try StageRig(stage)
            // Else a test that cannot be made ready would pass.
            guard rig.isReady else { return }
            rig.send(event)
        }
    }

    /// The table has a row for each state, and every pair that is in it can be made.
    @Test(arguments: Stage.allCases) func canBeReached(_ stage: Stage) throws {
        #expect(try StageRig(stage).isReady && Self.table[stage] != nil)
    }

    enum Obstacle: CaseIterable { case noModel, draining, tooMany, noRoom }

    /// What cannot begin has not begun: the exchange stays as it is, and nothing leaves the flow.
    @Test(arguments: Obstacle.allCases) func isRefused(_ obstacle: Obstacle) throws {
        let rig = try StageRig(.receiving, maxInFlight: obstacle == .tooMany ? 0 : 10)
        switch obstacle {
        case .noModel: rig.exchange.route = nil
        case .draining: rig.rig.readiness.startDraining()
        case .noRoom: rig.rig.lane.isFull = true
        case .tooMany: break
        }
        let wanted: ExchangeFailure.Cause =
            switch obstacle {
            case .noModel: .unknownModel
            case .draining: .draining
            case .tooMany: .overloaded
            case .noRoom: .notRecorded
            }
        #expect(rig.rig.flow.begin(rig.exchange)?.cause == wanted)
        #expect(rig.outcome == Self.over(.receiving))
    }
}

/// An exchange in a state of the table.
private final class StageRig {
    let rig: FlowRig
    let exchange: Exchange
    private let stage: FlowTableTests.Stage

    init(_ stage: FlowTableTests.Stage, maxInFlight: Int = 10) throws {
        self.stage = stage
        rig = FlowRig(maxInFlight: maxInFlight)
        exchange = rig.take(1)
        // What has been delivered stays as it is, to be looked at.
        rig.provider.finish = { _ in }
        if stage == .idle { rig.flow.exchanges.giveBack(exchange) }
        if stage == .idle || stage == .receiving { return }
        try #require(rig.flow.begin(exchange) == nil)
        switch stage {
        case .idle, .receiving, .calling: break
        case .recording: rig.answer(exchange, FlowRig.v1(rows: 1))
        case .recordingLong: rig.answer(exchange, Self.longAnswer)
        case .recordingRows:
            rig.answer(exchange, Self.longAnswer)
            while rig.lane.events.isEmpty { rig.flow.endTurn() }
        case .streaming: rig.beginStream(exchange)
        case .streamEnded:
            rig.beginStream(exchange)
            rig.endStream(exchange)
        case .replying: rig.fail(exchange)
        case .abandoned: rig.flow.clientLeft(exchange)
        case .retrying:
            rig.provider.retriesFailures = true
            rig.fail(exchange)
        }
        rig.provider.retriesFailures = false
        rig.adapter.submitted.removeAll()
        rig.adapter.cancelled.removeAll()
    }

    /// Long by its bytes, so that it is known for long when it comes.
    private static let longAnswer =
        FlowRig.v1(rows: FlowTableTests.rows)
        + String(repeating: " ", count: LongAnswers.minBytes)

    var isReady: Bool {
        switch stage {
        case .idle: exchange.state == .idle
        case .receiving: exchange.state == .receiving
        case .calling: exchange.state == .calling
        case .recording, .recordingLong: exchange.state == .recording && rig.lane.events.isEmpty
        case .recordingRows: exchange.state == .recording && rig.lane.events.count == FlowTableTests.step
        case .streaming, .streamEnded: exchange.state == .streaming
        case .replying: exchange.state == .replying
        case .abandoned: exchange.state == .abandoned
        case .retrying: exchange.state == .retrying
        }
    }

    func send(_ event: FlowTableTests.Event) {
        switch event {
        case .begin: _ = rig.flow.begin(exchange)
        case .answered: rig.answer(exchange, FlowRig.v1(rows: 1))
        case .answeredError: rig.answer(exchange, "no", status: 500)
        case .failed: rig.fail(exchange)
        case .clientLeft: rig.flow.clientLeft(exchange)
        case .endTurn: rig.flow.endTurn()
        case .endTurnUnsafe:
            rig.lane.failsAfter = 0
            rig.flow.endTurn()
        case .abortAll: rig.flow.abortAll()
        case .retry: exchange.beginAnotherTry()
        }
    }

    var outcome: FlowTableTests.Outcome {
        FlowTableTests.Outcome(
            state: exchange.state,
            submitted: rig.adapter.submitted.count,
            cancelled: rig.adapter.cancelled.count,
            delivered: rig.provider.delivered.map(\.status),
            events: rig.lane.events.count,
            inFlight: rig.flow.inFlight
        )
    }
}
