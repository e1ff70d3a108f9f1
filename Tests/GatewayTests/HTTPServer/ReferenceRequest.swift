/// A request read the slow way, straight from RFC 9112 (sections 2 to 7): from all bytes of a connection, one rule after the
/// other.
///
/// Shares no code with the reader that it judges. Where the RFC leaves a choice, it makes the reader's, as
/// docs/decisions/0012-request-reader.md lists them.
struct ReferenceRequest: Equatable {
    struct Field: Equatable {
        var name: [UInt8]
        var value: [UInt8]
    }

    var method: [UInt8]
    var target: [UInt8]
    /// Of a target in absolute form, else empty.
    var authority: [UInt8] = []
    var path: [UInt8] = []
    var query: [UInt8] = []
    var isHTTP10: Bool
    var fields: [Field] = []
    var expectsContinue = false
    var keepsAlive = true
    var body: [UInt8] = []

    struct Limits {
        var head = 8 << 10
        var body = 1 << 20
    }

    enum Failure: Error {
        /// The bytes end within the request.
        case incomplete
        case malformed, targetTooLong, headTooLong, bodyTooLong, unknownCoding, unknownVersion, tls, http2
    }

    /// What a connection's bytes are.
    struct Connection: Equatable {
        var requests: [ReferenceRequest] = []
        /// How the last of them ends that is not whole; nil: the connection closes after one that is.
        var failure: Failure?
        /// Whether that one's head was whole.
        var hasHead = false
        /// How many bytes follow the last request where the connection closes after it.
        var left = 0
    }

    static func read(_ bytes: [UInt8], _ limits: Limits) -> Connection {
        var connection = Connection()
        var rest = bytes[...]
        while true {
            var head: ReferenceRequest?
            do throws(Failure) {
                let request = try request(&rest, limits, head: &head)
                connection.requests.append(request)
                if request.keepsAlive { continue }
                connection.left = rest.count
            } catch {
                connection.failure = error
                connection.hasHead = head != nil
            }
            return connection
        }
    }

    private static func request(
        _ rest: inout ArraySlice<UInt8>,
        _ limits: Limits,
        head: inout ReferenceRequest?
    ) throws(Failure) -> ReferenceRequest {
        let start = rest
        func headLine(_ tooLong: Failure) throws(Failure) -> [UInt8] {
            try Self.line(&rest, longest: limits.head - (start.count - rest.count), tooLong)
        }

        // Section 2.2: empty lines before a request are ignored; so many here.
        var line: [UInt8] = []
        for _ in 0...8 where line.isEmpty {
            // Nothing that follows makes a request of what begins otherwise.
            if let first = rest.first, first != 0x0d, !methodBytes.contains(first) {
                throw first == 22 ? .tls : .malformed
            }
            line = try headLine(.targetTooLong)
        }
        guard !line.isEmpty else { throw .malformed }
        var request = try requestLine(line)

        while true {
            line = try headLine(.headTooLong)
            if line.isEmpty { break }
            guard request.fields.count < 100 else { throw .headTooLong }
            let field = try field(line)
            request.fields.append(field)
            // What is wrong about one field is found before the next is read.
            switch lowercased(field.name) {
            // RFC 9110, sections 10.1.1 and 11.6.2: no lists.
            case "expect", "authorization":
                guard request.all(lowercased(field.name)).count == 1 else { throw .malformed }
            case "host": guard isHost(field.value), request.all("host").count == 1 else { throw .malformed }
            case "content-length":
                guard isDigits(field.value), request.all("content-length").count == 1 else { throw .malformed }
            default: break
            }
        }
        let framing = try request.framing()
        head = request

        // Section 6.3.
        switch framing {
        case .none: break
        case .length(let digits):
            // A number of any length.
            guard let length = Int(digits), length <= limits.body else { throw .bodyTooLong }
            guard rest.count >= length else { throw .incomplete }
            request.body = Array(rest.prefix(length))
            rest = rest.dropFirst(length)
        case .chunked: request.body = try chunkedBody(&rest, limits)
        }
        return request
    }

    // MARK: Section 2.2: lines

