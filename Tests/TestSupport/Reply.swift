import Foundation

/// What a fake Model Service does with one request: steps, one after the other.
package struct Reply: Sendable {
    package enum Step: Sendable {
        case send([UInt8])
        /// A chunk of a chunked body.
        package static func chunk(_ text: String) -> Step { .send(chunkedBody(Array(text.utf8), chunkSize: .max)) }

        /// One byte at a time, each a packet of its own.
        case drip([UInt8])
        /// So many bytes of the letter x.
        case fill(Int)
        /// Until the gate is open, or the peer closes.
        case wait(Gate)
        /// Until the peer closes, or the service stops.
        case hang
        /// The request's bytes are acknowledged now and not later (TCP_QUICKACK, tcp(7)).
        case acknowledge
        /// Until bytes of the next request are there, which stay unread.
        case waitForBytes
        /// Something of the test's own.
        case run(@Sendable () -> Void)
        /// An orderly close.
        case close
        /// A close by RST.
        case reset
    }

    package enum Framing: Sendable {
        case contentLength
        case chunked(size: Int)
        /// The end of the connection is the end of the body.
        case closeDelimited
    }

    package var steps: [Step]

    package init(_ steps: [Step]) { self.steps = steps }

    /// The same after the gate has opened.
    package func after(_ gate: Gate) -> Reply { Reply([.wait(gate)] + steps) }

    /// The same, then the connection is closed, unannounced.
    package var thenClose: Reply { Reply(steps + [.close]) }

    /// The same, first of all its request is acknowledged.
    package var acknowledged: Reply { Reply([.acknowledge] + steps) }

    /// The same bytes, one at a time.
    package var oneByteAtATime: Reply {
        Reply(
            steps.map {
                guard case .send(let bytes) = $0 else { return $0 }
                return .drip(bytes)
            }
        )
    }

    /// False when the connection is not to be used again.
    func perform(on socket: StreamSocket) throws -> Bool {
        for step in steps {
            switch step {
            case .send(let bytes): try socket.write(bytes)
            case .drip(let bytes): for byte in bytes { try socket.write(CollectionOfOne(byte)) }
            case .fill(let count):
                let block = [UInt8](repeating: UInt8(ascii: "x"), count: 256 << 10)
                var left = count
                while left > 0 {
                    try socket.write(block.prefix(left))
                    left -= min(left, block.count)
                }
            case .wait(let gate): try socket.waitWhileOpen(gate, Deadline(seconds: 600))
            case .hang: try socket.waitWhileOpen(nil, Deadline(seconds: 600))
            case .acknowledge: socket.acknowledge()
            case .waitForBytes: try socket.wait(for: POLLIN, Deadline(seconds: 600))
            case .run(let action): action()
            case .close: return false
            case .reset:
                socket.resetOnClose()
                return false
            }
        }
        return true
    }
}

extension StreamSocket {
    /// Until the gate opens; throws `reset` when the peer closes first.
    fileprivate func waitWhileOpen(_ gate: Gate?, _ deadline: Deadline) throws {
        if gate?.isOpen == true { return }
        let events = try wait(for: StreamSocket.peerClosed, or: gate, deadline)
        if events != 0 { throw SocketError.reset }
    }
}

extension Reply {
    /// A whole answer.
    package static func answer(
        _ status: Int = 200,
        reason: String = "OK",
        headers: HTTPHeaders = [:],
        body: [UInt8] = [],
        framing: Framing = .contentLength
    ) -> Reply {
        var head = "HTTP/1.1 \(status) \(reason)\r\n\(headers.wire)"
        switch framing {
        case .contentLength:
            head += "Content-Length: \(body.count)\r\n\r\n"
            let close = headers.lists("close", in: "Connection")
            return Reply([.send(Array(head.utf8) + body)] + (close ? [.close] : []))
        case .chunked(let size):
            head += "Transfer-Encoding: chunked\r\n\r\n"
            return Reply([.send(Array(head.utf8)), .send(chunkedBody(body, chunkSize: size)), .send(lastChunk)])
        case .closeDelimited:
            return Reply([.send(Array("\(head)\r\n".utf8)), .send(body), .close])
        }
    }

    /// An answer in parts, each sent when the one before has been: chunks, and what is done between them.
    package static func stream(
        _ contentType: String = "text/event-stream",
        headers: HTTPHeaders = [:],
        steps: [Step]
    ) -> Reply {
        var headers = headers
        headers.append("Content-Type", contentType)
        headers.append("Transfer-Encoding", "chunked")
        return Reply([.send(Array("HTTP/1.1 200 OK\r\n\(headers.wire)\r\n".utf8))] + steps)
    }

    /// The end of such an answer.
    package static let end = Step.send(lastChunk)

    package static func json(
        _ text: String,
        status: Int = 200,
        headers: HTTPHeaders = [:],
        framing: Framing = .contentLength
    ) -> Reply {
        var headers = headers
        headers.append("Content-Type", "application/json")
        return answer(status, headers: headers, body: Array(text.utf8), framing: framing)
    }

    private static var lastChunk: [UInt8] { Array("0\r\n\r\n".utf8) }

    /// What a health check wants to hear.
    package static let ready = json(#"{"ready":true}"#, headers: ["Connection": "close"])

    package static func raw(_ text: String) -> Reply { Reply([.send(Array(text.utf8))]) }

    // The ways of not answering.

    package static let hang = Reply([.hang])
    /// Before the first byte.
    package static let close = Reply([.close])
    /// Before the first byte.
    package static let reset = Reply([.reset])
    package static let resetInHeaders = Reply([.send(Array("HTTP/1.1 200 OK\r\nContent-Ty".utf8)), .reset])
    package static let resetInBody = Reply([.send(begunBody), .reset])
    package static let closeInBody = Reply([.send(begunBody), .close])
    /// The chunks are whole, but the last (empty) one does not come.
    package static let chunkedWithoutEnd = Reply([
        .send(Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)),
        .send(chunkedBody(Array(#"{"value":1}"#.utf8), chunkSize: 4)),
        .close,
    ])
    package static let garbage = Reply([.send([0, 1, 2, 0xFF] + Array("no HTTP at all\r\n\r\n".utf8)), .close])
    /// An answer whose body is so many bytes.
    package static func huge(_ count: Int) -> Reply {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(count)\r\n\r\n"
        return Reply([.send(Array(head.utf8)), .fill(count)])
    }
    /// The same, its length not announced.
    package static func hugeWithoutLength(_ count: Int) -> Reply {
        Reply([
            .send(Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".utf8)), .fill(count), .close,
        ])
    }

    private static var begunBody: [UInt8] {
        Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"value\":".utf8)
    }
}
