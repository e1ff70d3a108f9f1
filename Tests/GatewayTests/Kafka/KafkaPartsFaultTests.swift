import TestSupport
import Testing

@testable import Gateway

/// Parts of answers where the broker does not take them, or is away.
@Suite(.timeLimit(.minutes(5))) struct KafkaPartsFaultTests {
    private static func event(_ number: Int, bytes: Int = 0) -> String {
        "data: {\"n\":\(number),\"x\":\"\(String(repeating: "x", count: bytes))\"}\n\n"
    }

    /// What waits is bounded: by the parts under way, and by what the model may send until it is stopped.
    @Test(arguments: [0, 8_000]) func `a broker that is away stops the reading`(bytes: Int) throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask(key: nil)
        rig.rig.beginStream(exchange)
        var sent = [Self.event(0, bytes: bytes)]
        rig.rig.send(exchange, sent[0])
        #expect(rig.turns { rig.replies.count == 1 })
        try rig.cluster.setBroker(1, down: true)
        var hasRoom = true
        while hasRoom {
            try #require(sent.count < 100_000)
            sent.append(Self.event(sent.count, bytes: bytes))
            hasRoom = rig.rig.send(exchange, sent[sent.count - 1])
            rig.turn()
            let parts = rig.provider.requests[exchange.providerContext].parts
            #expect(parts.underWay <= KafkaParts.maxUnderWay)
            #expect(parts.bytesUnderWay <= KafkaParts.maxBytesUnderWay + bytes + 1_000)
        }
        let total = sent.reduce(0) { $0 + $1.utf8.count }
        #expect(total <= 256 << 10 + KafkaParts.maxBytesUnderWay + 2 * bytes + 1_000)
        #expect(rig.rig.adapter.resumed.isEmpty)
        try rig.cluster.setBroker(1, down: false)
        #expect(rig.turns { !rig.rig.adapter.resumed.isEmpty })
        rig.rig.endStream(exchange)
        #expect(rig.turns { rig.isIdle && rig.replies.last?.isFinal == true })
        #expect(rig.replies.dropLast().map(\.value) == sent)
        #expect(rig.replies.map(\.part) == Array(0...sent.count))
        #expect(Set(rig.replies.map(\.partition)).count == 1)
    }

    /// Else answers that are all out of room would wait for each other.
    @Test func `one part of each answer may always be under way`() {
        var parts = KafkaParts()
        #expect(parts.mayGo(hasRoom: false))
        parts.sent(10)
        // It is not known yet where the others are to go.
        #expect(!parts.mayGo(hasRoom: true))
        parts.partition = 3
        #expect(parts.mayGo(hasRoom: true) && !parts.mayGo(hasRoom: false))
        // Nothing overtakes one that is sent again later.
        parts.delay()
        #expect(!parts.mayGo(hasRoom: true))
        parts.settled(10)
        #expect(parts.mayGo(hasRoom: false) && parts.underWay == 0 && parts.bytesUnderWay == 0 && parts.count == 1)
        parts.sent(KafkaParts.maxBytesUnderWay)
        #expect(!parts.mayGo(hasRoom: true))
        parts.settled(KafkaParts.maxBytesUnderWay)
        for _ in 0..<KafkaParts.maxUnderWay { parts.sent(1) }
        #expect(!parts.mayGo(hasRoom: true))
        parts.settled(1)
        #expect(parts.mayGo(hasRoom: true))
    }

    /// What was sent before is not lost, and the end says what became of the rest.
    @Test func `the time of a stream may end while the broker is away`() throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask()
        rig.rig.beginStream(exchange)
        rig.rig.send(exchange, Self.event(0))
        #expect(rig.turns { rig.replies.count == 1 })
        try rig.cluster.setBroker(1, down: true)
        for number in 1..<100 { rig.rig.send(exchange, Self.event(number)) }
        rig.turn()
        rig.rig.endStream(exchange, ExchangeFailure(cause: .timeout, message: "too late"))
        for _ in 0..<3 { rig.turn() }
        #expect(rig.provider.requests.inUse == 1 && rig.progress.offsetToStore == nil)
        try rig.cluster.setBroker(1, down: false)
        #expect(rig.turns { rig.isIdle && rig.replies.last?.isFinal == true && rig.deadLetters.count == 1 })
        #expect(rig.replies.map(\.part) == Array(0...100))
        #expect(rig.replies.last?.status == 504)
        #expect(rig.rig.lane.events.map(\.status) == [504])
    }

    /// One that never ends must not wait for its end for ever.
    @Test func `an event that is too long comes in pieces`() throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask()
        rig.rig.beginStream(exchange)
        var text = "data: "
        rig.rig.send(exchange, text)
        var pieces = 0
        while rig.rig.send(exchange, String(repeating: "x", count: 16 << 10)) {
            text += String(repeating: "x", count: 16 << 10)
            pieces += 1
            rig.turn()
            #expect(rig.replies.isEmpty)
            try #require(pieces < 100)
        }
        text += String(repeating: "x", count: 16 << 10)
        #expect(rig.turns { rig.replies.count == 1 && !rig.rig.adapter.resumed.isEmpty })
        rig.rig.send(exchange, "\n\n" + Self.event(1))
        rig.rig.endStream(exchange)
        #expect(rig.turns { rig.isIdle && rig.replies.last?.isFinal == true })
        #expect(rig.replies.map(\.value) == [text, "\n\n" + Self.event(1), ""])
        #expect(rig.replies.map { $0.headers["ameron-continues"] } == ["true", nil, nil])
    }

    /// Also the last one: nobody may take the answer for complete, though it was recorded as such by then.
    @Test(arguments: [false, true]) func `a part that is too large ends the answer`(isLast: Bool) throws {
        let rig = try KafkaPartsRig(["message.max.bytes": "2000"])
        let exchange = try rig.ask()
        rig.rig.beginStream(exchange)
        rig.rig.send(exchange, Self.event(0))
        #expect(rig.turns { rig.replies.count == 1 })
        rig.rig.send(exchange, Self.event(1, bytes: 5_000))
        if isLast { rig.rig.endStream(exchange) }
        #expect(rig.turns { rig.isIdle && rig.replies.last?.isFinal == true })
        #expect(rig.rig.adapter.cancelled == (isLast ? [] : [exchange.index]))
        #expect(rig.replies.map(\.part) == [0, 2] && rig.replies.last?.status == 502)
        #expect(try JSON(parsing: rig.replies[1].value)["cause"] == "replyTooLarge")
        #expect(rig.turns { rig.deadLetters.count == 1 })
        #expect(rig.deadLetters[0].headers["ameron-dead-letter-cause"] == "replyTooLarge")
        #expect(rig.rig.lane.events.map(\.status) == [isLast ? 200 : 502])
    }

    @Test func `a topic that is not there is told of on the usual one`() throws {
        let rig = try KafkaPartsRig()
        rig.cluster.setTopicError(KafkaPartsRig.mine, KafkaError.unknownTopicOrPartition.code)
        let exchange = try rig.ask(["ameron-stream": "parts", "ameron-reply-topic": KafkaPartsRig.mine])
        rig.rig.beginStream(exchange)
        rig.rig.send(exchange, Self.event(0) + Self.event(1))
        #expect(rig.turns { rig.isIdle && rig.replies.last?.isFinal == true })
        #expect(rig.replies.count == 1 && rig.mine.isEmpty)
        #expect(rig.replies[0].status == 400 && rig.replies[0].part == 1)
        #expect(rig.turns { rig.deadLetters.count == 1 })
    }

    /// The usual one is waited for, and no part overtakes another.
    @Test func `parts wait for their topic`() throws {
        let rig = try KafkaPartsRig()
        let topic = Configuration.Providers.Kafka().replyTopic
        rig.cluster.setTopicError(topic, KafkaError.unknownTopicOrPartition.code)
        let exchange = try rig.ask()
        rig.rig.beginStream(exchange)
        for number in 0..<20 { rig.rig.send(exchange, Self.event(number)) }
        rig.rig.endStream(exchange)
        rig.turn()
        #expect(rig.provider.requests[exchange.providerContext].parts.underWay == 1)
        rig.cluster.setTopicError(topic, 0)
        #expect(rig.turns { rig.isIdle && rig.replies.last?.isFinal == true })
        #expect(rig.replies.map(\.part) == Array(0...20))
    }

    /// What was under way may come twice; each time in order.
    @Test func `another producer goes on where one failed`() throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask()
        rig.rig.beginStream(exchange)
        rig.rig.send(exchange, Self.event(0))
        #expect(rig.turns { rig.replies.count == 1 })
        try rig.cluster.setBroker(1, rttMilliseconds: 300)
        for number in 1..<10 { rig.rig.send(exchange, Self.event(number)) }
        rig.turn()
        rig.provider.replies.producer.failFatally()
        for number in 10..<20 { rig.rig.send(exchange, Self.event(number)) }
        rig.turn()
        try rig.cluster.setBroker(1, rttMilliseconds: 0)
        rig.rig.endStream(exchange)
        #expect(rig.turns { rig.isIdle && rig.replies.last?.isFinal == true })
        var numbers = Set<Int>()
        let first = rig.replies.compactMap(\.part).filter { numbers.insert($0).inserted }
        #expect(first == Array(0...20))
        #expect(rig.replies.last?.part == 20)
        #expect(rig.replies.filter(\.isFinal).count == 1)
    }

    /// What is dropped with parts under way is forgotten when the broker has told of them, and not before.
    @Test func `what is dropped waits for its parts`() throws {
        let rig = try KafkaPartsRig()
        let exchange = try rig.ask()
        rig.rig.beginStream(exchange)
        try rig.cluster.setBroker(1, down: true)
        rig.rig.send(exchange, Self.event(0))
        rig.turn()
        rig.progress.leave()
        rig.provider.dropWaiting()
        for _ in 0..<3 { rig.turn() }
        #expect(rig.provider.requests.inUse == 1 && rig.rig.flow.exchanges.inUse == 0)
        // Others go on meanwhile.
        try rig.cluster.setBroker(1, down: false)
        #expect(rig.finishes())
        #expect(rig.turns { rig.replies.count == 1 })
        #expect(!rig.replies[0].isFinal)
    }
}
