/// Reads the head of one HTTP/1.1 request as its bytes come (RFC 9112, sections 2 to 6). Strict: what breaks the RFC, and what
/// two readers may take for two different things, is refused.
///
/// Holds offsets only: the bytes stay where they came, from the first byte of the request on, until the caller is done with
/// the head. Nothing is allocated once `lines` has its room.
struct HTTP1RequestHead {
    /// A header line: where name and value stand, the value without white space around it.
    struct Line {
        let name: Range<Int>
        let value: Range<Int>
    }

    /// How the end of the body is found (RFC 9112, section 6.3).
    enum Framing: Equatable {
        case none
        case sized(Int)
        case chunked
    }

    static let maxLines = 100
    /// A client may end the request before with a line too many (section 2.2).
    private static let maxEmptyLines = 8

    private enum State { case requestLine, fields, complete }

    private(set) var lines: [Line] = []
    /// Empty until the request line is in.
    private(set) var method = 0..<0
    private(set) var target = 0..<0
    /// The authority of a target in absolute form, else empty.
    private(set) var authority = 0..<0
    /// The target's path without its query; a target in absolute form may have none, which means `/`.
    private(set) var path = 0..<0
    /// What stands behind the `?`.
    private(set) var query = 0..<0
    private(set) var isHTTP10 = false
    private(set) var framing = Framing.none
    /// `Expect: 100-continue`.
    private(set) var expectsContinue = false
    /// How many bytes the head takes, its last line included; 0 until it is complete.
    private(set) var length = 0

    private var state = State.requestLine
    private var emptyLines = 0
    /// Where the line begins that is not yet read, and up to where its end is not.
    private var lineStart = 0
    private var searched = 0
    /// No control character but tabs has been seen in it.
    private var isClean = true
    private var hostLines = 0
    private var expectLines = 0
    private var authorizationLines = 0
    private var contentLength: Int?
    private var codings = 0
    private var isChunked = false
    private var saysClose = false
    private var saysKeepAlive = false

    /// Makes it ready for the next request.
    mutating func reset() {
        lines.removeAll(keepingCapacity: true)
        method = 0..<0
        target = 0..<0
        authority = 0..<0
        path = 0..<0
        query = 0..<0
        isHTTP10 = false
        framing = .none
        expectsContinue = false
        length = 0
        state = .requestLine
        emptyLines = 0
        lineStart = 0
        searched = 0
        isClean = true
        hostLines = 0
        expectLines = 0
        authorizationLines = 0
        contentLength = nil
        codings = 0
        isChunked = false
        saysClose = false
        saysKeepAlive = false
    }

    /// Whether the connection may carry another request after this one (RFC 9112, section 9.3).
    var keepsAlive: Bool { !saysClose && (!isHTTP10 || saysKeepAlive) }

    var isComplete: Bool { state == .complete }

    /// Reads on; `bytes` is all that has come since the request began. True when the head is complete.
    ///
    /// - Parameter maxBytes: the most that the head may take.
    mutating func read(_ bytes: ByteView, maxBytes: Int) throws(HTTP1Refusal) -> Bool {
        while state != .complete {
            if state == .requestLine, lineStart < bytes.count { try checkBeginning(bytes[lineStart]) }
            guard let end = findLineFeed(bytes) else {
                guard bytes.count <= maxBytes else { throw tooLong }
                return false
            }
            guard end < maxBytes else { throw tooLong }
            guard end > lineStart, bytes[unchecked: end - 1] == UInt8(ascii: "\r") else {
                // Section 2.2 lets a recipient take a line feed alone. Where one does and another does not, the same bytes are
                // two different requests.
                throw .malformed("a line of the header ends without a carriage return")
            }
            let line = lineStart..<end - 1
            lineStart = end + 1
            searched = lineStart
            switch state {
            case .requestLine: try readRequestLine(bytes, line)
            case .fields where line.isEmpty: try complete()
            case .fields: try readField(bytes, line)
            case .complete: break
            }
            isClean = true
        }
        return true
    }

    /// The line feed of the line at hand; nil: it has not come. One look at each byte finds the end of a good line, and that it is
    /// good; of another, the rest is searched for the line feed alone.
    private mutating func findLineFeed(_ bytes: ByteView) -> Int? {
        if isClean {
            let control = bytes.firstControl(from: searched)
            searched = control
            guard control < bytes.count else { return nil }
            if bytes[unchecked: control] == UInt8(ascii: "\r") {
                guard control + 1 < bytes.count else { return nil }
                if bytes[unchecked: control + 1] == UInt8(ascii: "\n") { return control + 1 }
            }
            isClean = false
        }
        if let found = bytes.firstIndex(of: UInt8(ascii: "\n"), from: searched) { return found }
        searched = bytes.count
        return nil
    }

    private var tooLong: HTTP1Refusal {
        state == .requestLine
            ? HTTP1Refusal(kind: .targetTooLong, reason: "the request line is longer than server.maxHeaderBytes allows")
            : HTTP1Refusal(kind: .headTooLong, reason: "the header is longer than server.maxHeaderBytes allows")
    }

