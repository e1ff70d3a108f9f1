// One by one: some of its types are called as some of the Gateway's.
import Testing

import class TestSupport.HTTPConnection
import struct TestSupport.SeededGenerator

@testable import Gateway

/// Which server a connection goes to: by the counts alone, and over real sockets.
@Suite("Connection balancer") struct ConnectionBalancerTests {
    private static func balancer(_ servers: Int, _ maxConnections: Int = 1_000) throws -> ConnectionBalancer {
        try ConnectionBalancer(
            ListeningSocket(host: "127.0.0.1", port: 0),
            servers: servers,
            maxConnections: maxConnections
        )
    }

    /// Comes and goes at random, accepted by whichever server: each goes to one of those that have the fewest, and to the one
    /// that accepted it where that is one of them.
    @Test(arguments: 0..<20) func givesToTheFewest(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let servers = Int.random(in: 1...5, using: &random)
        let balancer = try Self.balancer(servers)
        var expected = Array(repeating: 0, count: servers)
        for number in 0..<500 {
            let busy = expected.firstIndex { $0 > 0 }
            if let busy, Int.random(in: 0..<3, using: &random) == 0 {
                balancer.connectionEnded(of: busy)
                expected[busy] -= 1
                continue
            }
            let acceptor = Int.random(in: 0..<servers, using: &random)
            let place = balancer.place(StreamSocket(descriptor: Int32(number)), acceptedBy: acceptor)
            let fewest = expected.min() ?? 0
            if expected[acceptor] == fewest {
                #expect(place == .here)
                expected[acceptor] += 1
            } else {
                #expect(place == .elsewhere)
                let arrived = (0..<servers).filter { server in
                    balancer.takeArrivals(of: server).contains { $0.descriptor == Int32(number) }
                }
                #expect(arrived.count == 1)
                guard let target = arrived.first else { return }
                #expect(expected[target] == fewest)
                expected[target] += 1
            }
        }
        for server in 0..<servers { balancer.close(server: server) }
    }

    @Test func tellsWhoWaitsOfThePlace() throws {
        let balancer = try Self.balancer(2, 4)
        for number in 0..<4 {
            #expect(balancer.hasPlace(waiting: 0))
            _ = balancer.place(StreamSocket(descriptor: Int32(number)), acceptedBy: 0)
        }
        _ = balancer.takeArrivals(of: 1)
        #expect(!balancer.hasPlace(waiting: 0))
        #expect(!balancer.hasPlace(waiting: 1))
        balancer.connectionEnded(of: 1)
        for server in 0..<2 {
            #expect(Self.isSignalled(balancer.wake(of: server)))
            balancer.wake(of: server).clear()
        }
        #expect(balancer.hasPlace(waiting: 0))
        // Nobody waits any more.
        balancer.connectionEnded(of: 1)
        #expect(!Self.isSignalled(balancer.wake(of: 0)))
        for server in 0..<2 { balancer.close(server: server) }
    }

    /// A server that takes no more is given none; the last one gets all.
    @Test func passesOverThoseThatAreClosed() throws {
        let balancer = try Self.balancer(3)
        balancer.close(server: 0)
        for number in 0..<4 {
            #expect(balancer.place(StreamSocket(descriptor: Int32(number)), acceptedBy: 0) == .elsewhere)
        }
        #expect(balancer.takeArrivals(of: 0).isEmpty)
        #expect(balancer.takeArrivals(of: 1).count == 2)
        balancer.close(server: 1)
        _ = balancer.place(StreamSocket(descriptor: 4), acceptedBy: 2)
        balancer.close(server: 2)
        #expect(balancer.takeArrivals(of: 2).count == 2)
        #expect(!balancer.hasPlace(waiting: 2))
    }

    private static func isSignalled(_ wake: EventFD) -> Bool {
        do {
            let epoll = try Epoll()
            try epoll.add(wake.descriptor, .input, token: Epoll.Token(kind: 1))
            return try epoll.wait(timeoutMilliseconds: 0) > 0
        } catch {
            return false
        }
    }

    /// 8 and 16 connections that stay open, over four servers, and then those of them that are left after half has gone.
    @Test(arguments: [8, 16], 0..<5) func spreadsOverServers(_ connections: Int, _ trial: Int) throws {
        let balancer = try Self.balancer(4)
        let rigs = try (0..<4).map { try HTTPServerRig(balancer, place: $0) }
        var clients: [HTTPConnection] = []
        for _ in 0..<connections {
            let client = try HTTPConnection(port: rigs[0].port)
            try client.socket.write(Array("GET /a HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            #expect(try client.response().status == 200)
            clients.append(client)
        }
        #expect(rigs.map(\.now.clients) == Array(repeating: connections / 4, count: 4))
        clients.removeAll()
        #expect(rigs.allSatisfy { $0.isQuiet() })
        #expect(rigs.flatMap(\.now.faults) == [])
    }

    /// Of more clients than there are places all are served, one after the other, and never more at once than there are places.
    @Test(arguments: [1, 3]) func servesThoseThatWaitForAPlace(_ servers: Int) throws {
        let balancer = try Self.balancer(servers, 6)
        let rigs = try (0..<servers).map { try HTTPServerRig(balancer, place: $0) }
        var waiting: [HTTPConnection] = []
        for _ in 0..<30 {
            let client = try HTTPConnection(port: rigs[0].port)
            try client.socket.write(Array("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8))
            waiting.append(client)
        }
        for client in waiting { #expect(try client.response().status == 200) }
        #expect(rigs.allSatisfy { $0.isQuiet() })
        #expect(rigs.reduce(0) { $0 + $1.now.opened } == 30)
    }
}
