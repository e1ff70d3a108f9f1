import TestSupport

@testable import Gateway

/// The spool itself, in a directory of its own, and one Reporter that reads it. It fills up, and never fails otherwise: how its
/// files are tried again is a matter of the machine's clock.
final class SimulatedSpoolFiles: SimulatedReporting, EventLane {
    private unowned let world: SimulationWorld
    private let directory: SpoolDirectory
    private let spool: Spool
    private let lane: SpoolLane
    private let source: any EventSource
    /// The events of the turn so far.
    private let turn = ByteBuffer(capacity: 4096)
    private var waiting: [WaitingEvent] = []
    private var published = 0
    private var delivered = 0
    private var awayUntil: Int64 = 0
    private(set) var isTurnSafe = true

    init(_ world: SimulationWorld) throws {
        self.world = world
        directory = SpoolDirectory(maxBytes: world.setup.laneBytes, segmentSize: world.setup.laneBytes / 8)
        spool = try directory.open()
        lane = spool.lane(0)
        source = spool.feed(reporter: 0).makeSource()
    }

    var lanes: [any EventLane] { [self] }

    // MARK: EventLane

    var isFull: Bool { lane.isFull }
    func hasRoom(forEvents events: Int, bytes: Int) -> Bool { lane.hasRoom(forEvents: events, bytes: bytes) }

    func submit(_ batch: EventBatch, isLast: Bool) -> Bool {
        turn.append(batch.bytes.view)
        if !lane.submit(batch, isLast: isLast) { isTurnSafe = false }
        if isLast {
            if isTurnSafe { publish() }
            turn.removeAll()
        }
        return isTurnSafe
    }

    private func publish() {
        var offset = 0
        while let frame = EventFrame(in: turn.view, at: offset) {
            world.recorded(frame)
            published += 1
            offset += frame.bytes.count
        }
    }

    // MARK: SimulatedReporting

    func beginTurn() { isTurnSafe = true }

    func read() {
        guard awayUntil <= world.now else { return }
        read(limit: 1 + world.random.below(world.setup.laneBytes))
        if world.random.chance(world.setup.reporterFaults) {
            awayUntil = world.now + Int64(world.random.below(Int(200 * SimulationSetup.millisecond)))
        }
    }

    private func read(limit: Int) {
        source.gather(into: &waiting, limit: limit)
        delivered += waiting.count
        source.release()
        if let last = waiting.last { source.acknowledge(lane: last.lane, through: last.end) }
        waiting.removeAll(keepingCapacity: true)
    }

    func check() {
        world.expect(
            spool.storedBytes <= world.setup.laneBytes,
            "the spool holds \(spool.storedBytes) bytes of \(world.setup.laneBytes)"
        )
    }

    func end(expectedEvents: Int) {
        world.expect(turn.isEmpty, "the last turn has ended, and its events have not")
        while source.hasEvents { read(limit: 1 << 20) }
        world.expect(delivered == published, "of \(published) events in the spool, \(delivered) came out of it")
        world.expect(spool.storedBytes == 0, "the spool holds \(spool.storedBytes) bytes in the end")
        spool.close()
        directory.keep()
    }
}
