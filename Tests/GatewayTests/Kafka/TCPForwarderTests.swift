import Testing

// By name: the module has a StreamSocket too.
import func TestSupport.eventually
import func TestSupport.eventuallyValue

@testable import Gateway

/// The relay in front of `dev-kafka`'s brokers.
@Suite(.timeLimit(.minutes(10))) struct TCPForwarderTests {
    /// Carries the forwarder to its thread.
    private struct Handover: @unchecked Sendable {
        // Sendable: used by its thread alone, once it has started.
        let value: TCPForwarder
    }

    /// Runs `body` with the port of a relay to a socket, and with that socket.
    private func withForwarder(_ body: (Int, ListeningSocket) throws -> Void) throws {
        let server = try ListeningSocket(host: "127.0.0.1", port: 0)
        defer { server.closeSocket() }
        try withForwarder(to: server.port) { try body($0, server) }
    }

    private func withForwarder(to target: Int, _ body: (Int) throws -> Void) throws {
        let front = try ListeningSocket(host: "127.0.0.1", port: 0)
        let stop = try EventFD()
        let forwarder = Handover(value: try TCPForwarder(front, target: target, stopSignal: stop))
        let thread = try ThreadHandle(name: "forwarder") {
            do { try forwarder.value.run() } catch { Issue.record("\(error)") }
        }
        defer {
            stop.signal()
            thread.join()
        }
        try body(front.port)
    }

    private func accept(_ server: ListeningSocket) throws -> StreamSocket {
        try #require(
            eventuallyValue {
                if case .socket(let socket) = StreamSocket.accept(from: server) { return socket }
                return nil
            }
        )
    }

    /// What has come when the peer ends its sending; nil when it does not.
    private func readToEnd(_ socket: StreamSocket, into buffer: ByteBuffer) -> Bool {
        eventually {
            while true {
                switch socket.receive(into: buffer, upTo: 64 << 10) {
                case .bytes: continue
                case .nothingYet: return false
                case .ended: return true
                case .failed:
                    Issue.record("the connection broke")
                    return true
                }
            }
        }
    }

    /// One side ends its sending and still gets all that the other sends afterwards, much more than the relay holds.
    @Test func relaysBothWaysAndHalfClosed() throws {
        try withForwarder { port, server in
            let client = try StreamSocket.connect(toLoopbackPort: port)
            defer { client.closeSocket() }
            let accepted = try accept(server)
            defer { accepted.closeSocket() }
            #expect(eventually { client.write(ByteView("question"), .empty) == .bytes(8) })
            client.endSending()
            let question = ByteBuffer()
            #expect(readToEnd(accepted, into: question))
            #expect(withExtendedLifetime(question) { question.view == ByteView("question") })

            var bytes = [UInt8](repeating: 0, count: 3 << 20)
            for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 31 >> 3) }
            let answer = ByteBuffer()
            bytes.withByteView { view in
                var rest = view
                #expect(
                    eventually {
                        while !rest.isEmpty, case .bytes(let count) = accepted.write(rest, .empty), count > 0 {
                            rest = rest.dropFirst(count)
                        }
                        _ = client.receive(into: answer, upTo: 1 << 20)
                        return rest.isEmpty
                    }
                )
            }
            accepted.endSending()
            #expect(readToEnd(client, into: answer))
            #expect(withExtendedLifetime(answer) { answer.view.array == bytes })
        }
    }

    @Test func serves50AtOnce() throws {
        try withForwarder { port, server in
            var pairs: [(StreamSocket, StreamSocket)] = []
            for _ in 0..<50 {
                let client = try StreamSocket.connect(toLoopbackPort: port)
                pairs.append((client, try accept(server)))
            }
            for (client, accepted) in pairs {
                #expect(client.write(ByteView("ping"), .empty) == .bytes(4))
                let seen = ByteBuffer()
                client.endSending()
                #expect(readToEnd(accepted, into: seen))
                #expect(seen.count == 4)
            }
            for (client, accepted) in pairs {
                client.closeSocket()
                accepted.closeSocket()
            }
        }
    }

    @Test func hangsUpWhereNobodyListens() throws {
        let closed = try ListeningSocket(host: "127.0.0.1", port: 0)
        closed.closeSocket()
        try withForwarder(to: closed.port) { port in
            let client = try StreamSocket.connect(toLoopbackPort: port)
            defer { client.closeSocket() }
            let seen = ByteBuffer()
            #expect(
                eventually {
                    switch client.receive(into: seen, upTo: 16) {
                    case .ended, .failed: true
                    default: false
                    }
                }
            )
        }
    }
}
