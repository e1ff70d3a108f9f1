import TestSupport
import Testing

/// Requests over Kafka to the real executable. One Sidecar serves them all: to join a group takes 3 s on the mock cluster.
@Suite("Kafka Provider", .timeLimit(.minutes(10)), .sidecarLog) struct KafkaProviderTests {
    /// Fails as often as the header X-Fail says, per request id.
    private static func flaky(_ reply: Reply) throws -> FakeModelService {
        let calls = Locked<[String: Int]>([:])
        return try FakeModelService { request in
            let number = calls.withLock { calls in
                calls[request.headers["X-Request-Id"] ?? "", default: 0] += 1
                return calls[request.headers["X-Request-Id"] ?? ""] ?? 0
            }
            guard let failures = request.headers["X-Fail"].flatMap({ Int($0) }), number <= failures else {
                return reply
            }
            let status = request.headers["X-Fail-Status"].flatMap { Int($0) } ?? 503
            return .json(#"{"error":"not now"}"#, status: status)
        }
    }

    @Test func answers() throws {
        let rig = try KafkaRig(others: ["replies.mine"])
        let native = try Self.flaky(.json(Sample.native))
        let v1 = try modelService(Sample.v1)
        let v2 = try modelService(Sample.v2)
        let huge = try modelService(#"{"value":"\#(String(repeating: "x", count: 30_000))"}"#)
        var configuration = SidecarConfiguration(
            .init("iris", url: native.url("/predict")),
            .init("v1", protocol: "v1", url: v1.url("/v1/models/v1:predict")),
            .init("v2", protocol: "v2", url: v2.url("/v2/models/v2/infer")),
            .init("huge", url: huge.url("/predict")),
            server: ["maxBodyBytes": "16KiB"]
        )
        configuration.kafka = rig.keys([
            "maxAttempts": "3", "allowedReplyTopics": "other,replies.*,d*,_*", "message.max.bytes": "20000",
        ])
        try withSidecar(configuration) { sidecar in
            for request in KafkaCase.all { try rig.send(key: request.key, request.value, request.headers) }
            try rig.flush()
            let count = KafkaCase.all.count
            let isComplete = rig.reads {
                rig.replies.count + (rig.seen["replies.mine"]?.count ?? 0) >= count
                    && rig.deadLetters.count >= KafkaCase.all.count { $0.cause != nil }
            }
            #expect(isComplete)
            for request in KafkaCase.all { try check(request, rig) }
            #expect(rig.seen["replies.mine"]?.count == 1)
            #expect(rig.replies.count + 1 == count)

            try checkEvents(sidecar)
            try checkForwarding(native)
            try checkMetrics(sidecar)
            #expect(try rig.reads { try rig.committed().reduce(0, +) == Int64(count) })
            let lag = { try sidecar.metrics().samples("ameron_kafka_consumer_lag") }
            #expect(try eventually { try lag().map(\.value) == [0, 0] })
            #expect(try lag().allSatisfy { $0.labels["topic"] == "requests" && $0.labels["partition"] != nil })
        }
    }

    private func check(_ request: KafkaCase, _ rig: KafkaRig) throws {
        let topic = request.replyTopic ?? KafkaRig.replies
        let found = (rig.seen[topic] ?? []).filter { $0["correlation-id"] == request.name }
        let reply = try #require(found.first, "\(request.name): no answer")
        #expect(found.count == 1, "\(request.name)")
        #expect(reply.key == request.key, "\(request.name)")
        #expect(reply["ameron-status"] == String(request.status), "\(request.name)")
        #expect(reply["x-request-id"]?.isEmpty == false, "\(request.name)")
        if let id = request.id { #expect(reply["x-request-id"] == id, "\(request.name)") }
        #expect(reply["server-timing"]?.hasPrefix("model;dur=") == true, "\(request.name)")
        #expect(reply["content-type"] == request.contentType, "\(request.name)")
        if let body = request.body {
            #expect(reply.text == body, "\(request.name)")
        } else if request.status == 200 {
            let json = try reply.json()
            #expect(json["id"]?.string == reply["x-request-id"], "\(request.name)")
            #expect(json["predictions"]?[0]?["value"]?["label"] == "setosa", "\(request.name)")
        } else {
            let json = try reply.json()
            #expect(json["cause"]?.string == request.cause, "\(request.name)")
            #expect(json["status"]?.int == request.status, "\(request.name)")
        }

        let letters = rig.deadLetters.filter { $0["correlation-id"] == request.name }
        guard let cause = request.cause else {
            #expect(letters.isEmpty, "\(request.name)")
            return
        }
        let letter = try #require(letters.first, "\(request.name): no dead letter")
        #expect(letters.count == 1, "\(request.name)")
        #expect(letter.key == request.key, "\(request.name)")
        #expect(letter.value == (request.isTruncated ? nil : request.value), "\(request.name)")
        #expect(letter["ameron-dead-letter-truncated"] == (request.isTruncated ? "true" : nil), "\(request.name)")
        #expect(Array(letter.headers.prefix(request.headers.count)) == request.headers, "\(request.name)")
        #expect(letter["ameron-dead-letter-cause"] == cause, "\(request.name)")
        #expect(letter["ameron-dead-letter-message"]?.isEmpty == false, "\(request.name)")
        #expect(letter["ameron-dead-letter-attempts"] == String(request.attempts), "\(request.name)")
        #expect(letter["ameron-dead-letter-topic"] == KafkaRig.requests, "\(request.name)")
        #expect(letter["ameron-dead-letter-partition"].flatMap { Int($0) } != nil, "\(request.name)")
        #expect(letter["ameron-dead-letter-offset"].flatMap { Int($0) } != nil, "\(request.name)")
        #expect(letter["ameron-dead-letter-timestamp"].flatMap { Int($0) }.map { $0 > 1_600_000_000_000 } == true)
    }

    /// Each request whose model was called has the events of its last call, and no others.
    private func checkEvents(_ sidecar: SidecarProcess) throws {
        let called = KafkaCase.all.filter { $0.attempts > 0 }
        let events = try sidecar.events(atLeast: called.count)
        #expect(events.count == called.count)
        #expect(events.allSatisfy { $0["data"]?["provider"] == "kafka" })
        for id in ["retried", "exhausted"] {
            let own = events.filter { $0["data"]?["requestId"]?.string == id }
            #expect(own.count == 1)
            #expect(own.first?["data"]?["status"]?.int == (id == "retried" ? 200 : 503))
        }
    }

    private func checkForwarding(_ service: FakeModelService) throws {
        #expect(service.calls.filter { $0.headers["X-Request-Id"] == "retried" }.count == 3)
        #expect(service.calls.filter { $0.headers["X-Request-Id"] == "exhausted" }.count == 3)
        let call = try #require(service.calls.first { $0.headers["X-Request-Id"] == "forwards" })
        #expect(call.text == "{}")
        #expect(call.headers["traceparent"] == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        #expect(call.headers["plain"] == "text")
        #expect(call.headers["Content-Type"] == "application/json")
        let names = call.headers.fields.map { $0.name.lowercased() }
        for name in ["injected", "lines", "binary", "ameron-face", "mlserver-x", "ce_type", "null", "a b"] {
            #expect(!names.contains(name), "\(name)")
        }
    }

    private func checkMetrics(_ sidecar: SidecarProcess) throws {
        let metrics = try sidecar.metrics()
        for status in Set(KafkaCase.all.map(\.status)) {
            // An answer that the broker does not take was given, as far as the model is concerned.
            let expected = KafkaCase.all.count { ($0.cause == "replyTooLarge" ? 200 : $0.status) == status }
            let labels = ["provider": "kafka", "code": String(status)]
            #expect(metrics.total("ameron_requests_total", labels) == Double(expected), "\(status)")
        }
        #expect(metrics.total("ameron_requests_total", ["provider": "rest"]) == 0)
        #expect(metrics.total("ameron_kafka_retries_total") == 4)
        let letters = KafkaCase.all.count { $0.cause != nil }
        #expect(metrics.total("ameron_kafka_dead_letters_total") == Double(letters))
        #expect(metrics.types["ameron_kafka_consumer_lag"] == "gauge")
    }
}
