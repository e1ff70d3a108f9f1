import TestSupport
import Testing

/// Order, limits, the Sidecar's end, and the broker's absence.
@Suite("Kafka Provider's flow", .timeLimit(.minutes(10)), .sidecarLog) struct KafkaFlowTests {
    private func configuration(
        _ rig: KafkaRig,
        _ service: FakeModelService,
        _ keys: [String: String] = [:],
        server: [String: String] = [:]
    ) -> SidecarConfiguration {
        let model = SidecarConfiguration.Model("iris", url: service.url("/predict"), ["timeout": "60s"])
        var configuration = SidecarConfiguration(model, server: server)
        configuration.kafka = rig.keys(keys)
        return configuration
    }

    /// The headers of the request with this number.
    private func headers(_ number: Int) -> [String: String] { ["number": "\(number)", "X-Request-Id": "\(number)"] }

    private func numbers(_ records: [KafkaRecord]) -> [Int] { records.compactMap { $0["number"].flatMap { Int($0) } } }

    /// Whether the log says that so many members have so many partitions among them.
    private func isShared(_ log: String, members: Int, partitions: Int) -> Bool {
        func numbers(_ words: String...) -> [Int] {
            log.split(separator: "\n").compactMap { line in
                guard words.contains(where: { line.contains("Kafka Provider: \($0): ") }) else { return nil }
                let count = line.split(separator: ",").count { $0.contains("\(KafkaRig.requests)/") }
                return count > 0 ? count : nil
            }
        }
        let assigned = numbers("assigned")
        return assigned.count >= members
            && assigned.reduce(0, +) - numbers("given back", "lost").reduce(0, +) == partitions
    }

    /// 2 shards, so 2 members of the group with 4 requests in flight each.
    @Test(arguments: ["cooperative-sticky", "range"])
    func keepsTheOrderOfKeysAndItsLimits(_ strategy: String) throws {
        let rig = try KafkaRig(partitions: 4)
        let gate = Gate()
        let failed = Locked<Set<String>>([])
        let service = try FakeModelService { request in
            let number = request.headers["X-Request-Id"] ?? ""
            // Some fail at first: what comes after them under the same key must wait all the same.
            let fails = (Int(number) ?? 0) % 7 == 3 && failed.withLock { $0.insert(number).inserted }
            return fails ? .json("{}", status: 503) : .json(Sample.native).after(gate)
        }
        let keys = ["maxInFlight": "8", "partition.assignment.strategy": strategy]
        try withSidecar(configuration(rig, service, keys, server: ["shards": "2"])) { sidecar in
            defer { gate.open() }
            // Before: what is in flight when partitions move comes twice. The mock cluster refuses a member's SyncGroup that
            // comes after the leader's (INVALID_REQUEST; Kafka answers it), and the group then begins again, in 5 s.
            let areMembers = eventually(within: 120) {
                isShared(sidecar.process.standardError, members: 2, partitions: 4)
            }
            #expect(areMembers)
            let count = 400
            for number in 0..<count {
                try rig.send(key: number % 4 == 0 ? nil : "key-\(number % 23)", "{}", headers(number))
            }
            try rig.flush()
            let inFlight = { try sidecar.metrics().total("ameron_inflight") }
            #expect(try rig.reads { try inFlight() >= 2 })
            // Long enough for the consumers to be paused: the group's members go on, and take nothing more in.
            let before = service.calls.count
            #expect(!rig.reads(within: 1) { service.calls.count > max(before, 8) + failed.withLock { $0.count } })
            #expect(try inFlight() <= 8)
            #expect(rig.replies.isEmpty)
            gate.open()

            #expect(rig.reads { rig.replies.count >= count })
            #expect(numbers(rig.replies).sorted() == Array(0..<count))
            #expect(rig.deadLetters.isEmpty)
            let byKey = Dictionary(grouping: rig.replies.filter { $0.key != nil }) { $0.key ?? "" }
            #expect(byKey.count == 23)
            for (key, replies) in byKey {
                let own = numbers(replies)
                #expect(own == own.sorted(), "answers of \(key)")
            }
            let calls = service.calls.compactMap { $0.headers["X-Request-Id"].flatMap { Int($0) } }
            for key in 0..<23 {
                let own = calls.filter { $0 % 4 != 0 && $0 % 23 == key }
                #expect(own == own.sorted(), "calls of key-\(key)")
            }
            #expect(try rig.reads { try rig.committed(partitions: 4).reduce(0, +) == Int64(count) })
        }
    }

    /// OUT_OF_ORDER_SEQUENCE_NUMBER and INVALID_PRODUCER_EPOCH: the broker loses count of a batch of answers and takes those
    /// that are under way behind it. TOPIC_AUTHORIZATION_FAILED: an answer is put off for a second.
    @Test(arguments: [Int32(45), 47, 29]) func keepsTheOrderOfAKeyThoughABatchIsLost(_ error: Int32) throws {
        let rig = try KafkaRig(partitions: 1)
        let gate = Gate()
        let service = try FakeModelService {
            $0.headers["X-Request-Id"] == "0" ? .json(Sample.native) : .json(Sample.native).after(gate)
        }
        try withSidecar(configuration(rig, service)) { _ in
            defer { gate.open() }
            // So that the producer knows where to send to.
            try rig.send(key: "k", "{}", headers(0))
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 1 })
            for number in 1..<20 { try rig.send(key: number % 5 == 4 ? "other" : "k", "{}", headers(number)) }
            try rig.flush()
            #expect(rig.reads { service.calls.count == 3 })
            try rig.setBroker(rttMilliseconds: 50)
            rig.refuseMessages([0, error, 0, 0, 0, 0, error])
            gate.open()
            #expect(rig.reads { Set(numbers(rig.replies)).count == 20 })
            for key in ["k", "other"] {
                var seen: Set<Int> = []
                // The broker may have a refused batch all the same; what comes again says the same.
                let order = numbers(rig.replies.filter { $0.key == key }).filter { seen.insert($0).inserted }
                #expect(order == order.sorted(), "\(key)")
            }
        }
    }

    @Test func answersAllAcrossARestart() throws {
        let rig = try KafkaRig()
        let service = try FakeModelService { _ in
            // A model that takes some time, so that there is always something in flight.
            _ = Gate().wait(Deadline(seconds: 0.004))
            return .json(Sample.native)
        }
        let keys = ["maxInFlight": "20"]
        let count = 600
        for number in 0..<count {
            try rig.send(key: number % 3 == 0 ? "key-\(number % 5)" : nil, "{}", headers(number))
        }
        try rig.flush()
        try withSidecar(configuration(rig, service, keys)) { _ in
            #expect(rig.reads { rig.replies.count >= 60 })
        }
        // It has ended by SIGTERM in the midst of its work. What was committed is answered.
        let committed = try rig.committed()
        #expect(committed.reduce(0, +) < Int64(count))
        #expect(committed.reduce(0, +) > 0)
        let expected = rig.places.filter { $0.value.offset < committed[Int($0.value.partition)] }.map(\.key)
        #expect(rig.reads { Set(numbers(rig.replies)).isSuperset(of: expected) })
        // And nothing that was in flight was cut off: each call's answer was delivered.
        let calls = service.calls.count
        #expect(rig.reads { Set(numbers(rig.replies)).count == calls })
        let ahead = rig.replies.count { reply in
            guard let number = reply["number"].flatMap({ Int($0) }), let place = rig.places[number] else {
                return false
            }
            return place.offset >= committed[Int(place.partition)]
        }

        try withSidecar(configuration(rig, service, keys)) { _ in
            #expect(rig.reads { Set(numbers(rig.replies)).count == count })
            let isCommitted = try rig.reads { try rig.committed().reduce(0, +) == Int64(count) }
            #expect(isCommitted)
        }
        // Twice are those that were done behind one that was not, and no others.
        #expect(rig.reads { rig.replies.count - count >= ahead })
        #expect(rig.replies.count - count == ahead)
        #expect(rig.deadLetters.isEmpty)
    }

    @Test func startsWithoutTheBroker() throws {
        let rig = try KafkaRig()
        let service = try modelService(Sample.native)
        try rig.setBroker(down: true)
        let keys = ["reconnect.backoff.max.ms": "200"]
        try withSidecar(configuration(rig, service, keys)) { sidecar in
            #expect(try sidecar.post("/predictions/iris").status == 200)
            #expect(eventually { sidecar.process.standardError.contains("Kafka Provider: ") })
            try rig.setBroker(down: false)
            try rig.send(key: "k", "{}", headers(1))
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 1 })
            #expect(try sidecar.post("/predictions/iris").status == 200)
        }
        try rig.setBroker(down: true)
        // It also ends without the broker.
        try withSidecar(configuration(rig, service, keys)) { sidecar in
            let status = try sidecar.post("/predictions/iris").status
            #expect(status == 200)
        }
    }

    /// 24,000 headers of one name, and more than librdkafka reads: both are refused, and hold up nobody.
    @Test(arguments: [24_000, 100_001]) func refusesRecordsOfManyHeaders(_ count: Int) throws {
        let rig = try KafkaRig()
        let service = try modelService(Sample.native)
        try withSidecar(configuration(rig, service, ["message.max.bytes": "10000000"])) { sidecar in
            let header = KafkaRecord.Header(name: count > 100_000 ? "a" : "content-type", value: Array("a/b".utf8))
            try rig.send(key: "k", Array("{}".utf8), Array(repeating: header, count: count))
            try rig.send(key: "k", "{}", headers(1))
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 2 && rig.deadLetters.count == 1 })
            #expect(rig.replies.map { $0["ameron-status"] } == ["431", "200"])
            #expect(rig.replies.first?["content-type"] == "application/problem+json")
            #expect(rig.replies.last?["number"] == "1")
            let letter = try #require(rig.deadLetters.first)
            #expect(letter.text == "{}" && letter.key == "k")
            #expect(letter.headers.allSatisfy { $0.name.hasPrefix("ameron-dead-letter-") })
            #expect(letter["ameron-dead-letter-cause"] == "headersTooLarge")
            #expect(letter["ameron-dead-letter-truncated"] == "true")
            #expect(try sidecar.get("/livez").status == 200)
        }
    }

    /// At least once, what the spool can never hold is not tried for ever: it becomes a dead letter, and its partition goes on.
    @Test(arguments: [300, 3_000]) func givesUpAnswersThatTheSpoolCannotHold(rows: Int) throws {
        let rig = try KafkaRig(partitions: 1)
        let large = #"{"predictions":[\#(Array(repeating: "1", count: rows).joined(separator: ","))]}"#
        let service = try FakeModelService { .json($0.text.contains("large") ? large : #"{"predictions":[1]}"#) }
        let directory = TemporaryDirectory()
        let model = SidecarConfiguration.Model("iris", protocol: "v1", url: service.url("/"))
        var configuration = SidecarConfiguration(model)
        configuration.kafka = rig.keys()
        let spool = "{ path: \"\(directory.file("spool"))\", maxBytes: 64KiB }"
        configuration.reporting = ["delivery": "at-least-once", "spool": spool]
        try withSidecar(configuration) { sidecar in
            try rig.send(key: "k", #"{"instances":["large"]}"#, headers(0))
            try rig.send(key: "k", #"{"instances":["small"]}"#, headers(1))
            try rig.flush()
            #expect(rig.reads { rig.replies.count == 2 && rig.deadLetters.count == 1 })
            #expect(rig.replies.map { $0["ameron-status"] } == ["502", "200"])
            #expect(rig.deadLetters.first?["ameron-dead-letter-cause"] == "tooLarge")
            #expect(rig.deadLetters.first?["ameron-dead-letter-attempts"] == "1")
            #expect(try rig.reads { try rig.committed(partitions: 1) == [2] })
            let refused = try sidecar.metrics().total("ameron_spool_refused_events_total")
            #expect(refused == Double(rows))
        }
    }

    @Test func doesNotStartWithASettingThatIsNone() throws {
        let rig = try KafkaRig()
        let service = try modelService(Sample.native)
        let directory = TemporaryDirectory()
        let text = configuration(rig, service, ["no.such.setting": "1"]).yaml(eventFile: directory.file("events"))
        let result = try SidecarProcess.run(["--config", directory.write(text, to: "sidecar.yaml")])
        #expect(result.status != .code(0))
        #expect(result.error.contains("providers.kafka"))
        #expect(result.error.contains("no.such.setting"))
    }
}
