import TestSupport
import Testing

/// One client's request never becomes two at the Model Service, nor another client's.
///
/// A Model Service, or a proxy before it, may end a header at the first line that is no HTTP, or miss one that frames the
/// body: then the body is the next request on the connection, and its answer the next client's.
@Suite("Smuggling", .sidecarLog) struct SmugglingTests {
    /// Lines that hide the Content-Length that follows, or that stand for another line to somebody.
    static let lines = [
        "X Y: z", " X: z", "\tX: z", "Content-Length;x: 1", "Content-Length;: 1", "Host;x: evil", "Content-Length : 3",
        "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "X\u{b}: z", "X\u{1}: z",
        "X: a\rContent-Length: 1",
        "X: \u{1}", "X\u{e9}: z", ": z", "X(: z",
    ]

    /// The next client's request completes it.
    private static let hidden = "POST /admin/delete HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nX-Swallow: "

    /// Answers with what it was asked for, so that a wrong answer shows.
    private static func echo() throws -> FakeModelService {
        try FakeModelService { request in .json(#"{"value":"\#(request.target) \#(request.body.count)"}"#) }
    }

    private static func attack(_ line: String, _ sidecar: SidecarProcess) throws {
        let connection = try sidecar.connect()
        try connection.send(
            """
            POST /v1/models/iris:predict HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n\(line)\r\n\
            Content-Length: \(hidden.utf8.count)\r\n\r\n\(hidden)
            """
        )
        // Whether it is refused, or served without that line, is not asked here.
        _ = try? connection.response(Deadline(seconds: 5))
    }

    private static func expectOwnAnswer(
        _ sidecar: SidecarProcess,
        _ service: FakeModelService,
        after line: String
    ) throws {
        let next = try sidecar.post("/v1/models/iris:predict", json: "[1,2,3]")
        #expect(next.status == 200, "after \(line.debugDescription)")
        #expect(next.text == #"{"value":"/predict 7"}"#, "after \(line.debugDescription)")
        #expect(!service.requests.contains { $0.target.contains("admin") }, "after \(line.debugDescription)")
    }

    @Test(arguments: ModelTransport.allCases) func reachesNoModel(_ transport: ModelTransport) throws {
        let service = try Self.echo()
        try withSidecar(irisConfiguration(service, transport)) { sidecar in
            for line in Self.lines {
                try Self.attack(line, sidecar)
                try Self.expectOwnAnswer(sidecar, service, after: line)
            }
            for call in service.calls {
                let head = String(decoding: call.head, as: UTF8.self)
                let names = head.split(separator: "\r\n").dropFirst().map { $0.prefix { $0 != ":" } }
                #expect(names.allSatisfy { $0.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x3b } }, "\(head)")
                #expect(call.headers.all("Content-Length").count == 1)
                #expect(call.headers["Host"]?.hasPrefix("127.0.0.1:") == true)
            }
        }
    }

    /// Shown with stock nginx: libcurl left out its own Content-Length, nginx saw a request without a body, and passed the
    /// body on as the next.
    @Test func passesNoProxyBehindTLS() throws {
        let service = try Self.echo()
        let proxy = try SecureProxy(of: service)
        try withSidecar(proxy.configuration()) { sidecar in
            for line in Self.lines {
                try Self.attack(line, sidecar)
                try Self.expectOwnAnswer(sidecar, service, after: line)
            }
            #expect(service.calls.allSatisfy { $0.headers["Host"] == "127.0.0.1:\(proxy.port)" })
        }
    }
}
