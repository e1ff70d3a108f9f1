import TestSupport
import Testing

@testable import Gateway

@Suite struct HandoverChunkTests {
    private func append(_ bytes: [UInt8], events: Int, to chunk: HandoverChunk) -> Bool {
        bytes.withByteView { chunk.append($0, events: events) }
    }

    @Test func `it takes as much as it has room for, and never a part`() {
        let chunk = HandoverChunk(capacity: 10)
        #expect(chunk.contents == .init())
        #expect(append([1, 2, 3], events: 1, to: chunk))
        #expect(!append([UInt8](repeating: 9, count: 8), events: 5, to: chunk))
        #expect(chunk.contents == .init(bytes: 3, events: 1))
        #expect(append([UInt8](repeating: 4, count: 7), events: 2, to: chunk))
        #expect(chunk.contents == .init(bytes: 10, events: 3))
        #expect(append([], events: 0, to: chunk))
        #expect(!append([5], events: 1, to: chunk))
        #expect(chunk[0..<10].array == [1, 2, 3, 4, 4, 4, 4, 4, 4, 4])
        #expect(chunk[2..<4].array == [3, 4])
        chunk.removeAll()
        #expect(chunk.contents == .init())
        #expect(chunk.capacity == 10)
        #expect(append([7], events: 1, to: chunk))
        #expect(chunk[0..<1].array == [7])
    }

    @Test(arguments: 0..<20) func `it is an array that is appended to`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let capacity = random.pick([1, 7, 64, 1_000])
        let chunk = HandoverChunk(capacity: capacity)
        var (bytes, events): ([UInt8], Int) = ([], 0)
        for step in 0..<1_000 {
            if random.chance(3) {
                chunk.removeAll()
                (bytes, events) = ([], 0)
            }
            let piece = (0..<random.below(capacity / 2 + 2)).map { _ in UInt8.random(in: 0...255, using: &random) }
            let more = random.below(4)
            let isRoom = piece.count <= capacity - bytes.count
            #expect(append(piece, events: more, to: chunk) == isRoom, "seed \(seed), step \(step)")
            if isRoom {
                bytes += piece
                events += more
            }
            #expect(chunk.contents == .init(bytes: bytes.count, events: events), "seed \(seed), step \(step)")
            let start = random.below(bytes.count + 1)
            let range = start..<start + random.below(bytes.count - start + 1)
            #expect(chunk[range].array == Array(bytes[range]), "seed \(seed), step \(step)")
        }
    }

    /// Bytes and events are of one moment, and what is told of is there.
    @Test func `a reader sees whole pieces while they are appended`() throws {
        let pieceLength = 5
        let capacity = 200_000
        let chunk = HandoverChunk(capacity: capacity)
        let deadline = Deadline()
        let counts = try concurrently(2) { thread in
            var seen = 0
            while seen < capacity, !deadline.hasPassed {
                if thread == 0 {
                    let piece = (0..<pieceLength).map { UInt8(truncatingIfNeeded: (seen + $0) &* 31) }
                    guard piece.withByteView({ chunk.append($0, events: 2) }) else { throw TestFailure("no room") }
                    seen += pieceLength
                    continue
                }
                let contents = chunk.contents
                guard contents.bytes * 2 == contents.events * pieceLength, contents.bytes >= seen else {
                    throw TestFailure("\(contents) after \(seen) bytes")
                }
                let view = chunk[seen..<contents.bytes]
                for index in 0..<view.count where view[index] != UInt8(truncatingIfNeeded: (seen + index) &* 31) {
                    throw TestFailure("byte \(seen + index) is \(view[index])")
                }
                if view.isEmpty { ThreadHandle.yieldProcessor() }
                seen = contents.bytes
            }
            return seen
        }
        #expect(counts == [capacity, capacity])
    }
}
