import Synchronization
import TestSupport

@testable import Gateway

/// Where the events of a simulation go, and who reads them.
protocol SimulatedReporting: AnyObject {
    var lanes: [any EventLane] { get }
    /// Whether all events of the present turn are where they were promised to be.
    var isTurnSafe: Bool { get }
    func beginTurn()
    /// A Reporter reads, unless it is away.
    func read()
    func check()
    /// Nothing comes any more.
    func end(expectedEvents: Int)
}

/// Nobody wants events.
final class NoReporting: SimulatedReporting {
    let lanes: [any EventLane] = []
    let isTurnSafe = true
    func beginTurn() {}
    func read() {}
    func check() {}
    func end(expectedEvents: Int) {}
}

/// As the spool: all of a turn's events or none, within a bound; and a disk that fails at times.
final class SimulatedSpool: SimulatedReporting, EventLane {
    private unowned let world: SimulationWorld
    private var stored = 0
    /// The events of the turn so far.
    private let turn = ByteBuffer(capacity: 4096)
    private var hasFailed = false
    private var brokenUntil: Int64 = 0
    private var awayUntil: Int64 = 0
    private(set) var isTurnSafe = true

    init(_ world: SimulationWorld) { self.world = world }

    var lanes: [any EventLane] { [self] }

    // MARK: EventLane

    var isFull: Bool {
        if stored > world.setup.laneBytes / 10 * 9 { return true }
        // A broken disk is tried again by some.
        return brokenUntil > world.now && world.random.chance(80)
    }

    func hasRoom(forEvents events: Int, bytes: Int) -> Bool { stored + bytes <= world.setup.laneBytes }

    func submit(_ batch: EventBatch, isLast: Bool) -> Bool {
        defer { if isLast { beginNext() } }
        let failsNow = world.random.chance(world.setup.reporterFaults / 4)
        // For this moment only, or for some time.
        if failsNow, world.random.chance(50) {
            brokenUntil = world.now + Int64(world.random.below(Int(20 * SimulationSetup.millisecond)))
        }
        let wanted = stored + turn.count + batch.bytes.count
        let hasRoom = wanted <= world.setup.laneBytes && batch.oversized == 0
        if failsNow || brokenUntil > world.now || !hasRoom { hasFailed = true }
        if hasFailed {
            isTurnSafe = false
            return false
        }
        turn.append(batch.bytes.view)
        if isLast { publish() }
        return true
    }

    private func publish() {
        var offset = 0
        while let frame = EventFrame(in: turn.view, at: offset) {
            world.recorded(frame)
            offset += frame.bytes.count
        }
        world.expect(offset == turn.count, "a batch consists of frames")
        stored += turn.count
    }

    private func beginNext() {
        turn.removeAll()
        hasFailed = false
    }

    // MARK: SimulatedReporting

    func beginTurn() { isTurnSafe = true }

    func read() {
        guard awayUntil <= world.now else { return }
        stored -= world.random.below(stored + 1)
        if world.random.chance(world.setup.reporterFaults) {
            awayUntil = world.now + Int64(world.random.below(Int(200 * SimulationSetup.millisecond)))
        }
    }

    func check() {
        world.expect(stored <= world.setup.laneBytes, "the spool holds \(stored) bytes of \(world.setup.laneBytes)")
    }

    // Not after each turn: what comes behind its end may be so much that it is left here before the next one ends.
    func end(expectedEvents: Int) { world.expect(turn.isEmpty, "the last turn has ended, and its events have not") }
}

/// The queues of two Reporters that do what they can.
final class SimulatedQueues: SimulatedReporting {
    private final class Reader {
        let queue: ReportQueue
        let lane: ReportQueueLane
        let source: any EventSource
        var events = 0
        var awayUntil: Int64 = 0

        init(maxBytes: Int) throws {
            queue = try ReportQueue(maxBytes: maxBytes)
            lane = queue.openLane()
            source = queue.makeSource()
        }
    }

    private unowned let world: SimulationWorld
    private let readers: [Reader]
    private var waiting: [WaitingEvent] = []
    let isTurnSafe = true

    init(_ world: SimulationWorld) throws {
        self.world = world
        readers = try (0..<2).map { _ in try Reader(maxBytes: world.setup.laneBytes) }
    }

    var lanes: [any EventLane] { readers.map(\.lane) }

    func beginTurn() {}

    func read() {
        for (number, reader) in readers.enumerated() where reader.awayUntil <= world.now {
            read(reader, number, limit: 1 + world.random.below(world.setup.laneBytes))
            if world.random.chance(world.setup.reporterFaults) {
                reader.awayUntil = world.now + Int64(world.random.below(Int(200 * SimulationSetup.millisecond)))
            }
        }
    }

    private func read(_ reader: Reader, _ number: Int, limit: Int) {
        reader.source.gather(into: &waiting, limit: limit)
        for event in waiting where number == 0 { world.recorded(event.frame) }
        reader.events += waiting.count
        reader.source.release()
        if let last = waiting.last { reader.source.acknowledge(lane: last.lane, through: last.end) }
        waiting.removeAll(keepingCapacity: true)
    }

    func check() {
        for reader in readers {
            let queued = reader.queue.counters.queuedBytes.load(ordering: .relaxed)
            world.expect(queued <= world.setup.laneBytes, "a queue holds \(queued) bytes of \(world.setup.laneBytes)")
        }
    }

    func end(expectedEvents: Int) {
        for (number, reader) in readers.enumerated() {
            if world.random.chance(50) { read(reader, number, limit: .max) }
            reader.source.close()
            let dropped = reader.queue.counters.dropped.load(ordering: .relaxed)
            world.expect(
                reader.events + dropped == expectedEvents,
                "of \(expectedEvents) events, \(reader.events) came to Reporter \(number), \(dropped) were dropped"
            )
            world.expect(reader.queue.counters.queuedBytes.load(ordering: .relaxed) == 0, "a queue is not empty")
            world.trace(dropped)
        }
    }
}
