import Foundation
import TestSupport
import Testing

/// What single keys of `server`, `log` and `reporting` change, where no other test shows it.
@Suite("Keys of the server", .sidecarLog) struct ServerKeyTests {
    private static func configuration(
        server: [String: String] = [:],
        reporting: [String: String] = [:],
        file: [String: String] = [:]
    ) throws -> (SidecarConfiguration, FakeModelService) {
        let service = try modelService(Sample.native)
        let model = SidecarConfiguration.Model("iris", url: service.url("/"))
        return (SidecarConfiguration(model, server: server, reporting: reporting, file: file), service)
    }

    @Test func hostIsWhereItListens() throws {
        let (configuration, service) = try Self.configuration(server: ["host": "127.0.0.2"])
        defer { service.stop() }
        try withSidecar(configuration) { sidecar in
            func health(_ host: String) throws -> TestSupport.ExitStatus {
                let options = ["--host", host, "--port", "\(sidecar.port)", "--model", "iris=http://127.0.0.1:9/"]
                return try SidecarProcess.run(["health"] + options).status
            }
            let statuses = try ["127.0.0.2", "127.0.0.1"].map(health)
            #expect(statuses == [.code(0), .code(1)])
        }
    }

    @Test(arguments: [1, 3]) func shardsAreThreads(_ count: Int) throws {
        let (configuration, service) = try Self.configuration(server: ["shards": "\(count)"])
        defer { service.stop() }
        try withSidecar(configuration) { sidecar in
            let tasks = "/proc/\(sidecar.process.id)/task"
            // A thread gives itself its name when it begins, which may be after the first answer of another.
            func shards() throws -> [String] {
                try FileManager.default.contentsOfDirectory(atPath: tasks).map {
                    String(decoding: wholeFile("\(tasks)/\($0)/comm") ?? [], as: UTF8.self)
                }
                .filter { $0.hasPrefix("shard-") }
            }
            let isComplete = try eventually { try shards().count >= count }
            #expect(isComplete)
            #expect(try Set(shards()) == Set((0..<count).map { "shard-\($0)\n" }))
        }
    }

    @Test(arguments: [("1KiB", 431), ("16KiB", 200)])
    func maxHeaderBytesBoundsTheHeader(_ most: String, _ status: Int) throws {
        let (configuration, service) = try Self.configuration(server: ["maxHeaderBytes": most])
        defer { service.stop() }
        try withSidecar(configuration) { sidecar in
            let headers: HTTPHeaders = ["X-Large": String(repeating: "a", count: status == 200 ? 10_000 : 2_000)]
            let response = try sidecar.post("/predictions/iris", headers: headers)
            #expect(response.status == status)
        }
    }

