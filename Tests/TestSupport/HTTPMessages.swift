/// Header lines in the order they stood in; names compare without regard to case.
package struct HTTPHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String
    }

    package var fields: [Field]

    package init(_ fields: [Field] = []) { self.fields = fields }

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// All values of a name.
    package func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The first value of a name.
    package subscript(_ name: String) -> String? { all(name).first }

    package func contains(_ name: String) -> Bool { self[name] != nil }

    package mutating func append(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

    /// The lines as they go over the wire.
    package var wire: String { fields.map { "\($0.name): \($0.value)\r\n" }.joined() }

    /// True when a comma-separated list in one of the values has the token.
    package func lists(_ token: String, in name: String) -> Bool {
        all(name).joined(separator: ",").lowercased().split(separator: ",")
            .contains { $0.trimmingSpaces() == token.lowercased() }
    }
}

/// An answer as it came over the wire.
package struct HTTPResponse: Sendable {
    package var version: String
    package var status: Int
    package var reason: String
    package var headers: HTTPHeaders
    package var body: [UInt8]
    /// The statuses of interim answers (100 Continue) before it.
    package var interim: [Int] = []

    package var text: String { String(decoding: body, as: UTF8.self) }

    package func json() throws -> JSON { try JSON(parsing: body) }

    package var requestId: String? { headers["X-Request-Id"] }
}

/// What was wrong with bytes that should have been HTTP.
package enum HTTPError: Error, Equatable {
    /// The stream ended before the message had begun.
    case closedBeforeMessage
    /// The stream ended within the message.
    case truncated(soFar: String)
    case malformed(String)
}

/// Reads HTTP/1.1 messages from a socket; what is left over stays for the next one.
package final class HTTPReader {
    package struct RequestMessage {
        package var method: String
        package var target: String
        package var headers: HTTPHeaders
        package var body: [UInt8]
        /// The request line and the header lines as they came, the blank one too.
        package var head: [UInt8]
    }

    private let socket: StreamSocket
    private var buffer: [UInt8] = []
    private var position = 0
    /// Whether the request at hand is one.
    package private(set) var isPost = false
    /// The lines of the message that is being read, as they came.
    private var lines: [UInt8] = []

    package init(_ socket: StreamSocket) { self.socket = socket }

    private var available: Int { buffer.count - position }

    /// True when more bytes came; false at the end of the stream.
    private func fill(_ deadline: Deadline) throws -> Bool {
        if position > 0 && position == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            position = 0
        }
        let bytes = try socket.read(deadline)
        buffer += bytes
        return !bytes.isEmpty
    }

    /// A line without its end.
    private func line(_ deadline: Deadline) throws -> String {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                var line = buffer[position..<end]
                lines += buffer[position...end]
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                position = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            searched = buffer.count
            let consumed = position
            guard try fill(deadline) else { throw truncated() }
            if position != consumed { searched = 0 }
        }
    }

    private func truncated() -> HTTPError {
        available == 0 ? .closedBeforeMessage : .truncated(soFar: String(decoding: buffer[position...], as: UTF8.self))
    }

    private func bytes(_ count: Int, _ deadline: Deadline) throws -> [UInt8] {
        while available < count {
            guard try fill(deadline) else {
                throw HTTPError.truncated(soFar: "\(available) of \(count) bytes of a body")
            }
        }
        defer { position += count }
        return Array(buffer[position..<position + count])
    }

    private func headers(_ deadline: Deadline) throws -> HTTPHeaders {
        var headers = HTTPHeaders()
        while true {
            let line: String
            do {
                line = try self.line(deadline)
            } catch HTTPError.closedBeforeMessage {
                throw HTTPError.truncated(soFar: "header lines: \(headers.wire)")
            }
            if line.isEmpty { return headers }
            guard let colon = line.firstIndex(of: ":") else { throw HTTPError.malformed("header line: \(line)") }
            headers.append(String(line[..<colon]), line[line.index(after: colon)...].trimmingSpaces())
        }
    }

    private func chunked(_ deadline: Deadline) throws -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try bodyLine(deadline)
            guard let size = Int(line.prefix { $0 != ";" }.trimmingSpaces(), radix: 16) else {
                throw HTTPError.malformed("chunk size: \(line)")
            }
            if size == 0 {
                _ = try headers(deadline)
                return body
            }
            body += try bytes(size, deadline)
            guard try bodyLine(deadline).isEmpty else { throw HTTPError.malformed("no line end after a chunk") }
        }
    }

    private func bodyLine(_ deadline: Deadline) throws -> String {
        do {
            return try line(deadline)
        } catch HTTPError.closedBeforeMessage {
            throw HTTPError.truncated(soFar: "between chunks")
        }
    }

    /// True when the peer ends the stream without sending more.
    package func reachesEnd(_ deadline: Deadline = Deadline()) throws -> Bool {
        do {
            return try available == 0 && !fill(deadline)
        } catch SocketError.reset {
            return true
        }
    }

    /// One request's line, headers and body.
    ///
    /// - Parameter beforeBody: called when the headers are in; false: the body is not read, as if the peer had closed.
    package func request(_ deadline: Deadline, beforeBody: () throws -> Bool = { true }) throws -> RequestMessage {
        lines.removeAll(keepingCapacity: true)
        let line = try line(deadline)
        let parts = line.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[2].hasPrefix("HTTP/1.") else {
            throw HTTPError.malformed("request line: \(line)")
        }
        let headers = try headers(deadline)
        let head = lines
        isPost = parts[0] == "POST"
        guard try beforeBody() else { throw HTTPError.closedBeforeMessage }
        var body: [UInt8] = []
        if headers.lists("chunked", in: "Transfer-Encoding") {
            body = try chunked(deadline)
        } else if let length = headers["Content-Length"].flatMap({ Int($0) }) {
            body = try bytes(length, deadline)
        }
        return RequestMessage(
            method: String(parts[0]),
            target: String(parts[1]),
            headers: headers,
            body: body,
            head: head
        )
    }

    /// One final answer; interim ones before it are noted in it.
    package func response(toHead: Bool = false, _ deadline: Deadline = Deadline()) throws -> HTTPResponse {
        var interim: [Int] = []
        while true {
            lines.removeAll(keepingCapacity: true)
            let line = try line(deadline)
            let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count >= 2, parts[0].hasPrefix("HTTP/1."), let status = Int(parts[1]), parts[1].count == 3
            else {
                throw HTTPError.malformed("status line: \(line)")
            }
            let headers = try headers(deadline)
            if status < 200 {
                interim.append(status)
                continue
            }
            var body: [UInt8] = []
            if toHead || status == 204 || status == 304 {
                // No body follows, whatever the headers say.
            } else if headers.lists("chunked", in: "Transfer-Encoding") {
                body = try chunked(deadline)
            } else if let length = headers["Content-Length"] {
                guard let count = Int(length) else { throw HTTPError.malformed("Content-Length: \(length)") }
                body = try bytes(count, deadline)
            } else {
                while try fill(deadline) {}
                body = Array(buffer[position...])
                position = buffer.count
            }
            return HTTPResponse(
                version: String(parts[0]),
                status: status,
                reason: parts.count > 2 ? String(parts[2]) : "",
                headers: headers,
                body: body,
                interim: interim
            )
        }
    }
}

extension StringProtocol {
    func trimmingSpaces() -> String {
        var rest = Substring(self)
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
