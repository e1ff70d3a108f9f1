/// One encoded event with where its parts stand: a header of 64 bytes, and the event as a line of JSON.
///
/// The same bytes wait in memory, are stored in the spool, and are read by the Reporters; so nobody has to parse an event.
/// The header holds sixteen words of 32 bits, lowest byte first: a mark, the line's length, a checksum of two words (0:
/// none), and the start and length, within the line, of each of six parts.
struct EventFrame {
    static let headerLength = 64
    /// The first word of every frame: "AMEV".
    static let mark: UInt32 = 0x5645_4d41
    /// Where the checksum stands in the header; it covers everything after it.
    static let checksumOffset = 8
    static let firstCheckedByte = 16

    /// The most that the header can say of a line and its parts, and far more than any event has.
    static let maxLineLength = 1 << 30

    /// Header and line.
    let bytes: ByteView

    /// The frame that starts at an offset; nil where no whole frame does. Its checksum is not looked at.
    init?(in view: ByteView, at offset: Int = 0) {
        guard view.count - offset >= Self.headerLength, view.littleEndianWord(at: offset) == Self.mark else {
            return nil
        }
        let length = Self.headerLength + Int(view.littleEndianWord(at: offset + 4))
        guard view.count - offset >= length else { return nil }
        bytes = view[offset..<offset + length]
    }

    /// Whether the header says of the line what can be. To be asked of what comes from a disk: nothing else that reads a frame
    /// looks at it.
    var isWellFormed: Bool {
        let length = line.count
        for index in 0..<6 {
            let start = Int(bytes.littleEndianWord(at: 16 + 8 * index))
            if start + Int(bytes.littleEndianWord(at: 20 + 8 * index)) > length { return false }
        }
        return length > 0 && line[length - 1] == 0x0a
    }

    /// The whole event as one JSON object, and a line feed.
    var line: ByteView { bytes.dropFirst(Self.headerLength) }
    /// The text of the CloudEvents attributes `id` and `time`; `time` may be empty.
    var id: ByteView { part(0) }
    var time: ByteView { part(1) }
    /// The JSON object under `data`.
    var data: ByteView { part(2) }
    /// The insides of the JSON strings `data.requestId`, `data.predictionId` and `data.modelName`.
    var requestId: ByteView { part(3) }
    var predictionId: ByteView { part(4) }
    var modelName: ByteView { part(5) }

    /// Where the id stands in the line.
    var idOffset: Int { Int(bytes.littleEndianWord(at: 16)) }

    private func part(_ index: Int) -> ByteView {
        let start = Int(bytes.littleEndianWord(at: 16 + 8 * index))
        let length = Int(bytes.littleEndianWord(at: 20 + 8 * index))
        return line[start..<start + length]
    }

    /// Where the parts of an event stand, counted from the start of its line.
    struct Parts {
        var id = 0..<0
        var time = 0..<0
        var data = 0..<0
        var requestId = 0..<0
        var predictionId = 0..<0
        var modelName = 0..<0
    }
}
