/// Finds the end of one request's body, and takes the body out of its framing, as its bytes come (RFC 9112, sections 6 and 7).
struct HTTP1RequestBody {
    /// Of a line that tells a chunk's size, with its line end.
    private static let maxSizeLineBytes = 4 << 10
    /// Nothing of a size of more digits would be taken.
    private static let maxSizeDigits = 15
    /// How much more may be spent on sizes and their extensions than the data is worth (compare CVE-2023-39326).
    private static let maxExcess = 16 << 10

    private enum State { case sized, chunkSize, chunkData, chunkEnd, trailer, complete }

    private var state = State.complete
    /// Of the body, or of the chunk.
    private var remaining = 0
    private var excess = 0
    private var trailerBytes = 0
    private var trailerLines = 0
    /// Up to where the line at hand has no line feed.
    private var searched = 0

    /// No body, and nothing to come.
    init() {}

    init(_ framing: HTTP1RequestHead.Framing) {
        switch framing {
        case .none: state = .complete
        case .sized(let length): (state, remaining) = (.sized, length)
        case .chunked: state = .chunkSize
        }
    }

    struct Limits {
        var bodyBytes: Int
        var trailerBytes: Int
    }

    var isComplete: Bool { state == .complete }

    /// How many bytes are certain to come next all of which belong to the body; 0: not known.
    var expectedBytes: Int { state == .sized || state == .chunkData ? remaining : 0 }

    /// Body bytes that went straight to where they belong.
    mutating func count(_ bytes: Int) {
        remaining -= bytes
        if remaining == 0 { state = state == .sized ? .complete : .chunkEnd }
    }

    /// Takes what is certain to be body out of the bytes from `consumed` on; nothing where a line of the framing stands next.
    mutating func takeData(_ bytes: ByteView, consumed: inout Int) -> ByteView {
        let data = bytes.dropFirst(consumed).prefix(expectedBytes)
        consumed += data.count
        if !data.isEmpty { count(data.count) }
        return data
    }

    /// Reads lines of the framing from `consumed` on, up to the next piece of body or the end of it all; what must come again
    /// with more is left.
    ///
    /// - Parameter received: how many bytes of body there are.
    mutating func readFraming(
        _ bytes: ByteView,
        consumed: inout Int,
        received: Int,
        limits: Limits
    ) throws(HTTP1Refusal) {
        while true {
            let rest = bytes.dropFirst(consumed)
            switch state {
            case .sized, .chunkData, .complete: return
            case .chunkEnd:
                guard ByteView("\r\n").hasPrefix(rest.prefix(2)) else {
                    throw .malformed("a chunk is longer than it says")
                }
                guard rest.count >= 2 else { return }
                consumed += 2
                state = .chunkSize
            case .chunkSize:
                guard let end = try lineEnd(rest, Self.maxSizeLineBytes) else { return }
                try readSize(rest.prefix(end), received, limits)
                consumed += end + 2
            case .trailer:
                guard let end = try lineEnd(rest, limits.trailerBytes - trailerBytes) else { return }
                try readTrailer(rest, 0..<end)
                trailerBytes += end + 2
                consumed += end + 2
            }
        }
    }

    /// Where the carriage return of the next line stands; nil: it has not come.
    private mutating func lineEnd(_ rest: ByteView, _ limit: Int) throws(HTTP1Refusal) -> Int? {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n"), from: searched) else {
            searched = rest.count
            guard rest.count <= limit else { throw .malformed("a line of the chunked body is too long") }
            return nil
        }
        searched = 0
        guard end < limit else { throw .malformed("a line of the chunked body is too long") }
        guard end > 0, rest[end - 1] == UInt8(ascii: "\r") else {
            throw .malformed("a line of the chunked body ends without a carriage return")
        }
        return end - 1
    }

    /// A hexadecimal number, white space, and after a semicolon what nobody needs.
    private mutating func readSize(_ line: ByteView, _ received: Int, _ limits: Limits) throws(HTTP1Refusal) {
        guard line.isFieldValue else {
            throw .malformed("a chunk's size holds a control character")
        }
        var digits = line.prefix(line.firstIndex(of: UInt8(ascii: ";")) ?? line.count)
        // White space may come after the size (section 7.1.1), not before it.
        while !digits.isEmpty, digits[digits.count - 1] == 0x20 || digits[digits.count - 1] == 0x09 {
            digits = digits.prefix(digits.count - 1)
        }
        guard !digits.isEmpty else { throw .malformed("a chunk has no proper size") }
        var size = 0
        for index in 0..<digits.count {
            guard let digit = Self.hexValue(digits[unchecked: index]) else {
                throw .malformed("a chunk has no proper size")
            }
            size = size >> (4 * Self.maxSizeDigits - 4) > 0 ? size : size << 4 | digit
        }
        guard size <= limits.bodyBytes - received else { throw .bodyTooLong }
        excess = max(0, excess + line.count - 16 - 2 * size)
        guard excess <= Self.maxExcess else { throw .malformed("the chunked body consists of its framing") }
        remaining = size
        state = size == 0 ? .trailer : .chunkData
    }

    private static func hexValue(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// Trailer fields are checked, and end here (RFC 9110, section 6.5.1).
    private mutating func readTrailer(_ bytes: ByteView, _ line: Range<Int>) throws(HTTP1Refusal) {
        if line.isEmpty {
            state = .complete
            return
        }
        trailerLines += 1
        guard trailerLines <= HTTP1RequestHead.maxLines else {
            throw HTTP1Refusal(kind: .headTooLong, reason: "the trailer has more than 100 lines")
        }
        let field = try HTTP1RequestHead.field(bytes, line)
        guard bytes[field.value].isFieldValue else { throw .malformed("a header line holds a control character") }
    }
}
