/// Reads one HTTP/1.1 response from bytes as they come (RFC 9112, sections 4 to 7). Strict: what is not HTTP is refused.
///
/// Header lines are kept as they came, status line first; the body is kept without its framing. What follows a complete
/// response is left unread, for the caller to judge.
struct HTTP1ResponseParser {
    struct Malformed: Error {
        let reason: StaticString
    }

    enum Progress: Equatable {
        /// More bytes are needed.
        case incomplete
        case complete
        /// The body is longer than allowed. After `takeAnyLength` it can be read on all the same.
        case tooLarge
    }

    private enum State {
        case statusLine, headerLine, sizedBody, bodyUntilClose, chunkSize, chunkData, chunkEnd, trailerLine, complete
    }

    /// How many more bytes the body may have, whatever of it has been taken away.
    private var room: Int
    /// Of a line, without its line feed.
    private let maxLineBytes: Int
    /// Of a header, and of a trailer.
    private let maxHeaderBytes: Int
    private var state = State.statusLine
    /// 0 until the status line is in.
    private(set) var status = 0
    /// Whether anything has come.
    private(set) var hasBegun = false
    /// Of the body, or of the chunk.
    private var remaining = 0
    private var trailerBytes = 0
    private var contentLength: Int?
    private var isChunked = false
    private var isHTTP10 = false
    private var saysClose = false
    private var saysKeepAlive = false
    private var isDelimitedByClose = false
    private var framingIsDoubtful = false

    init(maxBodyBytes: Int, maxLineBytes: Int = 64 << 10, maxHeaderBytes: Int = 256 << 10) {
        self.room = maxBodyBytes
        self.maxLineBytes = maxLineBytes
        self.maxHeaderBytes = maxHeaderBytes
    }

    /// Whether the connection may carry another request once the response is complete.
    var keepsAlive: Bool {
        !isDelimitedByClose && !framingIsDoubtful && !saysClose && (!isHTTP10 || saysKeepAlive)
    }

    /// Whether the header is in, and `headers` complete.
    var hasHeader: Bool {
        switch state {
        case .statusLine, .headerLine: false
        case .sizedBody, .bodyUntilClose, .chunkSize, .chunkData, .chunkEnd, .trailerLine, .complete: true
        }
    }

    /// The body may be of any length from here on: it is taken away as it comes.
    mutating func takeAnyLength() { room = .max }

    /// How long the body is, as the header says, where it may be so long; nil: it does not say. When the header is in.
    var announcedBodyBytes: Int? {
        guard !isChunked, let contentLength, remaining <= room else { return nil }
        return contentLength
    }

    /// How many bytes of body are certain to come next, all of which belong to it; 0: not known.
    var expectedBodyBytes: Int { state == .sizedBody ? remaining : 0 }

    /// Takes bytes into the header and the body; `consumed` of them are done with, the rest must come again with more.
    mutating func consume(
        _ input: ByteView,
        headers: ByteBuffer,
        body: ByteBuffer,
        consumed: inout Int
    ) throws(Malformed) -> Progress {
        if !input.isEmpty { hasBegun = true }
        while true {
            let rest = input.dropFirst(consumed)
            switch state {
            case .complete: return .complete
            case .sizedBody, .chunkData:
                guard takeData(rest, body, &consumed) else { return .incomplete }
            case .bodyUntilClose:
                guard rest.count <= room else { return .tooLarge }
                body.append(rest)
                room -= rest.count
                consumed += rest.count
                return .incomplete
            case .chunkEnd:
                guard ByteView("\r\n").hasPrefix(rest.prefix(2)) else {
                    throw Malformed(reason: "a chunk is longer than it says")
                }
                guard rest.count >= 2 else { return .incomplete }
                consumed += 2
                state = .chunkSize
            case .statusLine, .headerLine, .chunkSize, .trailerLine:
                let end = rest.firstIndex(of: UInt8(ascii: "\n"))
                guard end ?? rest.count <= maxLineBytes else { throw Malformed(reason: "a line is too long") }
                guard let end else { return .incomplete }
                consumed += end + 1
                var line = rest.prefix(end)
                if end > 0, line[end - 1] == UInt8(ascii: "\r") {
                    line = line.prefix(end - 1)
                } else if state == .chunkSize || state == .trailerLine {
                    // Only in the header may a line feed stand alone (RFC 9112, section 2.2); where one reader takes it
                    // for the end of such a line and another does not, the same bytes are two different bodies.
                    throw Malformed(reason: "a line of the chunked body ends without a carriage return")
                }
                guard try take(line, raw: rest.prefix(end + 1), headers, body) else { return .tooLarge }
            }
        }
    }

    /// The peer has ended its sending: true when that is how this response ends.
    mutating func end() -> Bool {
        guard state == .bodyUntilClose else { return state == .complete }
        state = .complete
        return true
    }

    /// Body bytes that were received straight into the body.
    mutating func countBody(_ count: Int) {
        remaining -= count
        room -= count
        if remaining == 0 { state = .complete }
    }

    // MARK: Steps

    /// False when more is needed.
    private mutating func takeData(_ rest: ByteView, _ body: ByteBuffer, _ consumed: inout Int) -> Bool {
        let count = min(rest.count, remaining)
        body.append(rest.prefix(count))
        consumed += count
        remaining -= count
        room -= count
        guard remaining == 0 else { return false }
        state = state == .sizedBody ? .complete : .chunkEnd
        return true
    }

