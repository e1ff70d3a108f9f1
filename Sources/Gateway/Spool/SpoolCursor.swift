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
        path = directory + "/" + reporter + Self.suffix
        file = try RandomAccessFile(path: path, .update)
    }

    /// The stored place; nil where there is none. `isDamaged` where there is one that cannot be right.
    func load() throws(SystemError) -> (position: Int64?, isDamaged: Bool) {
        record.removeAll()
        try file.read(into: record, at: 0, upTo: Self.length)
        if record.isEmpty { return (nil, false) }
        guard record.count == Self.length else { return (nil, true) }
        let position = Int64(truncatingIfNeeded: word(at: 0))
        let isWhole = word(at: 8) == Checksum.xxh3(record[0..<8])
        return isWhole && position >= 0 ? (position, false) : (nil, true)
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

    private func word(at index: Int) -> UInt64 {
        UInt64(record.view.littleEndianWord(at: index + 4)) << 32 | UInt64(record.view.littleEndianWord(at: index))
    }
}

@available(*, unavailable)
extension SpoolCursor: Sendable {}
