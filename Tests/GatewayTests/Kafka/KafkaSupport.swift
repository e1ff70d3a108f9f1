import TestSupport
import Testing

@testable import Gateway

/// What a delivery without an error is in `deliveries`.
let delivered: KafkaError? = nil

/// A consumed record, copied.
struct SeenRecord: Equatable {
    var topic: String
    var partition: Int32
    var offset: Int64
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [String]

    init(_ message: KafkaMessage) {
        topic = message.topic.string
        partition = message.partition
        offset = message.offset
        key = message.key?.array
        value = message.value?.array
        var headers: [String] = []
        message.forEachHeader { headers.append("\($0.string)=\($1?.string ?? "null")") }
        self.headers = headers
    }

    var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }
}

extension KafkaMockCluster {
    func settings(_ more: [(String, String)] = []) -> KafkaSettings {
        KafkaSettings([("bootstrap.servers", bootstrapServers)] + more)
    }

    func producer(_ more: [(String, String)] = [], wake: EventFD? = nil) throws -> KafkaProducer {
        try KafkaProducer(settings: settings([("linger.ms", "0")] + more), wake: wake)
    }

    /// A consumer that has to be told what to read.
    func consumer(group: String = "none", _ more: [(String, String)] = [], wake: EventFD? = nil) throws -> KafkaConsumer
    {
        let own = [
            ("group.id", group), ("auto.offset.reset", "earliest"), ("enable.auto.offset.store", "false"),
            ("fetch.wait.max.ms", "20"),
        ]
        return try KafkaConsumer(settings: settings(own + more), wake: wake)
    }

    /// A member of a group that takes part in short intervals.
    func member(
        of group: String,
        topic: String,
        _ more: [(String, String)] = [],
        wake: EventFD? = nil
    ) throws -> KafkaConsumer {
        let own = [
            ("partition.assignment.strategy", "cooperative-sticky"), ("session.timeout.ms", "6000"),
            ("heartbeat.interval.ms", "200"), ("auto.commit.interval.ms", "100"),
        ]
        let consumer = try consumer(group: group, own + more, wake: wake)
        try consumer.subscribe([topic])
        return consumer
    }
}

extension KafkaProducer {
    func produce(to topic: String, key: String? = nil, _ value: String?, ticket: Int = 0) throws {
        try produce(to: topic, key: key, value, headers: KafkaHeaderList(), ticket: ticket)
    }

    func produce(to topic: String, key: String?, _ value: String?, headers: KafkaHeaderList, ticket: Int) throws {
        let topic = try self.topic(topic)
        try Array((key ?? "").utf8).withByteView { keyView in
            try Array((value ?? "").utf8).withByteView { view in
                try produce(
                    to: topic,
                    key: key == nil ? nil : keyView,
                    value: value == nil ? nil : view,
                    headers: headers,
                    ticket: ticket
                )
            }
        }
    }

    /// The errors by ticket, as soon as there are so many deliveries; fewer where they do not come.
    func deliveries(_ count: Int) -> [Int: KafkaError?] {
        var seen: [Int: KafkaError?] = [:]
        _ = eventually {
            _ = poll(timeoutMilliseconds: 50) { event in
                if case .delivered(let delivery) = event { seen.updateValue(delivery.error, forKey: delivery.ticket) }
            }
            return seen.count >= count
        }
        return seen
    }
}

extension KafkaConsumer {
    /// Polls until there are so many records; fewer where they do not come. Answers rebalances.
    func records(_ count: Int) -> [SeenRecord] {
        var seen: [SeenRecord] = []
        _ = eventually {
            turn({ seen.append(SeenRecord($0)) })
            return seen.count >= count
        }
        return seen
    }

    /// One short poll.
    func turn(_ body: (KafkaMessage) -> Void = { _ in }, onRebalance: (KafkaRebalance) -> Void = { _ in }) {
        _ = poll(limit: 100, timeoutMilliseconds: 20) { event in
            switch event {
            case .consumed(let message): body(message)
            case .rebalance(let rebalance):
                onRebalance(rebalance)
                do { try accept(rebalance) } catch { Issue.record("\(error)") }
            default: break
            }
        }
    }
}
