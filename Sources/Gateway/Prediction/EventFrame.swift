/// One encoded event with where its parts stand: a header, and the event as a line of JSON.
///
/// The same bytes wait in memory, are stored in the spool, and are read by the Reporters; so nobody has to parse an event.
/// The header is words of 32 bits, lowest byte first. What every version from the second on begins with:
///
/// - a mark, and how many bytes follow the checksum,
/// - a checksum of two words (0: none), of everything that follows it,
/// - the version and the kind of the event, a byte each, and the header's length in two;
///
/// so a frame that a later program has written is known for what it is, and is passed over as a whole. In version 2 follow
/// the start and length, within the line, of each of ten parts.
///
/// Version 1 is only read: a spool may hold it. It has another mark, then the line's length, the same checksum, and the first
/// six parts.
struct EventFrame {
    static let version: UInt8 = 2
    static let headerLength = 100
    /// The first word: "AMEF".
    static let mark: UInt32 = 0x4645_4d41
    /// How much must be there to tell what it is.
    static let prefixLength = 20
    /// Where the checksum stands in the header; it covers everything after it.
    static let checksumOffset = 8
    static let firstCheckedByte = 16
    private static let aboutOffset = 16
    private static let partsOffset = 20

    /// The same of version 1: "AMEV".
    private static let firstVersionMark: UInt32 = 0x5645_4d41
    private static let firstVersionHeaderLength = 64
    private static let firstVersionPartsOffset = 16

    /// The most that the header can say of a line and its parts, and far more than any event has.
    static let maxLineLength = 1 << 30

    /// Header and line.
    let bytes: ByteView
    private let lineStart: Int

    /// The frame that starts at an offset; nil where no whole frame does that this program can read. Its checksum is not
    /// looked at.
    @inline(__always)
    init?(in view: ByteView, at offset: Int = 0) {
        let available = view.count - offset
        guard available >= Self.firstVersionHeaderLength else { return nil }
        let length: Int
        switch view.littleEndianWord(at: offset) {
        case Self.mark:
            length = Self.firstCheckedByte + Int(view.littleEndianWord(at: offset + 4))
            guard length >= Self.headerLength,
                Self.isReadable(view.littleEndianWord(at: offset + Self.aboutOffset))
            else { return nil }
            lineStart = Self.headerLength
        case Self.firstVersionMark:
            length = Self.firstVersionHeaderLength + Int(view.littleEndianWord(at: offset + 4))
            lineStart = Self.firstVersionHeaderLength
        default: return nil
        }
        guard available >= length else { return nil }
        bytes = view[offset..<offset + length]
    }

    /// How long the frame is that begins there, header and line, by what it says of itself; nil: none begins there.
    ///
    /// - Parameter view: `prefixLength` bytes from the offset on, at least.
    static func length(in view: ByteView, at offset: Int) -> Int? {
        let length = Int(view.littleEndianWord(at: offset + 4))
        switch view.littleEndianWord(at: offset) {
        case mark: return firstCheckedByte + length
        case firstVersionMark: return firstVersionHeaderLength + length
        default: return nil
        }
    }

    /// Whether a word is the first of a frame, of whatever version.
    static func isMark(_ word: UInt32) -> Bool { word == mark || word == firstVersionMark }

    /// The word behind the checksum.
    @inline(__always)
    static func about(_ kind: EventKind) -> UInt32 {
        UInt32(version) | UInt32(kind.rawValue) << 8 | UInt32(headerLength) << 16
    }

    @inline(__always)
    private static func isReadable(_ about: UInt32) -> Bool {
        about & 0xffff_00ff == Self.about(.prediction) & 0xffff_00ff
            && EventKind(rawValue: UInt8(truncatingIfNeeded: about >> 8)) != nil
    }

    /// Whether the header says of the line what can be. To be asked of what comes from a disk: nothing else that reads a frame
    /// looks at it.
    var isWellFormed: Bool {
        let length = line.count
        for index in 0..<(isOfFirstVersion ? 6 : 10) {
            let place = place(index)
            if place.start + place.length > length { return false }
        }
        return length > 0 && line[length - 1] == 0x0a
    }

    private var isOfFirstVersion: Bool { lineStart == Self.firstVersionHeaderLength }

    var kind: EventKind {
        if isOfFirstVersion { return .prediction }
        guard let kind = EventKind(rawValue: bytes[Self.aboutOffset + 1]) else {
            preconditionFailure("a frame of an unknown kind is none")
        }
        return kind
    }

