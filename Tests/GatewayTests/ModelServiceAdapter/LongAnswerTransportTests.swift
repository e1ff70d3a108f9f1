import TestSupport
import Testing

@testable import Gateway

/// Long answers that may go on as they come: what an adapter asks about them, and how long they may be.
@Suite(.timeLimit(.minutes(5))) struct LongAnswerTransportTests {
    private static let long = 4 << 20

    private func begin(_ rig: AdapterRig, announced: Int?) -> HTTPCall {
        rig.ask(0, at: Clock.monotonic())
        let call = rig.call(0)
        call.status = 200
        call.headers.append(string: "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        call.announced = announced
        return call
    }

    /// An event that has its value needs all of it; the default is 1 MiB.
    @Test(arguments: [(1 << 20, false), ((1 << 20) + 1, true)])
    func `the length decides`(length: Int, goesOn: Bool) throws {
        let rig = try AdapterRig(maxConnections: 1, modelProtocol: .raw)
        let call = begin(rig, announced: length)
        #expect(rig.transport.delegate?.callBegan(call) == goesOn)
        #expect(call.isStreamed == goesOn && call.isLimited == goesOn && call.wholeBytes == .max)
        rig.flow.clientLeft(rig.exchange(0))
        _ = rig.settle()
    }

    @Test func `one that does not say becomes long`() throws {
        let rig = try AdapterRig(maxConnections: 1, modelProtocol: .raw)
        let call = begin(rig, announced: nil)
        #expect(rig.transport.delegate?.callBegan(call) == false)
        #expect(call.wholeBytes == 1 << 20)
        call.body.append(string: String(repeating: "x", count: (1 << 20) + 1))
        #expect(rig.transport.delegate?.callOutgrew(call) == true)
        // There is more than may wait.
        #expect(rig.transport.delegate?.callReceived(call) == false)
        rig.flow.endTurn()
        rig.flow.endTurn()
        #expect(rig.provider.parts[rig.exchange(0).index]?.utf8.count == (1 << 20) + 1)
        rig.flow.clientLeft(rig.exchange(0))
        _ = rig.settle()
    }

    @Test func `what is split is taken whole`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        let call = begin(rig, announced: Self.long)
        #expect(rig.transport.delegate?.callBegan(call) == false)
        #expect(call.wholeBytes == .max)
        rig.flow.clientLeft(rig.exchange(0))
        _ = rig.settle()
    }

    /// However it comes, it may be no longer than one that is taken whole; what has left is not given back by that.
    @Test(arguments: TransportKind.allCases, [true, false])
    func `it is as long as it may be`(_ kind: TransportKind, _ isTooLong: Bool) throws {
        let chunk = String(repeating: "x", count: 100_000)
        let chunks = isTooLong ? 21 : 20
        let service = try FakeModelService { _ in
            Reply.stream("text/plain", steps: (0..<chunks).map { _ in .chunk(chunk) } + [Reply.end])
        }
        let rig = try TransportRig(kind, url: service.url("/"), maxBodyBytes: 2_000_000)
        defer { rig.shutDown() }
        var read = 0
        rig.streamed = { call in
            call.isLimited = true
            return !call.body.isEmpty
        }
        rig.wholeBytes = 64 << 10
        rig.received = { call in
            read += call.body.count
            call.body.removeAll()
            return true
        }
        let call = rig.start(rig.exchange())
        let outcome = try rig.outcome(of: call)
        #expect(outcome.failure == (isTooLong ? .tooLarge : nil), "\(outcome.detail)")
        #expect(read + call.body.count <= 2_000_000)
        if !isTooLong { #expect(read + call.body.count == 2_000_000) }
    }

    /// One that says from the beginning that it is too long is refused, and nothing of it goes on.
    @Test(arguments: TransportKind.allCases) func `one that is announced too long`(_ kind: TransportKind) throws {
        let service = try FakeModelService { _ in
            Reply([.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 2000001\r\n\r\n".utf8)), .fill(2_000_001)])
        }
        let rig = try TransportRig(kind, url: service.url("/"), maxBodyBytes: 2_000_000)
        defer { rig.shutDown() }
        var announced: [Int?] = []
        rig.streamed = { call in
            announced.append(call.announced)
            return false
        }
        #expect(try rig.ask(rig.exchange()).failure == .tooLarge)
        #expect(announced == [nil])
    }

    @Test(arguments: TransportKind.allCases) func `the length is known when it begins`(_ kind: TransportKind) throws {
        let service = try FakeModelService { _ in
            Reply([.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".utf8)), .fill(1_000_000)])
        }
        let rig = try TransportRig(kind, url: service.url("/"))
        defer { rig.shutDown() }
        var announced: [Int?] = []
        rig.streamed = { call in
            announced.append(call.announced)
            return false
        }
        #expect(try rig.ask(rig.exchange()).body.utf8.count == 1_000_000)
        #expect(announced == [1_000_000])
    }
}
