import TestSupport

/// Clients that ask for one stream after the other over REST, on connections of their own, until they are told to stop.
final class StreamLoad: Sendable {
    /// What a client has of its streams.
    struct Read: Sendable {
        /// The ids of those that came to their end: by the last event, and by the last chunk.
        var done: [String] = []
        var ended: [String] = []
        /// Of those that did not, or that could not be asked for.
        var broken = 0
        var told = 0
    }

    private let port: Locked<UInt16?>
    private let stop = Gate()
    private let state = Locked(Read())
    private let clients: Locked<RunningThreads<Void>?> = Locked(nil)

    /// - Parameter port: nil: there is no Sidecar yet.
    init(port: UInt16?, clients count: Int = 16) {
        self.port = Locked(port)
        clients.withLock { $0 = startConcurrently(count) { [unowned self] in run($0) } }
    }

    deinit { stop.open() }

    /// A Model Service whose events come quickly, so that there are always some streams that are at their end.
    static func service() throws -> FakeModelService {
        var steps: [Reply.Step] = []
        for number in 0..<20 { steps.append(.chunk("data: {\"n\":\(number)}\n\n")) }
        steps.append(.chunk("data: [DONE]\n\n"))
        return try FakeModelService { [steps] _ in .stream(steps: steps + [Reply.end]) }
    }

    /// Where the Sidecar is now; nil: there is none.
    func setPort(_ port: UInt16?) { self.port.withLock { $0 = port } }

    /// So far.
    var read: Read { state.withLock { $0 } }

    /// What all have, when the last streams are over.
    func finish() throws -> Read {
        stop.open()
        _ = try clients.withLock { $0 }?.results(within: 120)
        return read
    }

    private func run(_ client: Int) {
        var number = 0
        while !stop.isOpen {
            number += 1
            guard let port = port.withLock({ $0 }), let connection = try? HTTPConnection(port: port) else {
                _ = stop.wait(Deadline(seconds: 0.01))
                continue
            }
            let id = "\(client)-\(number)"
            let request = HTTPRequest.post("/v1/models/iris:predict", json: "{}", headers: ["X-Request-Id": id])
            try? connection.send(request.wire)
            var text = ""
            let deadline = Deadline(seconds: 30)
            while !text.hasSuffix("0\r\n\r\n"), let bytes = try? connection.socket.read(deadline), !bytes.isEmpty {
                text += String(decoding: bytes, as: UTF8.self)
            }
            state.withLock {
                if text.contains("data: [DONE]\n\n") { $0.done.append(id) }
                if text.hasSuffix("\r\n0\r\n\r\n") { $0.ended.append(id) } else { $0.broken += 1 }
                if text.contains("event: error\n") { $0.told += 1 }
            }
        }
    }
}
