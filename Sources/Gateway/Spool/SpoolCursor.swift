/// A Reporter's place in a lane, in a file: what it has acknowledged there. Eight bytes of position, eight of checksum.
///
/// It is not synced: after a power cut an older place means that events come twice.
final class SpoolCursor {
    static let suffix = ".cursor"
    private static let length = 16

    let path: String
    private let file: RandomAccessFile
    private let record = ByteBuffer(capacity: SpoolCursor.length)

    init(directory: String, reporter: String) throws(SystemError) {
        path = Self.path(directory: directory, reporter: reporter)
        file = try RandomAccessFile(path: path, .update)
    }

    static func path(directory: String, reporter: String) -> String { directory + "/" + reporter + suffix }

    /// The stored place.
    static func read(directory: String, reporter: String) throws(SystemError) -> LaneContents.Cursor {
        let file = try RandomAccessFile(path: path(directory: directory, reporter: reporter), .read)
        let record = ByteBuffer(capacity: length)
        try file.read(into: record, at: 0, upTo: length)
        return withExtendedLifetime(record) {
            if record.isEmpty { return LaneContents.Cursor(position: nil, isDamaged: false) }
            guard record.count == length, word(of: record, at: 8) == Checksum.xxh3(record[0..<8]) else {
                return LaneContents.Cursor(position: nil, isDamaged: true)
            }
            let position = Int64(truncatingIfNeeded: word(of: record, at: 0))
            guard (0...SpoolSegment.maxPosition).contains(position) else {
                return LaneContents.Cursor(position: nil, isDamaged: true)
            }
            return LaneContents.Cursor(position: position, isDamaged: false)
        }
    }

    func store(_ position: Int64) throws(SystemError) {
        record.removeAll()
        append(UInt64(bitPattern: position))
        append(Checksum.xxh3(record.view))
        try file.write(record.view, at: 0)
    }

    private func append(_ word: UInt64) {
        record.append(littleEndian: UInt32(truncatingIfNeeded: word))
        record.append(littleEndian: UInt32(truncatingIfNeeded: word >> 32))
    }

    private static func word(of record: ByteBuffer, at index: Int) -> UInt64 {
        UInt64(record.view.littleEndianWord(at: index + 4)) << 32 | UInt64(record.view.littleEndianWord(at: index))
    }
}

@available(*, unavailable)
extension SpoolCursor: Sendable {}
