/// One connection of a client that speaks HTTP/1.1 over a plain socket: what is sent is sent as given.
package final class HTTPConnection: @unchecked Sendable {
    // Sendable: handed from thread to thread, used by one at a time.
    package let socket: StreamSocket
    private let reader: HTTPReader

    package init(port: UInt16) throws {
        socket = try StreamSocket(connectingTo: .tcp(port: port))
        reader = HTTPReader(socket)
    }

    package func send(_ text: String) throws { try socket.write(text.utf8) }

    package func send(_ bytes: [UInt8]) throws { try socket.write(bytes) }

    /// The next answer on this connection.
    package func response(toHead: Bool = false, _ deadline: Deadline = Deadline()) throws -> HTTPResponse {
        try reader.response(toHead: toHead, deadline)
    }

    /// Sends a request and reads its answer; the connection stays open if the server leaves it so.
    package func exchange(_ request: HTTPRequest) throws -> HTTPResponse {
        try send(request.wire)
        return try response(toHead: request.method == "HEAD")
    }

    /// What has come and was not read, as it came: until it satisfies that, or the server closes the connection, or time is over.
    package func raw(_ deadline: Deadline = Deadline(), until isEnough: (String) -> Bool) throws -> String {
        var bytes: [UInt8] = []
        while !isEnough(String(decoding: bytes, as: UTF8.self)) {
            let more = try socket.read(deadline)
            if more.isEmpty { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// True when the server closes the connection without sending more.
    package func isClosedByServer(within seconds: Double = Deadline.standardSeconds) throws -> Bool {
        try reader.reachesEnd(Deadline(seconds: seconds))
    }
}

/// A request to send.
package struct HTTPRequest: Sendable {
    package var method: String
    package var target: String
    package var headers: HTTPHeaders
    package var body: [UInt8]?
    /// Split into chunks of at most this many bytes; nil: Content-Length.
    package var chunkSize: Int?

    package init(
        _ method: String,
        _ target: String,
        headers: HTTPHeaders = [:],
        body: [UInt8]? = nil,
        chunkSize: Int? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.chunkSize = chunkSize
    }

    /// A GET.
    package static func get(_ target: String, headers: HTTPHeaders = [:]) -> HTTPRequest {
        HTTPRequest("GET", target, headers: headers)
    }

    /// A POST with a JSON body, labelled as such.
    package static func post(_ target: String, json: String, headers: HTTPHeaders = [:]) -> HTTPRequest {
        var headers = headers
        if !headers.contains("Content-Type") { headers.append("Content-Type", "application/json") }
        return HTTPRequest("POST", target, headers: headers, body: Array(json.utf8))
    }

    /// The request line and the header lines, with Host and what frames the body added.
    package var head: String {
        var headers = headers
        if !headers.contains("Host") { headers.append("Host", "client.test") }
        if let body {
            if chunkSize != nil {
                headers.append("Transfer-Encoding", "chunked")
            } else if !headers.contains("Content-Length") {
                headers.append("Content-Length", "\(body.count)")
            }
        }
        return "\(method) \(target) HTTP/1.1\r\n\(headers.wire)\r\n"
    }

    /// The whole request as it goes over the wire.
    package var wire: [UInt8] {
        guard let body else { return Array(head.utf8) }
        guard let chunkSize else { return Array(head.utf8) + body }
        return Array(head.utf8) + chunkedBody(body, chunkSize: chunkSize) + Array("0\r\n\r\n".utf8)
    }
}

/// The chunks of a body, without the last (empty) one.
package func chunkedBody(_ body: [UInt8], chunkSize: Int) -> [UInt8] {
    var wire: [UInt8] = []
    for start in stride(from: 0, to: body.count, by: chunkSize) {
        let chunk = body[start..<min(start + chunkSize, body.count)]
        wire += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
    }
    return wire
}
