import TestSupport
import Testing

@testable import Gateway

/// What a call comes to when something under it says no: it ends, at once and with the reason.
@Suite struct FailedStartTests {
    /// The kernel has no room for one more descriptor in epoll: nothing would be heard of the connection.
    @Test(arguments: TransportKind.allCases) func `a socket that cannot be watched`(_ kind: TransportKind) throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(kind, url: service.url("/"))
        defer { rig.shutDown() }
        rig.epoll.isFull = true
        for _ in 0..<3 {
            let outcome = try rig.ask(rig.exchange())
            #expect(outcome.failure == .other)
            #expect(outcome.detail == "epoll_ctl: No space left on device")
        }
        #expect(eventually { service.openConnectionCount == 0 })
        rig.epoll.isFull = false
        #expect(try rig.ask(rig.exchange()).status == 200)
    }

    private final class Listener: CurlTransferDelegate {
        var failures: [String] = []
        var answers = 0

        func transferFinished(_ transfer: CurlTransfer, failure: CurlFailure?) {
            if let failure { failures.append("\(failure.kind): \(transfer.errorMessage)") } else { answers += 1 }
        }
    }

    /// A handle on which an option is missing is not the one that was wanted: without CURLOPT_CAINFO, say, it would trust others.
    @Test(arguments: [
        ("http://127.0.0.1:1/", 9_999, "other: An unknown option was passed in to libcurl"),
        ("http://[bad/", 0, "other: URL using bad/illegal format or missing URL"),
        ("", 0, "other: URL using bad/illegal format or missing URL"),
    ])
    func `an option that libcurl does not take`(_ url: String, _ option: UInt32, _ failure: String) throws {
        let epoll = try Epoll()
        let curl = CurlMulti(epoll: epoll, tokenKind: 1, maxIdleConnections: 1)
        defer { curl.shutDown() }
        let listener = Listener()
        let transfer = CurlTransfer(target: CurlHandle.Target(url: url), delegate: listener)
        if option != 0 { transfer.setNumber(option, 1) }
        for round in 1...2 {
            transfer.prepare(method: .get)
            curl.add(transfer)
            // Never from within, and without a wait.
            #expect(listener.failures.count == round - 1)
            #expect(curl.deadline == 0)
            curl.runTimers(now: Clock.monotonic())
            curl.deliverFinished()
            #expect(listener.failures == Array(repeating: failure, count: round))
        }
        // One that is taken back before it is told is not told.
        transfer.prepare(method: .get)
        curl.add(transfer)
        curl.remove(transfer)
        curl.deliverFinished()
        #expect(listener.failures.count == 2)
    }

    /// A transfer that is taken back before libcurl has heard of it.
    @Test func `one that is taken back at once`() throws {
        let service = try FakeModelService { _ in .json("1") }
        let rig = try TransportRig(.curl, url: service.url("/"))
        defer { rig.shutDown() }
        let call = rig.start(rig.exchange())
        call.cancel()
        try rig.turn()
        try rig.turn()
        #expect(service.connectionCount == 0)
        #expect(try rig.ask(rig.exchange()).status == 200)
    }

    /// The header of an answer has a bound, and what follows the body is no part of it, with libcurl too.
    @Test(arguments: TransportKind.allCases) func `a header without an end`(_ kind: TransportKind) throws {
        let line = "X-Long: \(String(repeating: "x", count: 1_000))\r\n"
        let long = String(repeating: line, count: 300)
        let service = try FakeModelService { request in
            let head = "HTTP/1.1 200 OK\r\nA: 1\r\nTransfer-Encoding: chunked\r\n"
            return switch request.text {
            case "long": .raw("\(head)\(long)\r\n0\r\n\r\n").thenClose
            default: .raw("\(head)\r\n1\r\na\r\n0\r\nSet-Cookie: evil\r\n\r\n")
            }
        }
        let rig = try TransportRig(kind, url: service.url("/"))
        defer { rig.shutDown() }
        let outcome = try rig.ask(rig.exchange(body: "long"))
        #expect(outcome.failure == .malformed)
        #expect(outcome.detail == "the header is too long")
        let call = rig.start(rig.exchange(body: "trailer"))
        #expect(try rig.outcome(of: call).body == "a")
        #expect(!call.headers.view.string.contains("evil"))
        #expect(call.headers.view.string.contains("A: 1\r\n"))
    }
}
