// One by one: some of its types are called as some of the Gateway's.
import Testing

import class TestSupport.HTTPConnection
import struct TestSupport.SeededGenerator

@testable import Gateway

/// Which server a connection goes to: by the counts alone, and over real sockets.
@Suite("Connection balancer") struct ConnectionBalancerTests {
    private static func balancer(_ servers: Int, _ maxConnections: Int = 1_000) throws -> ConnectionBalancer {
        try ConnectionBalancer(
            ListeningSocket.group(servers, host: "127.0.0.1", port: 0),
            maxConnections: maxConnections
        )
    }

    /// Comes and goes at random, accepted by whichever server: each stays where none has fewer, or little fewer of many, else it
    /// goes to one of those that have the fewest.
    @Test(arguments: 0..<20) func handsOverWhereAnotherHasFewer(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let servers = Int.random(in: 1...5, using: &random)
        var counted = try CountedBalancer(servers)
        for _ in 0..<500 {
            let busy = counted.counts.indices.filter { counted.counts[$0] > 0 }
            if !busy.isEmpty, random.chance(seed % 2 == 0 ? 30 : 48) {
                counted.end(of: random.pick(busy))
                continue
            }
            let before = counted.counts
            let acceptor = random.below(servers)
            let arrived = counted.arrive(at: acceptor)
            let target = try #require(arrived)
            let fewest = before.min() ?? 0
            let isNear = before[acceptor] <= fewest + fewest / 8
            if isNear { #expect(target == acceptor) } else { #expect(before[target] == fewest) }
            #expect(counted.counts[target] <= 1 + fewest + fewest / 8)
        }
        counted.close()
    }

    /// As long as none goes, this bounds each server, whoever accepts: a favourite among the servers, too.
    @Test(arguments: 0..<20) func arrivalsAloneKeepNearTheEvenShare(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let servers = Int.random(in: 2...9, using: &random)
        let favourite = random.below(servers)
        let percent = random.below(101)
        var counted = try CountedBalancer(servers)
        for _ in 0..<200 {
            _ = counted.arrive(at: random.chance(percent) ? favourite : random.below(servers))
            #expect(counted.counts.allSatisfy { $0 <= counted.bound })
        }
        counted.close()
    }

    /// All that 16 arrivals at four servers can come to is the even share, and no more.
    @Test func theWorstThatArrivalsCanComeTo() throws {
        // One order of arrivals for each combination of counts that can be reached.
        var reached: [[Int]: [Int]] = [Array(repeating: 0, count: 4): []]
        var worst: [Int] = []
        for _ in 0..<16 {
            var next: [[Int]: [Int]] = [:]
            for order in reached.values {
                for acceptor in 0..<4 {
                    var counted = try CountedBalancer(4)
                    for earlier in order + [acceptor] { _ = counted.arrive(at: earlier) }
                    counted.close()
                    next[counted.counts] = order + [acceptor]
                }
            }
            reached = next
            worst.append(reached.keys.compactMap { $0.max() }.max() ?? 0)
        }
        #expect(worst == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4])
    }

    /// What a server has no place for goes to another, whatever the difference is.
    @Test(arguments: 0..<10) func passesNoLimit(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let servers = Int.random(in: 1...5, using: &random)
        let limit = Int.random(in: 1...6, using: &random)
        var counted = try CountedBalancer(servers, servers * limit)
        for _ in 0..<300 {
            let busy = counted.counts.indices.filter { counted.counts[$0] > 0 }
            if !busy.isEmpty, random.chance(30) { counted.end(of: random.pick(busy)) }
            let acceptor = random.below(servers)
            guard counted.balancer.hasPlace(waiting: acceptor) else { continue }
            _ = counted.arrive(at: acceptor)
            #expect(counted.counts.allSatisfy { $0 <= limit })
        }
        #expect(counted.counts.contains(limit), "never full")
        counted.close()
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

    /// Two programs must not share a port unnoticed, though the servers of one do.
    @Test func sharesItsPortWithNobodyElse() throws {
        let sockets = try ListeningSocket.group(3, host: "127.0.0.1", port: 0)
        #expect(Set(sockets.map(\.port)).count == 1)
        #expect(throws: SystemError.self) {
            _ = try ListeningSocket.group(3, host: "127.0.0.1", port: sockets[0].port)
        }
        for socket in sockets { socket.closeSocket() }
        for socket in try ListeningSocket.group(3, host: "127.0.0.1", port: sockets[0].port) { socket.closeSocket() }
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

    /// 8 and 16 connections that stay open, over four servers: each has its even share.
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
        let counts = rigs.map(\.now.clients)
        #expect(counts.reduce(0, +) == connections)
        #expect(counts.allSatisfy { $0 == connections / 4 })
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

/// A balancer, and where its connections are.
private struct CountedBalancer {
    let balancer: ConnectionBalancer
    private(set) var counts: [Int]
    private var number: Int32 = 0

    init(_ servers: Int, _ maxConnections: Int = 1_000) throws {
        balancer = try ConnectionBalancer(
            ListeningSocket.group(servers, host: "127.0.0.1", port: 0),
            maxConnections: maxConnections
        )
        counts = Array(repeating: 0, count: servers)
    }

    /// What none may have more of, where none has gone.
    var bound: Int {
        let even = counts.reduce(0, +) / counts.count
        let isEven = counts.reduce(0, +) == even * counts.count
        // Below 8 for each, nobody has more than the even share, rounded up.
        return even < 8 ? even + (isEven ? 0 : 1) : 1 + even + even / 8
    }

    /// Returns: where it went; nil: nowhere, or to more than one.
    mutating func arrive(at acceptor: Int) -> Int? {
        number += 1
        let place = balancer.place(StreamSocket(descriptor: number), acceptedBy: acceptor)
        var targets = place == .here ? [acceptor] : []
        for server in counts.indices {
            targets += balancer.takeArrivals(of: server).filter { $0.descriptor == number }.map { _ in server }
        }
        guard targets.count == 1 else { return nil }
        counts[targets[0]] += 1
        return targets[0]
    }

    mutating func end(of server: Int) {
        balancer.connectionEnded(of: server)
        counts[server] -= 1
    }

    func close() {
        for server in counts.indices { balancer.close(server: server) }
    }
}
