import TestSupport
import Testing

@testable import Gateway

/// Connections that are kept for the next call: which may be used, for how long, and what may be sent again.
@Suite struct KeptConnectionTests {
    private static let deaths: [(sent: Int, left: Int?, Repetition.Death, isUnread: Bool)] = [
        // Nothing was written.
        (0, 0, .ended, true), (0, 0, .reset, true), (0, nil, .ended, true), (0, nil, .reset, true),
        // TCP: none of it acknowledged; some; all.
        (300, 300, .ended, true), (300, 300, .reset, true), (300, 299, .ended, false), (300, 299, .reset, false),
        (300, 0, .ended, false), (300, 0, .reset, false), (300, 400, .reset, true),
        // Unix sockets.
        (300, nil, .ended, false), (300, nil, .reset, true),
    ]

    @Test(arguments: deaths)
    func `what cannot have been read`(_ sent: Int, _ left: Int?, _ death: Repetition.Death, _ isUnread: Bool) {
        #expect(Repetition.isUnread(sent: sent, unacknowledged: left, death) == isUnread)
    }

    /// The end of a connection crosses the request on its way: it has come when the request is sent, but nobody was told.
    @Test(arguments: TransportKind.allCases) func `a close that crosses the request`(_ kind: TransportKind) throws {
        let gate = Gate()
        let service = try FakeModelService { request in
            request.text == "1" ? Reply(Reply.json("1").steps + [.wait(gate), .close]) : .json("2")
        }
        let rig = try TransportRig(kind, url: service.url("/"), isRepeatable: false)
        defer { rig.shutDown() }
        #expect(try rig.ask(rig.exchange(body: "1")).status == 200)
        gate.open()
        #expect(eventually { service.openConnectionCount == 0 })
        #expect(try rig.ask(rig.exchange(body: "2")) == TransportRig.Outcome(status: 200, body: "2"))
        #expect(service.calls.map(\.text) == ["1", "2"])
        #expect(service.connectionCount == 2)
    }

    @Test(arguments: [0, 1_000_000, Int64.max]) func `an old connection is not used`(_ keepAlive: Int64) throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(.direct, url: service.url("/"), keepAlive: keepAlive)
        defer { rig.shutDown() }
        let first = rig.exchange()
        first.attempt.sentAt = Clock.monotonic()
        #expect(try rig.ask(first).status == 200)
        let second = rig.exchange()
        second.attempt.sentAt = first.attempt.sentAt + 60_000_000_000
        #expect(try rig.ask(second).status == 200)
        #expect(Set(service.calls.map(\.connection)).count == (keepAlive == .max ? 1 : 2))
    }

    /// With libcurl it is a timer of ours that makes it let go, since its own counts in seconds.
    @Test(arguments: [0, 1_000_000, Int64.max]) func `nor by libcurl`(_ keepAlive: Int64) throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(.curl, url: service.url("/"), keepAlive: keepAlive)
        defer { rig.shutDown() }
        #expect(try rig.ask(rig.exchange()).status == 200)
        let deadline = Clock.monotonic() + 100_000_000
        #expect(try rig.run { Clock.monotonic() > deadline })
        #expect(eventually { service.openConnectionCount == (keepAlive == .max ? 1 : 0) })
        // Nor does libcurl keep what is left of it, although nobody asks for a connection any more.
        #expect(try rig.run { rig.curl.connectionCount == (keepAlive == .max ? 1 : 0) })
        #expect(try rig.ask(rig.exchange()).status == 200)
        #expect(Set(service.calls.map(\.connection)).count == (keepAlive == .max ? 1 : 2))
    }

    @Test func `connections are closed when they are too old, the oldest first`() throws {
        let gate = Gate()
        let service = try FakeModelService { _ in .json("1").after(gate) }
        let rig = try TransportRig(.direct, url: service.url("/"), keepAlive: 10_000_000_000)
        defer { rig.shutDown() }
        let calls = (0..<5).map { _ in rig.start(rig.exchange()) }
        #expect(try rig.run { service.calls.count == 5 })
        #expect(rig.transport.nextDeadline == nil)
        gate.open()
        for call in calls { #expect(try rig.outcome(of: call).status == 200) }
        let deadline = try #require(rig.transport.nextDeadline)
        #expect(deadline > Clock.monotonic())
        rig.transport.expire(now: deadline - 1)
        #expect(try rig.run { service.openConnectionCount == 5 })
        // The one that became idle last lives on when the first is closed.
        rig.transport.expire(now: deadline)
        #expect(eventually { service.openConnectionCount < 5 })
        rig.transport.expire(now: deadline + 10_000_000_000)
        #expect(eventually { service.openConnectionCount == 0 })
        #expect(rig.transport.nextDeadline == nil)
    }

    /// What came after an answer was not asked for: it would be the next call's answer.
    @Test(arguments: TransportKind.allCases) func `bytes that wait are nobody's answer`(_ kind: TransportKind) throws {
        let rig = try evil(kind)
        defer { rig.rig.shutDown() }
        try rig.rig.turn()
        #expect(try rig.rig.ask(rig.rig.exchange(body: "2")) == TransportRig.Outcome(status: 200, body: "2"))
        #expect(rig.service.connectionCount == 2)
    }

    /// A wait tells of so many sockets and no more: then each connection is looked at.
    @Test(arguments: TransportKind.allCases) func `nor when the wait has told of others`(_ kind: TransportKind) throws {
        // Which of two the wait tells of is the kernel's choice.
        for _ in 0..<10 {
            let rig = try evil(kind, maxEvents: 1)
            defer { rig.rig.shutDown() }
            let noise = try EventFD()
            noise.signal()
            try rig.rig.epoll.add(noise.descriptor, .input, token: Epoll.Token(kind: 2))
            try rig.rig.turn()
            #expect(!rig.rig.epoll.hasToldAll)
            #expect(try rig.rig.ask(rig.rig.exchange(body: "2")) == TransportRig.Outcome(status: 200, body: "2"))
            rig.rig.epoll.remove(noise.descriptor)
        }
    }

    /// A kept connection on which an answer waits that nobody asked for; the loop has not turned since.
    private func evil(
        _ kind: TransportKind,
        maxEvents: Int = 256
    ) throws -> (rig: TransportRig, service: FakeModelService) {
        let gate = Gate()
        let sent = Gate()
        let service = try FakeModelService { request in
            guard request.text == "1" else { return .json("2") }
            return Reply(
                Reply.json("1").steps + [.wait(gate)] + Reply.json("evil").steps + [.run { sent.open() }, .hang]
            )
        }
        let rig = try TransportRig(kind, url: service.url("/"), maxEvents: maxEvents)
        #expect(try rig.ask(rig.exchange(body: "1")).body == "1")
        gate.open()
        #expect(sent.wait())
        return (rig, service)
    }
}
