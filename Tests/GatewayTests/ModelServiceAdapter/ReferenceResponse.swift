/// A response read the slow way, straight from RFC 9112 (sections 4 to 7): from all of its bytes, one rule after the other.
///
/// Shares no code with the parser that it judges. Where the RFC leaves a choice, it makes the parser's.
struct ReferenceResponse: Equatable {
    var status: Int
    /// The status line and the field lines of the final response, as they came.
    var head: [UInt8]
    var body: [UInt8]
    var keepsAlive: Bool
    /// Only the close of the connection ends it.
    var endsByClose: Bool
    /// How many of the bytes follow it.
    var left: Int

    struct Limits {
        var body = 1 << 20
        var line = 64 << 10
        var header = 256 << 10
    }

    enum Failure: Error {
        case incomplete, malformed, tooLarge
    }

    static func read(_ bytes: [UInt8], _ limits: Limits) -> Result<ReferenceResponse, Failure> {
        do throws(Failure) {
            return .success(try response(bytes, limits))
        } catch {
            return .failure(error)
        }
    }

    // MARK: Section 6.3: message body length

    private static func response(_ bytes: [UInt8], _ limits: Limits) throws(Failure) -> ReferenceResponse {
        var rest = bytes[...]
        var head = try Head(&rest, limits)
        var mayCarryAnother = true
        // RFC 9110, section 15.2: any number of interim responses. None has a body, and one that announces a body is as
        // little to be trusted as a final one; what it says of the connection holds.
        while (100...199).contains(head.status) {
            guard head.status != 101 else { throw .malformed }
            if !head.codings.isEmpty || head.length ?? 0 > 0 || head.connection.contains("close") {
                mayCarryAnother = false
            }
            head = try Head(&rest, limits)
        }
        if head.connection.contains("close") { mayCarryAnother = false }
        if head.minorVersion == 0, !head.connection.contains("keep-alive") { mayCarryAnother = false }
        // Section 6.1: chunks from HTTP/1.0 are faulty framing.
        if head.minorVersion == 0, !head.codings.isEmpty { mayCarryAnother = false }

        var response = ReferenceResponse(
            status: head.status,
            head: head.bytes,
            body: [],
            keepsAlive: mayCarryAnother,
            endsByClose: false,
            left: 0
        )
        if head.status == 204 || head.status == 304 {
            // 1. No body, whatever the fields say. A 304 tells the length that the body would have.
            if !head.codings.isEmpty || (head.status == 204 && head.length ?? 0 > 0) { response.keepsAlive = false }
        } else if !head.codings.isEmpty {
            // 3. and 4. Chunks win over a length, and the connection is closed after both.
            if head.length != nil { response.keepsAlive = false }
            response.body = try chunkedBody(&rest, limits)
        } else if let length = head.length {
            // 6.
            guard length <= limits.body else { throw .tooLarge }
            guard rest.count >= length else { throw .incomplete }
            response.body = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
        } else {
            // 8.
            guard rest.count <= limits.body else { throw .tooLarge }
            response.body = Array(rest)
            response.keepsAlive = false
            response.endsByClose = true
            rest = []
        }
        response.left = rest.count
        return response
    }

    // MARK: Section 7.1: chunked transfer coding

    private static func chunkedBody(_ rest: inout ArraySlice<UInt8>, _ limits: Limits) throws(Failure) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try strictLine(&rest, limits)
            let size = line.prefix { $0 != UInt8(ascii: ";") }
            guard !line.contains(where: isControl) else { throw .malformed }
            let digits = String(decoding: size, as: Unicode.ASCII.self).prefix { $0.isHexDigit && $0.isASCII }
            let space = size.dropFirst(digits.utf8.count)
            guard (1...15).contains(digits.count), space.allSatisfy(isBlank), let count = Int(digits, radix: 16) else {
                throw .malformed
            }
            if count == 0 { break }
            guard body.count + count <= limits.body else { throw .tooLarge }
            body += rest.prefix(count)
            rest = rest.dropFirst(count)
            let end = rest.prefix(2)
            guard end.elementsEqual([0x0d, 0x0a].prefix(end.count)) else { throw .malformed }
            guard end.count == 2 else { throw .incomplete }
            rest = rest.dropFirst(2)
        }
        // The trailer section.
        var size = 0
        while true {
            let before = rest.count
            let line = try strictLine(&rest, limits)
            size += before - rest.count
            guard size <= limits.header else { throw .malformed }
            if line.isEmpty { return body }
            _ = try Head.field(line)
        }
    }

    // MARK: Section 2.2: lines

    /// A line without its end, which is a line feed with or without a carriage return.
    fileprivate static func line(_ rest: inout ArraySlice<UInt8>, _ limits: Limits) throws(Failure) -> [UInt8] {
        let raw = rest.prefix { $0 != 0x0a }
        guard raw.count <= limits.line else { throw .malformed }
        guard raw.count < rest.count else { throw .incomplete }
        rest = rest.dropFirst(raw.count + 1)
        return Array(raw.last == 0x0d ? raw.dropLast() : raw)
    }

    /// A line of the chunked coding: there, no single line feed is allowed.
    private static func strictLine(_ rest: inout ArraySlice<UInt8>, _ limits: Limits) throws(Failure) -> [UInt8] {
        let before = rest.count
        let line = try line(&rest, limits)
        guard before - rest.count == line.count + 2 else { throw .malformed }
        return line
    }

    fileprivate static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    fileprivate static func isControl(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != 0x09) || byte == 0x7f }
}