    /// A line without its CR LF.
    ///
    /// - Parameter longest: how long it may be with its end.
    private static func line(
        _ rest: inout ArraySlice<UInt8>,
        longest: Int,
        _ tooLong: Failure
    ) throws(Failure) -> [UInt8] {
        guard let end = rest.firstIndex(of: 0x0a) else { throw rest.count > longest ? tooLong : .incomplete }
        let line = rest[..<end]
        guard line.count + 1 <= longest else { throw tooLong }
        guard line.last == 0x0d else { throw .malformed }
        rest = rest[(end + 1)...]
        return Array(line.dropLast())
    }

    // MARK: Section 3: the request line

    private static let methodBytes = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZ-_".utf8)

    /// request-line = method SP request-target SP HTTP-version
    private static func requestLine(_ line: [UInt8]) throws(Failure) -> ReferenceRequest {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false).map { Array($0) }
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(methodBytes.contains), !parts[1].isEmpty,
            !parts[1].contains(where: { $0 < 0x21 || $0 == 0x7f || $0 == UInt8(ascii: "#") })
        else { throw .malformed }
        // HTTP-version = "HTTP/" DIGIT "." DIGIT
        let version = parts[2]
        guard version.count == 8, version.starts(with: "HTTP/".utf8), isDigits([version[5]]), isDigits([version[7]]),
            version[6] == UInt8(ascii: ".")
        else { throw .malformed }
        guard version[5] == UInt8(ascii: "1") else {
            throw parts[0].elementsEqual("PRI".utf8) ? .http2 : .unknownVersion
        }
        var request = ReferenceRequest(
            method: parts[0],
            target: parts[1],
            isHTTP10: version[7] == UInt8(ascii: "0")
        )
        try request.splitTarget()
        return request
    }

    /// Section 3.2: the four forms of a target.
    private mutating func splitTarget() throws(Failure) {
        let word = String(decoding: method, as: Unicode.ASCII.self)
        var afterAuthority = target
        if word == "CONNECT" {
            guard let colon = target.lastIndex(of: UInt8(ascii: ":")), Self.isHost(target), colon > 0,
                colon < target.count - 1, Self.isDigits(Array(target[(colon + 1)...]))
            else { throw .malformed }
            path = target
            return
        }
        if word == "OPTIONS", target == [UInt8(ascii: "*")] {
            path = target
            return
        }
        if target[0] != UInt8(ascii: "/") {
            let lower = Self.lowercased(target)
            guard let scheme = ["http://", "https://"].first(where: { lower.hasPrefix($0) }) else { throw .malformed }
            let rest = target.dropFirst(scheme.utf8.count)
            authority = Array(rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") })
            guard !authority.isEmpty, Self.isHost(authority) else { throw .malformed }
            afterAuthority = Array(rest.dropFirst(authority.count))
        }
        let parts = afterAuthority.split(
            separator: UInt8(ascii: "?"),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        path = Array(parts[0])
        query = parts.count > 1 ? Array(parts[1]) : []
    }

    /// unreserved, and sub-delims but for the comma, which would look like two Host fields joined.
    private static let hostBytes = Set(
        "-._~!$&'()*+;=0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8
    )

    /// RFC 3986, section 3.2: host [ ":" port ], or nothing at all. A host of an http URI is not empty (RFC 9110, section 4.2.1).
    static func isHost(_ value: [UInt8]) -> Bool {
        if value.isEmpty { return true }
        var rest = value[...]
        if value[0] == UInt8(ascii: "["), let end = value.firstIndex(of: UInt8(ascii: "]")) {
            let address = value[1..<end]
            guard !address.isEmpty, address.allSatisfy({ hostBytes.contains($0) || $0 == UInt8(ascii: ":") }) else {
                return false
            }
            rest = value[(end + 1)...]
        } else {
            let name = value.prefix { $0 != UInt8(ascii: ":") }
            // What stands between the percent signs; all but the first begin with two digits.
            let parts = name.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
            let escaped = parts.dropFirst()
            guard !name.isEmpty, escaped.allSatisfy({ $0.count >= 2 && $0.prefix(2).allSatisfy(isHexDigit) }),
                (parts.prefix(1) + escaped.map { $0.dropFirst(2) }).joined().allSatisfy(hostBytes.contains)
            else { return false }
            rest = value[name.endIndex...]
        }
        return rest.isEmpty || rest.first == UInt8(ascii: ":") && rest.dropFirst().allSatisfy { isDigits([$0]) }
    }

    // MARK: Section 5: fields

    /// tchar, in RFC 9110, section 5.6.2.
    private static let token = Set(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8
    )

    /// field-line = field-name ":" OWS field-value OWS
    private static func field(_ line: [UInt8]) throws(Failure) -> Field {
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy(token.contains) else { throw .malformed }
        let value = trimmed(parts[1])
        guard !value.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7f }) else { throw .malformed }
        return Field(name: Array(parts[0]), value: value)
    }

    private func all(_ name: String) -> [[UInt8]] {
        fields.filter { Self.lowercased($0.name) == name }.map(\.value)
    }

    // MARK: Section 6: the body

    private enum Framing {
        case none, chunked
        /// Decimal digits.
        case length(String)
    }

    /// Also what the head says of the connection.
    private mutating func framing() throws(Failure) -> Framing {
        if !isHTTP10, all("host").isEmpty { throw .malformed }
        expectsContinue = all("expect").contains { Self.lowercased($0) == "100-continue" }
        let options = all("connection").flatMap { $0.split(separator: UInt8(ascii: ",")) }.map {
            Self.lowercased(Self.trimmed($0))
        }
        // Section 9.3.
        keepsAlive = !options.contains("close") && (!isHTTP10 || options.contains("keep-alive"))

        let codings = all("transfer-encoding")
        let length = all("content-length").first
        guard !codings.isEmpty else {
            guard let length else { return .none }
            let digits = String(decoding: length, as: Unicode.ASCII.self)
            return digits.allSatisfy { $0 == "0" } ? .none : .length(digits)
        }
        if length != nil || isHTTP10 { throw .malformed }
        guard codings.count == 1, Self.lowercased(codings[0]) == "chunked" else { throw .unknownCoding }
        return .chunked
    }

    // MARK: Section 7.1: chunked transfer coding

    private static func chunkedBody(_ rest: inout ArraySlice<UInt8>, _ limits: Limits) throws(Failure) -> [UInt8] {
        var body: [UInt8] = []
        var excess = 0
        while true {
            let line = try Self.line(&rest, longest: 4 << 10, .malformed)
            guard !line.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7f }) else { throw .malformed }
            let parts = line.split(separator: UInt8(ascii: ";"), maxSplits: 1, omittingEmptySubsequences: false)
            // Bad white space may follow the size, and may not precede it.
            let size = trimmed(parts[0])
            guard !size.isEmpty, parts[0].first == size.first, size.allSatisfy(isHexDigit) else { throw .malformed }
            let digits = size.drop { $0 == UInt8(ascii: "0") }
            // A number of any length.
            guard let count = Int(String(decoding: [0x30] + digits, as: Unicode.ASCII.self), radix: 16),
                count <= limits.body - body.count
            else { throw .bodyTooLong }
            // The framing may cost no more than the data is worth, and 16 KiB.
            excess = max(0, excess + line.count - 16 - 2 * count)
            guard excess <= 16 << 10 else { throw .malformed }
            if count == 0 { break }
            body += rest.prefix(count)
            rest = rest.dropFirst(count)
            let end = rest.prefix(2)
            guard end.elementsEqual([0x0d, 0x0a].prefix(end.count)) else { throw .malformed }
            guard end.count == 2 else { throw .incomplete }
            rest = rest.dropFirst(2)
        }
        // The trailer section.
        let start = rest.count
        var count = 0
        while true {
            let line = try Self.line(&rest, longest: limits.head - (start - rest.count), .malformed)
            if line.isEmpty { return body }
            count += 1
            guard count <= 100 else { throw .headTooLong }
            _ = try field(line)
        }
    }

    // MARK: Words

    private static func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        let start = text.drop(while: isBlank)
        return Array(start.reversed().drop(while: isBlank).reversed())
    }

    private static func lowercased(_ text: [UInt8]) -> String {
        String(decoding: text.map { (0x41...0x5a).contains($0) ? $0 + 0x20 : $0 }, as: Unicode.UTF8.self)
    }

    private static func isDigits(_ text: [UInt8]) -> Bool {
        !text.isEmpty && text.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        isDigits([byte]) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