    // MARK: The request line (RFC 9112, section 3)

    /// What cannot become a request is told so at its first byte: who speaks something else may be waiting for an answer.
    private func checkBeginning(_ byte: UInt8) throws(HTTP1Refusal) {
        if Self.isMethodByte(byte) || byte == UInt8(ascii: "\r") { return }
        if byte == Self.tlsHandshake {
            throw HTTP1Refusal(kind: .tls, reason: "this is TLS, and only plain HTTP is spoken on this port")
        }
        throw .malformed("the request line does not begin with a method and one space")
    }

    /// The type of the first record of a TLS connection (RFC 8446, section 5.1).
    private static let tlsHandshake: UInt8 = 22

    private mutating func readRequestLine(_ bytes: ByteView, _ line: Range<Int>) throws(HTTP1Refusal) {
        guard !line.isEmpty else {
            emptyLines += 1
            guard emptyLines <= Self.maxEmptyLines else { throw .malformed("there are empty lines and no request") }
            return
        }
        var end = line.lowerBound
        while end < line.upperBound, Self.isMethodByte(bytes[unchecked: end]) { end += 1 }
        guard end > line.lowerBound, end < line.upperBound, bytes[unchecked: end] == 0x20 else {
            throw .malformed("the request line does not begin with a method and one space")
        }
        method = line.lowerBound..<end
        let start = end + 1
        end = bytes.firstIndexNotInTarget(from: start, to: line.upperBound)
        guard end > start, end < line.upperBound, bytes[unchecked: end] == 0x20 else {
            throw .malformed("the request line has no target that can be read")
        }
        target = start..<end
        try readVersion(bytes[end + 1..<line.upperBound], bytes[method])
        try splitTarget(bytes)
        state = .fields
    }

