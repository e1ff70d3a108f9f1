import Foundation
import TestSupport
import Testing

extension BudgetTests {
    /// How many system calls a request costs, by strace, of all threads: alone, and when 64 requests share the turns of the
    /// loop. nginx as a plain proxy of the same Model Service stands beside it where it is installed.
    @Suite struct SystemCalls {
        @Test(arguments: [Case.restOnly, .restFile, .restKafka, .restSpool], [1, 64])
        func overREST(_ steady: Case, _ clients: Int) throws { try perRequest(steady, clients) }

        /// Not one by one: how often librdkafka asks for more while there is nothing depends on the time.
        @Test(arguments: [Case.kafka, .kafkaSpool]) func overKafka(_ steady: Case) throws { try perRequest(steady, 64) }

        @Test(arguments: [
            ("12345 read(7, \"\"..., 64) = 64", "12345 read"),
            ("321   epoll_wait(4,  <unfinished ...>", "321 epoll_wait"),
            ("1     read(7, \"\"..., 64) = 64", "1 read"), ("1234567 write(1, \"\"..., 9) = 9", "1234567 write"),
            ("321   <... read resumed>\"\"..., 64) = 64", nil), ("321   --- SIGTERM {si_signo=SIGTERM} ---", nil),
            ("321   +++ exited with 0 +++", nil), ("321", nil), ("", nil),
        ])
        func lines(_ line: String, _ expected: String?) {
            let found = SystemCallCount.call(in: line[...])
            #expect(found.map { "\($0.thread) \($0.call)" } == expected)
        }

        private func perRequest(_ steady: Case, _ clients: Int) throws {
            let tools = try #require(Budget.tools)
            // The library lets itself be traced where only children may be.
            let rig = try Rig(steady, environment: { _ in ["LD_PRELOAD": "\(tools)/allocations.so"] })
            let name = "system-calls/\(steady.rawValue)/\(clients)"
            try Self.measure(name, rig.sidecar.process.id, clients, rig.directory) {
                try rig.run(clients: clients, rounds: $0)
            }
            #expect(rig.sidecar.stop() == .code(0))
        }

        @Test(arguments: [1, 64]) func ofNginx(_ clients: Int) throws {
            guard let nginx = Nginx.executable else {
                return Budget.tell("system-calls/nginx", "nginx is not installed")
            }
            let tools = try #require(Budget.tools)
            let model = try SteadyModel(Case.native)
            model.setParties(clients)
            let proxy = try Nginx(nginx, upstream: model.url, environment: ["LD_PRELOAD": "\(tools)/allocations.so"])
            let load = try SteadyLoad(port: proxy.port, connections: clients, Case.restOnly.request)
            try Self.measure(
                "system-calls/nginx/\(clients)",
                proxy.process.id,
                clients,
                proxy.directory,
                isLimited: false
            ) {
                try load.run(rounds: $0)
            }
        }

        private static func measure(
            _ name: String,
            _ process: pid_t,
            _ clients: Int,
            _ directory: TemporaryDirectory,
            isLimited: Bool = true,
            run: (_ rounds: Int) throws -> Void
        ) throws {
            try run(20)
            // Beside the shard's, what is counted is how often threads that sleep for a while wake up between two
            // requests. So the least of some windows counts: what a request costs is in all of them.
            var least: SystemCallCount.Result?
            for _ in 0..<(isLimited ? 3 : 1) {
                let rounds = max(20, 400 / clients)
                let trace = try SystemCallCount(of: process, directory)
                try run(rounds)
                let result = try trace.finish(requests: clients * rounds)
                if result.all < least?.all ?? .infinity { least = result }
                if result.all <= Budget.limit(name) ?? .infinity { break }
            }
            guard let least else { return }
            if isLimited {
                Budget.expect(name, least.all) { least.text() }
                Budget.expect("\(name)/shard", least.all { $0.hasPrefix("shard-") }) {
                    least.text { $0.hasPrefix("shard-") }
                }
            }
            Budget.tell(name, "\(String(format: "%.2f", least.all)): \(least.text())")
        }
    }
}

/// strace at a process that runs: counts the calls of all its threads until `finish`.
private struct SystemCallCount {
    private let tracer: ChildProcess
    private let process: pid_t
    private let log: String

