import TestSupport
import Testing

@testable import Gateway

/// The server over real sockets: requests one behind the other, clients that leave, and answers past libmicrohttpd.
@Suite("HTTP server") struct HTTPServerTests {
    private func withServer(
        _ options: HTTPServer.Options = .init(),
        mayHoldBodies: Bool = true,
        _ body: (HTTPServerRig) throws -> Void
    ) throws {
        let rig = try HTTPServerRig(options, mayHoldBodies: mayHoldBodies)
        try body(rig)
        #expect(rig.isQuiet(), "\(rig.now)")
        #expect(rig.now.faults == [])
    }

    /// A request of each framing in turn, and what its answer says.
    private static func request(_ number: Int) -> (bytes: String, answer: String) {
        let target = "/\(number)"
        let body = String(repeating: "\(number % 10)\r\n", count: number % 5 * 7)
        switch number % 3 {
        case 0: return ("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n", "GET \(target) ")
        case 1:
            let head = "POST \(target) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            return (head + body, "POST \(target) \(body)")
        default:
            let head = "\r\nPUT \(target) HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunks = chunkedBody(Array(body.utf8), chunkSize: 5 + number % 11)
            return (head + String(decoding: chunks, as: UTF8.self) + "0\r\nA: b\r\n\r\n", "PUT \(target) \(body)")
        }
    }

    private func expectAnswers(_ wanted: [String], on connection: HTTPConnection) throws {
        for (index, answer) in wanted.enumerated() {
            let response = try connection.response()
            guard response.status == 200, response.text == answer else {
                Issue.record("answer \(index) is \(response.status) \(response.text), not \(answer)")
                return
            }
        }
    }

    /// All in one write: the client may read only when it has written all of it.
    @Test(arguments: [1, 2, 50, 2_000]) func answersPipelinedRequests(_ count: Int) throws {
        try withServer { rig in
            let requests = (0..<count).map(Self.request)
            let connection = try rig.connect()
            let bytes = Array(requests.map(\.bytes).joined().utf8)
            let writer = startConcurrently(1) { _ in try connection.socket.write(bytes) }
            try expectAnswers(requests.map(\.answer), on: connection)
            _ = try writer.results()
            #expect(rig.now.requests == requests.map(\.answer))
        }
    }

