import Foundation

/// A receiver of events over HTTP: takes CloudEvents in batched or binary mode, and answers as the test says.
package final class FakeEventReceiver: Sendable {
    private let service: FakeModelService
    private let accepted = Locked<[String]>([])

    /// - Parameters:
    ///   - listening: false: connections are refused until `startListening()`.
    ///   - answer: what each request is answered; with a status of 2xx its events count as received.
    package init(
        listening: Bool = true,
        _ answer: @escaping @Sendable (ReceivedRequest) -> Reply = { _ in .accepted }
    ) throws {
        let accepted = accepted
        service = try FakeModelService(listening: listening) { request in
            let reply = answer(request)
            if reply.isSuccess {
                let events = FakeEventReceiver.events(in: request)
                accepted.withLock { $0 += events }
            }
            return reply
        }
    }

    package var url: String { service.url("/events?key=secret") }
    package var requests: [ReceivedRequest] { service.requests }
    package var connectionCount: Int { service.connectionCount }

    /// The events that were accepted, each as its JSON: of a batch the elements, else the body.
    package var events: [String] { accepted.withLock { $0 } }

    package func startListening() throws { try service.startListening() }
    package func stop() { service.stop() }

    /// The elements of an array of JSON objects, cut out as they are.
    package static func events(in request: ReceivedRequest) -> [String] {
        guard request.headers["Content-Type"]?.contains("batch") == true else { return [request.text] }
        var events: [String] = []
        var depth = 0
        var start = 0
        request.body.withUnsafeBytes { body in
            var index = 0
            while index < body.count {
                switch body[index] {
                case UInt8(ascii: "\""): index = end(ofStringAt: index, in: body)
                case UInt8(ascii: "{"):
                    if depth == 0 { start = index }
                    depth += 1
                case UInt8(ascii: "}"):
                    depth -= 1
                    if depth == 0 { events.append(String(decoding: body[start...index], as: UTF8.self)) }
                default: break
                }
                index += 1
            }
        }
        return events
    }

    /// Where its closing quote stands. By memchr(3), since a test's values are long strings and a sanitized build is slow.
    private static func end(ofStringAt start: Int, in body: UnsafeRawBufferPointer) -> Int {
        var from = start + 1
        while from < body.count, let found = memchr(body.baseAddress! + from, 0x22, body.count - from) {
            let quote = UnsafeRawPointer(found) - body.baseAddress!
            var slashes = 0
            while body[quote - 1 - slashes] == UInt8(ascii: "\\") { slashes += 1 }
            if slashes.isMultiple(of: 2) { return quote }
            from = quote + 1
        }
        return body.count
    }
}

extension Reply {
    /// What a receiver of events says when it has them.
    package static let accepted = answer(202, reason: "Accepted")

    fileprivate var isSuccess: Bool {
        guard case .send(let bytes) = steps.first else { return false }
        return bytes.starts(with: "HTTP/1.1 2".utf8)
    }
}
