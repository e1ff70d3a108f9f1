import Foundation
import TestSupport
import Testing

/// What all bodies of requests and answers together may take, those included that are still coming.
@Suite("Memory of bodies", .sidecarLog) struct BodyMemoryTests {
    private static func head(_ length: Int) -> String {
        "POST /predictions/iris HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n"
    }

    @Test(arguments: [1, 2]) func isBounded(_ shards: Int) throws {
        let service = try modelService(Sample.native)
        let server = ["maxInFlightBytes": "4MiB", "shards": "\(shards)"]
        // With libcurl they are gathered.
        try withSidecar(irisConfiguration(service, .curl, server: server)) { sidecar in
            do {
                // Each has sent all but its last byte.
                var held: [HTTPConnection] = []
                var refused = 0
                for _ in 0..<10 {
                    let connection = try sidecar.connect()
                    try connection.send(Self.head(1 << 20))
                    do { try connection.send([UInt8](repeating: 0x20, count: 1 << 20 - 1)) } catch SocketError.reset {}
                    held.append(connection)
                }
                for connection in held {
                    guard let response = try? connection.response(Deadline(seconds: 0.5)) else { continue }
                    #expect(response.status == 503)
                    #expect(response.headers["Retry-After"] != nil)
                    #expect(response.text.contains("server.maxInFlightBytes"))
                    refused += 1
                }
                #expect((6...9).contains(refused), "\(refused) of 10 were refused")
                // What needs no room is answered.
                #expect(try sidecar.get("/livez").status == 200)
            }
            // They are gone, and their memory with them.
            let isFree = eventually {
                let large = HTTPRequest("POST", "/predictions/iris", body: Array(repeating: 0x20, count: 1 << 20))
                return (try? sidecar.send(large).status) == 200
            }
            #expect(isFree)
        }
    }

    /// Answers that a model has sent but for their last byte, as long as it says or in chunks of unknown number.
    @Test(arguments: ModelTransport.allCases, [true, false])
    func boundsAnswers(_ transport: ModelTransport, _ isSized: Bool) throws {
        let gate = Gate()
        let length = 1 << 20
        let head = isSized ? "Content-Length: \(length)" : "Transfer-Encoding: chunked"
        let start = Array("HTTP/1.1 200 OK\r\n\(head)\r\n\r\n\(isSized ? "" : "100000\r\n")".utf8)
        let end = Array((isSized ? "x" : "x\r\n0\r\n\r\n").utf8)
        let service = try FakeModelService { call in
            call.text == "small"
                ? .json(Sample.native) : Reply([.send(start), .fill(length - 1), .wait(gate), .send(end)])
        }
        let keys = ["transport": transport.rawValue, "timeout": "60s", "protocol": "raw"]
        let configuration = SidecarConfiguration(
            .init("iris", url: service.url("/"), keys),
            server: ["maxInFlightBytes": "4MiB", "shards": "1"]
        )
        try withSidecar(configuration) { sidecar in
            let clients = startConcurrently(8) { _ in
                let response = try sidecar.post("/v1/models/iris:predict", json: "large")
                if response.status == 503 { #expect(response.text.contains("server.maxInFlightBytes")) }
                return response.status
            }
            defer { gate.open() }
            // The first that are refused end at once; the others wait for their last byte.
            let areRefused = try eventually {
                try sidecar.metrics().total("ameron_requests_total", ["code": "503", "model": "iris"]) >= 4
            }
            #expect(areRefused)
            let small = try sidecar.post("/v1/models/iris:predict", json: "small").status
            #expect(small == 200)
            gate.open()
            let statuses = try clients.results()
            #expect(statuses.allSatisfy { $0 == 200 || $0 == 503 }, "\(statuses)")
            // Where nobody knows how long they become, all may come too far to have room.
            #expect(!isSized || statuses.count { $0 == 200 } == 3, "\(statuses)")
            // They are gone, and their memory with them.
            let isFree = eventually {
                (try? sidecar.post("/v1/models/iris:predict", json: "large").status) == 200
            }
            #expect(isFree)
            let causes = try sidecar.metrics().total("ameron_failures_total", ["cause": "overloaded", "model": "iris"])
            #expect(causes >= 4)
        }
    }

    /// A burst of large requests leaves the process as large as before, after a few seconds.
    @Test(.enabled(if: !isSanitized, "a sanitizer keeps what is freed for a while")) func isGivenBack() throws {
        let service = try modelService(Sample.native)
        try withSidecar(SidecarConfiguration(.init("iris", url: service.url("/predict")))) { sidecar in
            #expect(try sidecar.post("/predictions/iris").status == 200)
            let before = try residentBytes(of: sidecar.process.id)
            let statuses = try concurrently(16) { _ in
                let large = HTTPRequest("POST", "/predictions/iris", body: Array(repeating: 0x20, count: 8 << 20))
                return try (0..<2).map { _ in try sidecar.send(large).status }
            }
            #expect(statuses.allSatisfy { $0 == [200, 200] })
            let isBack = try eventually { try residentBytes(of: sidecar.process.id) < before + (48 << 20) }
            let after = try residentBytes(of: sidecar.process.id)
            #expect(isBack, "\(after) bytes, \(before) before")
        }
    }
}

/// Whether this is a build with a sanitizer, which keeps what is freed for a while.
let isSanitized = ["ASAN_OPTIONS", "TSAN_OPTIONS"].contains { ProcessInfo.processInfo.environment[$0] != nil }

/// What a process takes of the memory (proc(5), statm).
func residentBytes(of process: Int32) throws -> Int {
    let text = String(decoding: wholeFile("/proc/\(process)/statm") ?? [], as: UTF8.self)
    let words = text.split(separator: " ")
    guard words.count > 1, let pages = Int(words[1]) else { throw TestFailure("no statm of \(process)") }
    return pages * 4_096
}
