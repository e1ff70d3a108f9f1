import TestSupport
import Testing

@testable import Gateway

extension KafkaMockCluster {
    /// All records of a topic, partition after partition.
    func allRecords(in topic: String, partitions: Int = 1) throws -> [SeenRecord] {
        let consumer = try consumer([
            ("enable.partition.eof", "true"), ("topic.metadata.refresh.fast.interval.ms", "10"),
            ("fetch.error.backoff.ms", "10"),
        ])
        let all = (0..<partitions).map {
            KafkaPartition(topic: topic, partition: Int32($0), offset: KafkaPartition.beginning)
        }
        try consumer.assign(all)
        var seen: [SeenRecord] = []
        var ends = 0
        let isWhole = eventually {
            _ = consumer.poll(limit: 10_000, timeoutMilliseconds: 20) { event in
                switch event {
                case .consumed(let message): seen.append(SeenRecord(message))
                case .partitionEnd: ends += 1
                default: break
                }
            }
            return ends >= partitions
        }
        #expect(isWhole, "the topic could not be read to its end")
        return seen.sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
    }
}

/// A configuration for a cluster of mock brokers.
func kafkaConfiguration(
    _ cluster: KafkaMockCluster,
    topic: String = "predictions",
    failures: String = "/dev/null",
    properties: [String: String] = [:]
) -> Configuration.Reporter.Kafka {
    var configuration = Configuration.Reporter.Kafka()
    configuration.brokers = cluster.bootstrapServers
    configuration.topic = topic
    configuration.failurePath = failures
    configuration.properties = properties
    return configuration
}