    init(of process: pid_t, _ directory: TemporaryDirectory) throws {
        log = directory.file("system-calls")
        self.process = process
        let tracer = try ChildProcess("/usr/bin/strace", ["-f", "-s", "0", "-o", log, "-p", "\(process)"])
        self.tracer = tracer
        let isAttached = eventually { tracer.standardError.contains(" attached") || tracer.exitStatus != nil }
        guard isAttached, tracer.exitStatus == nil else { throw TestFailure("strace: \(tracer.standardError)") }
    }

    func finish(requests: Int) throws -> Result {
        tracer.send(signal: SIGINT)
        guard tracer.waitForExit() != nil else { throw TestFailure("strace does not end") }
        var counts: [String: [String: Int]] = [:]
        var names: [Substring: String] = [:]
        for line in String(decoding: wholeFile(log) ?? [], as: UTF8.self).split(separator: "\n") {
            guard let (id, call) = Self.call(in: line) else { continue }
            let thread = names[id] ?? Self.name(ofThread: id, process)
            names[id] = thread
            counts[thread, default: [:]][String(call), default: 0] += 1
        }
        guard !counts.isEmpty else { throw TestFailure("strace saw nothing: \(tracer.standardError)") }
        return Result(counts: counts, requests: requests)
    }

    /// The thread and the name of the call that begins in a line of strace's; nil for the rest of one that another thread's
    /// came into ("<... read resumed>"), and for what is none ("--- SIGTERM", "+++ exited").
    static func call(in line: Substring) -> (thread: Substring, call: Substring)? {
        // strace pads ids of fewer than five digits, so more than one space can stand behind one.
        let id = line.prefix { $0 != " " }
        let rest = line[id.endIndex...].drop { $0 == " " }
        guard rest.first?.isLetter == true, let end = rest.firstIndex(of: "(") else { return nil }
        return (id, rest[..<end])
    }

    private static func name(ofThread id: Substring, _ process: pid_t) -> String {
        let name = wholeFile("/proc/\(process)/task/\(id)/comm") ?? []
        return String(decoding: name.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    struct Result {
        /// Calls by the name of the thread, and by their own.
        let counts: [String: [String: Int]]
        let requests: Int

        /// Per request, of all threads.
        var all: Double { all { _ in true } }

        func all(of isMeant: (String) -> Bool) -> Double {
            Double(counts.filter { isMeant($0.key) }.flatMap(\.value.values).reduce(0, +)) / Double(requests)
        }

        /// The most frequent ones, per request.
        func text(of isMeant: (String) -> Bool = { _ in true }) -> String {
            var calls: [String: Int] = [:]
            for (thread, own) in counts where isMeant(thread) { calls.merge(own, uniquingKeysWith: +) }
            return calls.sorted { $0.value > $1.value }.prefix(12)
                .map { "\($0.key) \(String(format: "%.2f", Double($0.value) / Double(requests)))" }
                .joined(separator: ", ")
        }
    }
}

/// nginx in one process as a plain reverse proxy with kept connections.
private struct Nginx {
    static let executable = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"]
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    let process: ChildProcess
    let port: UInt16
    let directory: TemporaryDirectory

    init(_ executable: String, upstream: String, environment: [String: String]) throws {
        // A free port: that of a socket which is closed again.
        guard case .tcp(let port) = try FakeModelService.refusing().endpoint else { throw TestFailure("no port") }
        let directory = TemporaryDirectory()
        self.port = port
        self.directory = directory
        let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map { "\($0)_temp_path \(directory.file($0));" }.joined(separator: " ")
        let configuration = try directory.write(
            """
            daemon off; master_process off; pid \(directory.file("pid")); error_log stderr;
            events { worker_connections 1024; }
            http {
                \(folders) access_log off; keepalive_requests 1000000000;
                upstream model { server \(upstream.dropFirst(7).dropLast()); keepalive 256; }
                server {
                    listen 127.0.0.1:\(port);
                    location / { proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; }
                }
            }
            """,
            to: "nginx.conf"
        )
        let process = try ChildProcess(
            executable,
            ["-p", directory.path, "-c", configuration],
            environment: environment,
            directory: directory
        )
        let isUp = eventually { (try? HTTPConnection(port: port)) != nil }
        guard isUp else { throw TestFailure("nginx does not start: \(process.standardErrorTail)") }
        self.process = process
    }
}
