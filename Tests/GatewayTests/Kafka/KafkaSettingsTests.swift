import Testing

@testable import Gateway

/// Settings of Kafka clients: what wins, and what is told of a wrong one.
@Suite struct KafkaSettingsTests {
    @Test func laterValuesWin() {
        var settings = KafkaSettings([("acks", "1"), ("linger.ms", "5"), ("acks", "all")])
        #expect(settings["acks"] == "all")
        settings.set("linger.ms", "0")
        #expect(settings["linger.ms"] == "0")
        #expect(settings["client.id"] == nil)
        #expect(settings.pairs.map(\.name) == ["acks", "linger.ms"])
    }

    @Test func takesGoodOnes() throws {
        try KafkaSettings([("acks", "all"), ("compression.type", "lz4"), ("client.id", "")]).validate()
    }

    @Test(arguments: [
        ("no.such.setting", "hunter2-secret", "no setting"),
        ("socket.timeout.ms", "987654321", "out of range; allowed: 10..300000"),
        ("socket.timeout.ms", "hunter2-secret", "not allowed"),
        ("compression.type", "hunter2-secret", "not allowed"),
        ("enable.idempotence", "hunter2-secret", "true, false"),
        ("debug", "hunter2-secret", "not allowed"),
        ("client.id", "hunter2-secret\0", "NUL"),
    ])
    func namesTheSettingAndNeverTheValue(_ name: String, _ value: String, _ reason: String) throws {
        let error = #expect(throws: KafkaSettingError.self) { try KafkaSettings([(name, value)]).validate() }
        #expect(error?.property == name)
        #expect(error?.description.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.description.contains(value) == false)
    }

    /// Only the making of a client tells what settings must be together.
    @Test(arguments: [
        ([("enable.idempotence", "true"), ("acks", "1")], "acks", "idempotence"),
        ([("security.protocol", "sasl_plaintext"), ("sasl.mechanisms", "HUNTER2")], "kafka", "SASL"),
        (
            [("security.protocol", "ssl"), ("ssl.key.pem", "hunter2-key"), ("ssl.key.password", "hunter2")],
            "ssl.key.pem", "ssl.key.pem"
        ),
    ])
    func namesTheSettingOfACombination(_ pairs: [(String, String)], _ property: String, _ reason: String) throws {
        let error = #expect(throws: KafkaSettingError.self) {
            try KafkaProducer(settings: KafkaSettings(pairs), wake: nil)
        }
        #expect(error?.property == property, "\(String(describing: error))")
        #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
        #expect(error?.description.lowercased().contains("hunter2") == false, "\(String(describing: error))")
    }

    @Test func consumersNeedAGroup() throws {
        let error = #expect(throws: KafkaSettingError.self) {
            try KafkaConsumer(settings: KafkaSettings(), wake: nil)
        }
        #expect(error?.property == "group.id")
    }

    @Test func errorsHaveNamesAndWords() {
        #expect(KafkaError.messageTooLarge.name == "MSG_SIZE_TOO_LARGE")
        #expect(KafkaError(code: 10) == .messageTooLarge)
        #expect(KafkaError(code: 10).isMessageTooLarge)
        #expect(KafkaError.queueFull.reason.contains("Queue full"))
        #expect(KafkaError.notLeader.isRetriable)
        #expect(!KafkaError.messageTooLarge.isRetriable)
        #expect(KafkaError(code: 10, detail: "too big") == .messageTooLarge)
        #expect(KafkaError(code: 10, detail: "too big").description == "MSG_SIZE_TOO_LARGE: too big")
    }
}
