import TestSupport
import Testing

@testable import Gateway

/// Bodies of requests that go on as they come, over real sockets: the direct transport.
@Suite(.timeLimit(.minutes(5))) struct LongUploadTransportTests {
    private static let pieces = (0..<200).map { number in [UInt8](repeating: UInt8(number), count: 9_973) }
    private static let length = pieces.count * 9_973

    private func exchange(_ rig: TransportRig, length: Int = length) -> Exchange {
        let exchange = rig.exchange(body: "")
        exchange.request.passedLength = length
        return exchange
    }

    /// Adds a piece as soon as the buffer has room for it; the call sends what it can.
    private func feed(_ rig: TransportRig, _ exchange: Exchange, _ call: HTTPCall, _ pieces: [[UInt8]]) throws -> Int {
        var most = 0
        for piece in pieces {
            let hasRoom = try rig.run { exchange.request.body.count + piece.count <= LongBuffers.bytes }
            guard hasRoom else { throw TestFailure("there is no room: \(exchange.request.body.count)") }
            exchange.request.body.append(contentsOf: piece)
            most = max(most, exchange.request.body.count)
            call.sendOn()
        }
        return most
    }

    @Test func `all of it goes, in pieces`() throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(.direct, url: service.url("/"))
        defer { rig.shutDown() }
        var ends = 0
        rig.sent = { call in if call.isAllSent { ends += 1 } }
        for _ in 0..<2 {
            let exchange = exchange(rig)
            let call = rig.start(exchange)
            #expect(try feed(rig, exchange, call, Self.pieces) <= LongBuffers.bytes)
            #expect(try rig.outcome(of: call) == TransportRig.Outcome(status: 200, body: "1"))
        }
        #expect(ends == 2)
        #expect(service.calls.map(\.body) == [Array(Self.pieces.joined()), Array(Self.pieces.joined())])
        #expect(service.calls.map { $0.headers["Content-Length"] } == ["\(Self.length)", "\(Self.length)"])
        #expect(service.connectionCount == 1)
    }

    /// A Model Service that does not read: no more is taken than sockets and the buffer hold.
    @Test func `a model that does not read`() throws {
        let gate = Gate()
        let service = try FakeModelService(beforeBody: { Reply([.wait(gate)]) }, { _ in .json("1") })
        let rig = try TransportRig(.direct, url: service.url("/"))
        defer { rig.shutDown() }
        let length = 64 << 20
        let exchange = exchange(rig, length: length)
        let call = rig.start(exchange)
        let piece = [UInt8](repeating: 7, count: 32 << 10)
        var fed = 0
        func feed() {
            guard exchange.request.body.count <= 224 << 10, fed < length else { return }
            exchange.request.body.append(contentsOf: piece)
            fed += piece.count
            call.sendOn()
        }
        func stands() -> Bool {
            feed()
            return call.unsentBytes > 0 && exchange.request.body.count > 224 << 10
        }
        func isOver() -> Bool {
            feed()
            return rig.isOver(call)
        }
        // Until it stands: the socket is full, and the buffer too.
        #expect(try rig.run(until: { stands() }))
        #expect(fed < length && !call.isAllSent)
        gate.open()
        #expect(try rig.run(until: { isOver() }))
        #expect(try rig.outcome(of: call).status == 200)
        #expect(service.calls.map(\.body.count) == [length])
    }

    @Test func `a call that is given up leaves the model a broken request`() throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(.direct, url: service.url("/"))
        defer { rig.shutDown() }
        let exchange = exchange(rig)
        let call = rig.start(exchange)
        _ = try feed(rig, exchange, call, Array(Self.pieces.dropLast()))
        #expect(try rig.run { call.unsentBytes == 0 })
        call.cancel()
        #expect(eventually { service.brokenRequests == 1 })
        #expect(service.calls.isEmpty)
    }

    /// The end of a kept connection crosses the request: it is sent anew while all of what was sent is there.
    @Test(arguments: [true, false]) func `a close that crosses it`(_ isKept: Bool) throws {
        let gate = Gate()
        let service = try FakeModelService { request in
            request.text == "1" ? Reply(Reply.json("1").steps + [.wait(gate), .close]) : .json("2")
        }
        let rig = try TransportRig(.direct, url: service.url("/"), isRepeatable: false)
        defer { rig.shutDown() }
        #expect(try rig.ask(rig.exchange(body: "1")).status == 200)
        gate.open()
        #expect(eventually { service.openConnectionCount == 0 })
        let exchange = exchange(rig, length: 200_001)
        exchange.request.body.append(contentsOf: [UInt8](repeating: 1, count: isKept ? 1_000 : 200_000))
        let call = rig.start(exchange)
        guard isKept else {
            #expect(try rig.outcome(of: call).failure == .reset)
            return
        }
        #expect(try rig.run { service.connectionCount == 2 })
        exchange.request.body.append(contentsOf: [UInt8](repeating: 2, count: 199_001))
        call.sendOn()
        #expect(try rig.outcome(of: call) == TransportRig.Outcome(status: 200, body: "2"))
        #expect(service.calls.last?.body.count == 200_001)
    }

    /// An answer that does not wait for the body: it counts, and the connection is not used again.
    @Test func `an early answer`() throws {
        let early = Reply([.send(Array("HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\nno!".utf8)), .hang])
        let service = try FakeModelService(beforeBody: { early }, { _ in .json("1") })
        let rig = try TransportRig(.direct, url: service.url("/"))
        defer { rig.shutDown() }
        let exchange = exchange(rig)
        let call = rig.start(exchange)
        exchange.request.body.append(contentsOf: Self.pieces[0])
        call.sendOn()
        #expect(try rig.outcome(of: call) == TransportRig.Outcome(status: 413, body: "no!"))
        #expect(eventually { service.openConnectionCount == 0 })
    }
}
