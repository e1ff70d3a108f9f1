import TestSupport
import Testing

@testable import Gateway

/// A record as it was read.
struct KafkaRecord: Equatable {
    var partition: Int32
    var offset: Int64
    var key: String?
    var value: [UInt8]?
    var headers: [Header]

    struct Header: Equatable {
        var name: String
        var value: [UInt8]?
    }

    var text: String? { value.map { String(decoding: $0, as: UTF8.self) } }

    /// The values of a header, as text.
    func all(_ name: String) -> [String] {
        headers.filter { $0.name == name }.map { String(decoding: $0.value ?? [], as: UTF8.self) }
    }

    /// The value of a header that stands there once.
    subscript(name: String) -> String? {
        let values = all(name)
        return values.count == 1 ? values[0] : nil
    }

    func json() throws -> JSON { try JSON(parsing: value ?? []) }
}

/// A mock cluster in the test's process, with what a client of the Sidecar has: something that sends requests, and reads
/// answers and dead letters. One thread.
final class KafkaRig {
    static let requests = "requests"
    static let replies = "replies"
    static let deadLetters = "dead-letters"
    static let group = "sidecars"

    private let cluster: KafkaMockCluster
    private let producer: KafkaProducer
    private let consumer: KafkaConsumer
    private(set) var seen: [String: [KafkaRecord]] = [:]
    private var sent = 0
    /// Where each request has come to, in the order in which they were sent.
    private(set) var places: [Int: (partition: Int32, offset: Int64)] = [:]

    /// - Parameter others: topics beside the usual three.
    init(partitions: Int = 2, others: [String] = []) throws {
        cluster = try KafkaMockCluster()
        for topic in [Self.requests, Self.replies, Self.deadLetters] + others {
            try cluster.createTopic(topic, partitions: partitions)
        }
        let servers = [("bootstrap.servers", cluster.bootstrapServers)]
        producer = try KafkaProducer(settings: KafkaSettings(servers + [("linger.ms", "0")]), wake: nil)
        let own = [("group.id", Self.group), ("fetch.wait.max.ms", "20"), ("enable.auto.commit", "false")]
        consumer = try KafkaConsumer(settings: KafkaSettings(servers + own), wake: nil)
        let places = ([Self.replies, Self.deadLetters] + others).flatMap { topic in
            (0..<partitions).map {
                KafkaPartition(topic: topic, partition: Int32($0), offset: KafkaPartition.beginning)
            }
        }
        try consumer.assign(places)
    }

    var brokers: String { cluster.bootstrapServers }

    /// The keys of a Sidecar that serves this cluster; `more` goes before them.
    func keys(_ more: [String: String] = [:]) -> [String: String] {
        [
            "brokers": "\"\(cluster.bootstrapServers)\"", "group": Self.group, "requestTopic": Self.requests,
            "replyTopic": Self.replies, "deadLetterTopic": Self.deadLetters, "retryBackoff": "2ms",
            "maxRetryBackoff": "20ms", "session.timeout.ms": "6000", "heartbeat.interval.ms": "200",
            "fetch.wait.max.ms": "20", "linger.ms": "0", "auto.commit.interval.ms": "100",
        ]
        .merging(more) { $1 }
    }

    /// Breaks all connections and refuses new ones, or takes them again.
    func setBroker(down: Bool) throws { try cluster.setBroker(1, down: down) }

    /// Delays each answer of the broker.
    func setBroker(rttMilliseconds: Int) throws { try cluster.setBroker(1, rttMilliseconds: rttMilliseconds) }

    /// Has the broker refuse the next messages with these errors; 0: take it.
    func refuseMessages(_ errors: [Int32]) { cluster.pushErrors(apiKey: 0, errors) }

    /// Has it take all that it gets from now on.
    func takeMessages() { cluster.clearErrors(apiKey: 0) }

    /// Deletes the topic of the requests, as far as clients can tell; or brings it back, with what was in it.
    func setRequests(deleted: Bool) {
        cluster.setTopicError(Self.requests, deleted ? KafkaError.unknownTopicOrPartition.code : 0)
    }

    /// Sends a request; its number is how many were sent before.
    func send(key: String? = nil, _ value: [UInt8]?, _ headers: [KafkaRecord.Header] = []) throws {
        let list = KafkaHeaderList()
        for header in headers {
            Array(header.name.utf8).withByteView { name in
                if let value = header.value {
                    value.withByteView { list.append(name: name, value: $0) }
                } else {
                    list.append(name: name, value: nil)
                }
            }
        }
        let topic = try producer.topic(Self.requests)
        try Array((key ?? "").utf8).withByteView { keyView in
            try (value ?? []).withByteView { view in
                try producer.produce(
                    to: topic,
                    key: key == nil ? nil : keyView,
                    value: value == nil ? nil : view,
                    headers: list,
                    ticket: sent
                )
            }
        }
        sent += 1
    }

    func send(key: String? = nil, _ value: String, _ headers: [String: String] = [:]) throws {
        try send(
            key: key,
            Array(value.utf8),
            headers.sorted { $0.key < $1.key }.map { KafkaRecord.Header(name: $0.key, value: Array($0.value.utf8)) }
        )
    }

    /// Waits until the broker has all requests.
    func flush() throws {
        let isDone = eventually {
            _ = producer.poll(timeoutMilliseconds: 20) { event in
                guard case .delivered(let delivery) = event, delivery.error == nil else { return }
                places[delivery.ticket] = (delivery.partition, delivery.offset)
            }
            return places.count >= sent
        }
        guard isDone else { throw TestFailure("the cluster took \(places.count) of \(sent) requests") }
    }

    /// Reads on until the condition holds; false when it does not.
    func reads(within seconds: Double = Deadline.standardSeconds, until condition: () throws -> Bool) rethrows -> Bool {
        try eventually(within: seconds) {
            _ = producer.poll { _ in }
            _ = consumer.poll(limit: 1_000, timeoutMilliseconds: 10) { event in
                if case .consumed(let message) = event { note(message) }
            }
            return try condition()
        }
    }

    var replies: [KafkaRecord] { seen[Self.replies] ?? [] }
    var deadLetters: [KafkaRecord] { seen[Self.deadLetters] ?? [] }

    private func note(_ message: KafkaMessage) {
        var headers: [KafkaRecord.Header] = []
        message.forEachHeader { headers.append(KafkaRecord.Header(name: $0.string, value: $1?.array)) }
        seen[message.topic.string, default: []].append(
            KafkaRecord(
                partition: message.partition,
                offset: message.offset,
                key: message.key?.string,
                value: message.value?.array,
                headers: headers
            )
        )
    }

    /// What the Sidecars' group has committed of the requests, by partition; 0: nothing.
    func committed(partitions: Int = 2) throws -> [Int64] {
        let places = (0..<partitions).map { KafkaPartition(topic: Self.requests, partition: Int32($0)) }
        return try consumer.committed(places, timeoutMilliseconds: 5_000).map { max($0.offset, 0) }
    }
}
