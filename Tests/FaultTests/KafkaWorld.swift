import TestSupport

@testable import Gateway

/// A mock cluster with the topics of one group of Sidecars, and what the tests must know about it.
final class KafkaWorld: Sendable {
    static let group = "ameron"
    static let requestTopic = "prediction-requests"
    static let replyTopic = "prediction-replies"
    static let deadLetterTopic = "prediction-dead-letters"
    static let eventTopic = "predictions"
    static let allTopics = [requestTopic, replyTopic, deadLetterTopic, eventTopic]

    let cluster: KafkaMockCluster
    let brokerCount: Int
    let partitionCount: Int
    let replies: TopicReader
    let deadLetters: TopicReader
    let events: TopicReader

    var bootstrap: String { cluster.bootstrapServers }

    init(brokers: Int = 3, partitions: Int = 8) throws {
        cluster = try KafkaMockCluster(brokers: brokers)
        brokerCount = brokers
        partitionCount = partitions
        for topic in Self.allTopics {
            try cluster.createTopic(topic, partitions: partitions, replication: brokers)
        }
        replies = try TopicReader(cluster.bootstrapServers, Self.replyTopic)
        deadLetters = try TopicReader(cluster.bootstrapServers, Self.deadLetterTopic)
        events = try TopicReader(cluster.bootstrapServers, Self.eventTopic)
    }

    func setAllBrokers(down: Bool) throws {
        for broker in 1...brokerCount { try cluster.setBroker(Int32(broker), down: down) }
    }

    /// The group's committed offset of each request partition; nothing for those without one.
    func committed() throws -> [Int32: Int64] {
        let consumer = try KafkaConsumer(
            settings: KafkaSettings([("bootstrap.servers", bootstrap), ("group.id", Self.group)]),
            wake: nil
        )
        let partitions = (0..<partitionCount).map {
            KafkaPartition(topic: Self.requestTopic, partition: Int32($0))
        }
        let committed = try consumer.committed(partitions, timeoutMilliseconds: 30_000)
        return Dictionary(uniqueKeysWithValues: committed.filter { $0.offset >= 0 }.map { ($0.partition, $0.offset) })
    }
}

/// How the Sidecars of the fault tests are set up.
struct FaultConfiguration {
    var world: KafkaWorld
    var modelURL: String
    var delivery = "at-least-once"
    var spoolPath = ""
    var eventFile: String?
    var hasProvider = true
    /// Of the Provider's client, beside a short session timeout: a killed member holds the group up for that long.
    var properties: [String: String] = [:]
    /// Of the Reporter's and the Provider's clients.
    var producerProperties: [String: String] = [:]
    var server: [String: String] = [:]
    var reporting: [String: String] = [:]

    var yaml: String {
        var lines = ["server:", "  port: 0", "  shards: 1", "  drainTimeout: 20s"]
        lines += server.map { "  \($0.key): \($0.value)" }
        lines += [
            "models:", "  - name: iris", "    version: \"1\"", "    url: \"\(modelURL)\"", "reporting:",
            "  delivery: \(delivery)",
        ]
        lines += reporting.map { "  \($0.key): \($0.value)" }
        if !spoolPath.isEmpty { lines += ["  spool:", "    path: \"\(spoolPath)\""] }
        lines += [
            "  reporters:", "    - type: kafka", "      brokers: \"\(world.bootstrap)\"",
            "      topic: \(KafkaWorld.eventTopic)", "      properties:", "        client.id: reporter",
        ]
        lines += producerProperties.map { "        \($0.key): \"\($0.value)\"" }
        if let eventFile { lines += ["    - type: file", "      path: \"\(eventFile)\""] }
        guard hasProvider else { return lines.joined(separator: "\n") + "\n" }
        lines += [
            "providers:", "  kafka:", "    brokers: \"\(world.bootstrap)\"", "    group: \(KafkaWorld.group)",
            "    requestTopic: \(KafkaWorld.requestTopic)", "    replyTopic: \(KafkaWorld.replyTopic)",
            "    deadLetterTopic: \(KafkaWorld.deadLetterTopic)", "    properties:", "      session.timeout.ms: 6000",
        ]
        lines += properties.merging(producerProperties) { $1 }.map { "      \($0.key): \"\($0.value)\"" }
        return lines.joined(separator: "\n") + "\n"
    }

    func start(in directory: TemporaryDirectory) throws -> SidecarProcess {
        let file = try directory.write(yaml, to: "sidecar-\(UInt32.random(in: 0 ... .max)).yaml")
        return try SidecarProcess(arguments: ["--config", file], directory: directory)
    }
}
