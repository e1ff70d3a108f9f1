import Foundation
import TestSupport

@testable import Gateway

/// What must hold of the spool's reading for any bytes whatever in its files. The tests and the fuzzer ask the same.
enum SpoolCheck {
    /// What is wrong, nil where nothing is.
    ///
    /// - Parameter bytes: four bytes that choose, and what stands in the files: see `Layout`.
    static func violation(_ bytes: [UInt8]) -> String? {
        guard bytes.count >= 4 else { return nil }
        let layout = Layout(bytes)
        let scratch = TemporaryDirectory()
        do {
            return try readerViolation(layout, scratch.file("segment"))
                ?? recoveryViolation(layout, scratch.file("spool"))
        } catch {
            return "\(error)"
        }
    }

    /// Where in the lane the files stand, and what is in them.
    private struct Layout {
        /// Before the content of the first: frames that fill the reader's first chunk but for a few bytes; or nothing.
        let filler: [UInt8]
        let start: Int64
        /// One or two.
        let contents: [[UInt8]]
        /// Between the two.
        let gap: Int64
        /// nil: there is none.
        let cursor: [UInt8]?

        init(_ bytes: [UInt8]) {
            let content = Array(bytes.dropFirst(4))
            let distance = Int(bytes[0] >> 2)
            filler = bytes[0] & 1 == 0 ? [] : SpoolFrame.make(length: SegmentReader.chunkSize - distance)
            contents =
                bytes[0] & 2 == 0
                ? [content] : [Array(content.prefix(content.count / 2)), Array(content.dropFirst(content.count / 2))]
            // Up to where positions end.
            start = [0, 1, 1 << 40, .max - 300_000, .max - 600, .max - 1, .max][Int(bytes[1]) % 7]
            gap = [0, 0, 1, 100][Int(bytes[2]) % 4]
            switch bytes[3] % 4 {
            case 0: cursor = nil
            case 1: cursor = Array(content.prefix(16))
            default:
                let (place, isTooFar) = start.addingReportingOverflow(Int64(bytes[3]))
                cursor = isTooFar ? nil : SpoolFrame.cursor(place)
            }
        }
    }

    // MARK: One file

    /// What frames there are, found the slow way: at each byte it is asked whether a whole one begins.
    private static func frames(in bytes: [UInt8]) -> [(kind: SpoolFrame.Kind, range: Range<Int>)] {
        var frames: [(SpoolFrame.Kind, Range<Int>)] = []
        var start = 0
        while start < bytes.count {
            if let (kind, length) = SpoolFrame.look(bytes, at: start) {
                frames.append((kind, start..<start + length))
                start += length
            } else {
                start += 1
            }
        }
        return frames
    }

    private static func readerViolation(_ layout: Layout, _ path: String) throws -> String? {
        let bytes = layout.filler + layout.contents[0]
        let (end, isTooFar) = layout.start.addingReportingOverflow(Int64(bytes.count))
        guard !isTooFar else { return nil }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        let reader = try SegmentReader(path: path, start: layout.start, position: layout.start)
        let chunk = SpoolChunk()
        var seen: [Range<Int>] = []
        var lost: [Range<Int64>] = []
        var later: [Range<Int64>] = []
        var steps = 0
        while reader.position < end {
            try reader.read(into: chunk, end: end)
            for frame in chunk.frames {
                let offset = Int(chunk.start - layout.start)
                seen.append(frame.lowerBound + offset..<frame.upperBound + offset)
                if let violation = partsViolation(chunk.buffer[frame]) { return violation }
            }
            lost += reader.takeLost()
            later += reader.takeLater().map(\.range)
            steps += 1
            guard steps < 10 + bytes.count / 64 else { return "the reader does not come to an end" }
        }
        let frames = frames(in: bytes)
        let wanted = frames.filter { $0.kind == .readable }.map(\.range)
        guard seen == wanted else { return "frames \(seen), not \(wanted)" }
        let unknown = frames.filter { $0.kind == .later }.map(\.range)
        guard later == unknown.map({ layout.start + Int64($0.lowerBound)..<layout.start + Int64($0.upperBound) }) else {
            return "later frames \(later), not \(unknown)"
        }
        guard reader.endOfFrames == layout.start + Int64(frames.last?.range.upperBound ?? 0) else {
            return "the last frame ends at \(reader.endOfFrames)"
        }
        var gaps: [Range<Int64>] = []
        var position = 0
        for frame in frames.map(\.range) + [bytes.count..<bytes.count] {
            if frame.lowerBound > position {
                gaps.append(layout.start + Int64(position)..<layout.start + Int64(frame.lowerBound))
            }
            position = frame.upperBound
        }
        return lost == gaps ? nil : "lost \(lost), not \(gaps)"
    }

    /// Whatever a frame says of its parts, they lie within it.
    private static func partsViolation(_ bytes: ByteView) -> String? {
        guard let frame = EventFrame(in: bytes) else { return "a frame that is none" }
        var parts = [frame.id, frame.time, frame.data, frame.requestId, frame.predictionId, frame.modelName]
        if let contents = frame.contents {
            parts += [contents.value, contents.request, contents.input, contents.extra]
        }
        return parts.allSatisfy { $0.count <= frame.line.count } ? nil : "a part is longer than its line"
    }

    // MARK: The directory

    private static func recoveryViolation(_ layout: Layout, _ directory: String) throws -> String? {
        let lane = directory + "/lane-0"
        try FileManager.default.createDirectory(atPath: lane, withIntermediateDirectories: true)
        var start = layout.start
        for (index, content) in layout.contents.enumerated() {
            let digits = String(start)
            let name = String(repeating: "0", count: 20 - digits.count) + digits + ".events"
            let bytes = index == 0 ? layout.filler + content : content
            try Data(bytes).write(to: URL(fileURLWithPath: "\(lane)/\(name)"))
            let (next, isTooFar) = start.addingReportingOverflow(Int64(bytes.count) + layout.gap)
            if isTooFar { break }
            start = next
        }
        if let cursor = layout.cursor { try Data(cursor).write(to: URL(fileURLWithPath: "\(lane)/file.cursor")) }

        let first = try run(directory, acknowledges: false)
        let second = try run(directory, acknowledges: true)
        guard first.events == second.events else {
            return "\(first.events) events are there, and \(second.events) after another start"
        }
        let third = try run(directory, acknowledges: true)
        return third.events == 0 ? nil : "\(third.events) events are there that were acknowledged"
    }

    private static let reporter = SpoolReporter(
        name: "file",
        destination: ReporterDestination(type: "file", place: "events.jsonl")
    )

    /// Opens the spool, reads all that waits, and writes one event more.
    private static func run(_ directory: String, acknowledges: Bool) throws -> (events: Int, isOpened: Bool) {
        var configuration = Configuration.Spool()
        configuration.path = directory
        configuration.fsync = .never
        let reporter = SpoolReporter(name: "file", destination: ReporterDestination(type: "file", place: "file.jsonl"))
        let spool: Spool
        do throws(SpoolError) {
            spool = try Spool.open(configuration: configuration, laneCount: 1, reporters: [reporter]) { _, _ in }
        } catch {
            // It may be refused, and says why.
            return (0, false)
        }
        let source = spool.feed(reporter: 0).makeSource()
        var count = 0
        while source.hasEvents {
            var waiting: [WaitingEvent] = []
            source.gather(into: &waiting, limit: 1 << 20)
            count += waiting.count
            for event in waiting where acknowledges { source.acknowledge(lane: event.lane, through: event.end) }
            source.release()
        }
        source.close()
        spool.close()
        return (count, true)
    }
}