    @Test(arguments: [1, 2, 13]) func answersRequestsInPieces(_ piece: Int) throws {
        try withServer { rig in
            let requests = (0..<30).map(Self.request)
            let connection = try rig.connect()
            let bytes = Array(requests.map(\.bytes).joined().utf8)
            let writer = startConcurrently(1) { _ in
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    try connection.socket.write(bytes[start..<min(start + piece, bytes.count)])
                }
            }
            try expectAnswers(requests.map(\.answer), on: connection)
            _ = try writer.results()
        }
    }

    /// Bodies longer than one read, than the inbox, and than a turn, with requests behind them in the same write.
    @Test(arguments: [15 << 10, 16 << 10, 300 << 10, 3 << 20], [false, true])
    func answersWhatFollowsALongBody(_ count: Int, _ isChunked: Bool) throws {
        try withServer { rig in
            let body = (0..<count).map { UInt8(ascii: "a") + UInt8(truncatingIfNeeded: $0 % 26) }
            let first = TestSupport.HTTPRequest("POST", "/1", body: body, chunkSize: isChunked ? 70_000 : nil)
            let bytes = first.wire + first.wire + Array(Self.request(1).bytes.utf8)
            let connection = try rig.connect()
            let writer = startConcurrently(1) { _ in try connection.socket.write(bytes) }
            let text = "POST /1 " + String(decoding: body, as: UTF8.self)
            for wanted in [text, text, Self.request(1).answer] {
                let isRight = try connection.response().text == wanted
                #expect(isRight)
            }
            _ = try writer.results()
        }
    }

    /// Whoever waits holds up nobody else, and what stands behind it on its own connection waits with it.
    @Test(arguments: ["/wait", "/suspend"]) func othersAreServedMeanwhile(_ target: String) throws {
        try withServer { rig in
            let waiting = try rig.connect()
            try waiting.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n" + Self.request(1).bytes)
            #expect(eventually { rig.now.requests.count == 1 })
            for number in 0..<20 {
                let other = try rig.connect()
                try other.send(Self.request(number).bytes)
                #expect(try other.response().text == Self.request(number).answer)
                try waiting.send(Self.request(number + 2).bytes)
            }
            #expect(rig.now.requests.count == 21)
            rig.release()
            let answers = (1..<22).map { Self.request($0).answer }
            try expectAnswers(["GET \(target) "] + answers, on: waiting)
        }
    }

    /// The server reads on in mid-head, mid-body and mid-chunk after an answer.
    @Test func requestsMayBeginWithTheOneBefore() throws {
        try withServer { rig in
            let (first, second) = (Self.request(1), Self.request(5))
            let bytes = Array((first.bytes + second.bytes).utf8)
            for cut in first.bytes.utf8.count..<bytes.count {
                let connection = try rig.connect()
                try connection.socket.write(bytes[..<cut])
                #expect(try connection.response().text == first.answer)
                try connection.socket.write(bytes[cut...])
                #expect(try connection.response().text == second.answer)
            }
        }
    }

    // MARK: Clients that leave

    private static let stages = [
        "", "P", "POST /1 HTTP/1.1\r\nHost: a\r\n", "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc",
        "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n",
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /suspend HTTP/1.1\r\nHost: a\r\n\r\n", "GET /suspend HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT",
        "GET /close HTTP/1.1\r\nHost: a\r\n\r\n", "GET /long HTTP/1.1\r\nHost: a\r\n\r\n", "GET  HTTP/1.1\r\n",
        "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\nabc",
        "POST /1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx",
    ]

    @Test(arguments: stages, [false, true]) func clientsMayLeaveAtAnyStage(_ sent: String, _ isReset: Bool) throws {
        try withServer { rig in
            for _ in 0..<5 {
                let connection = try rig.connect()
                try connection.send(sent)
                if isReset { connection.socket.resetOnClose() }
                let before = rig.now.opened
                #expect(eventually { rig.now.opened >= max(before, 1) })
            }
            // Others are served after that, and before they are all forgotten.
            let other = try rig.connect()
            try other.send(Self.request(1).bytes)
            #expect(try other.response().text == Self.request(1).answer)
        }
    }

    /// As above, when what they sent has been taken in.
    @Test(arguments: ["/wait", "/suspend"], [false, true])
    func clientsMayLeaveWhileTheyWait(_ target: String, _ isReset: Bool) throws {
        try withServer { rig in
            do {
                let connections = try (0..<10).map { _ in
                    let connection = try rig.connect()
                    if isReset { connection.socket.resetOnClose() }
                    try connection.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
                    return connection
                }
                #expect(eventually { rig.now.requests.count == 10 })
                withExtendedLifetime(connections) {}
            }
            // (Of a reset, libmicrohttpd may know first.)
            #expect(eventually { rig.now.completed == 10 })
            #expect(isReset || rig.now.left == 10)
            #expect(rig.isQuiet())
            // Nothing is done for who is gone.
            #expect(!rig.now.requests.contains { $0.contains("/2") })
        }
    }

    /// A client that has ended its sending still gets its answers.
    @Test func answersWhoHasEndedItsSending() throws {
        try withServer { rig in
            let connection = try rig.connect()
            try connection.send(Self.request(1).bytes + Self.request(2).bytes)
            connection.socket.finishWriting()
            try expectAnswers([1, 2].map { Self.request($0).answer }, on: connection)
            #expect(try connection.isClosedByServer())
        }
    }

    // MARK: Refusals

    @Test(arguments: [
        ("X Y: z\r\n\r\n", "malformed"), ("Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "malformed"),
        ("Transfer-Encoding: gzip\r\n\r\n", "unknownCoding"),
        ("Content-Length: 18446744073709551616\r\n\r\n", "bodyTooLong"),
        ("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "bodyTooLong"),
        ("Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", "malformed"),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\nX Y: z\r\n", "malformed"),
    ])
    func refusesOnceAndCloses(_ lines: String, _ kind: String) throws {
        try withServer { rig in
            for before in [0, 3] {
                let connection = try rig.connect()
                let good = (0..<before).map(Self.request)
                let hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
                try connection.send(good.map(\.bytes).joined() + "POST /bad HTTP/1.1\r\nHost: a\r\n\(lines)" + hidden)
                try expectAnswers(good.map(\.answer), on: connection)
                let response = try connection.response()
                #expect(response.status == 400)
                #expect(response.text == kind)
                #expect(try connection.isClosedByServer())
            }
            #expect(!rig.now.requests.contains { $0.contains("/hidden") || $0.contains("/bad") })
        }
    }

    @Test func bodiesHaveTheirLimit() throws {
        var options = HTTPServer.Options()
        options.maxBodyBytes = 1_000
        try withServer(options) { rig in
            let all = [UInt8](repeating: 0x61, count: 1_000)
            for chunkSize in [nil, 1_000, 7] {
                let good = try rig.connect()
                #expect(
                    try good.exchange(TestSupport.HTTPRequest("POST", "/1", body: all, chunkSize: chunkSize)).status
                        == 200
                )
                let bad = try rig.connect()
                let response = try bad.exchange(
                    TestSupport.HTTPRequest("POST", "/1", body: all + [0x62], chunkSize: chunkSize)
                )
                #expect(response.text == "bodyTooLong")
                #expect(try bad.isClosedByServer())
            }
        }
    }

    @Test func bodiesNeedRoom() throws {
        try withServer(mayHoldBodies: false) { rig in
            for chunkSize in [nil, 2] {
                let connection = try rig.connect()
                let response = try connection.exchange(
                    TestSupport.HTTPRequest("POST", "/1", body: Array("abc".utf8), chunkSize: chunkSize)
                )
                #expect(response.text == "noRoom")
            }
            let connection = try rig.connect()
            #expect(try connection.exchange(.get("/1")).status == 200)
        }
    }

    /// The answer arrives though the client goes on sending what nobody reads.
    @Test func refusalsArrive() throws {
        try withServer { rig in
            for _ in 0..<10 {
                let connection = try rig.connect()
                let body = [UInt8](repeating: 0x61, count: 300_000)
                try connection.socket.write(
                    Array("POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n".utf8) + body
                )
                #expect(try connection.response().text == "bodyTooLong")
            }
        }
    }

    // MARK: What the answer depends on

    @Test func answersHeadsWithoutABody() throws {
        try withServer { rig in
            let connection = try rig.connect()
            try connection.send("HEAD /1 HTTP/1.1\r\nHost: a\r\n\r\n" + Self.request(1).bytes)
            let response = try connection.response(toHead: true)
            #expect(response.headers["Content-Length"] == "\("HEAD /1 ".utf8.count)")
            #expect(try connection.response().text == Self.request(1).answer)
            let bad = try rig.connect()
            try bad.send("HEAD /1 HTTP/1.1\r\nHost: a\r\nX Y: z\r\n\r\n")
            #expect(try bad.response(toHead: true).status == 400)
            #expect(try bad.isClosedByServer())
        }
    }

    @Test(arguments: [
        ("HTTP/1.1\r\nHost: a\r\nConnection: close", true), ("HTTP/1.0", true),
        ("HTTP/1.0\r\nConnection: keep-alive", false), ("HTTP/1.9\r\nHost: a", false),
        ("HTTP/1.0\r\nConnection: keep-alive, close", true),
    ])
    func closesWhenItShould(_ version: String, _ closes: Bool) throws {
        try withServer { rig in
            let connection = try rig.connect()
            try connection.send("GET /1 \(version)\r\n\r\n")
            let response = try connection.response()
            #expect(response.text == "GET /1 ")
            #expect(response.headers.lists("close", in: "Connection") == closes)
            if closes {
                #expect(try connection.isClosedByServer())
            } else {
                try connection.send(Self.request(1).bytes)
                #expect(try connection.response().text == Self.request(1).answer)
            }
        }
    }

    /// What follows a request with `Connection: close` is not read.
    @Test func readsNothingAfterTheLast() throws {
        try withServer { rig in
            let connection = try rig.connect()
            try connection.send("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + Self.request(1).bytes)
            #expect(try connection.response().text == "GET /1 ")
            #expect(try connection.isClosedByServer())
            #expect(rig.now.requests.count == 1)
        }
    }

    @Test func givesLeaveToSend() throws {
        try withServer { rig in
            let connection = try rig.connect()
            let head = "POST /1 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
            try connection.send(head)
            let leave = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
            var got: [UInt8] = []
            while got.count < leave.count {
                got += try connection.socket.read(atMost: leave.count - got.count, Deadline())
            }
            #expect(got == leave)
            try connection.send("abc")
            #expect(try connection.response().text == "POST /1 abc")
            // Who has begun to send needs none, nor does HTTP/1.0, nor who sends nothing.
            for text in [
                head + "abc", head.replacing("/1.1", with: "/1.0") + "abc", head.replacing(": 3", with: ": 0"),
            ] {
                let other = try rig.connect()
                try other.send(text)
                #expect(try other.response().interim == [])
            }
        }
    }
}
