import Foundation
import TestSupport
import Testing

/// What the keys of Reporters of type http and kafka change. The keys come by the environment, as `reporters.1`.
@Suite("Keys of Reporters", .sidecarLog) struct ReporterKeyTests {
    private let directory = TemporaryDirectory()

    /// Runs a Sidecar with one more Reporter, which has these keys by the names of their variables.
    private func withReporter(
        _ type: String,
        _ keys: [String: String],
        reporting: [String: String] = [:],
        model answer: String = Sample.native,
        _ body: (SidecarProcess) throws -> Void
    ) throws {
        let service = try modelService(answer)
        var environment = ["AMERON_REPORTING_REPORTERS_1_TYPE": type]
        environment["AMERON_REPORTING_REPORTERS_1_FAILURE_PATH"] = directory.file("failed.jsonl")
        for (name, value) in keys { environment["AMERON_REPORTING_REPORTERS_1_\(name)"] = value }
        let configuration = SidecarConfiguration(.init("iris", url: service.url("/")), reporting: reporting)
        try withSidecar(configuration, environment: environment) { try body($0) }
    }

    /// Sends so many requests, and waits until the other Reporter has written their events.
    private func post(_ count: Int, to sidecar: SidecarProcess, after others: Int = 0) throws {
        for _ in 0..<count { #expect(try sidecar.post("/predictions/iris").status == 200) }
        _ = try sidecar.events(atLeast: others + count)
    }

    /// The lines of the file of refused events.
    private func failures() throws -> [JSON] { try SidecarProcess.events(in: directory.file("failed.jsonl")) }

    private func total(_ result: String, _ sidecar: SidecarProcess) throws -> Double {
        let samples = try sidecar.metrics().samples("ameron_report_events_total")
        return samples.filter { $0.labels["result"] == result && $0.labels["reporter"]?.contains("file") == false }
            .map(\.value).reduce(0, +)
    }

    @Test func nameIsWhatItIsCalled() throws {
        let receiver = try FakeEventReceiver { _ in .answer(422) }
        try withReporter("http", ["URL": receiver.url, "NAME": "collector"]) { sidecar in
            try post(1, to: sidecar)
            #expect(try eventually { try failures().first?["reporter"]?.string == "collector" })
            let labels = ["reporter": "collector", "result": "failed"]
            #expect(try sidecar.metrics().total("ameron_report_events_total", labels) == 1)
        }
    }

    // MARK: http

    @Test func httpSendsToTheUrlInItsModeWithItsHeaders() throws {
        let receiver = try FakeEventReceiver()
        let keys = ["URL": receiver.url, "MODE": "binary", "HEADERS_X_API_KEY": "open sesame"]
        try withReporter("http", keys) { sidecar in
            try post(3, to: sidecar)
            #expect(eventually { receiver.events.count == 3 })
            for request in receiver.requests {
                #expect(request.target == "/events?key=secret")
                #expect(request.headers["Ce-Id"]?.isEmpty == false)
                #expect(request.headers["X-Api-Key"] == "open sesame")
            }
        }
    }

    @Test func httpBoundsItsBatchesAndItsRequests() throws {
        let gate = Gate()
        let receiver = try FakeEventReceiver { _ in .accepted.after(gate) }
        defer { gate.open() }
        let keys = ["URL": receiver.url, "MAX_BATCH_EVENTS": "3", "MAX_IN_FLIGHT": "2", "TIMEOUT": "60s"]
        try withReporter("http", keys) { sidecar in
            try post(30, to: sidecar)
            #expect(eventually { receiver.requests.count == 2 })
            try post(1, to: sidecar, after: 30)
            #expect(receiver.requests.count == 2)
            gate.open()
            let sizes = { receiver.requests.map { FakeEventReceiver.events(in: $0).count } }
            #expect(eventually { sizes().reduce(0, +) == 31 })
            #expect(sizes().max() == 3)
        }
    }

    /// A receiver that never answers costs an event after `maxAttempts` times `timeout`.
    @Test func httpTriesSoOftenForSoLong() throws {
        let receiver = try FakeEventReceiver { _ in .hang }
        let keys = [
            "URL": receiver.url, "TIMEOUT": "20ms", "MAX_ATTEMPTS": "3", "RETRY_BACKOFF": "1ms",
            "MAX_RETRY_BACKOFF": "1ms",
        ]
        try withReporter("http", keys) { sidecar in
            try post(1, to: sidecar)
            #expect(try eventually { try total("failed", sidecar) == 1 })
            #expect(receiver.requests.count == 3)
        }
    }

    @Test func httpWaitsBeforeItRepeats() throws {
        let receiver = try FakeEventReceiver { _ in .answer(503, reason: "Not now") }
        let keys = ["URL": receiver.url, "RETRY_BACKOFF": "1h", "MAX_RETRY_BACKOFF": "1h", "MAX_IN_FLIGHT": "1"]
        try withReporter("http", keys) { sidecar in
            try post(1, to: sidecar)
            #expect(eventually { receiver.requests.count == 1 })
            // By default there would be several by then.
            #expect(!eventually(within: 1) { receiver.requests.count > 1 })
        }
    }

    /// Doubled each time, the waits would come to many minutes.
    @Test func httpNeverWaitsLonger() throws {
        let count = Locked(0)
        let receiver = try FakeEventReceiver { _ in
            let isReady = count.withLock { count in
                count += 1
                return count > 20
            }
            return isReady ? .accepted : .answer(503, reason: "Not now")
        }
        let keys = [
            "URL": receiver.url, "RETRY_BACKOFF": "10ms", "MAX_RETRY_BACKOFF": "10ms", "MAX_ATTEMPTS": "100",
        ]
        try withReporter("http", keys) { sidecar in
            try post(1, to: sidecar)
            #expect(eventually { receiver.events.count == 1 })
        }
    }

    /// By its own backoff it would be back at once; by the wish alone, not for an hour.
    @Test(arguments: [("1h", false), ("50ms", true)])
    func httpWaitsAsLongAsItIsAskedToButNoLonger(_ longest: String, comesBack: Bool) throws {
        let receiver = try FakeEventReceiver { request in
            request.index == 0 ? .answer(503, headers: ["Retry-After": "3600"]) : .accepted
        }
        // One at a time: what is sent before the wish is heard breaks no promise.
        let keys = [
            "URL": receiver.url, "MAX_RETRY_AFTER": longest, "RETRY_BACKOFF": "1ms", "MAX_RETRY_BACKOFF": "1ms",
            "MAX_IN_FLIGHT": "1",
        ]
        try withReporter("http", keys) { sidecar in
            try post(3, to: sidecar)
            if comesBack {
                #expect(eventually { receiver.events.count == 3 })
            } else {
                #expect(!eventually(within: 1) { receiver.requests.count > 1 })
            }
        }
    }

    @Test func httpKeepsWhatIsRefused() throws {
        let receiver = try FakeEventReceiver { _ in .answer(400, reason: "No") }
        try withReporter("http", ["URL": receiver.url]) { sidecar in
            try post(1, to: sidecar)
            #expect(try eventually { try failures().count == 1 })
        }
    }

    @Test(arguments: [true, false]) func httpTrustsTheAuthority(_ isTrusted: Bool) throws {
        let receiver = try SecureService(answersFiles: false)
        var keys = ["URL": "https://127.0.0.1:\(receiver.port)/events", "MAX_ATTEMPTS": "1", "TIMEOUT": "60s"]
        if isTrusted { keys["CA_FILE"] = receiver.directory.file("cert.pem") }
        try withReporter("http", keys) { sidecar in
            try post(1, to: sidecar)
            if isTrusted {
                #expect(eventually { receiver.process.standardOutput.contains("POST /events") })
            } else {
                #expect(try eventually { try total("failed", sidecar) == 1 })
                #expect(!receiver.process.standardOutput.contains("POST"))
            }
        }
    }

    @Test func theQueueHoldsSoMuch() throws {
        let receiver = try FakeEventReceiver { _ in .hang }
        let keys = ["URL": receiver.url, "TIMEOUT": "60s"]
        try withReporter("http", keys, reporting: ["maxQueueBytes": "2KiB"]) { sidecar in
            let statuses = try (0..<50).map { _ in try sidecar.post("/predictions/iris").status }
            #expect(statuses.allSatisfy { $0 == 200 })
            let drops = try eventually { try total("dropped", sidecar) > 0 }
            #expect(drops)
        }
    }

    // MARK: kafka

    @Test func kafkaProducesToItsTopicByItsKey() throws {
        let rig = try KafkaRig(others: ["events"])
        let keys = [
            "BROKERS": rig.brokers, "TOPIC": "events", "KEY": "modelName", "PROPERTIES_LINGER_MS": "0",
        ]
        try withReporter("kafka", keys) { sidecar in
            try post(3, to: sidecar)
            #expect(rig.reads { rig.seen["events"]?.count == 3 })
            #expect(rig.seen["events"]?.allSatisfy { $0.key == "iris" } == true)
        }
    }

    @Test func kafkaPassesPropertiesOnAndKeepsWhatIsRefused() throws {
        let rig = try KafkaRig(others: ["predictions"])
        let keys = ["BROKERS": rig.brokers, "PROPERTIES_MESSAGE_MAX_BYTES": "2000", "PROPERTIES_LINGER_MS": "0"]
        let long = #"{"value":"\#(String(repeating: "x", count: 4_000))"}"#
        try withReporter("kafka", keys, model: long) { sidecar in
            try post(1, to: sidecar)
            #expect(try eventually { try failures().count == 1 })
        }
    }
}