/// Sections 4 and 5: a status line and field lines.
private struct Head {
    var status: Int
    var minorVersion: Int
    var bytes: [UInt8] = []
    /// What the fields say that count for the framing.
    var length: Int?
    var codings: [String] = []
    var connection: [String] = []

    init(_ rest: inout ArraySlice<UInt8>, _ limits: ReferenceResponse.Limits) throws(ReferenceResponse.Failure) {
        let start = rest
        let line = try ReferenceResponse.line(&rest, limits)
        // status-line = HTTP-version SP status-code SP [ reason-phrase ], but for the second space.
        guard let parts = Self.statusLine(line) else { throw .malformed }
        status = parts.status
        minorVersion = parts.minorVersion
        while true {
            bytes = Array(start.dropLast(rest.count))
            let line = try ReferenceResponse.line(&rest, limits)
            guard start.count - rest.count <= limits.header else { throw .malformed }
            if line.isEmpty { return }
            let (name, value) = try Self.field(line)
            let elements = value.split(separator: ",", omittingEmptySubsequences: false).map {
                String(String.UnicodeScalarView(Self.trimmed($0)))
            }
            switch name {
            case "connection": connection += elements
            case "transfer-encoding":
                codings += elements
                guard codings == ["chunked"] else { throw .malformed }
            case "content-length":
                let isNumber = (1...18).contains(value.count) && value.allSatisfy { ("0"..."9").contains($0) }
                guard isNumber, let number = Int(String(value)), length == nil || length == number else {
                    throw .malformed
                }
                length = number
            default: break
            }
        }
    }

    private static func statusLine(_ line: [UInt8]) -> (status: Int, minorVersion: Int)? {
        guard line.starts(with: "HTTP/1.".utf8) else { return nil }
        let rest = line.dropFirst(7)
        guard rest.count >= 5, !rest.contains(where: ReferenceResponse.isControl) else { return nil }
        let parts = rest.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, parts[0].elementsEqual([0x30]) || parts[0].elementsEqual([0x31]) else { return nil }
        guard parts[1].count == 3, parts[1].allSatisfy({ (0x30...0x39).contains($0) }), parts[1].first != 0x30 else {
            return nil
        }
        return (Int(String(decoding: parts[1], as: Unicode.ASCII.self))!, Int(parts[0].first! - 0x30))
    }

    /// tchar, in RFC 9110, section 5.6.2.
    private static let token = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8
    )

    /// field-line = field-name ":" OWS field-value OWS; both in lower case, one scalar per byte.
    static func field(
        _ line: [UInt8]
    ) throws(ReferenceResponse.Failure) -> (name: String, value: String.UnicodeScalarView.SubSequence) {
        guard !line.contains(where: ReferenceResponse.isControl), let colon = line.firstIndex(of: UInt8(ascii: ":"))
        else { throw .malformed }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(token.contains) else { throw .malformed }
        var value = String.UnicodeScalarView()
        for byte in line[(colon + 1)...] {
            value.append(Unicode.Scalar((0x41...0x5a).contains(byte) ? byte + 0x20 : byte))
        }
        return (String(decoding: name, as: Unicode.ASCII.self).lowercased(), trimmed(value[...]))
    }

    private static func trimmed(_ text: String.UnicodeScalarView.SubSequence) -> String.UnicodeScalarView.SubSequence {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
