import Synchronization
import Testing

@testable import Gateway

/// What waits in memory: batches of any size go through chunks of one size.
@Suite("Report queue") struct ReportQueueTests {
    /// The numbers of all events that wait, in order; gathered in pieces.
    private func drain(_ source: any EventSource) throws -> [Int] {
        var numbers: [Int] = []
        var events: [WaitingEvent] = []
        while source.hasEvents {
            source.gather(into: &events, limit: 100 << 10)
            for event in events {
                numbers.append(try eventNumber(event.frame.line.string))
                source.acknowledge(lane: event.lane, through: event.end)
            }
            events.removeAll()
            source.release()
        }
        return numbers
    }

    @Test(arguments: [(1, 10), (600, 1), (600, 1_000), (100 << 10, 7), (200 << 10, 5)])
    func `a batch of any size comes out whole, also when chunks are used again`(fill: Int, count: Int) throws {
        let queue = try ReportQueue(maxBytes: 64 << 20)
        let (lane, source, batch) = (queue.openLane(), queue.makeSource(), EventBatch())
        for round in 0..<5 {
            let numbers = round * count..<(round + 1) * count
            fillEvents(batch, numbers, fill: fill)
            #expect(lane.submit(batch))
            #expect(try drain(source) == Array(numbers))
        }
        #expect(queue.counters.queuedBytes.load(ordering: .relaxed) == 0)
        #expect(queue.counters.dropped.load(ordering: .relaxed) == 0)
    }

    @Test func `batches that wait together keep their order`() throws {
        let queue = try ReportQueue(maxBytes: 64 << 20)
        let (lane, source, batch) = (queue.openLane(), queue.makeSource(), EventBatch())
        var next = 0
        for (fill, count) in [(1, 3), (150 << 10, 2), (600, 900), (1, 1), (60 << 10, 11)] {
            fillEvents(batch, next..<next + count, fill: fill)
            #expect(lane.submit(batch))
            next += count
        }
        #expect(try drain(source) == Array(0..<next))
    }

    @Test(arguments: [(100, 3_000), (50 << 10, 40), (300 << 10, 9)])
    func `the first events of a batch that fit under the bound are kept`(fill: Int, count: Int) throws {
        let queue = try ReportQueue(maxBytes: 1 << 20)
        let (lane, source, batch) = (queue.openLane(), queue.makeSource(), EventBatch())
        fillEvents(batch, 0..<count, fill: fill)
        let fitting = batch.frames.filter { $0.upperBound <= 1 << 20 }.count
        #expect(fitting < count)
        #expect(lane.submit(batch))
        #expect(try drain(source) == Array(0..<fitting))
        #expect(queue.counters.dropped.load(ordering: .relaxed) == count - fitting)
        #expect(queue.counters.queuedBytes.load(ordering: .relaxed) == 0)
    }
}
