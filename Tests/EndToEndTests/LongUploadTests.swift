import Foundation
import TestSupport
import Testing

/// Long bodies of requests that nobody has to look into: the call begins at their head, and they go on as they come.
@Suite("Long uploads", .timeLimit(.minutes(5)), .sidecarLog) struct LongUploadTests {
    private static let half = 1 << 20
    private static let path = "/v1/models/iris:predict"
    /// No two places of it look alike.
    private static let body = (0..<2 * half).map { UInt8(truncatingIfNeeded: $0 ^ ($0 >> 8) ^ ($0 >> 16)) }

    private func head(
        _ length: Int = 2 * half,
        path: String = path,
        _ headers: HTTPHeaders = [:]
    ) -> [UInt8] {
        var headers = headers
        headers.append("Content-Type", "application/json")
        headers.append("X-Request-Id", "mine")
        headers.append("Content-Length", "\(length)")
        return Array(HTTPRequest("POST", path, headers: headers).head.utf8)
    }

    /// A client that has sent the head and half of the body.
    private func begin(_ sidecar: SidecarProcess) throws -> HTTPConnection {
        let connection = try sidecar.connect()
        try connection.send(head() + Self.body.prefix(Self.half))
        return connection
    }

    @Test(arguments: ["/v1/models/iris:predict", "/predictions/iris"]) func goesOnAsItComes(_ path: String) throws {
        let began = Gate()
        let service = try FakeModelService(
            beforeBody: {
                began.open()
                return nil
            },
            { _ in .json(Sample.native) }
        )
        try withSidecar(irisConfiguration(service, .direct)) { sidecar in
            let connection = try sidecar.connect()
            for number in 1...2 {
                try connection.send(head(path: path) + Self.body.prefix(Self.half))
                // The Model Service has it before the client has sent it.
                if number == 1 { #expect(eventually { began.isOpen }) }
                // What follows the body is the next request.
                try connection.send(Self.body.dropFirst(Self.half) + HTTPRequest.get("/livez").wire)
                let response = try connection.response()
                #expect(response.status == 200 && response.requestId == "mine")
                #expect(try connection.response().status == 200)
                let events = try sidecar.events(atLeast: number)
                #expect(events.count == number)
                let event = try data(events.last)
                let times = ["receivedAt", "sentAt", "answeredAt", "completedAt"].map { event[$0]?.string ?? "" }
                #expect(times.sorted() == times && !times.contains(""), "\(times)")
                #expect(event["gatewayTimeInMs"]?.double ?? -1 >= 0)
            }
            #expect(service.calls.map { $0.body == Self.body } == [true, true])
            #expect(service.calls.map { $0.headers["Content-Length"] } == ["\(2 * Self.half)", "\(2 * Self.half)"])
            #expect(Set(service.calls.map(\.connection)).count == 1)
            #expect(try sidecar.metrics().total("ameron_requests_total", ["code": "200", "model": "iris"]) == 2)
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    /// It waits at its Model Service, and then at its client: nothing is gathered in between.
    @Test func waitsForASlowModel() throws {
        let size = 48 << 20
        let gate = Gate()
        let service = try FakeModelService(beforeBody: { Reply([.wait(gate)]) }, { _ in .json(Sample.native) })
        let configuration = irisConfiguration(service, .direct, ["timeout": "60s"], server: ["maxBodyBytes": "64MiB"])
        try withSidecar(configuration) { sidecar in
            let before = try residentBytes(of: sidecar.process.id)
            let connection = try sidecar.connect()
            let sending = startConcurrently(1) { [head = head(size)] _ in
                try connection.send(head + [UInt8](repeating: 7, count: size))
            }
            var last = -1
            let stands = try eventually {
                let now = try residentBytes(of: sidecar.process.id)
                defer { last = now }
                return now == last && now != before
            }
            #expect(stands)
            #expect(try sidecar.get("/livez").status == 200)
            gate.open()
            _ = try sending.results()
            #expect(try connection.response().status == 200)
            #expect(try residentBytes(of: sidecar.process.id) - before < 8 << 20)
            #expect(service.calls.map(\.body.count) == [size])
        }
    }

    /// The Model Service never takes a short one for the whole.
    @Test(arguments: [true, false]) func breaksOffWithItsClient(_ isReset: Bool) throws {
        let began = Gate()
        let service = try FakeModelService(
            beforeBody: {
                began.open()
                return nil
            },
            { _ in .json(Sample.native) }
        )
        try withSidecar(irisConfiguration(service, .direct)) { sidecar in
            do {
                let connection = try begin(sidecar)
                #expect(eventually { began.isOpen })
                if isReset { connection.socket.resetOnClose() } else { connection.socket.finish() }
            }
            #expect(eventually { service.brokenRequests == 1 })
            #expect(service.calls.isEmpty)
            let event = try data(sidecar.events(atLeast: 1).first)
            #expect(event["status"] == 499 && event["error"]?["cause"] == "clientClosed")
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    @Test(arguments: [true, false]) func endsWithItsModel(_ isReset: Bool) throws {
        let service = try FakeModelService(beforeBody: { Reply([isReset ? .reset : .close]) }, { _ in .hang })
        try withSidecar(irisConfiguration(service, .direct)) { sidecar in
            let connection = try begin(sidecar)
            let response = try connection.response()
            #expect(response.status == 502 && response.headers["Connection"] == "close")
            #expect(try connection.isClosedByServer())
            #expect(try data(sidecar.events(atLeast: 1).first)["status"] == 502)
            #expect(try sidecar.get("/livez").status == 200)
        }
    }

    /// An answer that does not wait for the body is the client's at once; no other request follows it.
    @Test(arguments: [Reply.Step.close, .hang]) func isAnsweredEarly(_ then: Reply.Step) throws {
        let early = Reply([.send(Array("HTTP/1.1 413 No\r\nX-Why: size\r\nContent-Length: 3\r\n\r\nno!".utf8)), then])
        let service = try FakeModelService(beforeBody: { early }, { _ in .hang })
        try withSidecar(irisConfiguration(service, .direct)) { sidecar in
            let connection = try begin(sidecar)
            let response = try connection.response()
            #expect(response.status == 413 && response.text == "no!" && response.headers["X-Why"] == "size")
            #expect(response.headers["Connection"] == "close" && response.requestId == "mine")
            #expect(try connection.isClosedByServer())
            #expect(try data(sidecar.events(atLeast: 1).first)["status"] == 413)
            #expect(try sidecar.metrics().total("ameron_requests_total", ["code": "413", "model": "iris"]) == 1)
        }
    }

    /// A long one waits for the rest of the body, which nobody gets; then the connection is as good as before.
    @Test(arguments: [100_000, 4 << 20]) func isAnsweredEarlyAtLength(_ size: Int) throws {
        let answered = Gate()
        let service = try FakeModelService(
            beforeBody: {
                Reply([
                    .send(Array("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n".utf8)), .fill(size),
                    .run { answered.open() }, .hang,
                ])
            },
            { _ in .hang }
        )
        var configuration = irisConfiguration(service, .direct)
        configuration.models[0].keys["protocol"] = "raw"
        configuration.reporting = ["maxEventBytes": "256KiB"]
        try withSidecar(configuration) { sidecar in
            let connection = try begin(sidecar)
            // What is passed on waits for the client; the rest of it is sent meanwhile.
            if size < 1 << 20 { #expect(eventually { answered.isOpen }) }
            try connection.send(Array(Self.body.dropFirst(Self.half)))
            let response = try connection.response()
            #expect(response.status == 200 && response.body.count == size)
            #expect(try connection.exchange(.get("/livez")).status == 200)
            #expect(try data(sidecar.events(atLeast: 1).first)["status"] == 200)
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    /// The time of the Model Service does not run while its client is waited for, but while it is itself.
    @Test func hasItsTime() throws {
        let gate = Gate()
        let service = try FakeModelService(beforeBody: { Reply([.wait(gate)]) }, { _ in .hang })
        let server = ["bodyTimeout": "60s", "maxBodyBytes": "64MiB"]
        try withSidecar(irisConfiguration(service, .direct, ["timeout": "300ms"], server: server)) { sidecar in
            // It does not take what there is.
            let connection = try sidecar.connect()
            let size = 48 << 20
            let sending = startConcurrently(1) { [head = head(size)] _ in
                try? connection.send(head + [UInt8](repeating: 7, count: size))
            }
            #expect(try connection.response(Deadline(seconds: 60)).status == 504)
            _ = try sending.results()
            gate.open()
            // It has all, and does not answer.
            let other = try begin(sidecar)
            #expect(eventually { service.brokenRequests == 1 })
            try other.send(Array(Self.body.dropFirst(Self.half)))
            #expect(try other.response().status == 504)
            let events = try sidecar.events(atLeast: 2).map { try data($0)["status"]?.int }
            #expect(events == [504, 504])
        }
    }

    /// A client that does not go on loses its call, and is told.
    @Test func mustGoOn() throws {
        let service = try FakeModelService { _ in .json(Sample.native) }
        let server = ["bodyTimeout": "1s"]
        try withSidecar(irisConfiguration(service, .direct, ["timeout": "100ms"], server: server)) { sidecar in
            let connection = try begin(sidecar)
            let response = try connection.response()
            #expect(response.status == 408 && response.headers["Connection"] == "close")
            #expect(eventually { service.brokenRequests == 1 })
            #expect(service.calls.isEmpty)
            #expect(try data(sidecar.events(atLeast: 1).first)["status"] == 408)
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    /// Those that are in by then are answered; the others are told.
    @Test func drains() throws {
        let began = Locked(0)
        let service = try FakeModelService(
            beforeBody: {
                began.withLock { $0 += 1 }
                return nil
            },
            { _ in .json(Sample.native) }
        )
        let sidecar = try SidecarProcess(irisConfiguration(service, .direct, server: ["drainTimeout": "2s"]))
        let (one, other) = (try begin(sidecar), try begin(sidecar))
        #expect(eventually { began.withLock { $0 } == 2 })
        sidecar.send(signal: SIGTERM)
        #expect(eventually { (try? sidecar.get("/readyz").status) != 200 })
        try one.send(Array(Self.body.dropFirst(Self.half)))
        #expect(try one.response().status == 200)
        #expect(try other.response().status == 503)
        #expect(sidecar.waitForExit() == .code(0))
        let events = try sidecar.events(atLeast: 2).map { try data($0)["status"]?.int }
        #expect(Set(events) == [200, 503])
    }

    @Test func waitsForLeave() throws {
        let service = try FakeModelService { _ in .json(Sample.native) }
        try withSidecar(irisConfiguration(service, .direct)) { sidecar in
            let connection = try sidecar.connect()
            try connection.send(head(2 * Self.half, ["Expect": "100-continue"]))
            #expect(try connection.raw { $0.hasSuffix("\r\n\r\n") } == "HTTP/1.1 100 Continue\r\n\r\n")
            try connection.send(Self.body)
            #expect(try connection.response().status == 200)
            #expect(service.calls.map { $0.body == Self.body } == [true])
            // What is too long is told before.
            let long = try sidecar.connect()
            try long.send(head(1 << 30))
            #expect(try long.response().status == 413)
            #expect(service.calls.count == 1 && service.brokenRequests == 0)
        }
    }

    private struct Gathered: Sendable {
        let why: String
        var transport = ModelTransport.direct
        var keys: [String: String] = [:]
        var reporting: [String: String] = [:]
        var path = LongUploadTests.path
        var isChunked = false
    }

    private static let gathered = [
        Gathered(why: "it is recorded", reporting: ["capture": "body"]),
        Gathered(why: "the call may be made again", keys: ["retry": "{ attempts: 2 }"]),
        Gathered(why: "libcurl has it", transport: .curl),
        Gathered(why: "its length is not known", isChunked: true),
    ]

    /// Whoever may have to look at a body has all of it before the call begins.
    @Test(arguments: gathered.indices) func isGathered(_ index: Int) throws {
        let sample = Self.gathered[index]
        let service = try FakeModelService { _ in .json(Sample.native) }
        var configuration = irisConfiguration(service, sample.transport, sample.keys)
        configuration.reporting = sample.reporting
        try withSidecar(configuration) { sidecar in
            let head =
                sample.isChunked
                ? Array("POST \(sample.path) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n".utf8)
                : head(path: sample.path)
            do {
                let connection = try sidecar.connect()
                try connection.send(head + Self.body.prefix(Self.half))
                connection.socket.finish()
            }
            // After it, another one: of the first the Model Service has heard nothing.
            let whole = HTTPRequest("POST", sample.path, headers: ["Host": "a"], body: Self.body)
            let connection = try sidecar.connect()
            #expect(try connection.exchange(whole).status == 200)
            #expect(service.calls.count == 1 && service.brokenRequests == 0, "\(sample.why)")
            #expect(service.calls.first?.body == Self.body)
            #expect(try sidecar.events(atLeast: 1).count == 1)
        }
    }
}
