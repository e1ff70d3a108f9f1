import TestSupport
import Testing

@testable import Gateway

/// Answers that come in parts: the adapter's times for them, and its memory.
@Suite struct AdapterStreamTests {
    private static let second: Int64 = 1_000_000_000

    /// A call whose answer has begun as a stream; the times of the model are 30 s to the next part, 600 s in all.
    private func begin(_ rig: AdapterRig, _ number: Int) {
        rig.ask(number, at: Clock.monotonic())
        let call = rig.call(number)
        call.status = 200
        call.headers.append(string: "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        #expect(rig.transport.delegate?.callBegan(call) == true)
        rig.flow.endTurn()
    }

    private func send(_ rig: AdapterRig, _ number: Int, _ text: String = "data: 1\n\n") -> Bool {
        rig.call(number).body.append(string: text)
        defer { rig.flow.endTurn() }
        return rig.transport.delegate?.callReceived(rig.call(number)) ?? false
    }

    private func detail(_ rig: AdapterRig) throws -> String {
        let frame = try #require(rig.lane.frames.last)
        let buffer = ByteBuffer(capacity: frame.count)
        buffer.append(contentsOf: frame)
        let event = try JSON(parsing: try #require(EventFrame(in: buffer.view, at: 0)).data.array)
        return event["error"]?["message"]?.string ?? ""
    }

    @Test func `the time for the next part begins with each`() throws {
        let rig = try AdapterRig(maxConnections: 2)
        begin(rig, 0)
        let now = Clock.monotonic()
        // Its own time is for the first line only.
        #expect(rig.adapter.nextDeadline.map { $0 > now + 29 * Self.second && $0 < now + 31 * Self.second } == true)
        #expect(send(rig, 0))
        rig.adapter.expire(now: now + 29 * Self.second)
        #expect(rig.exchange(0).state == .streaming)
        rig.adapter.expire(now: Clock.monotonic() + 31 * Self.second)
        #expect(rig.transport.cancelled.count == 1)
        #expect(rig.settle().map(\.status) == [504])
        #expect(try detail(rig).contains("models.3.idleTimeout is 30s"))
    }

    @Test func `all of it has a time too`() throws {
        let rig = try AdapterRig(maxConnections: 2)
        rig.provider.reads = false
        begin(rig, 0)
        // While nobody reads, no part is waited for.
        while send(rig, 0, String(repeating: "x", count: 10_000)) {}
        let now = Clock.monotonic()
        #expect(rig.adapter.nextDeadline.map { $0 > now + 599 * Self.second } == true)
        rig.adapter.expire(now: now + 599 * Self.second)
        #expect(rig.exchange(0).state == .streaming)
        rig.adapter.expire(now: now + 601 * Self.second)
        #expect(rig.settle().map(\.status) == [504])
        #expect(try detail(rig).contains("models.3.maxStreamTime is 10m"))
    }

    @Test func `a part is waited for again when there is room`() throws {
        let rig = try AdapterRig(maxConnections: 2)
        rig.provider.reads = false
        begin(rig, 0)
        while send(rig, 0, String(repeating: "x", count: 10_000)) {}
        let exchange = rig.exchange(0)
        while rig.transport.resumed.isEmpty {
            rig.provider.read(exchange, upTo: 10_000)
            rig.flow.endTurn()
        }
        rig.adapter.expire(now: Clock.monotonic() + 31 * Self.second)
        #expect(rig.settle().map(\.status) == [504])
    }

    /// A stream holds its connection; the others wait for it.
    @Test func `it counts as a call until its end`() throws {
        let rig = try AdapterRig(maxConnections: 1)
        begin(rig, 0)
        rig.ask(1, at: Clock.monotonic())
        #expect(rig.outNumbers == [0])
        rig.finish(0, headers: "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", body: "data: 1\n\n")
        #expect(rig.outNumbers == [1])
        rig.finish(1)
        #expect(rig.settle().map(\.status) == [200, 200])
        #expect(rig.flow.inFlight == 0)
    }

    /// What waits for clients grows beyond 64 KiB only where there is memory for it.
    @Test func `without memory the model waits`() throws {
        let limit = BodyMemoryLimit(bytes: 200_000)
        let rig = try AdapterRig(maxConnections: 8, memory: BodyMemory(limit))
        rig.provider.reads = false
        var sent: [Int] = []
        for number in 0..<4 {
            begin(rig, number)
            var pieces = 1
            while send(rig, number, String(repeating: "x", count: 10_000)) { pieces += 1 }
            sent.append(pieces)
        }
        #expect(sent.allSatisfy { $0 >= 4 })
        let bytes = sent.reduce(0, +) * 10_000
        let most = 4 * (64 << 10) + 200_000
        #expect(bytes < most, "\(sent)")
        rig.provider.reads = true
        for number in 0..<4 {
            rig.provider.read(rig.exchange(number))
            rig.flow.endTurn()
        }
        #expect(rig.transport.resumed.count == 4)
        for number in 0..<4 { rig.flow.clientLeft(rig.exchange(number)) }
        _ = rig.settle()
        #expect(rig.flow.inFlight == 0 && rig.flow.exchanges.inUse == 0)
    }
}
