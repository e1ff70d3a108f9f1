import Foundation
import TestSupport
import Testing

@testable import Gateway

/// `dev-kafka`, `events` and `ask`, each as a process of its own, with a client of ours at the other end.
@Suite("Kafka tools", .timeLimit(.minutes(10))) struct KafkaToolTests {
    private static let event =
        #"{"requestId":"r1","modelName":"iris","modelVersion":"1","status":200,"value":"setosa"}"#

    // MARK: - dev-kafka

    @Test func tellsThatThePortIsTaken() throws {
        let kafka = try DevKafkaProcess()
        let (status, _, error) = try SidecarProcess.run(["dev-kafka", "--port", "\(kafka.port)"])
        #expect(status == .code(1))
        #expect(error.contains("\(kafka.port)") && error.contains("in use"), "\(error)")
        #expect(kafka.stop(SIGTERM) == .code(0))
    }

    @Test func makesTheTopicsAskedForAndSaysWhatItIs() throws {
        let kafka = try DevKafkaProcess(["--topic", "one:1", "--topic", "three:3", "--brokers", "2"])
        let consumer = try kafka.consumer()
        #expect(try consumer.partitions(ofTopic: "one", timeoutMilliseconds: 10_000).count == 1)
        #expect(try consumer.partitions(ofTopic: "three", timeoutMilliseconds: 10_000).count == 3)
        #expect(kafka.process.standardError.contains("in memory only"))
        #expect(kafka.stop(SIGINT) == .code(0))
    }

    @Test(arguments: [["--port", "65536"], ["--brokers", "0"], ["--topic", "x"], ["--topic", "x:0"]])
    func refusesArguments(_ arguments: [String]) throws {
        let (status, _, error) = try SidecarProcess.run(["dev-kafka"] + arguments)
        #expect(status == .code(64), "\(error)")
    }

    // MARK: - ask

    @Test func asksAndPrintsTheReply() throws {
        let kafka = try DevKafkaProcess()
        let consumer = try kafka.consumer()
        try consumer.assignFromBeginning("prediction-requests")
        let ask = try kafka.tool([
            "ask", "--model", "iris", "--version", "2", "--face", "v1", "--header", "tenant=a=b", #"{"x":1}"#,
        ])
        let request = try #require(kafka.record(consumer))
        #expect(request.value == #"{"x":1}"#)
        let id = try #require(request.headers["correlation-id"])
        #expect(id.count == 36)
        #expect(request.key == id)
        let expected = [
            "correlation-id": id, "content-type": "application/json", "ameron-model": "iris", "ameron-version": "2",
            "ameron-face": "v1", "tenant": "a=b",
        ]
        #expect(request.headers == expected)

        try kafka.produce("prediction-replies", [("correlation-id", "another")], #"{"answer":0}"#)
        try kafka.produce("prediction-replies", [("correlation-id", id), ("ameron-status", "200")], #"{"answer":1}"#)
        #expect(ask.waitForExit() == .code(0), "\(ask.standardErrorTail)")
        #expect(ask.standardOutput == "{\"answer\":1}\n")
        #expect(ask.standardError == "")
    }

    /// Parts as they come; what comes twice once, and what begins again with a word of it.
    @Test func printsTheReplyInParts() throws {
        let kafka = try DevKafkaProcess()
        let consumer = try kafka.consumer()
        try consumer.assignFromBeginning("prediction-requests")
        let ask = try kafka.tool(["ask", "--stream", "{}"])
        let request = try #require(kafka.record(consumer))
        #expect(request.headers["ameron-stream"] == "parts")
        let id = try #require(request.headers["correlation-id"])
        func send(_ answer: String, _ part: Int, _ value: String, end: String? = nil) throws {
            var headers = [("correlation-id", id), ("ameron-status", end ?? "200"), ("ameron-answer", answer)]
            headers.append(("ameron-part", "\(part)"))
            if end != nil { headers.append(("ameron-final", "true")) }
            try kafka.produce("prediction-replies", headers, value)
        }
        try send("a", 0, "data: 1\n\n")
        #expect(eventually { ask.standardOutput == "data: 1\n\n" })
        try send("a", 0, "data: 1\n\n")
        try send("b", 0, "data: 2\n\n")
        try send("b", 1, "data: 3\n\n")
        #expect(eventually { ask.standardOutput == "data: 1\n\ndata: 2\n\ndata: 3\n\n" })
        try send("b", 2, "gone", end: "502")
        #expect(ask.waitForExit() == .code(1))
        #expect(ask.standardOutput.hasSuffix("data: 3\n\ngone\n"))
        #expect(ask.standardError == "the answer begins again\nstatus 502\n")
    }

    @Test func tellsAFailureByItsStatus() throws {
        let kafka = try DevKafkaProcess()
        let consumer = try kafka.consumer()
        try consumer.assignFromBeginning("questions")
        let brokers = kafka.brokers
        // The body comes by standard input.
        let ask = try ChildProcess(
            "/bin/sh",
            [
                "-c", #"printf '{"y":2}' | "$0" ask --brokers "$1" --topic questions --reply-topic answers -"#,
                SidecarProcess.executable, brokers,
            ]
        )
        let request = try #require(kafka.record(consumer))
        #expect(request.value == #"{"y":2}"#)
        #expect(request.headers["ameron-reply-topic"] == "answers")
        let id = try #require(request.headers["correlation-id"])
        try kafka.produce("answers", [("correlation-id", id), ("ameron-status", "404")], "{}")
        #expect(ask.waitForExit() == .code(1))
        #expect(ask.standardOutput == "{}\n")
        #expect(ask.standardError.contains("404"))
    }

    @Test func saysWhatIsMissingWhenNoReplyComes() throws {
        let kafka = try DevKafkaProcess()
        let ask = try kafka.tool(["ask", "--timeout", "500ms", "{}"])
        #expect(ask.waitForExit() == .code(2))
        #expect(ask.standardError.contains("prediction-replies"), "\(ask.standardErrorTail)")
        #expect(ask.standardOutput == "")
    }

    @Test(arguments: [["ask", "{}", "--property", "acks=hunter2"], ["events", "--property", "debug=hunter2"]])
    func namesAWrongSetting(_ arguments: [String]) throws {
        let (status, _, error) = try SidecarProcess.run(arguments)
        #expect(status == .code(1))
        #expect(error.contains("acks") || error.contains("debug"), "\(error)")
        #expect(!error.contains("hunter2"))
    }

    // MARK: - events

    @Test func printsEventsFromTheBeginning() throws {
        let kafka = try DevKafkaProcess()
        try kafka.produce("predictions", [("ce_id", "1"), ("content-type", "application/json")], Self.event)
        try kafka.produce("predictions", [("ce_id", "2")], #"{"modelName":"other"}"#)
        let json = try kafka.tool(["events", "--from-beginning", "--json", "--count", "1", "--model", "iris"])
        #expect(json.waitForExit() == .code(0), "\(json.standardErrorTail)")
        let event = try JSON(parsing: json.standardOutput)
        #expect(event["id"] == "1")
        #expect(event["datacontenttype"] == "application/json")
        #expect(event["data"] == (try JSON(parsing: Self.event)))

        let text = try kafka.tool(["events", "--from-beginning", "--count", "2"])
        #expect(text.waitForExit() == .code(0), "\(text.standardErrorTail)")
        let lines = text.standardOutput.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines.contains { $0.contains("iris/1") && $0.contains("r1") && $0.hasSuffix("\"setosa\"") })
    }

    @Test func followsUntilItIsInterrupted() throws {
        let kafka = try DevKafkaProcess()
        try kafka.produce("predictions", [("ce_id", "old")], Self.event)
        let events = try kafka.tool(["events", "--json"])
        var number = 0
        #expect(
            try eventually {
                number += 1
                try kafka.produce("predictions", [("ce_id", "new-\(number)")], Self.event)
                return events.standardOutput.contains("new-")
            }
        )
        #expect(!events.standardOutput.contains("old"))
        events.send(signal: SIGINT)
        #expect(events.waitForExit() == .code(0))
        #expect(events.standardError == "")
    }

    @Test func waitsForABroker() throws {
        let first = try DevKafkaProcess()
        #expect(first.stop(SIGTERM) == .code(0))
        let events = try first.tool(["events", "--from-beginning", "--json", "--count", "1"])
        #expect(eventually { events.standardError.contains("no broker can be reached at \(first.brokers)") })
        let kafka = try DevKafkaProcess(port: first.port)
        try kafka.produce("predictions", [("ce_id", "1")], Self.event)
        #expect(events.waitForExit() == .code(0), "\(events.standardErrorTail)")
        #expect(events.standardOutput.contains(#""id":"1""#))
        #expect(events.standardError.split(separator: "\n").count == 1, "\(events.standardError)")
    }
}

/// A running `dev-kafka`, and clients for it.
private struct DevKafkaProcess {
    let process: ChildProcess
    let port: Int

    var brokers: String { "127.0.0.1:\(port)" }

    init(_ arguments: [String] = [], port: Int = 0) throws {
        let process = try ChildProcess(SidecarProcess.executable, ["dev-kafka", "--port", "\(port)"] + arguments)
        let found = eventuallyValue { () -> Int? in
            guard let match = process.standardError.firstMatch(of: #/listening on 127\.0\.0\.1:(\d+), [^\n]*\n/#) else {
                return process.exitStatus == nil ? nil : 0
            }
            return Int(match.output.1)
        }
        guard let found, found != 0 else { throw TestFailure("dev-kafka does not run: \(process.standardErrorTail)") }
        self.process = process
        self.port = found
    }

    func stop(_ signal: Int32) -> TestSupport.ExitStatus? {
        process.send(signal: signal)
        return process.waitForExit()
    }

    /// Starts a command of the Sidecar with these brokers.
    func tool(_ arguments: [String]) throws -> ChildProcess {
        try ChildProcess(
            SidecarProcess.executable,
            Array(arguments.prefix(1)) + ["--brokers", brokers] + arguments.dropFirst()
        )
    }

    func consumer() throws -> KafkaConsumer {
        let settings = KafkaSettings([
            ("bootstrap.servers", brokers), ("group.id", "test"), ("auto.offset.reset", "earliest"),
            ("fetch.wait.max.ms", "20"),
        ])
        return try KafkaConsumer(settings: settings, wake: nil)
    }

    struct Record {
        var key: String?
        var value: String?
        var headers: [String: String]
    }

    /// The next record; nil when none comes.
    func record(_ consumer: KafkaConsumer) -> Record? {
        var found: Record?
        _ = eventually {
            _ = consumer.poll(limit: 1, timeoutMilliseconds: 50) { event in
                guard case .consumed(let message) = event else { return }
                var headers: [String: String] = [:]
                message.forEachHeader { headers[$0.string] = $1?.string }
                found = Record(key: message.key?.string, value: message.value?.string, headers: headers)
            }
            return found != nil
        }
        return found
    }

    /// Produces one record and waits until it is delivered.
    func produce(_ topic: String, _ headers: [(String, String)], _ value: String) throws {
        let producer = try KafkaProducer(
            settings: KafkaSettings([("bootstrap.servers", brokers), ("linger.ms", "0")]),
            wake: nil
        )
        let list = KafkaHeaderList()
        for (name, value) in headers {
            Array(name.utf8).withByteView { name in
                Array(value.utf8).withByteView { list.append(name: name, value: $0) }
            }
        }
        let handle = try producer.topic(topic)
        try Array(value.utf8).withByteView {
            // All in one partition, as the parts of an answer are: between partitions there is no order.
            try producer.produce(to: handle, key: ByteView("one"), value: $0, headers: list, ticket: 1)
        }
        var isDelivered = false
        producer.close(timeoutMilliseconds: 30_000) { event in
            if case .delivered(let delivery) = event { isDelivered = delivery.error == nil }
        }
        if !isDelivered { throw TestFailure("not delivered to \(topic)") }
    }
}
