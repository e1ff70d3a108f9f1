import TestSupport
import Testing

@testable import Gateway

/// The parts of the Kafka Reporter that need no broker.
@Suite struct KafkaReporterPartsTests {
    /// The table is by number: this says by librdkafka's own names which those are.
    @Test func `errors are sorted by what follows for the event`() {
        func names(_ fate: KafkaFate) -> Set<String> {
            Set(KafkaFate.table.filter { $0.value == fate }.map { KafkaError(code: $0.key).name })
        }
        #expect(
            names(.refused) == [
                "MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_MSG_SIZE", "INVALID_TIMESTAMP",
                "POLICY_VIOLATION", "INVALID_RECORD", "_BAD_MSG", "_INVALID_ARG",
            ]
        )
        #expect(
            names(.blocked) == [
                "UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION", "TOPIC_EXCEPTION",
                "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED",
                "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "DELEGATION_TOKEN_AUTHORIZATION_FAILED",
                "UNSUPPORTED_SASL_MECHANISM", "ILLEGAL_SASL_STATE", "SECURITY_DISABLED", "SASL_AUTHENTICATION_FAILED",
                "DELEGATION_TOKEN_AUTH_DISABLED", "DELEGATION_TOKEN_NOT_FOUND", "DELEGATION_TOKEN_OWNER_MISMATCH",
                "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", "DELEGATION_TOKEN_EXPIRED", "_AUTHENTICATION", "_SSL",
                "UNSUPPORTED_VERSION", "UNSUPPORTED_FOR_MESSAGE_FORMAT", "INVALID_REQUEST", "INVALID_REQUIRED_ACKS",
                "UNSUPPORTED_COMPRESSION_TYPE", "_UNSUPPORTED_FEATURE",
            ]
        )
        #expect(
            names(.orphaned) == [
                "OUT_OF_ORDER_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH", "INVALID_PRODUCER_ID_MAPPING",
                "UNKNOWN_PRODUCER_ID", "PRODUCER_FENCED", "_FATAL", "_INCONSISTENT", "_GAPLESS_GUARANTEE",
                "_PURGE_QUEUE", "_PURGE_INFLIGHT", "_DESTROY",
            ]
        )
        #expect(names(.transient).isEmpty)
        for error in [KafkaError.messageTimedOut, .transport, .allBrokersDown, .notLeader] {
            #expect(KafkaFate(error) == .transient)
        }
        #expect(KafkaFate(.messageTooLarge) == .refused)
        #expect(KafkaFate(.fatal) == .orphaned)
    }

    private func settings(_ properties: [String: String], isDurable: Bool = false) -> KafkaReporterSettings {
        var configuration = Configuration.Reporter.Kafka()
        configuration.brokers = "localhost:9092"
        configuration.properties = properties
        return KafkaReporterSettings(configuration, isDurable: isDurable)
    }

    @Test func `properties go over what the Reporter prefers`() throws {
        let plain = settings([:])
        try plain.settings.validate()
        #expect(plain.settings["bootstrap.servers"] == "localhost:9092")
        #expect(plain.settings["enable.idempotence"] == "true")
        #expect(plain.maxMessageBytes == 1_000_000)
        #expect(plain.messageTimeout == 300_000_000_000)
        #expect(settings([:], isDurable: true).messageTimeout == nil)
        #expect(settings(["message.timeout.ms": "500"], isDurable: true).messageTimeout == 500_000_000)
        #expect(settings(["delivery.timeout.ms": "700"]).messageTimeout == 700_000_000)
        #expect(settings(["linger.ms": "50"]).settings["linger.ms"] == "50")
        #expect(settings(["message.max.bytes": "5000"]).maxMessageBytes == 5_000)
        // librdkafka would never take a message larger than all that it holds.
        #expect(settings(["message.max.bytes": "99000000"]).maxMessageBytes == 16 << 20)
    }

    @Test func `secrets do not get into the log`() throws {
        let settings = settings([
            "sasl.password": "open sesame", "ssl.key.password": "swordfish", "linger.ms": "50",
        ])
        #expect(settings.redacted("open sesame, swordfish, 50") == "(value), (value), 50")
    }

    private func append(_ text: String, _ sequence: Int, to retries: KafkaRetries, _ ledger: inout DeliveryLedger) {
        fillEvents(batch, sequence..<sequence + 1)
        let ticket = ledger.begin(WaitingEvent(frame: batch[0], lane: 0, end: Int64(sequence + 1)))
        Array(text.utf8).withByteView { view in
            let event = EventRecord(
                type: ByteView("type"),
                source: .empty,
                id: view.prefix(1),
                time: view.dropFirst(1),
                contentType: ByteView("a/b"),
                value: view
            )
            retries.append(
                KafkaEventMessage(key: view, record: event),
                KafkaMessageRecord(ticket: ticket, sequence: sequence, arrival: 0)
            )
        }
    }

    private let batch = EventBatch()

    @Test func `messages go out again in the order in which they first went`() {
        let retries = KafkaRetries()
        var ledger = DeliveryLedger()
        for (text, sequence) in [("three", 3), ("four", 4), ("zero", 10), ("last", 20)] {
            append(text, sequence, to: retries, &ledger)
        }
        #expect(retries.first?.message.record.value.string == "three")
        retries.removeFirst()
        // One that was out again has come back, with others.
        append("three again", 30, to: retries, &ledger)
        append("five", 25, to: retries, &ledger)
        var seen: [String] = []
        while let (message, record) = retries.first {
            let event = message.record
            #expect(message.key == event.value && event.type == "type" && event.contentType == "a/b")
            #expect(event.id.string + event.time.string == event.value.string)
            seen.append("\(record.sequence) \(event.value.string)")
            retries.removeFirst()
        }
        #expect(seen == ["4 four", "10 zero", "20 last", "25 five", "30 three again"])
        #expect(retries.isEmpty)
    }

    @Test func `repeated lines of the library are counted, not told`() {
        let recorder = LogRecorder()
        var relay = KafkaLogRelay(redact: { $0 }, log: recorder.log)
        for second in 0..<100 {
            relay.relay(level: 3, kind: "FAIL", message: "refused", now: Int64(second) * 1_000_000_000)
        }
        relay.relay(level: 7, kind: "OTHER", message: "detail", now: 0)
        #expect(
            recorder.messages == [
                "warning librdkafka: refused", "warning librdkafka: refused (and 59 more like it)",
                "debug librdkafka: detail",
            ]
        )
    }
}
