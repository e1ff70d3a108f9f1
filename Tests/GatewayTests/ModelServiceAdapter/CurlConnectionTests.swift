import TestSupport
import Testing

@testable import Gateway

/// Connections that libcurl opens for us.
@Suite struct CurlConnectionTests {
    /// A loop as small as can be.
    private final class Loop: CurlConnectionDelegate, CurlTransferDelegate {
        let epoll: Epoll
        let curl: CurlMulti
        var isOpen = false
        var isAnswered = false
        var received = ByteBuffer()

        init() throws {
            epoll = try Epoll()
            curl = CurlMulti(epoll: epoll, tokenKind: 1, maxIdleConnections: 16)
        }

        func run(until done: () -> Bool) throws {
            let deadline = Clock.monotonic() + 10_000_000_000
            while !done() && Clock.monotonic() < deadline {
                for index in 0..<(try epoll.wait(timeoutMilliseconds: 10)) { curl.socketReady(epoll.event(index)) }
                curl.runTimers(now: Clock.monotonic())
                curl.deliverFinished()
            }
            #expect(done())
        }

        func connectionOpened(_ connection: CurlConnection) { isOpen = true }

        func connectionFailed(_ connection: CurlConnection, _ failure: CurlFailure) {
            Issue.record("\(failure.kind)")
        }

        func connectionReady(_ connection: CurlConnection, _ readiness: Epoll.Readiness) {
            _ = connection.receive(into: received, upTo: 4096)
        }

        func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) { isAnswered = true }
    }

    /// What `CurlMulti.adopt` stands on: libcurl lets go of a socket by CURLOPT_CLOSESOCKETFUNCTION, in the very call that takes
    /// the handle out, and has no part in it afterwards, not even at its end.
    @Test func outliveTheHandleAndLibcurl() throws {
        let service = try FakeModelService { _ in .json("1") }
        let loop = try Loop()
        let connection = CurlConnection(
            target: CurlHandle.Target(url: service.url("/")),
            multi: loop.curl,
            delegate: loop
        )
        connection.connect()
        try loop.run { loop.isOpen }
        loop.curl.shutDown()
        #expect(connection.write(ByteView("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), .empty) == .bytes(38))
        #expect(
            eventually {
                _ = connection.receive(into: loop.received, upTo: 4096)
                return loop.received.view.hasPrefix(ByteView("HTTP/1.1 200 OK"))
            }
        )
        connection.close()
        #expect(eventually { service.openConnectionCount == 0 })
    }

    /// libcurl closes connections that it has not used for a while when it opens another: ours must not be among them.
    @Test func areOutOfLibcurlsReach() throws {
        let service = try FakeModelService { _ in .json("1") }
        let other = try FakeModelService { _ in .json("2") }
        let loop = try Loop()
        let connection = CurlConnection(
            target: CurlHandle.Target(url: service.url("/")),
            multi: loop.curl,
            delegate: loop
        )
        connection.connect()
        try loop.run { loop.isOpen }
        let wait = Gate()
        _ = wait.wait(Deadline(seconds: 2.1))
        let transfer = CurlTransfer(target: CurlHandle.Target(url: other.url("/")), delegate: loop)
        // CURLOPT_MAXAGE_CONN: nothing older than 0 seconds.
        transfer.setNumber(288, 0)
        transfer.prepare(method: .get)
        loop.curl.add(transfer)
        try loop.run { loop.isAnswered }
        #expect(
            connection.write(ByteView("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), .empty)
                == .bytes(38)
        )
        try loop.run { loop.received.count > 0 }
        #expect(loop.received.view.hasPrefix(ByteView("HTTP/1.1 200 OK")))
        connection.close()
        #expect(eventually { service.openConnectionCount == 0 })
        loop.curl.shutDown()
    }
}
