import Foundation
import TestSupport
import Testing

/// Answers over Kafka that go out part after part, from the real executable.
@Suite("Streams over Kafka", .timeLimit(.minutes(10)), .sidecarLog) struct KafkaStreamTests {
    private static let parts = (0..<5).map { "data: {\"n\":\($0)}\n\n" }
    private static let inParts = ["ameron-stream": "parts"]

    private func configuration(
        _ rig: KafkaRig,
        _ service: FakeModelService,
        _ transport: ModelTransport = .direct,
        server: [String: String] = [:]
    ) -> SidecarConfiguration {
        var configuration = irisConfiguration(service, transport, server: server)
        configuration.kafka = rig.keys()
        return configuration
    }

    private func headers(_ number: Int) -> [String: String] {
        Self.inParts.merging(["number": "\(number)", "x-request-id": "\(number)"]) { $1 }
    }

    /// What there is of the answer to a request: of its last run, where it was asked for again.
    private func answer(_ rig: KafkaRig, _ number: Int) -> [KafkaRecord] {
        let records = rig.replies.filter { $0["number"] == "\(number)" }
        return records.filter { $0["ameron-answer"] == records.last?["ameron-answer"] }
    }

    /// An answer that came whole: each part once and in order, then the end.
    private func check(_ answer: [KafkaRecord], _ parts: [String], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(answer.dropLast().map(\.text) == parts, sourceLocation: sourceLocation)
        let numbers = answer.compactMap { $0["ameron-part"].flatMap { Int($0) } }
        #expect(numbers == Array(0...parts.count), sourceLocation: sourceLocation)
        #expect(answer.map { $0["ameron-final"] } == parts.map { _ in nil } + ["true"], sourceLocation: sourceLocation)
        #expect(answer.allSatisfy { $0["ameron-status"] == "200" }, sourceLocation: sourceLocation)
        #expect(answer.last?.value == [], sourceLocation: sourceLocation)
        #expect(Set(answer.map(\.partition)).count == 1, sourceLocation: sourceLocation)
    }

    @Test(arguments: ModelTransport.allCases) func passesEachPartOn(_ transport: ModelTransport) throws {
        let rig = try KafkaRig()
        let gates = Self.parts.map { _ in Gate() }
        let end = Gate()
        var steps: [Reply.Step] = []
        for (part, gate) in zip(Self.parts, gates) { steps += [.wait(gate), .chunk(part)] }
        let service = try FakeModelService { [steps] _ in .stream(steps: steps + [.wait(end), Reply.end]) }
        try withSidecar(configuration(rig, service, transport)) { sidecar in
            try rig.send(key: "k", "{}", headers(1))
            try rig.flush()
            for (index, gate) in gates.enumerated() {
                gate.open()
                #expect(rig.reads { rig.replies.count == index + 1 })
            }
            #expect(rig.replies.allSatisfy { $0.key == "k" && $0["content-type"] == "text/event-stream" })
            #expect(try rig.committed().reduce(0, +) == 0)
            end.open()
            #expect(rig.reads { rig.replies.last?["ameron-final"] != nil })
            check(answer(rig, 1), Self.parts)
            #expect(try rig.reads { try rig.committed().reduce(0, +) == 1 })
            let event = try data(try sidecar.events(atLeast: 1).first)
            #expect(event["provider"] == "kafka" && event["status"] == 200 && event["requestId"] == "1")
            #expect(event["value"]?.elements?.map { $0["n"]?.int } == [0, 1, 2, 3, 4])
            #expect(event["stream"]?["parts"]?.int == 5)
            let labels = ["provider": "kafka", "code": "200"]
            #expect(try sidecar.metrics().total("ameron_requests_total", labels) == 1)
        }
    }

    /// Many at once, with keys and without: each answer is whole, and those of a key follow one another.
    @Test func keepsAnswersApart() throws {
        let rig = try KafkaRig(partitions: 4)
        let steps = Self.parts.map { Reply.Step.chunk($0) } + [.chunk("data: [DONE]\n\n"), Reply.end]
        let service = try FakeModelService { _ in .stream(steps: steps) }
        let count = 120
        try withSidecar(configuration(rig, service, server: ["shards": "2"])) { sidecar in
            for number in 0..<count {
                try rig.send(key: number % 3 == 0 ? nil : "key-\(number % 7)", "{}", headers(number))
            }
            try rig.flush()
            let ends = { Set(rig.replies.filter { $0["ameron-final"] != nil }.compactMap { $0["number"] }) }
            #expect(rig.reads(within: 60) { ends().count == count })
            for number in 0..<count { check(answer(rig, number), Self.parts + ["data: [DONE]\n\n"]) }
            for key in 0..<7 {
                let order = rig.replies.filter { $0.key == "key-\(key)" }.compactMap { $0["number"] }
                // Each number stands in one row.
                let rows = order.reduce(into: [String]()) { if $0.last != $1 { $0.append($1) } }
                #expect(Set(rows).count == rows.count, "\(rows)")
            }
            #expect(try rig.reads { try rig.committed(partitions: 4).reduce(0, +) == Int64(count) })
            #expect(rig.deadLetters.isEmpty)
            #expect(try sidecar.metrics().total("ameron_inflight") == 0)
        }
    }

    /// Its client has a part: it is told, and the request is put away.
    @Test func saysThatItBrokeOff() throws {
        let rig = try KafkaRig()
        let hasLeft = Gate()
        let service = try FakeModelService { _ in
            .stream(steps: [.chunk(Self.parts[0]), .wait(hasLeft), .chunk("data: half"), .close])
        }
        try withSidecar(configuration(rig, service)) { sidecar in
            try rig.send("{}", headers(1))
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 1 })
            hasLeft.open()
            #expect(rig.reads { rig.replies.count == 2 && rig.deadLetters.count == 1 })
            #expect(rig.replies.map { $0["ameron-status"] } == ["200", "502"])
            #expect(rig.replies[1]["ameron-final"] == "true" && rig.replies[1]["ameron-part"] == "1")
            #expect(try rig.replies[1].json()["cause"] == "reset")
            #expect(rig.deadLetters[0]["ameron-dead-letter-cause"] == "reset" && rig.deadLetters[0].text == "{}")
            let event = try data(try sidecar.events(atLeast: 1).first)
            #expect(event["status"] == 502 && event["stream"]?["parts"]?.int == 1)
            #expect(service.calls.count == 1)
        }
    }

    /// A Sidecar that ends leaves the request to the next one, which begins with the first part.
    @Test(arguments: [SIGTERM, SIGKILL]) func asksAgainWhatItLeft(_ signal: Int32) throws {
        let rig = try KafkaRig()
        let calls = Locked(0)
        let service = try FakeModelService { _ in
            let steps = Self.parts.map { Reply.Step.chunk($0) }
            let number = calls.withLock { calls in
                calls += 1
                return calls
            }
            return .stream(steps: number == 1 ? Array(steps.prefix(2)) + [.hang] : steps + [Reply.end])
        }
        let configuration = configuration(rig, service, server: ["drainTimeout": "200ms"])
        let directory = TemporaryDirectory()
        let file = directory.file("events")
        let sidecar = try SidecarProcess(configuration, eventFile: file)
        try rig.send(key: "k", "{}", headers(1))
        try rig.flush()
        #expect(rig.reads { rig.replies.count == 2 })
        sidecar.send(signal: signal)
        #expect(sidecar.waitForExit() == (signal == SIGTERM ? .code(0) : .signal(SIGKILL)))
        #expect(try rig.committed().reduce(0, +) == 0)
        try withSidecar(configuration, eventFile: file) { _ in
            #expect(rig.reads(within: 60) { rig.replies.last?["ameron-final"] != nil })
            check(answer(rig, 1), Self.parts)
            #expect(rig.replies.count == 2 + Self.parts.count + 1)
            #expect(Set(rig.replies.compactMap { $0["ameron-answer"] }).count == 2)
            #expect(try rig.reads { try rig.committed().reduce(0, +) == 1 })
            #expect(rig.deadLetters.isEmpty)
            let events = try SidecarProcess.events(in: file).map { try data($0)["status"]?.int }
            #expect(events == (signal == SIGTERM ? [503, 200] : [200]))
        }
    }

    /// What a broker does not take in time stays with the Model Service, however long the stream.
    @Test func waitsForASlowBroker() throws {
        let rig = try KafkaRig()
        let line = String(repeating: "x", count: 4_000) + "\n"
        let lines = 8_192
        let gate = Gate()
        let service = try FakeModelService { _ in
            let block = String(repeating: line, count: 64)
            let steps = (1..<lines / 64).map { _ in Reply.Step.chunk(block) }
            return .stream("application/x-ndjson", steps: [.chunk(block), .wait(gate)] + steps + [Reply.end])
        }
        try withSidecar(configuration(rig, service)) { sidecar in
            try rig.send(key: "k", "{}", headers(1))
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 64 })
            let before = try residentBytes(of: sidecar.process.id)
            try rig.setBroker(rttMilliseconds: 1_000)
            gate.open()
            // Far less than all of it is taken in: then nothing more comes.
            #expect(rig.reads { rig.replies.count >= 128 })
            #expect(try residentBytes(of: sidecar.process.id) - before < 16 << 20)
            #expect(rig.replies.count < lines)
            try rig.setBroker(rttMilliseconds: 0)
            #expect(rig.reads(within: 60) { rig.replies.last?["ameron-final"] != nil })
            check(answer(rig, 1), Array(repeating: line, count: lines))
            #expect(try residentBytes(of: sidecar.process.id) - before < 24 << 20)
        }
    }
}
