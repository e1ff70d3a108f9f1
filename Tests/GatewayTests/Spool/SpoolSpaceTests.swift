import TestSupport
import Testing

@testable import Gateway

@Suite struct SpoolSpaceTests {
    private let recorder = LogRecorder()

    private func segmentSize(_ maxBytes: Int, lanes: Int, used: Int = 0, disk: (Int, Int)? = nil) throws -> Int {
        var configuration = Configuration.Spool()
        configuration.maxBytes = maxBytes
        return try SpoolSpace(
            configuration,
            laneCount: lanes,
            used: used,
            space: disk.map { FileSystem.Space(bytes: $0.0, freeBytes: $0.1) },
            log: recorder.log
        )
        .segmentSize
    }

    @Test(
        arguments: [
            (1 << 30, 1, 16 << 20), (1 << 30, 8, 16 << 20), (1 << 30, 64, 2 << 20), (64 << 10, 1, 16 << 10),
            (1 << 20, 1, 128 << 10), (64 << 10, 64, 16 << 10),
        ] as [(Int, Int, Int)]
    ) func `by what it may take, segments are an eighth of each lane's share`(
        maxBytes: Int,
        lanes: Int,
        size: Int
    ) throws {
        #expect(try segmentSize(maxBytes, lanes: lanes) == size)
        #expect(try segmentSize(maxBytes, lanes: lanes, disk: (1 << 40, 1 << 40)) == size)
        #expect(recorder.messages.isEmpty)
    }

    @Test func `on a small disk they are smaller, and that is told`() throws {
        #expect(try segmentSize(1 << 30, lanes: 4, disk: (8 << 20, 8 << 20)) == 256 << 10)
        #expect(recorder.messages.count == 1)
        #expect(recorder.messages.first?.contains("1GiB, is more than the disk of spool has (8MiB)") == true)
    }

    /// What the spool itself has already is its own; what others have taken is not.
    @Test func `what is free counts, and what the spool has`() throws {
        #expect(try segmentSize(1 << 30, lanes: 1, used: 8 << 20, disk: (1 << 40, 8 << 20)) == 2 << 20)
        #expect(try segmentSize(1 << 30, lanes: 1, used: 8 << 20, disk: (1 << 40, 0)) == 1 << 20)
        #expect(try segmentSize(1 << 30, lanes: 1, disk: (1 << 40, 0)) == 16 << 10)
    }

    @Test func `one on which nothing could work is refused, with the sum`() {
        let error = #expect(throws: SpoolError.self) { try segmentSize(1 << 30, lanes: 16, disk: (500 << 10, 0)) }
        #expect(error == .volumeTooSmall(path: "spool", bytes: 500 << 10, shards: 16, needed: 512 << 10))
        #expect(error?.description.contains("has 500KiB; 16 shards need 512KiB at least") == true)
    }
}
