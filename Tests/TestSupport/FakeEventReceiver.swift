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
        var isInString = false
        var isEscaped = false
        var start = 0
        for (index, byte) in request.body.enumerated() {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"):
                if depth == 0 { start = index }
                depth += 1
            case UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { events.append(String(decoding: request.body[start...index], as: UTF8.self)) }
            default: break
            }
        }
        return events
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