    /// One that is too many waits until another has gone.
    @Test func maxConnectionsLetsNoMoreIn() throws {
        let (configuration, service) = try Self.configuration(server: ["maxConnections": "2"])
        defer { service.stop() }
        try withSidecar(configuration) { sidecar in
            do {
                let first = try sidecar.connect()
                #expect(try first.exchange(.get("/livez")).status == 200)
                let second = try sidecar.connect()
                #expect(try second.exchange(.get("/livez")).status == 200)
                let third = try? sidecar.connect()
                try? third?.send(HTTPRequest.get("/livez").wire)
                // The turns of the loop that serve these would serve the third one too.
                for _ in 0..<20 { #expect(try second.exchange(.get("/livez")).status == 200) }
                #expect((try? third?.response(Deadline(seconds: 0.1))) == nil)
            }
            #expect(eventually { (try? sidecar.get("/livez").status) == 200 })
        }
    }

    /// One model's call has ended when that of another, which may take longer, has not.
    @Test func timeoutIsEachModelsOwn() throws {
        let gate = Gate()
        let hangs = try FakeModelService { _ in .hang }
        let slow = try FakeModelService { _ in .json(Sample.native).after(gate) }
        let configuration = SidecarConfiguration(
            .init("default", url: hangs.url("/")),
            .init("patient", url: slow.url("/"), ["timeout": "60s"])
        )
        try withSidecar(configuration) { sidecar in
            let clients = startConcurrently(1) { _ in try sidecar.post("/predictions/patient").status }
            defer { gate.open() }
            #expect(eventually { slow.calls.count == 1 })
            let status = try sidecar.post("/predictions/default").status
            #expect(status == 504)
            gate.open()
            let patient = try clients.results()
            #expect(patient == [200])
        }
    }

    /// Only one of them can speak TLS. (That both carry calls is in ModelConnectionTests.)
    @Test(arguments: [("direct", Int32(78)), ("curl", 0), ("auto", 0)])
    func transportIsWhatCarriesTheCalls(_ word: String, _ status: Int32) throws {
        let (exit, _, error) = try SidecarProcess.run([
            "validate", "--model", "iris=https://127.0.0.1:9/", "--set", "models.0.transport=\(word)",
        ])
        #expect(exit == .code(status))
        #expect(error.contains("cannot carry an https URL") == (status == 78))
    }

    @Test func keepIsHowManyRotatedFilesThereAre() throws {
        let (configuration, service) = try Self.configuration(file: ["maxBytes": "1KiB", "keep": "2"])
        defer { service.stop() }
        try withSidecar(configuration) { sidecar in
            for _ in 0..<40 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            #expect(sidecar.stop() == .code(0))
            let names = try FileManager.default.contentsOfDirectory(atPath: sidecar.directory.path)
                .filter { $0.hasPrefix("events.jsonl") }
            #expect(Set(names) == ["events.jsonl", "events.jsonl.1", "events.jsonl.2"])
        }
    }

    /// Whether and when the spool is synced, by the system calls. Nothing is delivered, so only the shard writes there.
    @Test(
        .enabled(if: Strace.canBeUsed),
        arguments: [
            ("never", "1ms", 0...0), ("always", "1h", 20...Int.max), ("interval", "1ms", 100...Int.max),
            ("interval", "1h", 0...0),
        ]
    )
    func fsyncIsWhenTheSpoolIsSynced(_ when: String, _ interval: String, _ expected: ClosedRange<Int>) throws {
        let spool = "{ path: spool, fsync: \(when), fsyncInterval: \(interval) }"
        let directory = TemporaryDirectory()
        let (configuration, service) = try Self.configuration(
            reporting: [
                "delivery": "at-least-once",
                "spool": spool.replacing("path: spool", with: "path: \(directory.path)/spool"),
            ]
        )
        defer { service.stop() }
        try withSidecar(configuration, eventFile: "/dev/full") { sidecar in
            let trace = try Strace(of: sidecar.process.id, "fsync,fdatasync,sync_file_range", directory)
            for _ in 0..<20 { #expect(try sidecar.post("/predictions/iris").status == 200) }
            // Once a second, the default, would take longer than is waited for so many.
            let isSynced = try eventually {
                _ = try sidecar.post("/predictions/iris")
                return trace.count >= expected.lowerBound
            }
            #expect(isSynced)
            trace.stop()
            #expect(expected.contains(trace.count), "\(trace.count) syncs")
        }
    }
}

/// Counts a process's system calls of some names.
private struct Strace {
    /// Sanitizers trace their process at its end, which can have one tracer only.
    static var canBeUsed: Bool {
        let environment = ProcessInfo.processInfo.environment
        return environment["ASAN_OPTIONS"] == nil && environment["TSAN_OPTIONS"] == nil
            && FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")
    }

    private let tracer: ChildProcess
    private let path: String

    init(of process: pid_t, _ names: String, _ directory: TemporaryDirectory) throws {
        path = directory.file("system-calls")
        let tracer = try ChildProcess("/usr/bin/strace", ["-f", "-e", names, "-o", path, "-p", "\(process)"])
        self.tracer = tracer
        let isAttached = eventually { tracer.standardError.contains(" attached") || tracer.exitStatus != nil }
        guard isAttached, tracer.exitStatus == nil else { throw TestFailure("strace: \(tracer.standardError)") }
    }

    var count: Int {
        String(decoding: wholeFile(path) ?? [], as: UTF8.self).split(separator: "\n").count { $0.contains("sync(") }
    }

    func stop() {
        tracer.send(signal: SIGINT)
        _ = tracer.waitForExit()
    }
}
