/// A position in a lane, in a file: what a Reporter has acknowledged there, or where the newest segment begins. Eight bytes
/// of position, eight of checksum.
///
/// It is not synced: after a power cut an older place means that events come twice.
final class SpoolCursor {
    static let suffix = ".cursor"
    /// The name of the file that says where the newest segment begins.
    static let newestName = "newest"
    /// In that file: there is no segment.
    static let none = SpoolSegment.maxPosition
    private static let length = 16

    let path: String
    /// What was stored last; nil: nothing since it was opened.
    private(set) var stored: Int64?
    private let file: RandomAccessFile
    private let record = ByteBuffer(capacity: SpoolCursor.length)

    /// Opens the file, or makes it.
    init(path: String) throws(SystemError) {
        self.path = path
        file = try RandomAccessFile(path: path, .update)
    }

    static func path(directory: String, reporter: String) -> String { directory + "/" + reporter + suffix }

    /// The stored place; nil: there is no such file.
    static func read(_ path: String) throws(SystemError) -> LaneContents.Cursor? {
        let file: RandomAccessFile
        do throws(SystemError) {
            file = try RandomAccessFile(path: path, .read)
        } catch {
            if error.isMissingFile { return nil }
            throw error
        }
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
        stored = nil
        try file.write(record.view, at: 0)
        stored = position
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
