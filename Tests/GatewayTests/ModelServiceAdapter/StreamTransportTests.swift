import TestSupport
import Testing

@testable import Gateway

/// Bodies that are taken away as they come, over real sockets.
@Suite(.timeLimit(.minutes(5))) struct StreamTransportTests {
    private static let head = Array("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n".utf8)

    /// A service that sends so many bytes, in the way that is asked for.
    private func service(_ framing: String, _ size: Int) throws -> FakeModelService {
        try FakeModelService { _ in
            switch framing {
            case "length":
                Reply([.send(Self.head + Array("Content-Length: \(size)\r\n\r\n".utf8)), .fill(size)])
            case "chunks":
                Reply(
                    [.send(Self.head + Array("Transfer-Encoding: chunked\r\n\r\n".utf8))]
                        + (0..<size / 10_000).map { _ in .chunk(String(repeating: "x", count: 10_000)) } + [Reply.end]
                )
            case "one chunk":
                Reply([
                    .send(Self.head + Array("Transfer-Encoding: chunked\r\n\r\n\(String(size, radix: 16))\r\n".utf8)),
                    .fill(size), .send(Array("\r\n0\r\n\r\n".utf8)),
                ])
            default: Reply([.send(Self.head + Array("\r\n".utf8)), .fill(size), .close])
            }
        }
    }

    private static let framings = ["length", "chunks", "one chunk", "close"]

    /// More than an answer may have that is taken whole, with a reader that has no room half of the time.
    @Test(arguments: TransportKind.allCases, framings)
    func `all of it comes, in pieces`(_ kind: TransportKind, _ framing: String) throws {
        let size = 80_000_000
        let service = try service(framing, size)
        let rig = try TransportRig(kind, url: service.url("/"))
        defer { rig.shutDown() }
        var read = 0
        var most = 0
        var pauses = 0
        var held: HTTPCall?
        rig.streamed = { _ in true }
        rig.received = { call in
            most = max(most, call.body.count)
            // As a client that reads in pieces: all, or nothing until later.
            guard call.body.count < 100_000 else {
                pauses += 1
                held = call
                return false
            }
            return true
        }
        let call = rig.start(rig.exchange())
        func take(_ call: HTTPCall) {
            read += call.body.count
            call.body.removeAll()
        }
        let isRead = try rig.run {
            if let call = held {
                held = nil
                take(call)
                call.resume()
            }
            return rig.isOver(call)
        }
        #expect(isRead)
        take(call)
        #expect(read == size)
        #expect(pauses > 100)
        // What is read at once beyond the bound is one read.
        #expect(most <= 100_000 + (32 << 10), "\(most)")
        let outcome = try rig.outcome(of: call)
        #expect(outcome.failure == nil, "\(outcome.detail)")
    }

    /// Some answers are there by the time their request is sent, and are paused then: their connection is not idle.
    @Test(arguments: TransportKind.allCases) func `a kept connection is paused at once`(_ kind: TransportKind) throws {
        let size = 600_000
        let service = try service("length", size)
        let rig = try TransportRig(kind, url: service.url("/"))
        defer { rig.shutDown() }
        var held: HTTPCall?
        var isPaused = false
        rig.streamed = { _ in true }
        rig.received = { call in
            // Once, at its beginning.
            if isPaused { return true }
            isPaused = true
            held = call
            return false
        }
        for _ in 0..<300 {
            isPaused = false
            let call = rig.start(rig.exchange())
            var read = 0
            func take(_ call: HTTPCall) {
                read += call.body.count
                call.body.removeAll()
            }
            let isRead = try rig.run {
                if let call = held {
                    held = nil
                    take(call)
                    call.resume()
                }
                return rig.isOver(call)
            }
            #expect(isRead)
            take(call)
            #expect(try rig.outcome(of: call).failure == nil)
            #expect(read == size)
        }
        #expect(service.connectionCount == 1)
    }

    /// While nobody reads, nothing is heard, and nothing spins; then the end is found.
    @Test(arguments: TransportKind.allCases, [true, false])
    func `a peer that dies while nobody reads`(_ kind: TransportKind, _ isReset: Bool) throws {
        let gate = Gate()
        let service = try FakeModelService { _ in
            Reply([
                .send(Self.head + Array("Transfer-Encoding: chunked\r\n\r\n".utf8)), .chunk("data: 1\n\n"), .wait(gate),
                isReset ? .reset : .close,
            ])
        }
        let rig = try TransportRig(kind, url: service.url("/"))
        defer { rig.shutDown() }
        var hasRoom = false
        rig.streamed = { _ in true }
        rig.received = { hasRoom || $0.body.isEmpty }
        let call = rig.start(rig.exchange())
        #expect(try rig.run { !call.body.isEmpty })
        gate.open()
        #expect(eventually { service.openConnectionCount == 0 })
        hasRoom = true
        call.resume()
        #expect(try rig.outcome(of: call).failure == .reset)
        #expect(call.body.view == "data: 1\n\n")
    }

    /// A call that is given up while nobody reads leaves nothing behind, and the next one is served.
    @Test(arguments: TransportKind.allCases) func `a call is given up while nobody reads`(_ kind: TransportKind) throws
    {
        let service = try service("one chunk", 20_000_000)
        let rig = try TransportRig(kind, url: service.url("/"))
        defer { rig.shutDown() }
        rig.streamed = { _ in true }
        // The head may come by itself.
        rig.received = { $0.body.isEmpty }
        for _ in 0..<3 {
            let call = rig.start(rig.exchange())
            #expect(try rig.run { !call.body.isEmpty })
            call.cancel()
            #expect(try rig.run { service.abandonedCalls.count > 0 })
        }
        #expect(eventually { service.openConnectionCount == 0 })
    }
}
