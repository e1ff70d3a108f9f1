import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Frames as they come from a disk, and as they are too large to get there.
@Suite struct SpoolFrameTests {
    /// A frame of three events, changed, with a checksum that holds nevertheless: as a fault of another program, or a villain,
    /// may leave it.
    private func resealed(_ change: (ByteBuffer, Range<Int>) -> Void) throws -> [UInt8] {
        let batch = EventBatch()
        fillEvents(batch, 0..<3)
        change(batch.bytes, batch.frames[1])
        batch.seal()
        return withExtendedLifetime(batch) { batch.bytes.view.array }
    }

    private func numbers(_ bytes: [UInt8]) throws -> (seen: [String], dropped: Int) {
        let directory = SpoolDirectory()
        let lane = directory.configuration.path + "/lane-0"
        try FileManager.default.createDirectory(atPath: lane, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: lane + "/00000000000000000000.events"))
        let spool = try directory.open()
        let source = spool.feed(reporter: 0).makeSource()
        var seen: [String] = []
        let format = EventFormatName.json.make()
        let writer = KafkaEventWriter(key: .requestId, format: format)
        let headers = HTTPEventHeaders(own: [:])
        while source.hasEvents {
            var events: [WaitingEvent] = []
            source.gather(into: &events, limit: 1 << 20)
            for event in events {
                // All that is done with a frame on its way out.
                let message = writer.message(of: event.frame)
                _ = writer.writeHeaders(of: message)
                var ledger = DeliveryLedger()
                for mode in Configuration.Reporter.HTTP.Mode.allCases {
                    let delivery = HTTPDelivery(mode, format.batch, arrival: 0, capacity: 100)
                    delivery.append(event.frame, in: format, ledger.begin(event))
                    delivery.close()
                    headers.write(for: delivery, to: CurlHeaderList())
                    delivery.forEachEvent(format) { json, _ in #expect(!json.isEmpty || event.frame.line.count == 1) }
                }
                seen.append(event.frame.id.string)
            }
            source.release()
            for event in events { source.acknowledge(lane: event.lane, through: event.end) }
        }
        return (seen, spool.totals().dropped)
    }

    @Test func `parts that reach beyond the line are damage, whatever the checksum says`() throws {
        for word in 5..<25 {
            for value in [UInt32.max, 1 << 31, 100_000] {
                let bytes = try resealed { $0.setLittleEndian(value, at: $1.lowerBound + 4 * word) }
                let (seen, dropped) = try numbers(bytes)
                #expect(seen == ["event-0", "event-2"], "word \(word)")
                #expect(dropped == 1)
            }
        }
    }

    @Test func `a line without its end is damage`() throws {
        let bytes = try resealed { $0.set(0x20, at: $1.upperBound - 1) }
        #expect(try numbers(bytes).seen == ["event-0", "event-2"])
    }

    @Test(arguments: 0..<300) func `whatever a header says, nothing ends the process`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let bytes = try resealed { buffer, frame in
            for _ in 0...random.below(4) {
                let word = random.below(25)
                let value = random.pick([UInt32(random.below(600)), UInt32(random.below(1 << 20)), UInt32.max])
                buffer.setLittleEndian(value, at: frame.lowerBound + 4 * word)
            }
        }
        let seen = try numbers(bytes).seen
        #expect(seen.first == "event-0")
    }

    /// A line that no header can describe must not end the process, nor go unseen.
    @Test func `an event that is too large is none, and is told by the batch`() {
        let batch = EventBatch(maxLineLength: 1_000)
        fill(batch, producer: 0, numbers: 0..<1)
        append(to: batch, length: 2_000)
        #expect(batch.count == 1 && batch.oversized == 1)
        #expect(batch.bytes.count == batch.frames[0].upperBound)
        batch.removeAll()
        #expect(batch.isEmpty && batch.oversized == 0)
        append(to: batch, length: 2_000)
        #expect(batch.count == 0 && !batch.isEmpty)
    }

    private func append(to batch: EventBatch, length: Int) {
        batch.append { bytes in
            bytes.append(contentsOf: [UInt8](repeating: 0x20, count: length))
            bytes.append("\n")
            return EventFrame.Parts()
        }
    }

    @Test func `lanes count what was too large`() throws {
        let batch = EventBatch(maxLineLength: 1_000)
        append(to: batch, length: 2_000)
        let queue = try ReportQueue(maxBytes: 1 << 20)
        #expect(queue.openLane().submit(batch))
        #expect(queue.counters.totals == .init(dropped: 1))

        let refusing = SpoolDirectory()
        let spool = try refusing.open()
        #expect(!spool.lane(0).submit(batch))
        #expect(spool.refusedEvents == 1)
        #expect(!SpoolReader(spool).source.hasEvents)

        let dropping = SpoolDirectory()
        dropping.configuration.whenFull = .dropOldest
        let other = try dropping.open()
        #expect(other.lane(0).submit(batch))
        #expect(other.totals() == .init(dropped: 1))
    }
}