    // MARK: Parts

    /// The whole event as one JSON object, and a line feed.
    var line: ByteView { bytes.dropFirst(lineStart) }
    /// The text of the CloudEvents attributes `id` and `time`; `time` may be empty.
    var id: ByteView { part(0) }
    var time: ByteView { part(1) }
    /// The JSON object under `data`.
    var data: ByteView { part(2) }
    /// The insides of the JSON strings `data.requestId`, `data.predictionId` and `data.modelName`.
    var requestId: ByteView { part(3) }
    var predictionId: ByteView { part(4) }
    var modelName: ByteView { part(5) }

    /// The JSON of the members of `data` that may be large; nil: the event does not say where they stand (version 1).
    var contents: Contents? {
        if isOfFirstVersion { return nil }
        return Contents(value: part(6), request: part(7), input: part(8), extra: part(9))
    }

    /// The JSON of `value`, `request`, `input` and `extra`; empty: there is no such member.
    struct Contents {
        var value: ByteView
        var request: ByteView
        var input: ByteView
        var extra: ByteView
    }

    /// Where the id stands in the line.
    var idOffset: Int { place(0).start }

    private func part(_ index: Int) -> ByteView {
        let place = place(index)
        return line[place.start..<place.start + place.length]
    }

    private func place(_ index: Int) -> (start: Int, length: Int) {
        let offset = (isOfFirstVersion ? Self.firstVersionPartsOffset : Self.partsOffset) + 8 * index
        return (Int(bytes.littleEndianWord(at: offset)), Int(bytes.littleEndianWord(at: offset + 4)))
    }

    /// Where the parts of an event stand, counted from the start of its line, in the order of the header.
    struct Parts {
        @Place var id = 0..<0
        @Place var time = 0..<0
        @Place var data = 0..<0
        @Place var requestId = 0..<0
        @Place var predictionId = 0..<0
        @Place var modelName = 0..<0
        @Place var value = 0..<0
        @Place var request = 0..<0
        @Place var input = 0..<0
        @Place var extra = 0..<0
    }

    /// A part's place as the header has it: start and length in 32 bits each. A line that is longer than these can say is none.
    @propertyWrapper struct Place {
        /// Both words, the start in the lower one: what is added to that moves the part.
        var projectedValue: UInt64

        @inline(__always)
        init(wrappedValue: Range<Int>) { projectedValue = Self.words(of: wrappedValue) }

        var wrappedValue: Range<Int> {
            @inline(__always) get {
                let start = Int(UInt32(truncatingIfNeeded: projectedValue))
                return start..<start + Int(projectedValue >> 32)
            }
            @inline(__always) set { projectedValue = Self.words(of: newValue) }
        }

        @inline(__always)
        private static func words(of range: Range<Int>) -> UInt64 {
            let length = UInt64(UInt32(truncatingIfNeeded: range.upperBound &- range.lowerBound))
            return UInt64(UInt32(truncatingIfNeeded: range.lowerBound)) | length << 32
        }
    }

    /// Writes a header over the bytes that were kept free for it.
    @inline(__always)
    static func write(_ parts: Parts, of kind: EventKind, lineLength: Int, over place: WordWriter) {
        var header = place
        header.append(mark)
        header.append(UInt32(truncatingIfNeeded: headerLength - firstCheckedByte + lineLength))
        header.append(0 as UInt64)
        header.append(about(kind))
        header.append(parts.$id)
        header.append(parts.$time)
        header.append(parts.$data)
        header.append(parts.$requestId)
        header.append(parts.$predictionId)
        header.append(parts.$modelName)
        header.append(parts.$value)
        header.append(parts.$request)
        header.append(parts.$input)
        header.append(parts.$extra)
    }
}

/// What a whole frame says of itself that this program cannot read, for a later one has written it.
struct LaterFrame: Equatable, CustomStringConvertible {
    let version: UInt8
    let kind: UInt8

    var description: String { "version \(version) of the frame, kind \(kind)" }

    /// nil: it is no frame, or one that can be read or could have been, were it not damaged. Its checksum is not looked at.
    ///
    /// - Parameter frame: `EventFrame.prefixLength` bytes at least.
    init?(_ frame: ByteView) {
        guard frame.littleEndianWord(at: 0) == EventFrame.mark else { return nil }
        (version, kind) = (frame[16], frame[17])
        guard version >= EventFrame.version else { return nil }
        if version == EventFrame.version, EventKind(rawValue: kind) != nil { return nil }
    }
}
