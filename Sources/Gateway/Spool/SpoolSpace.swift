import Logging

/// How large segments are, by what the spool may take and what its disk has.
///
/// A segment is removed as a whole: so that this frees room in time, those being written and those not yet delivered to their
/// end must be a small part of all, a quarter at most.
struct SpoolSpace {
    private static let least = 16 << 10
    private static let most = 16 << 20

    let segmentSize: Int

    /// - Parameters:
    ///   - used: bytes that its files have already.
    ///   - space: of its file system; nil: without bound, as far as is known.
    /// - Throws: where even the smallest segments would not go round.
    init(
        _ configuration: Configuration.Spool,
        laneCount: Int,
        used: Int,
        space: FileSystem.Space?,
        log: ReporterLog
    ) throws(SpoolError) {
        let lanes = max(1, laneCount)
        let needed = 2 * Self.least * lanes
        var room = configuration.maxBytes
        if let space {
            guard space.bytes >= needed else {
                throw .volumeTooSmall(path: configuration.path, bytes: space.bytes, shards: lanes, needed: needed)
            }
            room = min(room, space.freeBytes + used)
            if space.bytes < configuration.maxBytes {
                log(
                    .warning,
                    "reporting.spool.maxBytes, \(SizeText.describe(configuration.maxBytes)), is more than the disk of "
                        + "\(configuration.path) has (\(SizeText.describe(space.bytes))): it will be full before"
                )
            }
        }
        segmentSize = max(Self.least, min(Self.most, room / (8 * lanes)))
    }
}