    /// One line without its end; false when the body it announces is too long.
    private mutating func take(
        _ line: ByteView,
        raw: ByteView,
        _ headers: ByteBuffer,
        _ body: ByteBuffer
    ) throws(Malformed) -> Bool {
        switch state {
        case .statusLine:
            try readStatus(line)
            headers.removeAll()
            headers.append(raw)
            state = .headerLine
        case .headerLine:
            guard headers.count + raw.count <= maxHeaderBytes else {
                throw Malformed(reason: "the header is too long")
            }
            guard !line.isEmpty else { return try endHeader() }
            headers.append(raw)
            try readField(line)
        case .chunkSize:
            remaining = try Self.chunkSize(line)
            state = remaining == 0 ? .trailerLine : .chunkData
            guard remaining <= room else { return false }
        case .trailerLine:
            trailerBytes += raw.count
            guard trailerBytes <= maxHeaderBytes else { throw Malformed(reason: "the trailer is too long") }
            if line.isEmpty { state = .complete } else { _ = try Self.field(line) }
        case .sizedBody, .bodyUntilClose, .chunkData, .chunkEnd, .complete:
            preconditionFailure("no line is read here")
        }
        return true
    }

    /// `HTTP/1.1 200 OK`; the reason may be missing, with or without the space before it.
    private mutating func readStatus(_ line: ByteView) throws(Malformed) {
        let isStatusLine =
            line.count >= 12 && line.hasPrefix(ByteView("HTTP/1.")) && (line[7] == 0x30 || line[7] == 0x31)
            && line[8] == 0x20 && (line.count == 12 || line[12] == 0x20)
        guard isStatusLine, let code = line[9..<12].decimal, code >= 100 else {
            throw Malformed(reason: "the status line is no HTTP/1.1 status line")
        }
        guard line.isFieldValue else { throw Malformed(reason: "the status line holds a control character") }
        status = code
        isHTTP10 = line[7] == UInt8(ascii: "0")
        contentLength = nil
        isChunked = false
        saysKeepAlive = false
    }

    /// The name and the value of a line of a header or trailer.
    private static func field(_ line: ByteView) throws(Malformed) -> (name: ByteView, value: ByteView) {
        let colon = line.endOfToken(in: 0..<line.count)
        guard colon > 0, colon < line.count, line[unchecked: colon] == UInt8(ascii: ":") else {
            throw Malformed(reason: "a header line has no proper name")
        }
        let value = line.dropFirst(colon + 1).trimmed
        guard value.isFieldValue else { throw Malformed(reason: "a header line holds a control character") }
        return (line.prefix(colon), value)
    }

    private mutating func readField(_ line: ByteView) throws(Malformed) {
        let (name, value) = try Self.field(line)
        switch name.count {
        case 10 where name.equalsIgnoringCase(ByteView("Connection")): readConnection(value)
        case 14 where name.equalsIgnoringCase(ByteView("Content-Length")):
            guard let length = value.decimal, contentLength == nil || contentLength == length else {
                throw Malformed(reason: "Content-Length is no number, or there are several")
            }
            contentLength = length
        case 17 where name.equalsIgnoringCase(ByteView("Transfer-Encoding")):
            guard value.equalsIgnoringCase(ByteView("chunked")), !isChunked else {
                throw Malformed(reason: "the Transfer-Encoding is not chunked alone")
            }
            isChunked = true
        default: break
        }
    }

    private mutating func readConnection(_ value: ByteView) {
        var rest = value
        while !rest.isEmpty {
            let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
            let option = rest.prefix(comma).trimmed
            if option.equalsIgnoringCase(ByteView("close")) { saysClose = true }
            if option.equalsIgnoringCase(ByteView("keep-alive")) { saysKeepAlive = true }
            rest = rest.dropFirst(min(comma + 1, rest.count))
        }
    }

    /// The blank line: what follows (RFC 9112, section 6.3); false when that is too long.
    private mutating func endHeader() throws(Malformed) -> Bool {
        switch status {
        case 101: throw Malformed(reason: "it switches protocols")
        case 100..<200, 204, 304:
            // There is no body, whatever is announced (RFC 9112, section 6.3); but one may come. A 304 tells the length
            // that the body would have.
            if isChunked || (status != 304 && contentLength ?? 0 > 0) { framingIsDoubtful = true }
            state = status < 200 ? .statusLine : .complete
            return true
        default: break
        }
        if isChunked {
            // Both lengths at once is how requests are smuggled, and HTTP/1.0 knows no chunks: they count, and the
            // connection ends with them (RFC 9112, section 6.1).
            if contentLength != nil || isHTTP10 { framingIsDoubtful = true }
            state = .chunkSize
        } else if let contentLength {
            remaining = contentLength
            state = contentLength == 0 ? .complete : .sizedBody
            guard contentLength <= room else { return false }
        } else {
            isDelimitedByClose = true
            state = .bodyUntilClose
        }
        return true
    }

    /// A hexadecimal number, and after a semicolon what nobody needs.
    private static func chunkSize(_ line: ByteView) throws(Malformed) -> Int {
        guard line.isFieldValue else { throw Malformed(reason: "a chunk's size holds a control character") }
        var digits = line.prefix(line.firstIndex(of: UInt8(ascii: ";")) ?? line.count)
        // White space may come after the size, not before it.
        if !digits.isEmpty, digits[0] != 0x20, digits[0] != 0x09 { digits = digits.trimmed }
        guard !digits.isEmpty, digits.count <= 15 else { throw Malformed(reason: "a chunk has no proper size") }
        var size = 0
        for index in 0..<digits.count {
            let digit: UInt8
            switch digits[index] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = digits[index] - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = digits[index] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = digits[index] - UInt8(ascii: "A") + 10
            default: throw Malformed(reason: "a chunk has no proper size")
            }
            size = size << 4 | Int(digit)
        }
        return size
    }
}