    /// As nginx does it: no method has other signs.
    private static func isMethodByte(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// A minor version that is newer than ours is read as ours (RFC 9110, section 2.5).
    private mutating func readVersion(_ text: ByteView, _ method: ByteView) throws(HTTP1Refusal) {
        func isDigit(_ index: Int) -> Bool { text[unchecked: index] >= 0x30 && text[unchecked: index] <= 0x39 }
        guard text.count == 8, text.hasPrefix(ByteView("HTTP/")), isDigit(5), text[6] == UInt8(ascii: "."), isDigit(7)
        else { throw .malformed("the request line does not end with a version of HTTP") }
        guard text[5] == UInt8(ascii: "1") else {
            if method == "PRI" {
                // The beginning of each HTTP/2 connection (RFC 9113, section 3.4).
                throw HTTP1Refusal(
                    kind: .http2,
                    reason: "this is HTTP/2, as gRPC uses it, and only HTTP/1.1 and HTTP/1.0 are spoken on this port"
                )
            }
            throw HTTP1Refusal(kind: .unknownVersion, reason: "only HTTP/1.1 and HTTP/1.0 are spoken on this port")
        }
        isHTTP10 = text[7] == UInt8(ascii: "0")
    }

    private mutating func splitTarget(_ bytes: ByteView) throws(HTTP1Refusal) {
        var start = target.lowerBound
        if bytes[method] == "CONNECT" || bytes[unchecked: start] != UInt8(ascii: "/") {
            guard let rest = Self.afterScheme(bytes[target]), !(bytes[method] == "CONNECT") else {
                guard Self.standsAlone(bytes[target], bytes[method]) else {
                    throw .malformed("the target is neither a path nor an http URL")
                }
                path = target
                return
            }
            // The absolute form, as clients of a proxy send it: its authority counts (section 3.2.2).
            let first = start + rest
            start = first
            while start < target.upperBound, bytes[unchecked: start] != UInt8(ascii: "/"),
                bytes[unchecked: start] != UInt8(ascii: "?")
            {
                start += 1
            }
            authority = first..<start
            guard !authority.isEmpty, bytes[authority].isAuthority else {
                throw .malformed("the target names no host that can be one")
            }
        }
        guard let mark = bytes[start..<target.upperBound].firstIndex(of: UInt8(ascii: "?")) else {
            path = start..<target.upperBound
            return
        }
        path = start..<start + mark
        query = start + mark + 1..<target.upperBound
    }

    /// The forms that have no path: `*` of OPTIONS, host and port of CONNECT (sections 3.2.3 and 3.2.4).
    private static func standsAlone(_ target: ByteView, _ method: ByteView) -> Bool {
        if method == "OPTIONS" { return target == "*" }
        guard method == "CONNECT", target.isAuthority else { return false }
        let last = target[target.count - 1]
        return target.firstIndex(of: UInt8(ascii: ":")) != nil && last >= 0x30 && last <= 0x39
    }

    /// How long `http://` or `https://` is where the target begins with it.
    private static func afterScheme(_ target: ByteView) -> Int? {
        for scheme in [ByteView("http://"), ByteView("https://")]
        where target.prefix(scheme.count).equalsIgnoringCase(scheme) { return scheme.count }
        return nil
    }

    // MARK: Header lines (RFC 9112, section 5; RFC 9110, section 5.5)

    private mutating func readField(_ bytes: ByteView, _ line: Range<Int>) throws(HTTP1Refusal) {
        guard lines.count < Self.maxLines else {
            throw HTTP1Refusal(kind: .headTooLong, reason: "the header has more than 100 lines")
        }
        let field = try Self.field(bytes, line)
        guard isClean || bytes[field.value].isFieldValue else {
            throw .malformed("a header line holds a control character")
        }
        lines.append(field)
        let name = bytes[field.name]
        switch name.count {
        case 4: if name.equalsIgnoringCase(ByteView("Host")) { try readHost(bytes[field.value]) }
        case 6:
            if name.equalsIgnoringCase(ByteView("Expect")) {
                expectLines += 1
                guard expectLines == 1 else { throw .malformed("there are two Expect lines") }
                expectsContinue = bytes[field.value].equalsIgnoringCase(ByteView("100-continue"))
            }
        case 10: if name.equalsIgnoringCase(ByteView("Connection")) { readConnection(bytes[field.value]) }
        case 13:
            if name.equalsIgnoringCase(ByteView("Authorization")) {
                // Who checks the first of them, and who reads the last (RFC 9110, section 11.6.2: it is no list).
                authorizationLines += 1
                guard authorizationLines == 1 else { throw .malformed("there are two Authorization lines") }
            }
        case 14: if name.equalsIgnoringCase(ByteView("Content-Length")) { try readLength(bytes[field.value]) }
        case 17:
            if name.equalsIgnoringCase(ByteView("Transfer-Encoding")) {
                codings += 1
                isChunked = bytes[field.value].equalsIgnoringCase(ByteView("chunked"))
            }
        default: break
        }
    }

    /// Where name and value of a line stand, of a header or of a trailer. The value is not looked at.
    static func field(_ bytes: ByteView, _ line: Range<Int>) throws(HTTP1Refusal) -> Line {
        let colon = bytes.endOfToken(in: line)
        guard colon > line.lowerBound, colon < line.upperBound, bytes[unchecked: colon] == UInt8(ascii: ":") else {
            guard bytes[line].firstIndex(of: UInt8(ascii: ":")) != nil else {
                throw .malformed("a header line has no colon")
            }
            // Folded lines among them (section 5.2), which begin with white space.
            throw .malformed("a header line has no name that can be one")
        }
        var start = colon + 1
        var end = line.upperBound
        while start < end, Self.isSpace(bytes[unchecked: start]) { start += 1 }
        while end > start, Self.isSpace(bytes[unchecked: end - 1]) { end -= 1 }
        return Line(name: line.lowerBound..<colon, value: start..<end)
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    private mutating func readHost(_ value: ByteView) throws(HTTP1Refusal) {
        hostLines += 1
        guard hostLines == 1 else { throw .malformed("there are two Host lines") }
        guard value.isAuthority else { throw .malformed("the Host line names no host that can be one") }
    }

    private mutating func readLength(_ value: ByteView) throws(HTTP1Refusal) {
        guard contentLength == nil else { throw .malformed("there are two Content-Length lines") }
        guard !value.isEmpty else { throw .malformed("Content-Length is no number") }
        var length = 0
        for index in 0..<value.count {
            let digit = value[unchecked: index] &- UInt8(ascii: "0")
            guard digit <= 9 else { throw .malformed("Content-Length is no number") }
            // More than any body may have is as good as what it says, and is refused as too long.
            length = length > Self.huge ? Self.huge + 1 : length * 10 + Int(digit)
        }
        contentLength = length
    }

    /// No limit of a body is as high.
    private static let huge = 1 << 50

    private mutating func readConnection(_ value: ByteView) {
        var rest = value
        while !rest.isEmpty {
            let comma = rest.firstIndex(of: UInt8(ascii: ",")) ?? rest.count
            let option = rest.prefix(comma).trimmed
            if option.equalsIgnoringCase(ByteView("close")) { saysClose = true }
            if option.equalsIgnoringCase(ByteView("keep-alive")) { saysKeepAlive = true }
            rest = rest.dropFirst(comma + 1)
        }
    }

    // MARK: The end of the head (RFC 9112, sections 3.2 and 6)

    private mutating func complete() throws(HTTP1Refusal) {
        if hostLines == 0, !isHTTP10 { throw .malformed("there is no Host line") }
        if codings > 0 {
            if contentLength != nil { throw .malformed("there are both Content-Length and Transfer-Encoding") }
            if isHTTP10 { throw .malformed("HTTP/1.0 has no Transfer-Encoding") }
            guard codings == 1, isChunked else {
                throw HTTP1Refusal(
                    kind: .unknownCoding,
                    reason: "the only Transfer-Encoding known here is chunked, alone"
                )
            }
            framing = .chunked
        } else if let contentLength, contentLength > 0 {
            framing = .sized(contentLength)
        }
        length = lineStart
        state = .complete
    }
}
